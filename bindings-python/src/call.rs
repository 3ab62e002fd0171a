//! A call that is ready to be sent.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{AbortHandle, abortable};
use pyo3::prelude::*;

use crate::client::Connected;
use crate::done::{Outcome, into_python};
use crate::errors::misuse;
use crate::events::LISTENER;
use crate::fork::Owned;
use crate::queue::Queue;
use crate::{blocking, worker};

/// What is to be done.
pub(crate) type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A call that waits to be sent, and the client that it needs.
type Ready = Owned<(Work, Arc<Connected>)>;

/// A call that is ready to be sent, once: by `run` or by `start`.
#[pyclass(frozen)]
pub(crate) struct Call {
    ready: Mutex<Option<Ready>>,
    /// Set by `start`.
    abort: Mutex<Option<AbortHandle>>,
}

impl Call {
    pub(crate) fn new(
        connected: Arc<Connected>,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Self {
        Self {
            ready: Mutex::new(Some(Owned::new((Box::pin(work), connected)))),
            abort: Mutex::new(None),
        }
    }

    fn take(&self) -> PyResult<(Work, Arc<Connected>)> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
        ready
            .and_then(Owned::into_inner)
            .ok_or_else(|| misuse("a call is made once, by the process that prepared it"))
    }
}

#[pymethods]
impl Call {
    /// Makes the call on this thread and gives its answer. Signals are heeded meanwhile. `log` says whether anybody
    /// reads the log.
    fn run(&self, py: Python<'_>, log: bool) -> PyResult<Py<PyAny>> {
        let (work, connected) = self.take()?;
        let outcome = blocking::run(py, connected.runtime()?, work, log)?;
        into_python(py, outcome)
    }

    /// Makes the call on the background thread, which puts the answer into the queue under this number.
    fn start(&self, queue: &Queue, number: u64, log: bool) -> PyResult<()> {
        let (work, connected) = self.take()?;
        let queue = queue.shared()?;
        let (work, abort) = abortable(work);
        *self.abort.lock().unwrap_or_else(PoisonError::into_inner) = Some(abort);
        let listener = log.then(|| queue.listener());
        let task = async move {
            let outcome = match listener {
                Some(listener) => LISTENER.scope(listener, work).await,
                None => work.await,
            };
            if let Ok(outcome) = outcome {
                queue.finish(number, outcome);
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
