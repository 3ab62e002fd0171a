//! Proxied calls, whose bodies cross as bytes: JavaScript is told that there is a part, and takes it.

use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use napi::bindgen_prelude::Uint8ArraySlice;
use napi::{Env, Result};
use napi_derive::napi;
use pabbly_connect::ProxyBody;
use pabbly_connect::bindings::{self, BodyReader, BodySender, ProxyResponse, body_in_parts};

use crate::outcome::thrown;
use crate::port::Calls;

/// A proxied call that was started.
#[napi]
pub struct Exchange {
    calls: Rc<Calls>,
    sender: Option<Arc<BodySender>>,
    /// Set with the answer.
    reader: Arc<OnceLock<BodyReader>>,
    part: Arc<Mutex<Option<bindings::Bytes>>>,
}

impl Exchange {
    /// Starts a call with a body that is whole, or that comes in parts.
    pub(crate) fn start(
        calls: Rc<Calls>,
        env: Env,
        number: u32,
        body: Option<Vec<u8>>,
        in_parts: bool,
        call: impl FnOnce(ProxyBody) -> Result<pabbly_connect::ProxyCall>,
    ) -> Result<Self> {
        let (sender, body) = match body {
            _ if in_parts => {
                let (sender, body) = body_in_parts();
                (Some(Arc::new(sender)), body)
            }
            Some(body) => (None, body.into()),
            None => (None, ProxyBody::default()),
        };
        let call = call(body)?;
        let reader = Arc::<OnceLock<_>>::default();
        let read = reader.clone();
        calls.start(env, number, || async move {
            let ProxyResponse { head, body } = ProxyResponse::of(call).await?;
            let _ = read.set(body); // It is set once.
            Ok(head.into())
        })?;
        Ok(Self { calls, sender, reader, part: Arc::default() })
    }
}

#[napi]
impl Exchange {
    /// The answer is whether there is another part of the response's body.
    #[napi]
    pub fn next(&self, env: Env, call: u32) -> Result<()> {
        let (reader, part) = (self.reader.get().cloned(), self.part.clone());
        self.calls.start(env, call, || async move {
            let next = match reader {
                Some(reader) => reader.next().await?,
                None => None,
            };
            let is_there = next.is_some();
            *part.lock().unwrap_or_else(PoisonError::into_inner) = next;
            Ok(is_there.to_string().into())
        })
    }

    /// Takes the part that `next` told of.
    #[napi]
    pub fn take<'env>(&self, env: &'env Env) -> Result<Option<Uint8ArraySlice<'env>>> {
        let part = self.part.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Copied into memory of JavaScript's, which then knows how much there is to collect.
        part.map(|part| Uint8ArraySlice::copy_from(env, part)).transpose()
    }

    /// Sends a part of the request's body once it is wanted. The answer is whether it was.
    #[napi]
    pub fn send(&self, env: Env, call: u32, part: &[u8]) -> Result<()> {
        let (sender, part) = (self.sender.clone(), bindings::Bytes::copy_from_slice(part));
        self.calls.start(env, call, || async move {
            let is_wanted = match sender {
                Some(sender) => sender.send(part).await,
                None => false,
            };
            Ok(is_wanted.to_string().into())
        })
    }

    /// The request's body is whole.
    #[napi]
    pub fn finish(&self) {
        if let Some(sender) = &self.sender {
            sender.finish();
        }
    }

    /// Ends the provider's call where it has not come to its end.
    #[napi]
    pub fn close(&self) {
        if let Some(sender) = &self.sender {
            sender.fail();
        }
        if let Some(reader) = self.reader.get() {
            reader.close();
        }
    }
}

/// The path of a proxied call, and names and values of its headers in turn, of the request that a library makes.
#[napi]
#[allow(dead_code, unreachable_pub, reason = "napi exports it")]
pub fn library_request(base_url: String, url: String, headers: Vec<String>) -> Result<Vec<String>> {
    let headers = headers.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    let (path, headers) =
        bindings::library_request(&base_url, &url, headers).map_err(|error| thrown(&error))?;
    let pairs = headers.into_iter().flat_map(|(name, value)| [name, value]);
    Ok(std::iter::once(path).chain(pairs).collect())
}
