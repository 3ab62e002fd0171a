//! What the service answers: apps, connections and request links.
//!
//! Members that this version does not know are kept in `extra`, and values that it does not know in `Other`, so
//! that a newer service does not break an older client.

use std::fmt;
use std::time::SystemTime;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An app of the catalogue, such as Gmail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The ways to authorise, for those who build their own connection page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_options: Option<Vec<AuthOption>>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One way to authorise an app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// The app that a connection or a link belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// When the open link lapses; only while one is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A hosted page where one customer connects one app. Hand `request_link`, `request_token` and `connection_id` to
/// the front end, and nothing else of the SDK's.
///
/// It serialises whole, because it is made to be handed on. Printing it hides the request token and the hosted page's
/// address: whoever has that can connect an account of their own in the customer's place.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestLink {
    /// The connection that the link is for; it is `pending` until the customer is done.
    pub connection_id: String,
    /// Lets a front end watch the link, and send in a form of its own: for the customer's own browser alone.
    pub request_token: RequestToken,
    /// The address of the hosted page.
    pub request_link: String,
    /// When the link lapses.
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
            .field("request_token", &self.request_token)
            .field("request_link", &format_args!("[redacted]"))
            .field("expires_at", &self.expires_at)
            .field("app", &self.app)
            .field("status_url", &self.status_url)
            .field("operation", &self.operation)
            .field("extra", &self.extra)
            .finish()
    }
}

/// The secret of a request link. Serialises as it is; prints as `[redacted]`.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct RequestToken(SecretString);

impl RequestToken {
    /// The token itself.
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl Serialize for RequestToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose_secret())
    }
}

impl fmt::Debug for RequestToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for RequestToken {
    fn eq(&self, other: &Self) -> bool {
        self.expose_secret() == other.expose_secret()
    }
}

/// A point in time, as the service wrote it (RFC 3339).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Timestamp {
    text: String,
    #[serde(skip)]
    at: OffsetDateTime,
}

impl Timestamp {
    /// The text as it came.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<&Timestamp> for SystemTime {
    fn from(timestamp: &Timestamp) -> Self {
        timestamp.at.into()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)?;
        Ok(Self { text, at })
    }
}

/// A closed list of words on the wire, open to words that a newer service may send.
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $( $(#[doc = $doc:literal])+ $case:ident = $wire:literal, )+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[doc = $doc])+ $case, )+
            /// A value that this version does not know, as it came.
            Other(String),
        }

        impl $name {
            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self { $( Self::$case => $wire, )+ Self::Other(other) => other }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Ok(match text.as_str() { $( $wire => Self::$case, )+ _ => Self::Other(text) })
            }
        }
    };
}

open_enum! {
    /// Where a connection is in its life: `pending`, then one of the others.
    ConnectionStatus {
        /// The customer has not finished yet.
        Pending = "pending",
        /// The customer authorised: tokens can be vended.
        Active = "active",
        /// The customer declined.
        Rejected = "rejected",
        /// The link lapsed before the customer was done.
        Expired = "expired",
    }
}

open_enum! {
    /// How an app's customers authorise.
    AuthType {
        /// OAuth 2: a token is vended.
        OAuth = "o_auth",
        /// An API key: fields are vended.
        ApiKey = "api_key",
        /// A name and a password: fields are vended.
        Basic = "basic",
        /// Values for request headers: fields are vended.
        Header = "header",
    }
}

open_enum! {
    /// How far a customer has come on the hosted page.
    LinkPhase {
        /// Nobody has opened it yet.
        Created = "created",
        /// It was opened.
        Form = "form",
        /// The customer has gone on to the provider.
        AtProvider = "at_provider",
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_members_and_values_survive() {
        let wire = json!({"id": "c1", "status": "paused", "auth_type": "saml", "colour": "red"});
        let connection: Connection = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(connection.status, ConnectionStatus::Other("paused".into()));
        assert_eq!(serde_json::to_value(connection).unwrap(), wire);
    }

    #[test]
    fn a_link_serialises_whole_and_prints_without_its_secrets() {
        let wire = json!({
            "connection_id": "c1", "request_token": "rt_canary", "request_link": "https://a/canary",
            "expires_at": "2026-11-21T10:00:00.5+01:00",
        });
        let link: RequestLink = serde_json::from_value(wire.clone()).unwrap();
        assert!(!format!("{link:?}").contains("canary"));
        assert!(format!("{link:?}").contains("[redacted]"));
        assert_eq!(link.request_token.expose_secret(), "rt_canary");
        assert_eq!(link, link.clone());
        let other: RequestToken = serde_json::from_value(json!("rt_other")).unwrap();
        assert_ne!(link.request_token, other);
        assert_eq!(link.expires_at.as_str(), "2026-11-21T10:00:00.5+01:00");
        assert_eq!(link.expires_at.to_string(), link.expires_at.as_str());
        assert_eq!(serde_json::to_value(link).unwrap(), wire);
    }

    #[test]
    fn a_timestamp_that_is_none_is_refused() {
        assert!(serde_json::from_value::<Timestamp>(json!("tomorrow")).is_err());
    }
}
