//! Proxied calls: bodies as bytes, part by part, which a host passes on as fast as the other side takes them.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, ready};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use futures_util::task::AtomicWaker;
use serde_json::json;
use tokio::sync::mpsc;

use super::by_name::call_option;
use super::value::{Options, Value};
use crate::api_request::rest_below;
use crate::call::CallOptions;
use crate::client::Client;
use crate::error::Error;
use crate::proxy_body::{ProxyBody, ResponseBody};
use crate::proxy_call::{ProxyCall, RESERVED};

/// How long a body that comes in parts is.
const CONTENT_LENGTH: &str = "content-length";

/// Makes a proxied call ready. Its options are `method`, `path`, those of every call, and `query` and `headers`, each of
/// which are texts by name, or names and values in turn. The header `content-length` tells how long a body is that comes
/// in parts.
///
/// # Errors
/// Where the e-mail or an option is refused.
pub fn proxy(
    client: &Client,
    email: &str,
    id: &str,
    body: ProxyBody,
    options: Options,
) -> Result<ProxyCall, Error> {
    let customer = client.customer(email)?;
    let (mut method, mut path) = (None, None);
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    let mut shared = CallOptions::default();
    for (name, value) in options {
        match name.as_str() {
            _ if matches!(value, Value::Null) => {}
            "method" => method = Some(value.text(&name)?),
            "path" => path = Some(value.text(&name)?),
            "query" => query = value.pairs(&name)?,
            "headers" => headers = value.pairs(&name)?,
            _ => call_option(&mut shared, &name, value)?,
        }
    }
    let path = path.ok_or_else(|| Error::invalid_argument("path is missing"))?;
    let mut length = None;
    headers.retain(|(name, value)| {
        let is_length = name.eq_ignore_ascii_case(CONTENT_LENGTH);
        length = if is_length { value.parse().ok() } else { length };
        !is_length
    });
    let mut call = customer.proxy(id, method.as_deref().unwrap_or("GET"), &path).options(shared);
    for (name, value) in query {
        call = call.query(&name, value);
    }
    for (name, value) in headers {
        call = call.header(&name, &value);
    }
    call.body(body.with_length(length)).checked()
}

/// A request that a library makes to the provider, as a proxied call: what its URL has below the base URL, and its headers
/// but for those that are the platform's to set.
///
/// # Errors
/// Where the URL lies elsewhere.
pub fn library_request(
    base_url: &str,
    url: &str,
    headers: Vec<(String, String)>,
) -> Result<(String, Vec<(String, String)>), Error> {
    let path = rest_below(base_url, url)?;
    let is_reserved = |name: &str| {
        let name = name.to_ascii_lowercase();
        name != CONTENT_LENGTH && RESERVED.contains(&name.as_str())
    };
    Ok((path, headers.into_iter().filter(|(name, _)| !is_reserved(name)).collect()))
}

/// What the provider answered, its body still to be read.
pub struct ProxyResponse {
    /// `status` and `headers` as JSON text. The headers are pairs; each character of a value is one byte.
    pub head: String,
    /// The body.
    pub body: BodyReader,
}

impl ProxyResponse {
    /// Sends the call.
    ///
    /// # Errors
    /// Those of the platform alone.
    pub async fn of(call: ProxyCall) -> Result<Self, Error> {
        let (parts, body) = call.await?.into_parts();
        let latin1 = |value: &[u8]| value.iter().copied().map(char::from).collect::<String>();
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), latin1(value.as_bytes())));
        let headers: Vec<_> = headers.collect();
        let head = json!({"status": parts.status.as_u16(), "headers": headers}).to_string();
        Ok(Self { head, body: BodyReader::new(body) })
    }
}

/// The body of a provider's response, which any thread may read or close.
#[derive(Clone)]
pub struct BodyReader(Arc<Reading>);

struct Reading {
    /// `None` at the end, after an error and once closed.
    body: Mutex<Option<ResponseBody>>,
    reader: AtomicWaker,
}

impl BodyReader {
    fn new(body: ResponseBody) -> Self {
        let body = Mutex::new(Some(body));
        Self(Arc::new(Reading { body, reader: AtomicWaker::new() }))
    }

    fn body(&self) -> MutexGuard<'_, Option<ResponseBody>> {
        self.0.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next part; `None` at the end, or once closed.
    ///
    /// # Errors
    /// Where the body breaks off, or nothing of it arrives for as long as the call's timeout.
    pub async fn next(&self) -> Result<Option<Bytes>, Error> {
        let part = poll_fn(|context| {
            self.0.reader.register(context.waker());
            let mut body = self.body();
            let Some(parts) = body.as_mut() else {
                return Poll::Ready(None);
            };
            let part = ready!(parts.poll_next_unpin(context));
            if !matches!(part, Some(Ok(_))) {
                *body = None;
            }
            Poll::Ready(part)
        });
        part.await.transpose()
    }

