//! Types whose access token the service fetches with what the customer entered: `[auth.client_credentials]`,
//! `[auth.token_exchange]` and `[auth.jwt_bearer]`. There is no refresh token; each token is fetched anew.
//!
//! The secret is the customer's own, so it may go to a host that the same customer typed in the same form.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::api::RequestMethod;
use super::input::{AddressHosts, Format};
use super::kept::Pointer;
use super::oauth::{
    ClientAuth, Templates, TokenRequest, address_problem, problem_of_headers, problem_of_lifetime,
    problem_of_templates,
};
use super::pattern::Pattern;
use super::template::Template;
use super::{AuthOption, AuthType};

/// The client credentials grant (RFC 6749, section 4.4), with a client of the customer's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCredentials {
    /// The token endpoint.
    pub token_url: Template,
    /// The field with the client's id.
    #[serde(default = "client_id")]
    pub client_id: String,
    /// The field with its secret.
    #[serde(default = "client_secret")]
    pub client_secret: String,
    /// Asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Between two scopes.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// How the client proves itself.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// How the request is written.
    #[serde(default)]
    pub token_request: TokenRequest,
    /// Further parameters. They replace those of the same name; empty text removes one.
    #[serde(default)]
    pub token_params: Templates,
    /// Further headers.
    #[serde(default)]
    pub token_headers: Templates,
    /// Where in the response the object with the token is, or the token itself.
    #[serde(default)]
    pub token_pointer: Option<Pointer>,
    /// The token's type, whatever the response says.
    #[serde(default)]
    pub token_type: Option<String>,
    /// Where in the response the expiry is. The usual places need not be named.
    #[serde(default)]
    pub expires_at: Option<Pointer>,
    /// Seconds that a token lives, where the response does not tell.
    #[serde(default = "lifetime")]
    pub lifetime: u64,
    /// Error codes that mean that the credential is wrong, beside `invalid_client` and its relatives.
    #[serde(default)]
    pub invalid_grant: Vec<String>,
    /// The same by the error's description.
    #[serde(default)]
    pub invalid_grant_text: Option<Pattern>,
}

/// One request of the provider's own kind that gives a token for what the customer entered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenExchange {
    /// Its address.
    pub url: Template,
    /// Its method.
    #[serde(default = "post")]
    pub method: RequestMethod,
    /// Its headers.
    #[serde(default)]
    pub headers: Templates,
    /// HTTP Basic authentication.
    #[serde(default)]
    pub basic: Option<BasicTemplates>,
    /// The parameters: in the body of a POST, in the address of a GET.
    #[serde(default)]
    pub params: Templates,
    /// How the parameters of a POST are written.
    #[serde(default)]
    pub request: TokenRequest,
    /// Where in the response the object with the token is, or the token itself.
    #[serde(default)]
    pub token_pointer: Option<Pointer>,
    /// The token's type, whatever the response says.
    #[serde(default)]
    pub token_type: Option<String>,
    /// Where in the response the expiry is. The usual places need not be named.
    #[serde(default)]
    pub expires_at: Option<Pointer>,
    /// Seconds that a token lives, where the response does not tell.
    #[serde(default = "lifetime")]
    pub lifetime: u64,
    /// Statuses that mean that the credential is wrong.
    #[serde(default = "unauthorized")]
    pub invalid_statuses: Vec<u16>,
    /// Error codes that mean so.
    #[serde(default)]
    pub invalid_grant: Vec<String>,
    /// The same by the error's description.
    #[serde(default)]
    pub invalid_grant_text: Option<Pattern>,
}

/// User name and password of HTTP Basic authentication.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicTemplates {
    /// Before the colon.
    pub username: Template,
    /// After it.
    pub password: Template,
}

/// A signed JSON Web Token: the token itself, or, with a `token_url`, what one is given for (RFC 7523).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtBearer {
    /// How it is signed.
    pub algorithm: JwtAlgorithm,
    /// The field with the key.
    #[serde(default = "private_key")]
    pub key: String,
    /// How the key of HS256 is written. Other keys are PEM.
    #[serde(default)]
    pub key_encoding: KeyEncoding,
    /// Further members of its header, such as `kid`.
    #[serde(default)]
    pub header: Templates,
    /// Its claims beside `iat` and `exp`. They may hold `{nonce}`, a new random text.
    #[serde(default)]
    pub claims: Templates,
    /// Seconds that it lives. Default: 300 where it is sent to `token_url`, else 1200.
    #[serde(default)]
    pub jwt_lifetime: Option<u64>,
    /// Where it is exchanged for a token.
    #[serde(default)]
    pub token_url: Option<Template>,
    /// Further parameters of that request. They replace those of the same name; empty text removes one.
    #[serde(default)]
    pub token_params: Templates,
    /// Where in the response the object with the token is, or the token itself.
    #[serde(default)]
    pub token_pointer: Option<Pointer>,
    /// Seconds that a token lives, where the response does not tell.
    #[serde(default = "lifetime")]
    pub lifetime: u64,
    /// Error codes that mean that the credential is wrong, beside `invalid_grant` and its relatives.
    #[serde(default)]
    pub invalid_grant: Vec<String>,
    /// The same by the error's description.
    #[serde(default)]
    pub invalid_grant_text: Option<Pattern>,
}

/// How a JSON Web Token is signed (RFC 7518, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum JwtAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// HMAC with SHA-256.
    #[serde(rename = "HS256")]
    Hs256,
}

/// How a symmetric key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyEncoding {
    /// Its bytes are those of the text.
    #[default]
    Text,
    /// Hexadecimal.
    Hex,
    /// Base64, standard or URL-safe, with padding or without.
    Base64,
}

/// Longest life of a token that the service signs, in seconds.
const MAX_JWT_LIFETIME: u64 = 86_400;

