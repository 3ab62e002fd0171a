//! A grant as JSON, with its secrets in the open, to be sealed as one: for those that no connection holds.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::connections::read_auth_type;
use super::{Details, Grant, Origin, Result, StoreError, Tokens};
use crate::catalogue::Inputs;
use crate::clock::Millis;

/// What is absent was not known to the version of the service that sealed it.
#[derive(Serialize, Deserialize)]
pub(super) struct GrantRecord {
    app_id: String,
    auth_type: String,
    auth_option_key: String,
    #[serde(default)]
    comparable_options: Vec<String>,
    #[serde(default)]
    account_digest: Option<String>,
    #[serde(default)]
    oauth_client: Option<String>,
    inputs: Inputs,
    tokens: Option<TokensRecord>,
    #[serde(default)]
    details: Details,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TokensRecord {
    access_token: String,
    refresh_token: Option<String>,
    token_type: String,
    obtained_at: Millis,
    expires_at: Option<Millis>,
}

impl From<&Grant> for GrantRecord {
    fn from(grant: &Grant) -> Self {
        // Every part by name: one that is added must be kept here, too.
        let Grant {
            app_id,
            auth_type,
            auth_option_key,
            comparable_options,
            account_digest,
            oauth_client,
            // What is imported is neither confirmed nor revoked.
            origin: _,
            inputs,
            tokens,
            details,
        } = grant;
        Self {
            app_id: app_id.clone(),
            auth_type: auth_type.as_str().to_owned(),
            auth_option_key: auth_option_key.clone(),
            comparable_options: comparable_options.clone(),
            account_digest: account_digest.clone(),
            oauth_client: oauth_client.clone(),
            inputs: inputs.clone(),
            tokens: tokens.as_ref().map(TokensRecord::from),
            details: details.clone(),
        }
    }
}

impl From<&Tokens> for TokensRecord {
    fn from(tokens: &Tokens) -> Self {
        let Tokens { access_token, refresh_token, token_type, obtained_at, expires_at } = tokens;
        Self {
            access_token: access_token.expose_secret().to_owned(),
            refresh_token: refresh_token.as_ref().map(|token| token.expose_secret().to_owned()),
            token_type: token_type.clone(),
            obtained_at: *obtained_at,
            expires_at: *expires_at,
        }
    }
}

impl From<TokensRecord> for Tokens {
    fn from(record: TokensRecord) -> Self {
        Self {
            access_token: SecretString::from(record.access_token),
            refresh_token: record.refresh_token.map(SecretString::from),
            token_type: record.token_type,
            obtained_at: record.obtained_at,
            expires_at: record.expires_at,
        }
    }
}

impl TryFrom<GrantRecord> for Grant {
    type Error = StoreError;

    fn try_from(record: GrantRecord) -> Result<Self> {
        Ok(Self {
            app_id: record.app_id,
            auth_type: read_auth_type(&record.auth_type)?,
            auth_option_key: record.auth_option_key,
            comparable_options: record.comparable_options,
            account_digest: record.account_digest,
            oauth_client: record.oauth_client,
            origin: Origin::Link,
            inputs: record.inputs,
            tokens: record.tokens.map(Tokens::from),
            details: record.details,
        })
    }
}
