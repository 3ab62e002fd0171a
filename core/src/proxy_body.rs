//! Bodies of proxied calls: streamed in both directions, or kept whole where a request may have to be sent again.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body::{Body, Frame, SizeHint};
use serde::de::DeserializeOwned;
use tokio::time::{Sleep, sleep};

use crate::error::{Error, ErrorKind};
use crate::transport::network;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Parts = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// The body of a proxied request: bytes, or a stream of them. [`Default`] is none.
#[derive(Default)]
pub struct ProxyBody(Content);

#[derive(Default)]
enum Content {
    #[default]
    None,
    Whole(Bytes),
    /// With its length, where that is known.
    Parts(Parts, Option<u64>),
}

impl ProxyBody {
    /// A body that comes in parts, of a length that is not known. Some providers refuse such a body; use
    /// [`sized_stream`](Self::sized_stream) where you know it.
    pub fn stream<S, B, E>(parts: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        Self::parts(parts, None)
    }

    /// A body that comes in parts of so many bytes together.
    pub fn sized_stream<S, B, E>(length: u64, parts: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        Self::parts(parts, Some(length))
    }

    fn parts<S, B, E>(parts: S, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        let parts = parts.map(|part| part.map(Into::into).map_err(Into::into));
        Self(Content::Parts(Box::pin(parts), length))
    }

    /// Sets the length of a body that comes in parts.
    #[cfg(feature = "bindings")]
    pub(crate) fn with_length(self, length: Option<u64>) -> Self {
        match self.0 {
            Content::Parts(parts, known) => Self(Content::Parts(parts, length.or(known))),
            content => Self(content),
        }
    }

    pub(crate) fn is_repeatable(&self) -> bool {
        !matches!(self.0, Content::Parts(..))
    }

    /// What the next attempt sends. A stream is there once.
    pub(crate) fn take(&mut self) -> Option<reqwest::Body> {
        match &mut self.0 {
            Content::None => None,
            Content::Whole(bytes) => Some(bytes.clone().into()),
            Content::Parts(..) => match std::mem::take(&mut self.0) {
                Content::Parts(parts, length) => {
                    Some(reqwest::Body::wrap(Upload { parts: Mutex::new(parts), left: length }))
                }
                _ => None,
            },
        }
    }
}

impl From<Bytes> for ProxyBody {
    fn from(bytes: Bytes) -> Self {
        Self(Content::Whole(bytes))
    }
}

impl From<Vec<u8>> for ProxyBody {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for ProxyBody {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for ProxyBody {
    fn from(text: &'static str) -> Self {
        Bytes::from(text).into()
    }
}

impl fmt::Debug for ProxyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyBody(..)")
    }
}

/// A stream on its way.
struct Upload {
    /// Locked by nobody else; it makes the body `Sync`, as the HTTP library wants it.
    parts: Mutex<Parts>,
    /// Bytes still to come, where that is known.
    left: Option<u64>,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let parts = self.parts.get_mut().unwrap_or_else(PoisonError::into_inner);
        let part = ready!(parts.as_mut().poll_next(context));
        if let (Some(Ok(part)), Some(left)) = (&part, &mut self.left) {
            *left = left.saturating_sub(part.len() as u64);
        }
        Poll::Ready(part.map(|part| part.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The body of a provider's response, a stream of its parts as they arrive. Dropping it ends the provider's call.
pub struct ResponseBody {
    body: reqwest::Body,
    timeout: Duration,
    /// Which attempt gave it.
    attempt: u32,
    /// Runs while no part arrives.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl ResponseBody {
    pub(crate) fn new(body: reqwest::Body, timeout: Duration, attempt: u32) -> Self {
        Self { body, timeout, attempt, deadline: None }
    }

    /// All of the body. It is as large as the provider likes.
    ///
    /// # Errors
    /// [`Error::Network`] where it breaks off, and [`Error::Timeout`] where nothing of it arrives for as long as the call's
    /// timeout.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let mut all = Vec::new();
        while let Some(part) = self.next().await {
            all.extend_from_slice(&part?);
        }
        Ok(all.into())
    }

    /// All of the body as text; what is no UTF-8 is replaced.
    ///
    /// # Errors
    /// Those of [`bytes`](Self::bytes).
    pub async fn text(self) -> Result<String, Error> {
        let bytes = self.bytes().await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// All of the body, read as JSON.
    ///
    /// # Errors
    /// Those of [`bytes`](Self::bytes), and [`Error::Decode`] where it is not what was expected.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let bytes = self.bytes().await?;
        // serde's own text quotes values.
        serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Error::local(
                ErrorKind::Decode,
                format!("the provider's response is not as expected (line {line}, column {column})"),
            )
        })
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.deadline = None;
            let frame = match frame {
                None => return Poll::Ready(None),
                Some(Err(error)) => {
                    let message = "the connection broke before the provider's response was complete";
                    return Poll::Ready(Some(Err(network(message, error).with_attempts(self.attempt))));
                }
                Some(Ok(frame)) => frame,
            };
            // Trailers are left out.
            if let Ok(part) = frame.into_data() {
                return Poll::Ready(Some(Ok(part)));
            }
        }
        let timeout = self.timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(deadline.as_mut().poll(context));
        let message = format!("nothing more of the provider's response arrived within {timeout:?}");
        let error = Error::local(ErrorKind::Timeout, message);
        Poll::Ready(Some(Err(error.with_attempts(self.attempt))))
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseBody(..)")
    }
}
