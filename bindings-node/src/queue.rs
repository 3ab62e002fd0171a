//! What is done and not yet told to JavaScript. Filled by the runtime's thread, emptied by JavaScript's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::sys;
use pabbly_connect::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// What an entry tells; the number is what JavaScript reads.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// The call's answer.
    Value = 0,
    /// The error with which the call failed.
    Error = 1,
    /// Something that a client did.
    Event = 2,
    /// A poll of a wait that goes on.
    Poll = 3,
}

struct Entry {
    /// The call; for an event the client.
    number: u32,
    kind: Kind,
    /// JSON that may hold a credential, hence zeroed when dropped.
    json: SecretString,
}

/// Wakes JavaScript's thread.
struct Waker(sys::napi_threadsafe_function);

// SAFETY: a threadsafe function may be called from every thread as long as its environment lives, which `close`
// guarantees: it takes the waker away, under the queue's lock, before the environment is torn down.
unsafe impl Send for Waker {}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    /// `None` before the environment is ready and once it ends: then nobody listens any more.
    waker: Option<Waker>,
    /// Whether a wake-up is on its way, which will find everything that is pushed until then.
    woken: bool,
}

#[derive(Default)]
pub(crate) struct Queue(Mutex<State>);

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn open(&self, function: sys::napi_threadsafe_function) {
        self.state().waker = Some(Waker(function));
    }

    /// From here on nothing is kept and nobody is woken.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.waker = None;
        state.entries.clear();
    }

    /// Adds an entry. Must be called on the runtime's thread.
    ///
    /// The first entry since the last batch wakes JavaScript, but only after the tasks that are ready now: they may
    /// have more to tell, and a wake-up costs more than most calls.
    pub(crate) fn push(self: &Arc<Self>, number: u32, kind: Kind, json: SecretString) {
        let mut state = self.state();
        if state.waker.is_none() {
            return;
        }
        state.entries.push(Entry { number, kind, json });
        if !std::mem::replace(&mut state.woken, true) {
            let queue = self.clone();
            tokio::spawn(async move { queue.wake() });
        }
    }

    fn wake(&self) {
        let mut state = self.state();
        let Some(Waker(function)) = state.waker else {
            return;
        };
        // SAFETY: the environment lives, since `close` waits for the lock that is held here.
        let status = unsafe {
            sys::napi_call_threadsafe_function(
                function,
                std::ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            )
        };
        state.woken = status == sys::Status::napi_ok;
    }

    /// Takes everything, as the JSON text `[number, kind, json, number, kind, json, …]`. `ended` is told the number
    /// of each call that is over.
    pub(crate) fn take(&self, mut ended: impl FnMut(u32)) -> Zeroizing<String> {
        let entries = {
            let mut state = self.state();
            state.woken = false;
            std::mem::take(&mut state.entries)
        };
        // Room from the start: a growing text would leave copies behind that are not zeroed.
        let room = entries.iter().map(|entry| entry.json.expose_secret().len() + 16);
        let mut batch = Zeroizing::new(String::with_capacity(room.sum::<usize>() + 2));
        for Entry { number, kind, json } in &entries {
            let separator = if batch.is_empty() { '[' } else { ',' };
            batch.push(separator);
            batch.push_str(&format!("{number},{},", *kind as u8));
            batch.push_str(json.expose_secret());
            if matches!(kind, Kind::Value | Kind::Error) {
                ended(*number);
            }
        }
        if batch.is_empty() {
            batch.push('[');
        }
        batch.push(']');
        batch
    }
}
