//! Talking to providers: where to send a customer, and how to turn codes and refresh tokens into access tokens.
//!
//! ```text
//! catalogue::OAuth + OAuthClient + the customer's inputs ──▶ Endpoint ──▶ authorize_url()
//!                                                                │
//!                                    ProviderClient::exchange_code / refresh ──▶ Tokens | ProviderError
//! ```
//!
//! Everything that a provider sends is untrusted: its size and time are bounded, redirects are not followed, and
//! nothing of it is repeated in errors or logs.

mod answer;
mod api_request;
mod call;
mod client;
mod endpoint;
mod fetch;
mod forward;
mod guard;
mod http;
mod jwt;
mod lenient;
mod lifetime;
mod probe;
mod refusal;
mod revoke;

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use url::form_urlencoded;

pub(crate) use api_request::{ApiBody, ApiError, ApiRequest, ApiResponse, Bounds};
pub use client::OAuthClient;
pub(crate) use client::{secret, secrets};
pub use endpoint::{Endpoint, EndpointError, Pkce};
pub(crate) use fetch::fetch_url;
pub(crate) use forward::{ForwardError, ForwardRequest};
pub(crate) use guard::{is_public_address, may_call};
pub use http::ProviderClient;
pub(crate) use http::{cause as request_cause, guarded_http, retry_after, trusted_http};
pub(crate) use jwt::private_key;
pub(crate) use revoke::{RevokeOutcome, RevokedTokens};

/// What a provider grants.
pub struct Tokens {
    /// What API calls are made with.
    pub access_token: SecretString,
    /// Gets the next access token. `None` in the answer to a refresh means: keep the one you have.
    pub refresh_token: Option<SecretString>,
    /// Mostly `Bearer`, which is also what a provider means that does not say.
    pub token_type: String,
    /// How long the access token lives, in whole seconds, where the provider says so.
    pub expires_in: Option<u64>,
    /// The scopes that were granted, as the provider writes them, where it says so.
    pub scope: Option<String>,
    /// The whole response, as an object: what it says beside the tokens is read by pointers. It holds the tokens too, so
    /// it is neither stored nor printed.
    pub response: serde_json::Value,
}

/// Why there are no tokens. Each calls for something different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The grant is gone (`invalid_grant`): the customer has to connect again.
    #[error("the provider declined the grant")]
    Declined,
    /// The provider refuses this client: id, secret or redirect address are wrong. The operator has to act.
    #[error("the provider does not accept the configured client")]
    Misconfigured,
    /// The provider did not answer usefully; later it may.
    #[error("the provider is unavailable")]
    Unavailable {
        /// When to try again, where the provider says so.
        retry_after: Option<Duration>,
        /// What it did instead.
        failure: Failure,
    },
}

/// What a provider did instead of granting tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing arrived.
    NoResponse,
    /// It asked for fewer requests, by a 429.
    Throttled,
    /// It refused by another 4xx, in words that are not known to end the grant. It may do so for ever.
    Refused,
    /// It failed, or what it sent is of no use: a firewall's page, something else than tokens.
    Unusable,
}

impl ProviderError {
    /// Every word that [`as_str`](Self::as_str) gives.
    pub(crate) const WORDS: [&'static str; 6] =
        ["declined", "misconfigured", "no_response", "throttled", "refused", "unusable"];

    /// A word for it, for the metrics.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Misconfigured => "misconfigured",
            Self::Unavailable { failure: Failure::NoResponse, .. } => "no_response",
            Self::Unavailable { failure: Failure::Throttled, .. } => "throttled",
            Self::Unavailable { failure: Failure::Refused, .. } => "refused",
            Self::Unavailable { failure: Failure::Unusable, .. } => "unusable",
        }
    }
}

/// Pairs as `application/x-www-form-urlencoded`, with spaces as `%20`: not every server reads `+` as a space.
fn encode_form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    percent_encode_spaces(&form.finish())
}

/// A plus sign of the value itself is `%2B` by then.
fn percent_encode_spaces(encoded: &str) -> String {
    encoded.replace('+', "%20")
}

impl Tokens {
    /// Whether it is known how calls are made with the token.
    fn has_known_type(&self) -> bool {
        self.token_type == "Bearer"
    }

    /// These tokens with the access token of a later response in the place of their own. What only one of the responses
    /// says is kept.
    fn exchanged_for(self, later: Self) -> Self {
        let mut response = self.response;
        if let (Some(old), serde_json::Value::Object(new)) = (response.as_object_mut(), later.response) {
            old.extend(new);
        }
        Self {
            refresh_token: later.refresh_token.or(self.refresh_token),
            scope: later.scope.or(self.scope),
            response,
            ..later
        }
    }

    /// The scopes that were granted; `None` where the provider does not say. It may separate them otherwise than requests do.
    pub fn scopes(&self) -> Option<Vec<String>> {
        let separator = |c: char| c == ',' || c.is_whitespace();
        let scopes = self.scope.as_ref()?.split(separator).filter(|scope| !scope.is_empty());
        Some(scopes.map(str::to_owned).collect())
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
