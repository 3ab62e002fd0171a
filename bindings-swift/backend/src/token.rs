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
}

fn read(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}

fn names(fields: &SecretFields) -> Vec<String> {
    fields.iter().map(|(name, _)| name.to_owned()).collect()
}

#[uniffi::export]
impl Token {
    /// A credential for a test, made of the JSON that the service would send.
    #[uniffi::constructor]
    fn of(json: &str) -> Result<Self, Failure> {
        let token = serde_json::from_str(json).map_err(|_| {
            bindings::invalid_argument("an OAuth token needs its access token, every other its fields")
        })?;
        Ok(Self(token))
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

    fn field_names(&self) -> Option<Vec<String>> {
        self.0.fields.as_ref().map(names)
    }

    fn field(&self, name: &str) -> Option<String> {
        self.0.fields.as_ref()?.get(name).map(read)
    }

    fn extra_names(&self) -> Vec<String> {
        names(&self.0.extra)
    }

    fn extra(&self, name: &str) -> Option<String> {
        self.0.extra.get(name).map(read)
    }
}
