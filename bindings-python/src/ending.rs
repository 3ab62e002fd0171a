//! The end of the interpreter. A thread that asks for the GIL while the interpreter ends is unwound by Python, through
//! whatever it was doing, and Rust's frames do not survive that. So no thread asks any more once the end has begun, and
//! the end waits for those that have asked.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// The thread that ends the interpreter, once it has begun to.
static ENDING: OnceLock<ThreadId> = OnceLock::new();
/// Threads that have asked for the GIL and did not return to Python yet.
static RETURNING: AtomicUsize = AtomicUsize::new(0);
/// The end does not wait longer than this for functions of the user's that a call is in.
const PATIENCE: Duration = Duration::from_secs(1);

/// Registered with `atexit`: from now on other threads stay where they are.
#[pyfunction]
pub(crate) fn before_exit(py: Python<'_>) {
    let _ = ENDING.set(thread::current().id());
    py.detach(|| {
        let start = Instant::now();
        while RETURNING.load(Ordering::SeqCst) > 0 && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Held by a thread on its way back to Python.
pub(crate) struct Returning(());

impl Returning {
    fn new() -> Self {
        let own = Self(());
        RETURNING.fetch_add(1, Ordering::SeqCst);
        if ENDING.get().is_some_and(|ending| *ending != thread::current().id()) {
            drop(own);
            loop {
                thread::park();
            }
        }
        own
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        // Not below zero, which a fork between the two could cause.
        let _ = RETURNING.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
    }
}

/// In a forked child no other thread is on its way.
pub(crate) fn forget_other_threads() {
    RETURNING.store(0, Ordering::SeqCst);
}

/// Works without the GIL. What comes with the result is to be held until the thread is back in Python.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> (T, Returning) {
    py.detach(|| {
        let done = work();
        (done, Returning::new())
    })
}
