//! Making a request link.

mod options;

use std::future::IntoFuture;

use http::Method;
use secrecy::SecretString;

use crate::call::{CallOptions, Pending, call_options};
use crate::customer::Customer;
use crate::error::{Error, RequestTarget};
use crate::model::RequestLink;
use crate::request::Request;
use options::Body;

/// A call that makes a request link, sent when it is awaited. Made by
/// [`Customer::create_request_link`](crate::Customer::create_request_link).
///
/// All options but the app and the name are extensions of the guide's contract.
#[must_use = "a call does nothing until it is awaited"]
pub struct CreateRequestLink {
    customer: Customer,
    body: Body,
    idempotency_key: Option<String>,
    options: CallOptions,
}

impl CreateRequestLink {
    pub(crate) fn new(customer: Customer, app_id: &str, name: &str) -> Self {
        // An empty app id means that the customer picks one, or that the connection names it.
        let app_id = (!app_id.is_empty()).then(|| app_id.to_owned());
        let body = Body { app_id, name: name.to_owned(), ..Body::default() };
        Self { customer, body, idempotency_key: None, options: CallOptions::default() }
    }

    call_options!();

    /// See `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<SecretString, Error> {
        Ok(self.send().await?.1)
    }

    async fn send(self) -> Result<(RequestLink, SecretString), Error> {
        let client = self.customer.client();
        let response = client.execute(&self.request()?, self.options).await?;
        let (link, json) = response.decode_json::<RequestLink>()?;
        let base_url = &client.settings().base_url;
        client.links().remember(&link, self.customer.email(), base_url);
        Ok((link, json))
    }

    fn request(&self) -> Result<Request, Error> {
        if self.body.app_id.is_none() && self.body.allowed_apps.is_none() && self.body.connection_id.is_none()
        {
            return Err(Error::invalid_argument(
                "the app id is empty: pass one from the catalogue, or the apps to choose from, or a connection",
            ));
        }
        // Only a link for an existing connection can say that this connection is gone or must be reconnected.
        let target = if self.body.connection_id.is_some() {
            RequestTarget::Connection
        } else {
            RequestTarget::General
        };
        let segments = ["connections", "request-link"];
        let request = self
            .customer
            .client()
            .request("createRequestLink", Method::POST, &segments, target)
            .email(self.customer.email().clone())
            .json(&self.body)?;
        match &self.idempotency_key {
            None => request.idempotent(),
            Some(key) => request.idempotency_key(key),
        }
    }
}

impl IntoFuture for CreateRequestLink {
    type Output = Result<RequestLink, Error>;
    type IntoFuture = Pending<RequestLink>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.send().await?.0) })
    }
}