    /// Ends the provider's call where it has not come to its end, and gives whether it had not.
    pub fn close(&self) -> bool {
        let body = self.body().take();
        self.0.reader.wake();
        body.is_some()
    }
}

/// Where the parts of a request's body go. Dropping it before [`finish`](Self::finish) breaks the request off.
pub struct BodySender {
    parts: Mutex<Option<mpsc::Sender<Bytes>>>,
    is_finished: Arc<AtomicBool>,
}

/// A body that comes in parts.
pub fn body_in_parts() -> (BodySender, ProxyBody) {
    let (sender, receiver) = mpsc::channel(1);
    let is_finished = Arc::<AtomicBool>::default();
    let finished = is_finished.clone();
    let parts = stream::unfold(Some(receiver), move |receiver| {
        let finished = finished.clone();
        async move {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(part) => Some((Ok(part), Some(receiver))),
                None if finished.load(Ordering::Acquire) => None,
                None => Some((Err("the body was given up before its end"), None)),
            }
        }
    });
    (BodySender { parts: Mutex::new(Some(sender)), is_finished }, ProxyBody::stream(parts))
}

impl BodySender {
    fn parts(&self) -> MutexGuard<'_, Option<mpsc::Sender<Bytes>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until another part is wanted; `false` where none is any more.
    pub async fn ready(&self) -> bool {
        let parts = self.parts().clone();
        match parts {
            Some(parts) => parts.reserve().await.is_ok(),
            None => false,
        }
    }

    /// Passes a part on once it is wanted; `false` where none is any more.
    pub async fn send(&self, part: Bytes) -> bool {
        let parts = self.parts().clone();
        match parts {
            Some(parts) => parts.send(part).await.is_ok(),
            None => false,
        }
    }

    /// The body is whole.
    pub fn finish(&self) {
        self.is_finished.store(true, Ordering::Release);
        self.fail();
    }

    /// The body cannot be completed, so that neither can the request.
    pub fn fail(&self) {
        self.parts().take();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::error::ErrorKind;

    async fn upload(body: ProxyBody) -> Result<Vec<u8>, String> {
        let mut body = body;
        let mut body = body.take().ok_or("no body")?;
        let mut all = Vec::new();
        while let Some(frame) =
            poll_fn(|context| http_body::Body::poll_frame(std::pin::Pin::new(&mut body), context)).await
        {
            all.extend(frame.map_err(|error| error.to_string())?.into_data().unwrap_or_default());
        }
        Ok(all)
    }

    #[tokio::test]
    async fn parts_pass_as_fast_as_they_are_taken() {
        let (sender, body) = body_in_parts();
        assert!(sender.ready().await);
        assert!(sender.send("a".into()).await);
        assert_eq!(sender.ready().now_or_never(), None, "the one before was not taken");
        let (sent, all) = tokio::join!(
            async {
                let sent = sender.send("b".into()).await;
                sender.finish();
                sent
            },
            upload(body)
        );
        assert!(sent);
        assert_eq!(all.unwrap(), b"ab");
        assert!(!sender.send("c".into()).await);
    }

    #[tokio::test]
    async fn a_body_that_is_given_up_is_no_whole_one() {
        let (sender, body) = body_in_parts();
        assert!(sender.send("a".into()).await);
        sender.fail();
        assert!(upload(body).await.is_err());
        let (sender, body) = body_in_parts();
        drop(sender);
        assert!(upload(body).await.is_err());
        let (sender, body) = body_in_parts();
        drop(body);
        assert!(!sender.ready().await && !sender.send("a".into()).await);
    }

    #[test]
    fn a_librarys_request_becomes_a_call() {
        let given =
            [("Host", "x"), ("AUTHORIZATION", "Bearer none"), ("Accept", "a"), ("Content-Length", "3")];
        let headers = given.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let base = "https://api.example.com/v1/";
        let url = "https://api.example.com/v1/a%2Fb?x=1&y";
        let (path, headers) = library_request(base, url, headers).unwrap();
        assert_eq!(path, "/a%2Fb?x=1&y");
        assert_eq!(
            headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["Accept", "Content-Length"]
        );
        for url in
            ["https://api.example.com/v2", "https://evil.example/v1/a", "https://api.example.com/v1/../a"]
        {
            let error = library_request(base, url, Vec::new()).map(|_| ()).map_err(|error| error.kind());
            assert_eq!(error, Err(ErrorKind::InvalidArgument), "{url}");
        }
    }
}
