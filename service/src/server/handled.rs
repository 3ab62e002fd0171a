//! Whether a connection's request is being handled, for the limits on time: a response can begin before its request has
//! arrived whole, as where a body is passed on to a provider.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// The requests of one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Beginnings and ends.
    changes: AtomicUsize,
    /// Requests that are being handled.
    handled: AtomicUsize,
}

/// One request. It is being handled until the last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct Handled {
    _end: Arc<End>,
}

#[derive(Debug)]
struct End(Requests);

/// A request's body, which is part of the handling.
pub(super) struct HandledBody {
    body: Incoming,
    _handled: Handled,
}

impl Requests {
    /// A request's header has arrived.
    pub(super) fn begin(&self) -> Handled {
        self.0.handled.fetch_add(1, Ordering::Relaxed);
        self.0.changes.fetch_add(1, Ordering::Relaxed);
        Handled { _end: Arc::new(End(self.clone())) }
    }

    /// Whether one is being handled.
    pub(super) fn is_handled(&self) -> bool {
        self.0.handled.load(Ordering::Relaxed) > 0
    }

    /// How many beginnings and ends there were.
    pub(super) fn changes(&self) -> usize {
        self.0.changes.load(Ordering::Relaxed)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.0.handled.fetch_sub(1, Ordering::Relaxed);
        self.0.0.changes.fetch_add(1, Ordering::Relaxed);
    }
}

impl HandledBody {
    pub(super) fn new(body: Incoming, handled: Handled) -> Self {
        Self { body, _handled: handled }
    }
}

impl Body for HandledBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_handled_until_all_of_it_is_dropped() {
        let requests = Requests::default();
        assert_eq!((requests.is_handled(), requests.changes()), (false, 0));
        let handled = requests.begin();
        let of_body = handled.clone();
        drop(handled);
        assert_eq!((requests.is_handled(), requests.changes()), (true, 1));
        drop(of_body);
        assert_eq!((requests.is_handled(), requests.changes()), (false, 2));
    }
}
