//! `[auth.revoke]`: how a grant is ended at the provider.

use serde::Deserialize;
use url::form_urlencoded;

use super::input::{AddressHosts, InputSchema};
use super::oauth::{TokenRequest, address_problem};
use super::template::Template;

/// One request that ends a grant, a form as RFC 7009 has it unless the table says otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Where it goes. Placeholders: those of addresses in `[auth.oauth]`, and `{client_id}`.
    pub url: Template,
    /// `POST` or `DELETE`. Default: `POST`.
    #[serde(default)]
    pub method: RevokeMethod,
    /// How it proves who asks.
    #[serde(default)]
    pub auth: RevokeAuth,
    /// Which token it names; the access token too where there is no refresh token.
    #[serde(default)]
    pub token: RevokedToken,
    /// The parameter that carries the token.
    #[serde(default = "token")]
    pub param: String,
    /// How the parameters are written.
    #[serde(default)]
    pub request: TokenRequest,
    /// Whether it ends all that the account has granted to the client, and not this token alone. Such a request is made
    /// only where no other connection of the account is left. `[auth.account]` must then name an account that has one
    /// grant, or several, and never a part of one.
    #[serde(default)]
    pub ends_whole_grant: bool,
}

/// The methods that end a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RevokeMethod {
    /// As RFC 7009 says.
    #[default]
    Post,
    /// Where the grant is a resource of the API.
    Delete,
}

/// How the request proves who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeAuth {
    /// By the client, as at the token endpoint.
    #[default]
    Client,
    /// By the client, with HTTP Basic authentication.
    Basic,
    /// By the access token, as calls to the API do. It then has no parameters.
    Api,
    /// Not at all: whoever has the token may end it.
    None,
}

/// The two kinds of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedToken {
    /// Ends the access tokens that came of it, too.
    #[default]
    Refresh,
    /// Where the provider wants it.
    Access,
}

impl Revoke {
    /// Whether a refresh token alone cannot end the grant.
    pub(crate) fn needs_access_token(&self) -> bool {
        self.auth == RevokeAuth::Api || self.token == RevokedToken::Access
    }

    /// The address with the client's id filled in, and the fields left.
    pub(crate) fn url_for(&self, client_id: &str) -> Result<Template, String> {
        let id: String = form_urlencoded::byte_serialize(client_id.as_bytes()).collect();
        Template::try_from(self.url.to_string().replace("{client_id}", &id.replace('+', "%20")))
    }

    /// The first thing that makes this table unusable.
    pub(super) fn problem(&self, input: &InputSchema, has_account: bool) -> Option<String> {
        if self.ends_whole_grant && !has_account {
            return Some("revoke.ends_whole_grant needs an account.id".into());
        }
        if self.param.is_empty() {
            return Some("revoke.param is empty".into());
        }
        match self.url_for("client") {
            Ok(url) => address_problem(&url, input, AddressHosts::Named),
            Err(problem) => Some(problem),
        }
    }
}

fn token() -> String {
    "token".into()
}
