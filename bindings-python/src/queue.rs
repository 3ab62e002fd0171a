//! Finished calls on their way to an event loop. The loop watches a file descriptor and takes all of them at once.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::IntoPyObjectExt;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::done::{Outcome, into_python};
use crate::ending::detached;
use crate::errors::misuse;
use crate::events::{Line, Log, Polled, Polls};
use crate::fork::Owned;

/// A message for an event loop.
enum Message {
    Finished(u64, Box<Outcome>),
    Panicked(u64),
    Polled(u64, Polled),
    Log(Line),
}

/// The end that the background thread holds.
pub(crate) struct Shared {
    messages: Mutex<Vec<Message>>,
    wake: PipeWriter,
}

impl Shared {
    pub(crate) fn finish(&self, number: u64, outcome: Outcome) {
        self.put(Message::Finished(number, Box::new(outcome)));
    }

    pub(crate) fn panicked(&self, number: u64) {
        self.put(Message::Panicked(number));
    }

    /// Has what a call tells come here. The log of a client goes to the loop that used it last.
    pub(crate) fn receive(self: &Arc<Self>, number: u64, log: &Log, wanted: bool, polls: Option<&Polls>) {
        if wanted {
            let queue = Arc::downgrade(self);
            log.forward(move |line| {
                if let Some(queue) = queue.upgrade() {
                    queue.put(Message::Log(line));
                }
            });
        } else {
            log.ignore();
        }
        if let Some(polls) = polls {
            let queue = self.clone();
            polls.forward(move |polled| queue.put(Message::Polled(number, polled)));
        }
    }

    fn put(&self, message: Message) {
        let was_empty = {
            let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
            messages.push(message);
            messages.len() == 1
        };
        // One byte for all that arrive before the loop looks.
        if was_empty {
            self.wake();
        }
    }

    fn wake(&self) {
        // Where the loop is gone nobody needs to know.
        let _ = (&self.wake).write(&[1]);
    }
}

/// The queue of one event loop.
#[pyclass(frozen)]
pub(crate) struct Queue {
    shared: Owned<Arc<Shared>>,
    reader: PipeReader,
}

impl Queue {
    pub(crate) fn shared(&self) -> PyResult<Arc<Shared>> {
        let shared = self.shared.get().cloned();
        shared.ok_or_else(|| misuse("the queue belongs to the parent process"))
    }
}

/// The number of a call, what is told of it, and that itself.
type News<'py> = (u64, &'py Bound<'py, PyString>, Py<PyAny>);

#[pymethods]
impl Queue {
    #[new]
    fn new() -> PyResult<Self> {
        let (reader, wake) = std::io::pipe()?;
        let messages = Mutex::default();
        Ok(Self { shared: Owned::new(Arc::new(Shared { messages, wake })), reader })
    }

    /// Becomes readable when calls have finished.
    fn fileno(&self) -> PyResult<i32> {
        #[cfg(unix)]
        return Ok(std::os::fd::AsRawFd::as_raw_fd(&self.reader));
        #[cfg(not(unix))]
        Err(pyo3::exceptions::PyNotImplementedError::new_err("a pipe cannot be watched here"))
    }

    /// Makes `take` return.
    fn wake(&self) -> PyResult<()> {
        self.shared()?.wake();
        Ok(())
    }

    /// What happened since it was last asked: the number of a call, `answer`, `error` or `poll`, and the answer, the
    /// exception or the poll. To be called when there is something to read; it waits where there is not.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Vec<News<'py>>> {
        let shared = self.shared()?;
        let (read, _returning) = detached(py, || (&self.reader).read(&mut [0]));
        read?;
        let messages = std::mem::take(&mut *shared.messages.lock().unwrap_or_else(PoisonError::into_inner));
        let mut news = Vec::with_capacity(messages.len());
        for message in messages {
            match message {
                Message::Log(line) => line.log(py)?,
                Message::Polled(number, polled) => {
                    news.push((number, intern!(py, "poll"), polled.into_py_any(py)?))
                }
                Message::Finished(number, outcome) => news.push(match into_python(py, *outcome) {
                    Ok(answer) => (number, intern!(py, "answer"), answer),
                    Err(error) => (number, intern!(py, "error"), error.into_value(py).into_any()),
                }),
                Message::Panicked(number) => {
                    let error = misuse("internal error of the SDK; please report it");
                    news.push((number, intern!(py, "error"), error.into_value(py).into_any()));
                }
            }
        }
        Ok(news)
    }
}
