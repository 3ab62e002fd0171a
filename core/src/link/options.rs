//! The options of `createRequestLink`.
//!
//! Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

use serde::Serialize;
use serde_json::{Map, Value};

use super::CreateRequestLink;

/// The body of the call, named as on the wire.
#[derive(Default, Serialize)]
pub(super) struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app_id: Option<String>,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connection_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auth_option_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allowed_apps: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) return_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allowed_origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allow_multiple_connections: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confirm: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allow_account_change: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) customer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) customer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) organization: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) webhook_url: Option<String>,
}

impl CreateRequestLink {
    /// Re-authorises this connection in place: it keeps its id, and takes the link's `name`.
    pub fn connection_id(mut self, connection_id: impl Into<String>) -> Self {
        self.body.connection_id = Some(connection_id.into());
        self
    }

    /// Which of the app's auth options the customer uses, by its key.
    pub fn auth_option_key(mut self, auth_option_key: impl Into<String>) -> Self {
        self.body.auth_option_key = Some(auth_option_key.into());
        self
    }

    /// The ids of the apps that the customer may choose from on the hosted page, instead of `app_id`.
    pub fn allowed_apps<T: Into<String>>(mut self, allowed_apps: impl IntoIterator<Item = T>) -> Self {
        self.body.allowed_apps = Some(allowed_apps.into_iter().map(Into::into).collect());
        self
    }

    /// Where the hosted page sends the customer when it is done, with connection_id, status and operation in the query,
    /// and without success error, error_description and errorData.
    pub fn return_url(mut self, return_url: impl Into<String>) -> Self {
        self.body.return_url = Some(return_url.into());
        self
    }

    /// The only web origin that may read the link's public status. Default: any.
    pub fn allowed_origin(mut self, allowed_origin: impl Into<String>) -> Self {
        self.body.allowed_origin = Some(allowed_origin.into());
        self
    }

    /// The name of your product, or of the customer, on the hosted page.
    pub fn display_name(mut self, display_name: impl Into<String>) -> Self {
        self.body.display_name = Some(display_name.into());
        self
    }

    /// The language of the hosted page, such as `de` or `fr-CA`. Default: what the customer's browser prefers.
    pub fn locale(mut self, locale: impl Into<String>) -> Self {
        self.body.locale = Some(locale.into());
        self
    }

    /// How long the link lives, in whole seconds: from a minute to a day. Default: the service's, 10 minutes.
    pub fn expires_in(mut self, expires_in: std::time::Duration) -> Self {
        self.body.expires_in = Some(expires_in.as_secs());
        self
    }

    /// Whether the customer may have several connections of this app. Where not, an active one is re-authorised.
    pub fn allow_multiple_connections(mut self, allow_multiple_connections: bool) -> Self {
        self.body.allow_multiple_connections = Some(allow_multiple_connections);
        self
    }

    /// The OAuth scopes to ask for instead of the app's own.
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.body.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Whether the grant waits until `confirm_connection` says whose it is. Needs `return_url`. For products whose
    /// customers do not know each other.
    pub fn confirm(mut self, confirm: bool) -> Self {
        self.body.confirm = Some(confirm);
        self
    }

    /// With `connection_id`, whether the customer may choose another account than the one that the connection is for.
    /// Default: false.
    pub fn allow_account_change(mut self, allow_account_change: bool) -> Self {
        self.body.allow_account_change = Some(allow_account_change);
        self
    }

    /// Your own id for the customer, to find connections by. Nothing is authorised by it.
    pub fn customer_id(mut self, customer_id: impl Into<String>) -> Self {
        self.body.customer_id = Some(customer_id.into());
        self
    }

    /// Your own name for the customer.
    pub fn customer_name(mut self, customer_name: impl Into<String>) -> Self {
        self.body.customer_name = Some(customer_name.into());
        self
    }

    /// A JSON object of your own, kept with the connection: at most 16 KiB, nested at most 8 deep.
    pub fn metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.body.metadata = Some(metadata);
        self
    }

    /// The organization that the connection is for: `id` (your own, no email), and perhaps `name` and `role`. Its OAuth
    /// client can be the one that the app is connected with.
    pub fn organization(mut self, organization: Map<String, Value>) -> Self {
        self.body.organization = Some(organization);
        self
    }

    /// Where `connection.active`, `connection.failed`, `connection.rejected` and `connection.expired` of this link are
    /// sent, too. Its scheme, host and port must be those of one of your webhook endpoints, whose secret signs.
    pub fn webhook_url(mut self, webhook_url: impl Into<String>) -> Self {
        self.body.webhook_url = Some(webhook_url.into());
        self
    }

    /// Calls with the same key and options within a day make one link. Default: one for each call, which its retries
    /// share.
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}
