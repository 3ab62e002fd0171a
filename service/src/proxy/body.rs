//! Bodies of proxied calls, in both directions: streamed, with nothing kept but what one repeat needs. A direction in which
//! nothing moves for too long ends the call.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::in_flight::{ProxiedCall, ProxiedCalls};
use crate::error::ApiError;
use crate::server::TIME_TO_ARRIVE;

/// Largest request body that is kept, so that the request can be repeated with a new token.
const MAX_REPEATABLE: u64 = 1024 * 1024;

/// How long nothing may move: providers that work on an export take their time before they answer.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a caller's request.
pub(super) enum Upload {
    /// All of it. Can be sent again.
    Whole(Bytes),
    /// One that is larger, of which nobody knows how large it is, or for which there is no room.
    Stream(Body),
}

/// A body that takes room until nobody needs it any more.
struct Kept {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why the rest of a caller's body does not come. In the chain of an error it tells that the caller was at fault.
#[derive(Debug, thiserror::Error)]
#[error("the caller's body broke off")]
pub(super) struct UploadBroke;

/// When something last moved.
#[derive(Debug)]
pub(super) struct Progress {
    start: Instant,
    /// In milliseconds since the start.
    last: AtomicU64,
}

/// A caller's body on its way to the provider.
struct UploadBody {
    /// Locked by nobody else; it makes the body `Sync`, as the client wants it.
    body: Mutex<Body>,
    progress: Arc<Progress>,
}

/// A provider's body on its way to the caller. The call is under way until it is dropped.
pub(super) struct Download {
    body: reqwest::Body,
    /// Runs while the provider sends nothing.
    deadline: Option<Pin<Box<Sleep>>>,
    _call: ProxiedCall,
}

impl Upload {
    /// Reads the body of a request, if it is told to be small enough and there is room for it.
    pub(super) async fn read(body: Body, calls: &ProxiedCalls) -> Result<Self, ApiError> {
        let size = body.size_hint().exact().filter(|size| *size <= MAX_REPEATABLE);
        let Some((size, room)) = size.and_then(|size| Some((size, calls.room(size)?))) else {
            return Ok(Self::Stream(body));
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        match timeout(TIME_TO_ARRIVE, to_bytes(body, size)).await {
            Ok(Ok(bytes)) => Ok(Self::Whole(Bytes::from_owner(Kept { bytes, _room: room }))),
            _ => Err(ApiError::invalid("The body did not arrive whole")),
        }
    }

    /// The same body once more, where it can be sent again.
    pub(super) fn again(&self) -> Option<Self> {
        match self {
            Self::Whole(bytes) => Some(Self::Whole(bytes.clone())),
            Self::Stream(_) => None,
        }
    }

    /// Whether there is no body, which a method that takes one has to say (RFC 9110, section 8.6).
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    /// What is sent to the provider.
    pub(super) fn into_body(self, progress: Arc<Progress>) -> reqwest::Body {
        match self {
            Self::Whole(bytes) => bytes.into(),
            Self::Stream(body) => reqwest::Body::wrap(UploadBody { body: Mutex::new(body), progress }),
        }
    }
}

impl Progress {
    pub(super) fn start() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), last: AtomicU64::new(0) })
    }

    fn note(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Ends once nothing has moved for so long.
    pub(super) async fn stalled(&self, limit: Duration) {
        loop {
            let moved = self.start + Duration::from_millis(self.last.load(Ordering::Relaxed));
            if moved.elapsed() >= limit {
                return;
            }
            tokio::time::sleep_until(moved + limit).await;
        }
    }
}

impl HttpBody for UploadBody {
    type Data = Bytes;
    type Error = UploadBroke;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadBroke>>> {
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        let frame = ready!(Pin::new(body).poll_frame(context));
        self.progress.note();
        Poll::Ready(frame.map(|frame| frame.map_err(|_| UploadBroke)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

impl Download {
    pub(super) fn new(body: reqwest::Body, call: ProxiedCall) -> Self {
        Self { body, deadline: None, _call: call }
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.deadline = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(IDLE_TIMEOUT)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Some(Err("the provider stopped sending".into())))
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
    use axum::body::Body;

    use super::*;
    use crate::config::LimitConfig;

    fn calls() -> ProxiedCalls {
        ProxiedCalls::new(&LimitConfig::default(), 100)
    }

    #[tokio::test]
    async fn small_bodies_of_known_size_can_be_sent_again() {
        let limit = usize::try_from(MAX_REPEATABLE).unwrap();
        for (size, is_repeatable) in [(0, true), (5, true), (limit, true), (limit + 1, false)] {
            let upload = Upload::read(Body::from(vec![0; size]), &calls()).await.unwrap();
            assert_eq!(upload.again().is_some(), is_repeatable, "{size}");
        }
        let of_unknown_size = Body::from_stream(futures_util::stream::iter([Ok::<_, BoxError>("a")]));
        assert!(Upload::read(of_unknown_size, &calls()).await.unwrap().again().is_none());
    }

    #[tokio::test]
    async fn what_there_is_no_room_for_is_not_kept() {
        let calls = calls();
        let read = async |size: usize| Upload::read(Body::from(vec![0; size]), &calls).await.unwrap();
        let limit = usize::try_from(MAX_REPEATABLE).unwrap();
        let (mut kept, mut upload) = (Vec::new(), read(limit).await);
        while let Some(again) = upload.again() {
            kept.push(again);
            upload = read(limit).await;
        }
        assert_eq!(kept.len(), 64);
        assert!(read(0).await.is_empty(), "what is empty needs no room");
        // On its way to the provider it is still there.
        let sent = kept.pop().unwrap().into_body(Progress::start());
        assert!(read(1).await.again().is_none());
        drop(sent);
        assert!(read(limit).await.again().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_has_stalled_once_nothing_moved_for_so_long() {
        let (progress, limit) = (Progress::start(), Duration::from_secs(10));
        let start = Instant::now();
        let other = progress.clone();
        tokio::spawn(async move {
            for _ in 0..3 {
                sleep(Duration::from_secs(9)).await;
                other.note();
            }
        });
        progress.stalled(limit).await;
        assert_eq!(start.elapsed().as_secs(), 37);
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_stops_sending_is_given_up() {
        let call = calls().enter("t", "a").unwrap();
        let frames = futures_util::stream::iter([Ok::<_, BoxError>("a")]);
        let never = futures_util::StreamExt::chain(frames, futures_util::stream::pending());
        let stalled = UploadBody { body: Mutex::new(Body::from_stream(never)), progress: Progress::start() };
        let mut body = Body::new(Download::new(reqwest::Body::wrap(stalled), call));
        let start = Instant::now();
        // A caller that takes its time is no fault of the provider's.
        sleep(2 * IDLE_TIMEOUT).await;
        assert!(next(&mut body).await.is_ok());
        sleep(2 * IDLE_TIMEOUT).await;
        assert!(next(&mut body).await.is_err());
        assert_eq!(start.elapsed(), 5 * IDLE_TIMEOUT);
    }

    async fn next(body: &mut Body) -> Result<Frame<Bytes>, axum::Error> {
        std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await.unwrap()
    }
}
