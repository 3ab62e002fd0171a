//! Calls on the caller's own thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::pending;
use pabbly_connect::bindings::{BodySender, Bytes};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator};
use tokio::runtime;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::call::{Ready, Work};
use crate::client::Connected;
use crate::done::Outcome;
use crate::ending::{Returning, detached};
use crate::errors::misuse;
use crate::fork::generation;

/// How often signals are looked for: Ctrl-C works that fast.
const SIGNALS: Duration = Duration::from_millis(100);

/// What drives the calls of one client. Nothing happens on it between two calls: the core catches up with the
/// connections before each request. Several threads may call at once; one of them then works for all.
pub(crate) struct Runtime {
    tokio: Option<runtime::Runtime>,
    /// Tells that it is time to look for signals. One timer for all calls is cheaper than one for each.
    ticks: Arc<Notify>,
    /// How many threads are calling.
    callers: AtomicUsize,
}

impl Runtime {
    pub(crate) fn new() -> PyResult<Self> {
        let tokio = runtime::Builder::new_current_thread().enable_all().build()?;
        let ticks = Arc::<Notify>::default();
        tokio.spawn(tick(ticks.clone()));
        Ok(Self { tokio: Some(tokio), ticks, callers: AtomicUsize::new(0) })
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // Without waiting for name look-ups that are still under way.
        if let Some(tokio) = self.tokio.take() {
            tokio.shutdown_background();
        }
    }
}

/// A thread that calls.
struct Caller<'a> {
    callers: &'a AtomicUsize,
    /// Whether no other was calling when it began.
    alone: bool,
}

impl<'a> Caller<'a> {
    fn new(Runtime { callers, .. }: &'a Runtime) -> Self {
        let alone = callers.fetch_add(1, Ordering::Relaxed) == 0;
        Self { callers, alone }
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.callers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The work as a task of its own. The thread that works for all does all of it, and wakes this one up once; else the
/// two would wake each other up at each step.
fn apart(work: Work) -> Work {
    Box::pin(async move {
        let (task, outcome) = work.remote_handle();
        tokio::spawn(task);
        outcome.await
    })
}

/// Runs to the end, without the GIL. Between times it looks for signals, whose handlers may raise, and hands over what
/// the call tells. What comes with the outcome is to be held until it is Python's.
pub(crate) fn run(
    py: Python<'_>,
    ready: Ready,
    log: bool,
    on_poll: Option<&Bound<'_, PyAny>>,
    mut parts: Option<Bound<'_, PyIterator>>,
) -> PyResult<(Outcome, Returning)> {
    let Ready { work, connected, polls, sender } = ready;
    let mut sender = sender.filter(|_| parts.is_some());
    let runtime = connected.runtime()?;
    let caller = Caller::new(runtime);
    let mut work = if caller.alone { work } else { apart(work) };
    let tokio = runtime.tokio.as_ref().ok_or_else(|| misuse("the runtime is gone"))?;
    let process = generation();
    if log {
        connected.log().keep()
    } else {
        connected.log().ignore()
    }
    polls.iter().for_each(|polls| polls.keep());
    let hand_over = || {
        for line in connected.log().take() {
            line.log(py)?;
        }
        for polled in polls.iter().flat_map(|polls| polls.take()) {
            on_poll.map(|on_poll| on_poll.call1(polled)).transpose()?;
        }
        PyResult::Ok(())
    };
    loop {
        let (step, returning) = detached(py, || {
            tokio.block_on(slice(&mut work, &runtime.ticks, caller.alone, sender.as_deref()))
        });
        let mut told = hand_over();
        match step {
            Step::Done(outcome) if told.is_ok() => return Ok((outcome, returning)),
            Step::Wanted(true) if told.is_ok() => told = pass_on(sender.as_deref(), parts.as_mut()),
            Step::Wanted(false) => sender = None,
            _ => {}
        }
        let interrupted = told.and_then(|()| py.check_signals());
        if process != generation() {
            // Something forked meanwhile, and this is the child: the request is the parent's.
            drop(caller);
            std::mem::forget((work, connected));
            interrupted?;
            return Err(misuse("the process forked during the call"));
        }
        if let Err(error) = interrupted {
            drop(work);
            let ((), _returning) = detached(py, || tokio.block_on(close_what_was_given_up()));
            return Err(error);
        }
    }
}

async fn tick(ticks: Arc<Notify>) {
    loop {
        sleep(SIGNALS).await;
        ticks.notify_waiters();
    }
}

/// Why a thread stops to work.
enum Step {
    Done(Outcome),
    /// Whether another part of the request's body is wanted.
    Wanted(bool),
    /// It is time to look for signals.
    Tick,
}

/// Passes the next part of a request's body on, or that it is whole.
fn pass_on(sender: Option<&BodySender>, parts: Option<&mut Bound<'_, PyIterator>>) -> PyResult<()> {
    let (Some(sender), Some(parts)) = (sender, parts) else {
        return Ok(());
    };
    let Some(part) = parts.next().transpose()? else {
        sender.finish();
        return Ok(());
    };
    let part = Bytes::copy_from_slice(part.cast::<PyBytes>()?.as_bytes());
    // There is room for it, or else nobody wants it any more.
    let _ = sender.send(part).now_or_never();
    Ok(())
}

/// Has the tasks of connections see what was closed, where there is nobody else who works on them.
pub(crate) fn settle(py: Python<'_>, connected: &Connected) {
    if let Ok(Runtime { tokio: Some(tokio), .. }) = connected.runtime() {
        let ((), _returning) = detached(py, || tokio.block_on(close_what_was_given_up()));
    }
}

/// Works until there is an outcome, or until the thread has something else to do.
async fn slice(work: &mut Work, ticks: &Notify, alone: bool, sender: Option<&BodySender>) -> Step {
    let wanted = async {
        match sender {
            Some(sender) => sender.ready().await,
            None => pending().await,
        }
    };
    let outcome = tokio::select! {
        biased;
        outcome = work => outcome,
        () = ticks.notified() => return Step::Tick,
        wanted = wanted => return Step::Wanted(wanted),
    };
    if alone {
        // The connection goes back to the others; where there are others, they see to that.
        yield_now().await;
    }
    Step::Done(outcome)
}

/// Lets the tasks of connections see that nobody waits for them any more.
async fn close_what_was_given_up() {
    for _ in 0..4 {
        yield_now().await;
    }
}
