//! Proxied calls, whose bodies pass part by part.

use std::sync::{Arc, Mutex, PoisonError};

use pabbly_connect::ProxyBody;
use pabbly_connect::bindings::{self, BodyReader, ProxyResponse, body_in_parts};

use crate::failure::Failure;
use crate::run::Cancellation;

/// Where the parts of a request's body go. It is used for one call.
#[derive(uniffi::Object)]
pub(crate) struct BodySender {
    sender: bindings::BodySender,
    body: Mutex<Option<ProxyBody>>,
}

impl BodySender {
    pub(crate) fn body(&self) -> ProxyBody {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
}

#[uniffi::export]
impl BodySender {
    #[uniffi::constructor]
    fn new() -> Self {
        let (sender, body) = body_in_parts();
        Self { sender, body: Mutex::new(Some(body)) }
    }

    /// Passes a part on once it is wanted; `false` where none is any more.
    async fn send(&self, part: Vec<u8>) -> bool {
        self.sender.send(part.into()).await
    }

    /// The body is whole.
    fn finish(&self) {
        self.sender.finish();
    }

    /// The body cannot be completed.
    fn fail(&self) {
        self.sender.fail();
    }
}

/// What the provider answered, its body still to be read.
#[derive(uniffi::Object)]
pub(crate) struct Response {
    head: String,
    body: BodyReader,
}

impl Response {
    pub(crate) fn new(ProxyResponse { head, body }: ProxyResponse) -> Arc<Self> {
        Arc::new(Self { head, body })
    }
}

#[uniffi::export]
impl Response {
    /// The status and the headers, as JSON text.
    fn head(&self) -> String {
        self.head.clone()
    }

    /// The next part of the body; `None` at the end.
    async fn next(&self, cancellation: Arc<Cancellation>) -> Result<Option<Vec<u8>>, Failure> {
        let body = self.body.clone();
        let part = cancellation.guard(async move { body.next().await }).await?;
        Ok(part.map(Vec::from))
    }

    /// Ends the provider's call where it has not come to its end.
    fn close(&self) {
        self.body.close();
    }
}
