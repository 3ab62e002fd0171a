//! Ending a grant at the provider (RFC 7009, and the providers' own ways).

use std::time::Duration;

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};

use super::answer::Rules;
use super::call::{Call, Client, Params};
use super::guard::may_call;
use super::http::{cause, retry_after};
use super::{Endpoint, ProviderClient, ProviderError};
use crate::catalogue::{ApiCall, ClientAuth, Revoke, RevokeAuth, RevokeMethod, RevokedToken, TokenRequest};

/// What a provider said to a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RevokeOutcome {
    /// The grant has ended.
    Revoked,
    /// The provider refused, or the request cannot be made: another one would fare no better. A token that had ended
    /// already is refused by some.
    Refused,
    /// Later it may.
    Unavailable {
        /// When to try again, where the provider says so.
        retry_after: Option<Duration>,
    },
}

/// The tokens of a grant that is to end.
pub(crate) struct RevokedTokens<'a> {
    pub(crate) access: &'a SecretString,
    pub(crate) refresh: Option<&'a SecretString>,
    /// What a call to the API carries with the access token.
    pub(crate) api_call: ApiCall,
}

impl ProviderClient {
    /// Ends a grant. The response's body is not read: there is nothing in it that would be believed.
    pub(crate) async fn revoke(
        &self,
        endpoint: &Endpoint,
        revoke: &Revoke,
        tokens: &RevokedTokens<'_>,
    ) -> RevokeOutcome {
        let Ok(call) = endpoint.revoke_call(revoke, tokens) else {
            return RevokeOutcome::Refused;
        };
        let host = call.url.host_str().unwrap_or_default().to_owned();
        if !self.allow_private_networks && !may_call(&call.url) {
            tracing::warn!(host, "refused to call a revocation endpoint");
            return RevokeOutcome::Refused;
        }
        let request = self.http.request(call.method, call.url).headers(call.headers);
        let request = if call.body.is_empty() { request } else { request.body(call.body.to_string()) };
        match self.measured("revocation", request.send()).await {
            Ok(response) => {
                let status = response.status().as_u16();
                tracing::info!(host, status, "the provider was asked to end a grant");
                match status {
                    200..300 => RevokeOutcome::Revoked,
                    408 | 425 | 429 | 500.. => {
                        RevokeOutcome::Unavailable { retry_after: retry_after(response.headers()) }
                    }
                    _ => RevokeOutcome::Refused,
                }
            }
            Err(error) => {
                // The error's own text is left out: it may hold the address with what was filled in.
                tracing::warn!(host, cause = cause(&error), "the provider did not answer to a revocation");
                RevokeOutcome::Unavailable { retry_after: None }
            }
        }
    }
}

impl Endpoint {
    fn revoke_call(&self, revoke: &Revoke, tokens: &RevokedTokens<'_>) -> Result<Call, ProviderError> {
        let url = self.revocation_url().ok_or(ProviderError::Misconfigured)?.clone();
        let token = match (revoke.token, tokens.refresh) {
            (RevokedToken::Refresh, Some(refresh)) => refresh,
            _ => tokens.access,
        };
        let mut params = Params::default();
        params.push(&revoke.param, token.expose_secret());
        let client = match revoke.auth {
            RevokeAuth::Basic => Client { auth: ClientAuth::Basic, ..self.client() },
            _ => self.client(),
        };
        let rules = Rules::default();
        let mut call = match revoke.auth {
            RevokeAuth::Api => {
                let mut call = Call::post(url, &Params::default(), TokenRequest::Query, rules);
                call.set_api_call(&tokens.api_call)?;
                call
            }
            RevokeAuth::None => Call::post(url, &params, revoke.request, rules),
            RevokeAuth::Client | RevokeAuth::Basic => {
                params.push_client(&client);
                self.authenticated_call(url, &params, revoke.request, &client, rules)?
            }
        };
        if revoke.method == RevokeMethod::Delete {
            call.method = Method::DELETE;
        }
        Ok(call)
    }
}
