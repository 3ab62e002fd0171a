//! What calls tell while they are under way: lines for Python's `logging`, and the polls of waits. The core tells it
//! on whichever thread works on a call; Python hears of it on a thread of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pabbly_connect::bindings::event_json;
use pabbly_connect::{ClientBuilder, Poll, Wait};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

/// Where messages of one kind go.
pub(crate) struct Mailbox<T>(Mutex<To<T>>);

enum To<T> {
    Nobody,
    /// They are kept until somebody takes them.
    Here(Vec<T>),
    Elsewhere(Box<dyn Fn(T) + Send + Sync>),
}

impl<T> Mailbox<T> {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(To::Nobody)))
    }

    fn to(&self) -> MutexGuard<'_, To<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Throws messages away from now on.
    pub(crate) fn ignore(&self) {
        *self.to() = To::Nobody;
    }

    /// Keeps messages from now on.
    pub(crate) fn keep(&self) {
        let mut to = self.to();
        if !matches!(*to, To::Here(_)) {
            *to = To::Here(Vec::new());
        }
    }

    /// Hands messages over from now on. The function is called on the thread that works on the call.
    pub(crate) fn forward(&self, receive: impl Fn(T) + Send + Sync + 'static) {
        *self.to() = To::Elsewhere(Box::new(receive));
    }

    /// What was kept.
    pub(crate) fn take(&self) -> Vec<T> {
        match &mut *self.to() {
            To::Here(kept) => std::mem::take(kept),
            To::Nobody | To::Elsewhere(_) => Vec::new(),
        }
    }

    /// Takes a message that is only made where somebody wants it.
    fn put(&self, message: impl FnOnce() -> T) {
        match &mut *self.to() {
            To::Nobody => {}
            To::Here(kept) => kept.push(message()),
            To::Elsewhere(receive) => receive(message()),
        }
    }
}

/// The log of one client.
pub(crate) type Log = Mailbox<Line>;

/// A client whose events go to a log.
pub(crate) fn logged(builder: ClientBuilder) -> (ClientBuilder, Arc<Log>) {
    let log = Log::new();
    let own = log.clone();
    (builder.on_event(move |event| own.put(|| Line(event_json(event)))), log)
}

/// The polls of one wait.
pub(crate) type Polls = Mailbox<Polled>;

/// The status and the phase, if they are known, and the seconds until the next poll.
pub(crate) type Polled = (Option<String>, Option<String>, f64);

/// A wait whose polls go to a mailbox.
pub(crate) fn told(wait: Wait) -> (Wait, Arc<Polls>) {
    let polls = Polls::new();
    let own = polls.clone();
    let polled = |poll: &Poll| {
        let status = poll.status.as_ref().map(|status| status.as_str().to_owned());
        let phase = poll.phase.as_ref().map(|phase| phase.as_str().to_owned());
        (status, phase, poll.next_in.as_secs_f64())
    };
    (wait.on_poll(move |poll| own.put(|| polled(poll))), polls)
}

/// An event of the log, as JSON.
#[derive(Debug)]
pub(crate) struct Line(String);

impl Line {
    /// Hands the line to the logger `pabbly_connect`. A filter that fails is told of where Python tells of errors that
    /// nobody can catch: the call goes on. What ends the program does so here too.
    pub(crate) fn log(self, py: Python<'_>) -> PyResult<()> {
        let write = || py.import("pabbly_connect._logging")?.call_method1("write", (self.0,));
        match write() {
            Err(error) if error.is_instance_of::<PyException>(py) => error.write_unraisable(py, None),
            written => drop(written?),
        }
        Ok(())
    }
}
