//! From the core's events to Python's `logging`: whoever runs a call says where its events go, and hands them over
//! on a Python thread.

use std::fmt::Write as _;
use std::sync::Arc;

use pabbly_connect::Event;
use pyo3::prelude::*;

const DEBUG: u8 = 10;
const INFO: u8 = 20;

/// Where the events of one call go. Called on the thread that works on the call, so it never touches Python.
pub(crate) type Listener = Arc<dyn Fn(Line) + Send + Sync>;

tokio::task_local! {
    /// Set while a call runs whose events somebody wants.
    pub(crate) static LISTENER: Listener;
}

/// Given to every client of the core.
pub(crate) fn listen(event: &Event) {
    // Without anybody who listens nothing is written.
    let _ = LISTENER.try_with(|listener| {
        if let Some(line) = Line::new(event) {
            listener(line);
        }
    });
}

/// One line of the log.
#[derive(Debug)]
pub(crate) struct Line {
    level: u8,
    text: String,
}

impl Line {
    fn new(event: &Event) -> Option<Self> {
        let (level, text) = match event {
            Event::Request {
                call,
                method,
                path,
                attempt,
                ..
            } => (DEBUG, format!("{call}: {method} {path} (attempt {attempt})")),
            Event::Response {
                call,
                attempt,
                status,
                elapsed,
                request_id,
                ..
            } => {
                let mut text = match status {
                    Some(status) => format!("{call}: HTTP {status}"),
                    None => format!("{call}: no answer"),
                };
                let _ = write!(text, " after {:.3} s (attempt {attempt})", elapsed.as_secs_f64());
                if let Some(id) = request_id {
                    let _ = write!(text, ", request {id}");
                }
                (DEBUG, text)
            }
            Event::Retry {
                call, attempt, delay, ..
            } => {
                let seconds = delay.as_secs_f64();
                (
                    INFO,
                    format!("{call}: attempt {attempt} failed, the next follows in {seconds:.3} s"),
                )
            }
            Event::Wait {
                connection_id,
                status,
                delay,
                ..
            } => {
                let status = status.as_ref().map_or("not known", |status| status.as_str());
                let seconds = delay.as_secs_f64();
                (
                    DEBUG,
                    format!(
                        "connection {connection_id} is {status}, the next poll follows in {seconds:.3} s"
                    ),
                )
            }
            _ => return None,
        };
        Some(Self { level, text })
    }

    /// Hands the line to the logger `pabbly_connect`.
    pub(crate) fn log(self, py: Python<'_>) -> PyResult<()> {
        py.import("pabbly_connect._logging")?
            .call_method1("write", (self.level, self.text))?;
        Ok(())
    }
}
