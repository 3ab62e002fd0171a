//! A client's stream that fails when a request's header takes too long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Counts the time of each header from its first byte, of a connection's first one from the start. hyper's own limit
/// counts from the end of the response before, so it has to be as long as a connection may be idle. It is also the one
/// that counts where a header began in the same packet as the request before.
pub(super) struct HeaderTimeout<S> {
    stream: S,
    timeout: Duration,
    /// Runs while a header arrives.
    deadline: Option<Pin<Box<Sleep>>>,
    requests: RequestCount,
    /// The count when this was last read from.
    seen: usize,
}

/// Counts the beginnings and ends of requests of a connection, so it is odd while one is being handled. Kept by
/// whoever handles them: that a request begins means that its header has arrived.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestCount(Arc<AtomicUsize>);

impl RequestCount {
    pub(super) fn begin_or_end(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S> HeaderTimeout<S> {
    pub(super) fn new(stream: S, timeout: Duration, requests: RequestCount) -> Self {
        Self {
            stream,
            timeout,
            deadline: Some(Box::pin(sleep(timeout))),
            requests,
            seen: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeaderTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.requests.get();
        if count != self.seen {
            (self.seen, self.deadline) = (count, None);
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if count % 2 == 1 {
            return read;
        }
        if read.is_ready() {
            if buffer.filled().len() > before && self.deadline.is_none() {
                self.deadline = Some(Box::pin(sleep(self.timeout)));
            }
            return read;
        }
        match &mut self.deadline {
            Some(deadline) => {
                ready!(deadline.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            None => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeaderTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
