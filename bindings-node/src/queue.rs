//! What is done and not yet told to JavaScript. Filled by the runtime's thread, emptied by JavaScript's.

#![allow(unsafe_code, reason = "Node has a C interface")]

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::sys;
use pabbly_connect::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// Entries beyond this many bytes go into the next batch: what JavaScript makes of a batch shall be used and forgotten
/// before more is made, which costs far less than keeping all of it.
const LARGEST_BATCH: usize = 16 << 10;

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
    entries: VecDeque<Entry>,
    /// `None` before the environment is ready and once it ends: then nobody listens any more.
    waker: Option<Waker>,
    /// Whether a wake-up is on its way, which will find everything that is pushed until then.
    woken: bool,
}

#[derive(Default)]
pub(crate) struct Queue(Mutex<State>);

impl State {
    fn wake(&mut self) {
        let Some(Waker(function)) = self.waker else {
            return;
        };
        // SAFETY: the environment lives, since `close` waits for the lock that guards this state.
        let status = unsafe {
            sys::napi_call_threadsafe_function(
                function,
                std::ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            )
        };
        self.woken = status == sys::Status::napi_ok;
    }
}

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
        state.entries.push_back(Entry { number, kind, json });
        if !std::mem::replace(&mut state.woken, true) {
            let queue = self.clone();
            tokio::spawn(async move { queue.state().wake() });
        }
    }

    /// Takes the next batch, as the JSON text `[number, kind, json, number, kind, json, …]`, and wakes JavaScript again
    /// where more is left. `ended` is told the number of each call that is over.
    pub(crate) fn take(&self, mut ended: impl FnMut(u32)) -> Zeroizing<String> {
        let mut entries = Vec::new();
        let mut room = 2;
        {
            let mut state = self.state();
            while let Some(entry) = state.entries.front() {
                let size = entry.json.expose_secret().len() + 16;
                if room + size > LARGEST_BATCH && !entries.is_empty() {
                    break;
                }
                room += size;
                entries.extend(state.entries.pop_front());
            }
            state.woken = false;
            if !state.entries.is_empty() {
                state.wake();
            }
        }
        // Room from the start: a growing text would leave copies behind that are not zeroed.
        let mut batch = Zeroizing::new(String::with_capacity(room));
        for Entry { number, kind, json } in &entries {
            let separator = if batch.is_empty() { '[' } else { ',' };
            // Writing to a text does not fail.
            let _ = write!(batch, "{separator}{number},{},", *kind as u8);
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
