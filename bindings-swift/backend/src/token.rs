//! A credential. It stays on this side, where it is zeroed when it is dropped, and each value is copied when it is read.

use pabbly_connect::{ExposeSecret, SecretFields, SecretString, bindings};

use crate::failure::Failure;

/// A working credential for one connection.
#[derive(Debug, uniffi::Object)]
pub(crate) struct Token(pabbly_connect::Token);

impl Token {
    pub(crate) fn new(token: pabbly_connect::Token) -> Self {
        Self(token)
    }

    pub(crate) fn core(&self) -> &pabbly_connect::Token {
        &self.0
    }
}

fn read(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}

#[uniffi::export]
impl Token {
    /// A credential for a test, made of the JSON that the service would send.
    #[uniffi::constructor]
    fn of(json: &str) -> Result<Self, Failure> {
        Ok(Self(bindings::token(json)?))
    }

    fn auth_type(&self) -> String {
        self.0.auth_type.as_str().to_owned()
    }

    fn access_token(&self) -> Option<String> {
        self.0.access_token.as_ref().map(read)
    }

    fn token_type(&self) -> Option<String> {
        self.0.token_type.clone()
    }

    fn expires_in(&self) -> Option<u64> {
        self.0.expires_in
    }

    fn authorization(&self) -> Option<String> {
        self.0.authorization().as_ref().map(read)
    }

    fn scopes(&self) -> Option<Vec<String>> {
        self.0.scopes.clone()
    }

    /// As JSON text.
    fn account(&self) -> Option<String> {
        self.0.account.as_ref().and_then(|account| serde_json::to_string(account).ok())
    }

    fn api_base_url(&self) -> Option<String> {
        self.0.api_base_url.as_ref().map(read)
    }

    /// The names of the values of a kind; `None` where the token has none of that kind.
    fn names(&self, of: Secrets) -> Option<Vec<String>> {
        let names = self.secrets(of)?.iter().map(|(name, _)| name.to_owned());
        Some(names.collect())
    }

    fn value(&self, of: Secrets, name: &str) -> Option<String> {
        self.secrets(of)?.get(name).map(read)
    }

    /// The URL and headers of a request to the provider's API, as JSON text.
    fn apply(&self, path: &str) -> Result<String, Failure> {
        Ok(read(&bindings::request_json(&self.0.apply(path)?)))
    }
}

/// Secret values by name, of which a token has several kinds.
#[derive(Debug, uniffi::Enum)]
pub(crate) enum Secrets {
    Fields,
    ProviderData,
    ApiHeaders,
    ApiQuery,
    Extra,
}

impl Token {
    fn secrets(&self, of: Secrets) -> Option<&SecretFields> {
        match of {
            Secrets::Fields => self.0.fields.as_ref(),
            Secrets::ProviderData => Some(&self.0.provider_data),
            Secrets::ApiHeaders => self.0.api_headers.as_ref(),
            Secrets::ApiQuery => self.0.api_query.as_ref(),
            Secrets::Extra => Some(&self.0.extra),
        }
    }
}
