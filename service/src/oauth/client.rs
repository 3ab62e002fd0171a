//! An OAuth client: what the service is at a provider. One that the operator configures is a table of the configuration;
//! those of tenants and organizations are in the store (`crate::oauth_clients`).

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::catalogue::AuthOption;

/// A client at one app's provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthClient {
    /// Public name of the client.
    #[serde(default)]
    pub client_id: String,
    /// Its password.
    #[serde(default, deserialize_with = "secret")]
    pub client_secret: SecretString,
    /// Instead of the catalogue's scopes.
    pub scopes: Option<Vec<String>>,
    /// The only scopes that links may ask for instead; any where absent.
    pub allowed_scopes: Option<Vec<String>>,
    /// Instead of the catalogue's address.
    pub authorization_url: Option<String>,
    /// Instead of the catalogue's addresses, that of refreshes included.
    pub token_url: Option<String>,
    /// Instead of the catalogue's address. Where `token_url` is another one, so is this, or nothing is revoked: a token
    /// goes only to whom it came from.
    pub revocation_url: Option<String>,
    /// What the catalogue's templates call `{app.NAME}`.
    #[serde(default, deserialize_with = "secrets")]
    pub params: BTreeMap<String, SecretString>,
    /// Whether the client is one of the provider's sandbox.
    #[serde(default)]
    pub sandbox: bool,
    /// Whether refresh tokens that would die unused are refreshed in time.
    #[serde(default = "yes")]
    pub keep_alive: bool,
}

impl OAuthClient {
    /// A client for which everything else is as in the catalogue.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scopes: None,
            allowed_scopes: None,
            authorization_url: None,
            token_url: None,
            revocation_url: None,
            params: BTreeMap::new(),
            sandbox: false,
            keep_alive: true,
        }
    }

    /// Whether grants of this client can be ended at the provider.
    pub fn can_revoke(&self, option: &AuthOption) -> bool {
        option.revoke.is_some() && (self.revocation_url.is_some() || self.token_url.is_none())
    }

    /// The first of these scopes that nobody may ask for with this client.
    pub fn forbidden_scope<'a>(&self, scopes: &'a [String]) -> Option<&'a str> {
        let allowed = self.allowed_scopes.as_ref()?;
        scopes.iter().find(|scope| !allowed.contains(scope)).map(String::as_str)
    }
}

fn yes() -> bool {
    true
}

/// A secret text.
pub(crate) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

pub(crate) fn secrets<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, SecretString>, D::Error> {
    let values = BTreeMap::<String, String>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|(name, value)| (name, value.into())).collect())
}
