//! Apps, connections and request links.
//!
//! Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{RequestToken, Timestamp};

/// One way to authorise an app.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuthOption {
    /// Unique within the app; a request link takes it as `auth_option_key`.
    pub key: String,
    /// How the customer authorises.
    #[serde(rename = "type")]
    pub auth_type: AuthType,
    /// The name to show.
    pub title: String,
    /// What the customer needs for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A JSON Schema of what the customer is asked for; empty where nothing is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Value>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An app of the catalogue, such as Gmail.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct App {
    /// Opaque; store it exactly as it came.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// How the app's customers authorise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// One sentence for a catalogue page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the app is for, such as `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// The documentation of the app's own API, for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs_url: Option<String>,
    /// The ways to authorise, for those who build their own connection page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_options: Option<Vec<AuthOption>>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The app that a connection or a link belongs to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AppRef {
    /// The app's id in the catalogue.
    pub id: String,
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One authorisation of one app, owned by one customer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Connection {
    /// Opaque; store it exactly as it came.
    pub id: String,
    /// Where the connection is in its life.
    pub status: ConnectionStatus,
    /// The name that the link was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The app; absent while the customer has not chosen one yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppRef>,
    /// How the customer authorised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// The customer's e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
    /// When the connection was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the connection last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When the open link expires; only while one is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A hosted page where one customer connects one app.
///
/// Hand `request_link`, `request_token` and `connection_id` to the front end, and nothing else of the SDK's. It
/// serialises whole, because it is made to be handed on; its printed forms hide the request token and the hosted page's
/// address, since anybody who has it can connect an account of their own in the customer's place.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestLink {
    /// The connection that the link is for; it is `pending` until the customer is done.
    pub connection_id: String,
    /// Lets a front end watch the link, and send in a form of its own: for the customer's own browser alone.
    pub request_token: RequestToken,
    /// The address of the hosted page.
    pub request_link: String,
    /// When the link expires.
    pub expires_at: Timestamp,
    /// The app; absent where the customer picks one on the hosted page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppRef>,
    /// The address of the public status, gated by the request token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_url: Option<String>,
    /// Whether the link makes a connection or re-authorises one in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl fmt::Debug for RequestLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLink")
            .field("connection_id", &self.connection_id)
            .field("request_token", &format_args!("[redacted]"))
            .field("request_link", &format_args!("[redacted]"))
            .field("expires_at", &self.expires_at)
            .field("app", &self.app)
            .field("status_url", &self.status_url)
            .field("operation", &self.operation)
            .field("extra", &self.extra)
            .finish()
    }
}

open_enum! {
    /// Where a connection is in its life: `pending`, then one of the others.
    ConnectionStatus {
        /// The customer authorised: tokens can be vended.
        Active = "active",
        /// The link expired before the customer was done.
        Expired = "expired",
        /// The customer has not finished yet.
        Pending = "pending",
        /// The customer declined.
        Rejected = "rejected",
    }
}

open_enum! {
    /// How an app's customers authorise.
    AuthType {
        /// An API key: fields are vended.
        ApiKey = "api_key",
        /// A name and a password: fields are vended.
        Basic = "basic",
        /// Values for request headers: fields are vended.
        Header = "header",
        /// OAuth 2: a token is vended.
        OAuth = "o_auth",
    }
}

open_enum! {
    /// How far a customer has come on the hosted page.
    LinkPhase {
        /// The customer has gone on to the provider.
        AtProvider = "at_provider",
        /// Nobody has opened it yet.
        Created = "created",
        /// It was opened.
        Form = "form",
        /// The customer has come back from the provider.
        Returned = "returned",
    }
}

open_enum! {
    /// What a request link does.
    Operation {
        /// It makes a new connection.
        Creation = "creation",
        /// It re-authorises an existing connection, which keeps its id.
        Reauth = "reauth",
    }
}