impl JwtAlgorithm {
    /// Its name in a token's header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
        }
    }
}

impl AuthOption {
    /// The first thing that makes the table of a fetched type unusable, or that there is none or one too many.
    pub(super) fn fetched_problem(&self) -> Option<String> {
        let tables = [
            (AuthType::ClientCredentials, "client_credentials", self.client_credentials.is_some()),
            (AuthType::TokenExchange, "token_exchange", self.token_exchange.is_some()),
            (AuthType::JwtBearer, "jwt_bearer", self.jwt_bearer.is_some()),
        ];
        for (auth_type, table, is_there) in tables {
            match (self.auth_type == auth_type, is_there) {
                (true, false) => return Some(format!("type {table} needs [auth.{table}]")),
                (false, true) => return Some(format!("[auth.{table}] belongs to type {table}")),
                _ => {}
            }
        }
        if let Some(table) = &self.client_credentials {
            return self.problem_of_client_credentials(table);
        }
        if let Some(table) = &self.token_exchange {
            return self.problem_of_token_exchange(table);
        }
        self.problem_of_jwt_bearer(self.jwt_bearer.as_ref()?)
    }

    fn problem_of_client_credentials(&self, table: &ClientCredentials) -> Option<String> {
        let is_field = |name: &String| self.input.fields.iter().any(|field| field.name == *name);
        let secret = self.input.fields.iter().find(|field| field.name == table.client_secret);
        if !is_field(&table.client_id) {
            return Some(format!("there is no field `{}` for the client's id", table.client_id));
        }
        if table.client_auth != ClientAuth::None && !secret.is_some_and(|field| field.is_secret()) {
            return Some(format!(
                "there is no secret field `{}` for the client's secret",
                table.client_secret
            ));
        }
        address_problem(&table.token_url, &self.input, AddressHosts::Typed)
            .or_else(|| self.problem_of_params("token_params", &table.token_params))
            .or_else(|| self.problem_of_params("token_headers", &table.token_headers))
            .or_else(|| problem_of_headers(&table.token_headers))
            .or_else(|| problem_of_lifetime(Some(table.lifetime)))
    }

    fn problem_of_token_exchange(&self, table: &TokenExchange) -> Option<String> {
        let basic: Templates = table.basic.iter().flat_map(BasicTemplates::by_name).collect();
        address_problem(&table.url, &self.input, AddressHosts::Typed)
            .or_else(|| self.problem_of_params("params", &table.params))
            .or_else(|| self.problem_of_params("headers", &table.headers))
            .or_else(|| self.problem_of_params("basic", &basic))
            // It may be the only place for what the customer entered.
            .or_else(|| problem_of_headers(&without_authorization(&table.headers)))
            .or_else(|| problem_of_lifetime(Some(table.lifetime)))
    }

    fn problem_of_jwt_bearer(&self, table: &JwtBearer) -> Option<String> {
        let key = self.input.fields.iter().find(|field| field.name == table.key);
        let fits = key.is_some_and(|field| match table.algorithm {
            JwtAlgorithm::Hs256 => field.is_secret() && field.format != Format::PrivateKey,
            JwtAlgorithm::Rs256 | JwtAlgorithm::Es256 => field.format == Format::PrivateKey,
        });
        if !fits {
            let format = match table.algorithm {
                JwtAlgorithm::Hs256 => "secret",
                _ => "private_key",
            };
            return Some(format!("there is no {format} field `{}` for the key", table.key));
        }
        let own = [(&table.header, "alg"), (&table.claims, "iat"), (&table.claims, "exp")];
        if let Some((_, name)) = own.into_iter().find(|(templates, name)| templates.contains_key(*name)) {
            return Some(format!("`{name}` is set by the service"));
        }
        if table.jwt_lifetime.is_some_and(|lifetime| !(1..=MAX_JWT_LIFETIME).contains(&lifetime)) {
            return Some(format!("jwt_lifetime must be 1 to {MAX_JWT_LIFETIME} seconds"));
        }
        let with_nonce = |name: &str| name == "nonce" || self.constants.contains_key(name);
        problem_of_templates("claims", &table.claims, &self.input, with_nonce)
            .or_else(|| self.problem_of_params("header", &table.header))
            .or_else(|| self.problem_of_params("token_params", &table.token_params))
            .or_else(|| address_problem(table.token_url.as_ref()?, &self.input, AddressHosts::Typed))
            .or_else(|| problem_of_lifetime(Some(table.lifetime)))
            .or_else(|| {
                // Its claims can be read by everybody who sees it.
                let key = [&table.claims, &table.header].into_iter().flat_map(BTreeMap::values);
                let shows = key.flat_map(Template::placeholders).any(|name| name == table.key);
                shows.then(|| format!("the token would show the key `{}`", table.key))
            })
    }

    fn problem_of_params(&self, place: &str, templates: &Templates) -> Option<String> {
        problem_of_templates(place, templates, &self.input, |name| self.constants.contains_key(name))
    }
}

impl BasicTemplates {
    fn by_name(&self) -> [(String, Template); 2] {
        [("username".into(), self.username.clone()), ("password".into(), self.password.clone())]
    }
}

fn without_authorization(headers: &Templates) -> Templates {
    let kept = headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    kept.map(|(name, template)| (name.clone(), template.clone())).collect()
}

fn client_id() -> String {
    "client_id".into()
}

fn client_secret() -> String {
    "client_secret".into()
}

fn private_key() -> String {
    "private_key".into()
}

fn space() -> String {
    " ".into()
}

fn post() -> RequestMethod {
    RequestMethod::Post
}

/// A little less than the hour that is usual.
fn lifetime() -> u64 {
    3300
}

fn unauthorized() -> Vec<u16> {
    vec![401]
}
