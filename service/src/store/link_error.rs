//! Why a customer could not be connected, in the service's own words.

use std::str::FromStr;

use super::StoreError;
use super::database::Row;
use crate::language::Message;

/// A failure to connect. All but the first two leave the link open: the customer may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkError {
    /// The customer, or somebody at the provider in their place, declined.
    AccessDenied,
    /// The link expired before the customer was done. Told by `return_url` alone: elsewhere the status says it.
    LinkExpired,
    /// The operator's OAuth client for the app is gone, or does not fit what the customer entered.
    AppNotConfigured,
    /// The provider sent the customer back with an error other than `access_denied`.
    ProviderRefused,
    /// The provider sent the customer back with neither a code nor an error.
    InvalidResponse,
    /// The response names another issuer than the app's (RFC 9207).
    IssuerMismatch,
    /// The provider does not accept the code that it gave out.
    CodeRefused,
    /// The provider does not accept the OAuth client.
    ClientRefused,
    /// The provider's token endpoint gave no usable response.
    ProviderUnavailable,
    /// A value that the catalogue requires did not come.
    MissingValue,
    /// The provider did not confirm the account that the customer's browser named.
    AccountNotVerified,
    /// The customer chose another account than the one that the connection is for.
    AccountChanged,
    /// Somebody else of the organization has entered another OAuth client meanwhile.
    ClientTaken,
}

/// The latest failure of a connection's link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// What happened.
    pub error: LinkError,
    /// What the provider said, if it did: for the tenant's backend alone.
    pub provider_message: Option<String>,
}

impl LinkError {
    /// Every failure, for the tests and for reading.
    pub const ALL: [Self; 13] = [
        Self::AccessDenied,
        Self::LinkExpired,
        Self::AppNotConfigured,
        Self::ProviderRefused,
        Self::InvalidResponse,
        Self::IssuerMismatch,
        Self::CodeRefused,
        Self::ClientRefused,
        Self::ProviderUnavailable,
        Self::MissingValue,
        Self::AccountNotVerified,
        Self::AccountChanged,
        Self::ClientTaken,
    ];

    /// The word on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::LinkExpired => "link_expired",
            Self::AppNotConfigured => "app_not_configured",
            Self::ProviderRefused => "provider_refused",
            Self::InvalidResponse => "invalid_response",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::CodeRefused => "authorization_code_refused",
            Self::ClientRefused => "client_refused",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::MissingValue => "required_value_missing",
            Self::AccountNotVerified => "account_not_verified",
            Self::AccountChanged => "account_changed",
            Self::ClientTaken => "oauth_client_taken",
        }
    }

    /// A sentence for people. It repeats nothing that the provider sent.
    pub fn message(self) -> &'static str {
        match self {
            Self::AccessDenied => "Access was not given",
            Self::LinkExpired => "The link expired before access was given",
            Self::AppNotConfigured => "The app has no OAuth client that can be used",
            Self::ProviderRefused => "The provider sent the customer back with an error",
            Self::InvalidResponse => "The provider sent the customer back with neither a code nor an error",
            Self::IssuerMismatch => "The response came from another issuer than the app's",
            Self::CodeRefused => "The provider did not accept the authorization code",
            Self::ClientRefused => "The provider did not accept the OAuth client of this app",
            Self::ProviderUnavailable => "The provider gave no usable response to the token request",
            Self::MissingValue => "The provider did not give a value that calls to its API need",
            Self::AccountNotVerified => {
                "The provider did not confirm the account that the browser came back with"
            }
            Self::AccountChanged => {
                "The customer chose another account than the one that the connection is for"
            }
            Self::ClientTaken => {
                "Somebody else of the organization has entered another OAuth client at the same time"
            }
        }
    }

    /// The same for the customer, in their language.
    pub fn message_for_customer(self) -> Message {
        Message::new(format!("link-error-{}", self.code().replace('_', "-")))
    }
}

impl LastError {
    pub(super) fn read(row: &Row) -> Result<Option<Self>, StoreError> {
        let Some(code) = row.get::<Option<&str>>("last_error")? else {
            return Ok(None);
        };
        Ok(Some(Self { error: code.parse()?, provider_message: row.get("provider_message")? }))
    }
}

impl FromStr for LinkError {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        Self::ALL.into_iter().find(|error| error.code() == text).ok_or(StoreError::Unreadable("last_error"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn every_failure_has_words_for_the_customer() {
        for error in LinkError::ALL {
            let key = format!("link-error-{}", error.code().replace('_', "-"));
            assert!(Language::english().has(&key), "{key}");
        }
    }
}
