//! What a client tells while it works: each attempt, response, wait and poll, never a secret.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::model::ConnectionStatus;

/// Something that a call does. Given to [`ClientBuilder::on_event`](crate::ClientBuilder::on_event), and written
/// with `tracing` under the target `pabbly_connect`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// A request is about to be sent.
    #[non_exhaustive]
    Request {
        /// The call, named as in the guide, such as `getToken`.
        call: &'static str,
        /// The HTTP method.
        method: String,
        /// The path under the base URL, as sent; of a proxied call without the provider's own path.
        path: String,
        /// Counts from 1.
        attempt: u32,
    },
    /// An attempt ended, with or without a response.
    #[non_exhaustive]
    Response {
        /// The call, named as in the guide.
        call: &'static str,
        /// Counts from 1.
        attempt: u32,
        /// The HTTP status; `None` where no response arrived.
        status: Option<u16>,
        /// From sending to the end of the body.
        elapsed: Duration,
        /// The service's `x-request-id`, to quote in a question to its operator.
        request_id: Option<String>,
    },
    /// A 503 arrived, and the call waits before its next attempt.
    #[non_exhaustive]
    Retry {
        /// The call, named as in the guide.
        call: &'static str,
        /// The attempt that failed.
        attempt: u32,
        /// How long until the next.
        delay: Duration,
    },
    /// A wait asked for a connection's status and will ask again.
    #[non_exhaustive]
    Wait {
        /// The connection that is waited for.
        connection_id: String,
        /// What it was last seen to be; `None` where the poll failed in a way that the wait survives.
        status: Option<ConnectionStatus>,
        /// How long until the next poll.
        delay: Duration,
    },
}

type Receive = dyn Fn(&ClientEvent) + Send + Sync;

/// Who receives events, if anybody.
#[derive(Clone, Default)]
pub(crate) struct Listener(Option<Arc<Receive>>);

impl Listener {
    pub(crate) fn new(listener: impl Fn(&ClientEvent) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Makes the event where somebody wants to know: this listener, or a subscriber of `tracing`.
    pub(crate) fn emit(&self, event: impl FnOnce() -> ClientEvent) {
        if self.0.is_none() && !tracing::enabled!(target: "pabbly_connect", tracing::Level::INFO) {
            return;
        }
        let event = event();
        match &event {
            ClientEvent::Request { call, method, path, attempt } => {
                tracing::debug!(target: "pabbly_connect", call, method, path, attempt, "request");
            }
            ClientEvent::Response { call, attempt, status, elapsed, request_id } => {
                tracing::debug!(target: "pabbly_connect", call, attempt, status, ?elapsed, request_id, "response");
            }
            ClientEvent::Retry { call, attempt, delay } => {
                tracing::info!(target: "pabbly_connect", call, attempt, ?delay, "retry");
            }
            ClientEvent::Wait { connection_id, status, delay } => {
                let status = status.as_ref().map(ConnectionStatus::as_str);
                tracing::debug!(target: "pabbly_connect", connection_id, status, ?delay, "wait");
            }
        }
        if let Some(listener) = &self.0 {
            catch_panic(|| listener(&event));
        }
    }
}

/// Calls what the user gave us. If it panics, the panic hook has told them, and nobody's calls and waits end for it.
pub(crate) fn catch_panic(call: impl FnOnce()) {
    let _told = catch_unwind(AssertUnwindSafe(call));
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some(..)" } else { "None" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_panics_disturbs_nobody() {
        let listener = Listener::new(|_| panic!("a listener's own fault"));
        listener.emit(|| ClientEvent::Wait {
            connection_id: "c".to_owned(),
            status: None,
            delay: Duration::ZERO,
        });
    }
}
