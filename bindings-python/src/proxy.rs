//! Proxied calls, whose bodies pass part by part.

use std::sync::Arc;

use pabbly_connect::ProxyCall;
use pabbly_connect::bindings::{self, BodyReader, BodySender, Bytes, ProxyResponse};
use pyo3::prelude::*;

use crate::blocking;
use crate::call::Call;
use crate::client::Connected;
use crate::done::Done;
use crate::errors::exception;
use crate::fork::Owned;
use crate::pages::of_this_process;

/// A proxied call that is ready to be sent. It gives the head of the response as JSON text, and a [`Reader`].
pub(crate) fn call(connected: Arc<Connected>, call: ProxyCall, sender: Option<Arc<BodySender>>) -> Call {
    let client = connected.clone();
    let fed = sender.clone();
    let work = async move {
        let ProxyResponse { head, body } = ProxyResponse::of(call).await?;
        Ok(Done::Response(head, Reading { body, sender, connected: client }))
    };
    Call::fed(connected, fed, work)
}

/// A response's body, what is still sent of the request's, and the client that both are of.
pub(crate) struct Reading {
    body: BodyReader,
    sender: Option<Arc<BodySender>>,
    connected: Arc<Connected>,
}

/// The body of a provider's response.
#[pyclass(frozen)]
pub(crate) struct Reader(Owned<Arc<Reading>>);

impl Reader {
    pub(crate) fn new(reading: Reading) -> Self {
        Self(Owned::new(Arc::new(reading)))
    }
}

#[pymethods]
impl Reader {
    /// The call for the next part. It gives bytes, or None at the end.
    fn next(&self, py: Python<'_>) -> PyResult<Call> {
        let reading = of_this_process(py, &self.0)?;
        let body = reading.body.clone();
        let work = async move { Ok(Done::Part(body.next().await?)) };
        Ok(Call::fed(reading.connected.clone(), reading.sender.clone(), work))
    }

    /// Ends the provider's call where it has not come to its end.
    fn close(&self, py: Python<'_>) {
        let Some(reading) = self.0.get() else { return };
        if let Some(sender) = &reading.sender {
            sender.fail();
        }
        if reading.body.close() {
            blocking::settle(py, &reading.connected);
        }
    }
}

/// Where the parts of a request's body go, under asyncio.
#[pyclass(frozen)]
pub(crate) struct Sender(Owned<Arc<(Arc<BodySender>, Arc<Connected>)>>);

impl Sender {
    pub(crate) fn new(sender: Arc<BodySender>, connected: Arc<Connected>) -> Self {
        Self(Owned::new(Arc::new((sender, connected))))
    }
}

#[pymethods]
impl Sender {
    /// The call that passes a part on once it is wanted, and gives whether it was.
    fn send(&self, py: Python<'_>, part: &[u8]) -> PyResult<Call> {
        let own = of_this_process(py, &self.0)?;
        let (sender, part) = (own.0.clone(), Bytes::copy_from_slice(part));
        Ok(Call::new(own.1.clone(), async move { Ok(Done::Flag(sender.send(part).await)) }))
    }

    /// The body is whole.
    fn finish(&self) {
        if let Some(own) = self.0.get() {
            own.0.finish();
        }
    }

    /// The body cannot be completed.
    fn fail(&self) {
        if let Some(own) = self.0.get() {
            own.0.fail();
        }
    }
}

/// The path of a proxied call, and its headers, of the request that a library makes.
#[pyfunction]
#[pyo3(signature = (base_url, url, headers: "list[tuple[str, str]]") -> "tuple[str, list[tuple[str, str]]]")]
pub(crate) fn library_request(
    py: Python<'_>,
    base_url: &str,
    url: &str,
    headers: Vec<(String, String)>,
) -> PyResult<(String, Vec<(String, String)>)> {
    bindings::library_request(base_url, url, headers).map_err(|error| exception(py, &error))
}
