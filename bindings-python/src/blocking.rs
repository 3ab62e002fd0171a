//! Calls on the caller's own thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tokio::runtime;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::call::Work;
use crate::done::Outcome;
use crate::errors::misuse;
use crate::events::{LISTENER, Line, Listener};
use crate::fork::generation;

/// How often signals are looked for: Ctrl-C works that fast.
const SIGNALS: Duration = Duration::from_millis(100);
/// Connections that lay idle for so long may have been closed by the other side.
const IDLE: Duration = Duration::from_millis(500);

/// What drives the calls of one client. Nothing happens on it between two calls: several threads may call at once,
/// one of them then works for all.
pub(crate) struct Runtime {
    tokio: Option<runtime::Runtime>,
    made: Instant,
    /// When the last call ended, in milliseconds after `made`.
    last_used: AtomicU64,
}

impl Runtime {
    pub(crate) fn new() -> PyResult<Self> {
        let tokio = Some(runtime::Builder::new_current_thread().enable_all().build()?);
        Ok(Self {
            tokio,
            made: Instant::now(),
            last_used: AtomicU64::new(0),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether nothing has run for a while.
    fn was_idle(&self) -> bool {
        let idle = self.now().saturating_sub(self.last_used.load(Ordering::Relaxed));
        idle >= u64::try_from(IDLE.as_millis()).unwrap_or(u64::MAX)
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

/// Why the thread comes back to Python.
enum Stop {
    Done(Box<Outcome>),
    Log,
    Signals,
}

/// Runs to the end, without the GIL. Between times it looks for signals, whose handlers may raise, and writes the log.
pub(crate) fn run(py: Python<'_>, runtime: &Runtime, work: Work, log: bool) -> PyResult<Outcome> {
    let tokio = runtime
        .tokio
        .as_ref()
        .ok_or_else(|| misuse("the runtime is gone"))?;
    let process = generation();
    let lines = Arc::<Mutex<Vec<Line>>>::default();
    let mut work = if log { listened(work, lines.clone()) } else { work };
    let take_lines = || std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner));
    let mut settle = runtime.was_idle();
    loop {
        let stop = py.detach(|| {
            tokio.block_on(async {
                if std::mem::take(&mut settle) {
                    yield_now().await;
                }
                let mut signals = std::pin::pin!(sleep(SIGNALS));
                let stop = std::future::poll_fn(|cx| {
                    if let Poll::Ready(outcome) = work.as_mut().poll(cx) {
                        return Poll::Ready(Stop::Done(Box::new(outcome)));
                    }
                    if log && !lines.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                        return Poll::Ready(Stop::Log);
                    }
                    signals.as_mut().poll(cx).map(|()| Stop::Signals)
                })
                .await;
                if matches!(stop, Stop::Done(_)) {
                    // The connection goes back to the others, or is closed where the call was given up.
                    yield_now().await;
                }
                stop
            })
        });
        for line in take_lines() {
            line.log(py)?;
        }
        let interrupted = match stop {
            Stop::Done(outcome) => {
                runtime.last_used.store(runtime.now(), Ordering::Relaxed);
                return Ok(*outcome);
            }
            Stop::Log => Ok(()),
            Stop::Signals => py.check_signals(),
        };
        if process != generation() {
            // A signal's handler forked, and this is the child: the request is the parent's.
            std::mem::forget(work);
            interrupted?;
            return Err(misuse("the process forked during the call"));
        }
        if let Err(error) = interrupted {
            drop(work);
            py.detach(|| tokio.block_on(close_what_was_given_up()));
            return Err(error);
        }
    }
}

/// The same work, with its events put into `lines`.
fn listened(work: Work, lines: Arc<Mutex<Vec<Line>>>) -> Work {
    let listener: Listener =
        Arc::new(move |line| lines.lock().unwrap_or_else(PoisonError::into_inner).push(line));
    Box::pin(LISTENER.scope(listener, work))
}

/// Lets the tasks of connections see that nobody waits for them any more.
async fn close_what_was_given_up() {
    for _ in 0..4 {
        yield_now().await;
    }
}
