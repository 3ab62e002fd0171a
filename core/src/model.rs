//! What the service answers: apps, connections, request links, keys.
//!
//! Members that this version does not know are kept in `extra`, and values that it does not know in `Other`, so
//! that a newer service does not break an older client.

use std::fmt;
use std::time::SystemTime;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() { $( $wire => Self::$case, )+ _ => Self::Other(text) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

mod event;
mod models;

pub use event::Event;
pub use models::{
    Account, App, AppRef, AuthOption, AuthOptionList, AuthType, Connection, ConnectionActive,
    ConnectionDeleted, ConnectionExpired, ConnectionExpiring, ConnectionFailed, ConnectionNeedsReconnection,
    ConnectionRejected, ConnectionStatus, ConnectionUpdated, Contact, DeletedBy, EventConnection, EventData,
    EventKey, FailedConnection, KeyChanged, KeyList, LastError, LinkError, LinkPhase, OAuthClientChange,
    OAuthClientChanged, Operation, Origin, PromotedKey, Reconnection, RequestLink, RotatedKey, Submission,
    TenantKey, Verification, VerificationResult, WebhookTest,
};

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
