//! A call that is ready to be sent.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Aborted, abortable};
use pabbly_connect::bindings::BodySender;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::client::Connected;
use crate::done::{Outcome, into_python};
use crate::errors::misuse;
use crate::events::Polls;
use crate::fork::Owned;
use crate::queue::Queue;
use crate::{blocking, worker};

/// What is to be done.
pub(crate) type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A call that waits to be sent.
pub(crate) struct Ready {
    pub(crate) work: Work,
    pub(crate) connected: Arc<Connected>,
    /// Where a wait tells its polls, if anybody wants to know.
    pub(crate) polls: Option<Arc<Polls>>,
    /// Where the parts of a request's body go.
    pub(crate) sender: Option<Arc<BodySender>>,
}

/// A call that is ready to be sent, once: by `run` or by `start`.
#[pyclass(frozen)]
pub(crate) struct Call {
    ready: Mutex<Option<Owned<Ready>>>,
    /// Set by `start`.
    abort: Mutex<Option<AbortHandle>>,
}

impl Call {
    pub(crate) fn new(
        connected: Arc<Connected>,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Self {
        Self::of(Ready { work: Box::pin(work), connected, polls: None, sender: None })
    }

    /// A call that sends the parts of a body meanwhile.
    pub(crate) fn fed(
        connected: Arc<Connected>,
        sender: Option<Arc<BodySender>>,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Self {
        Self::of(Ready { work: Box::pin(work), connected, polls: None, sender })
    }

    pub(crate) fn telling(
        connected: Arc<Connected>,
        polls: Arc<Polls>,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Self {
        Self::of(Ready { work: Box::pin(work), connected, polls: Some(polls), sender: None })
    }

    fn of(ready: Ready) -> Self {
        Self { ready: Mutex::new(Some(Owned::new(ready))), abort: Mutex::new(None) }
    }

    fn take(&self) -> PyResult<Ready> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
        ready
            .and_then(Owned::into_inner)
            .ok_or_else(|| misuse("a call is made once, by the process that prepared it"))
    }
}

#[pymethods]
impl Call {
    /// Makes the call on this thread and gives its answer. Signals are heeded meanwhile. `log` says whether anybody
    /// reads the log; `on_poll` is called with each poll of a wait: its status and phase, and the seconds until the
    /// next; `parts` gives those of a request's body as bytes.
    #[pyo3(signature = (log, on_poll = None, parts: "Iterator[bytes] | None" = None))]
    fn run(
        &self,
        py: Python<'_>,
        log: bool,
        on_poll: Option<Bound<'_, PyAny>>,
        parts: Option<Bound<'_, PyIterator>>,
    ) -> PyResult<Py<PyAny>> {
        let (outcome, _returning) = blocking::run(py, self.take()?, log, on_poll.as_ref(), parts)?;
        into_python(py, outcome)
    }

    /// Makes the call on the background thread, which puts the answer into the queue under this number.
    fn start(&self, queue: &Queue, number: u64, log: bool) -> PyResult<()> {
        let Ready { work, connected, polls, .. } = self.take()?;
        let queue = queue.shared()?;
        queue.receive(number, connected.log(), log, polls.as_deref());
        let (work, abort) = abortable(AssertUnwindSafe(work).catch_unwind());
        *self.abort.lock().unwrap_or_else(PoisonError::into_inner) = Some(abort);
        let task = async move {
            match work.await {
                Ok(Ok(outcome)) => queue.finish(number, outcome),
                // Nobody waits for ever where the core panics.
                Ok(Err(_)) => queue.panicked(number),
                Err(Aborted) => {}
            }
            drop(connected);
        };
        worker::spawn(Box::pin(task))
    }

    /// Stops a call that was started, wherever it is; nothing comes out of it any more.
    fn cancel(&self) {
        if let Some(abort) = self.abort.lock().unwrap_or_else(PoisonError::into_inner).take() {
            abort.abort();
        }
    }
}
