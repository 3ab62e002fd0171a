//! A client's stream that fails when the client takes too long: to send a header, or to read a response.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::handled::Requests;

/// The stream with its limits.
///
/// Counts the time of each header from its first byte, of a connection's first one from the start. hyper's own limit
/// counts from the end of the response before, so it has to be as long as a connection may be idle. It is also the one
/// that counts where a header began in the same packet as the request before.
///
/// Counts the time of writing from the moment when the client takes no more, until it has taken everything: a client
/// that takes a byte now and then is as slow as one that takes none.
pub(super) struct ClientStream<S> {
    stream: S,
    timeouts: Timeouts,
    /// Runs while a header arrives.
    header_deadline: Deadline,
    /// Runs while the client has not taken what was written.
    write_deadline: Deadline,
    requests: Requests,
    /// The beginnings and ends of requests when this was last read from.
    seen: usize,
}

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) header: Duration,
    pub(super) write: Duration,
}

type Deadline = Option<Pin<Box<Sleep>>>;

impl<S> ClientStream<S> {
    pub(super) fn new(stream: S, timeouts: Timeouts, requests: Requests) -> Self {
        Self {
            stream,
            timeouts,
            header_deadline: Some(Box::pin(sleep(timeouts.header))),
            write_deadline: None,
            requests,
            seen: 0,
        }
    }

    /// The write's result, or an error where it has to wait for longer than it may.
    fn limit_write<T>(
        &mut self,
        context: &mut Context<'_>,
        write: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if write.is_ready() {
            return write;
        }
        let timeout = self.timeouts.write;
        let deadline = self.write_deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let changes = self.requests.changes();
        if changes != self.seen {
            (self.seen, self.header_deadline) = (changes, None);
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.requests.is_handled() {
            return read;
        }
        if read.is_ready() {
            if buffer.filled().len() > before && self.header_deadline.is_none() {
                self.header_deadline = Some(Box::pin(sleep(self.timeouts.header)));
            }
            return read;
        }
        match &mut self.header_deadline {
            Some(deadline) => {
                ready!(deadline.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            None => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.limit_write(context, write)
    }

    /// hyper flushes only what it could write whole, so afterwards nothing is left for the client to take.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flush = Pin::new(&mut self.stream).poll_flush(context);
        if flush.is_ready() {
            self.write_deadline = None;
        }
        self.limit_write(context, flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shutdown = Pin::new(&mut self.stream).poll_shutdown(context);
        self.limit_write(context, shutdown)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.limit_write(context, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::{Instant, advance};

    use super::*;

    const TIMEOUTS: Timeouts = Timeouts { header: Duration::from_secs(15), write: Duration::from_secs(60) };

    /// What a slow client does not get out of: the time ends with everything taken, not with the next byte.
    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_byte_now_and_then_is_too_slow() {
        let (server, mut client) = duplex(16);
        let mut stream = ClientStream::new(server, TIMEOUTS, Requests::default());
        let read = tokio::spawn(async move {
            while client.read_u8().await.is_ok() {
                advance(Duration::from_secs(1)).await;
            }
        });
        let start = Instant::now();
        let error = stream.write_all(&[0; 1000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() < TIMEOUTS.write + Duration::from_secs(5));
        read.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_each_response_counts_by_itself() {
        let (server, mut client) = duplex(16);
        let mut stream = ClientStream::new(server, TIMEOUTS, Requests::default());
        for _ in 0..3 {
            let (written, read) = tokio::join!(
                async {
                    stream.write_all(&[0; 32]).await?;
                    stream.flush().await
                },
                async {
                    sleep(TIMEOUTS.write * 3 / 4).await;
                    client.read_exact(&mut [0; 32]).await
                }
            );
            written.unwrap();
            read.unwrap();
        }
    }
}
