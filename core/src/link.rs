//! Making a request link.

use std::future::IntoFuture;
use std::time::Duration;

use http::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::call::{CallOptions, Pending, call_options};
use crate::customer::Customer;
use crate::error::{Error, Scope};
use crate::model::RequestLink;
use crate::request::Request;

/// The body of the call, named as on the wire.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_option_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_apps: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_multiple_connections: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm: Option<bool>,
}

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
        let body = Body {
            app_id,
            name: name.to_owned(),
            ..Body::default()
        };
        Self {
            customer,
            body,
            idempotency_key: None,
            options: CallOptions::default(),
        }
    }

    /// Re-authorises this connection in place: it keeps its id, and takes the link's name.
    pub fn connection_id(mut self, connection_id: impl Into<String>) -> Self {
        self.body.connection_id = Some(connection_id.into());
        self
    }

    /// Which of the app's auth options the customer uses, by its key.
    pub fn auth_option_key(mut self, key: impl Into<String>) -> Self {
        self.body.auth_option_key = Some(key.into());
        self
    }

    /// The apps that the customer may choose from on the hosted page. Pass an empty app id with it.
    pub fn allowed_apps<T: Into<String>>(mut self, app_ids: impl IntoIterator<Item = T>) -> Self {
        self.body.allowed_apps = Some(app_ids.into_iter().map(Into::into).collect());
        self
    }

    /// Where the hosted page sends the customer when it is done, with `connection_id`, `status` and `operation` in
    /// the query.
    pub fn return_url(mut self, url: impl Into<String>) -> Self {
        self.body.return_url = Some(url.into());
        self
    }

    /// The only web origin that may read the link's public status. Any may, where none is named.
    pub fn allowed_origin(mut self, origin: impl Into<String>) -> Self {
        self.body.allowed_origin = Some(origin.into());
        self
    }

    /// The name of your product, or of the customer, on the hosted page.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.body.display_name = Some(name.into());
        self
    }

    /// How long the link lives, in whole seconds: from a minute to a day. The service's default is 10 minutes.
    pub fn expires_in(mut self, life: Duration) -> Self {
        self.body.expires_in = Some(life.as_secs());
        self
    }

    /// Whether the customer may have several connections of this app. Where not, an active one is re-authorised.
    pub fn allow_multiple_connections(mut self, allow: bool) -> Self {
        self.body.allow_multiple_connections = Some(allow);
        self
    }

    /// The OAuth scopes to ask for instead of the app's own.
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.body.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Whether the grant waits until [`confirm_connection`](crate::Customer::confirm_connection) says whose it is. Needs a
    /// return URL. For products whose customers do not know each other.
    pub fn confirm(mut self, confirm: bool) -> Self {
        self.body.confirm = Some(confirm);
        self
    }

    /// Calls with the same key and body within a day make one link. Without it each call has a key of its own,
    /// which its retries share.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    call_options!();

    /// Sends the call and gives the link as the JSON text that came; see [`Call::json`](crate::Call::json).
    ///
    /// # Errors
    /// The same as awaiting the call.
    pub async fn json(self) -> Result<SecretString, Error> {
        Ok(self.send().await?.1)
    }

    async fn send(self) -> Result<(RequestLink, SecretString), Error> {
        let client = self.customer.client();
        let answer = client.execute(&self.request()?, self.options).await?;
        let (link, json) = answer.decode_json::<RequestLink>()?;
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
        let scope = if self.body.connection_id.is_some() {
            Scope::Connection
        } else {
            Scope::General
        };
        let segments = ["connections", "request-link"];
        let request = self
            .customer
            .client()
            .request("createRequestLink", Method::POST, &segments, scope)
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
