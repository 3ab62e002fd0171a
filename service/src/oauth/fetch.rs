//! Tokens that are fetched with what a customer entered: client credentials, a provider's own kind of exchange, and
//! signed JSON Web Tokens.

use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::answer::Rules;
use super::call::{Call, Client, Params};
use super::{ProviderClient, ProviderError, Tokens, jwt};
use crate::catalogue::{
    AddressHosts, AuthOption, ClientCredentials, Inputs, JwtBearer, RequestMethod, Template, Templates,
    TokenExchange, TokenRequest,
};
use crate::ids;

/// The grant type of RFC 7523.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Seconds that a token lives that is only shown to a token endpoint.
const ASSERTION_LIFETIME: u64 = 300;
/// Seconds that a token lives that is vended itself.
const JWT_LIFETIME: u64 = 1200;

/// An option of a fetched type, with what one customer entered.
struct Fetch<'a> {
    option: &'a AuthOption,
    inputs: &'a Inputs,
}

/// Where a token is fetched with what the customer entered; `None` where the service makes it itself.
pub(crate) fn fetch_url(option: &AuthOption, inputs: &Inputs) -> Option<Url> {
    let client_credentials = option.client_credentials.as_ref().map(|table| &table.token_url);
    let token_exchange = option.token_exchange.as_ref().map(|table| &table.url);
    let jwt_bearer = option.jwt_bearer.as_ref().and_then(|table| table.token_url.as_ref());
    let template = client_credentials.or(token_exchange).or(jwt_bearer)?;
    option.input.address(template, inputs, AddressHosts::Typed)
}

impl ProviderClient {
    /// Fetches an access token with what the customer entered, within `timeout`.
    ///
    /// # Errors
    ///
    /// See [`ProviderError`]. `Declined` means that what was entered is wrong.
    pub async fn fetch(
        &self,
        option: &AuthOption,
        inputs: &Inputs,
        now: SystemTime,
        timeout: Duration,
    ) -> Result<Tokens, ProviderError> {
        let fetch = Fetch { option, inputs };
        let mut call = if let Some(table) = &option.client_credentials {
            fetch.client_credentials(table)?
        } else if let Some(table) = &option.token_exchange {
            fetch.token_exchange(table)?
        } else if let Some(table) = &option.jwt_bearer {
            let default = if table.token_url.is_some() { ASSERTION_LIFETIME } else { JWT_LIFETIME };
            let lifetime = table.jwt_lifetime.unwrap_or(default);
            let jwt = fetch.jwt(table, now, lifetime)?;
            match &table.token_url {
                Some(url) => fetch.jwt_bearer(table, url, &jwt)?,
                None => return Ok(Tokens::of_jwt(jwt, lifetime)),
            }
        } else {
            return Err(ProviderError::Misconfigured);
        };
        call.timeout = Some(timeout);
        self.send(call).await
    }
}

impl<'a> Fetch<'a> {
    fn client_credentials(&self, table: &ClientCredentials) -> Result<Call, ProviderError> {
        let client = Client {
            id: self.value(&table.client_id).unwrap_or_default(),
            secret: self.value(&table.client_secret).unwrap_or_default(),
            auth: table.client_auth,
            id_param: "client_id",
            secret_param: "client_secret",
        };
        let mut params = Params::default();
        params.push("grant_type", "client_credentials");
        if !table.scopes.is_empty() {
            params.push("scope", &table.scopes.join(&table.scope_separator));
        }
        params.push_client(&client);
        params.set_all(&table.token_params, |name| self.value(name));
        let rules = Rules {
            token_pointer: table.token_pointer.clone(),
            token_type: table.token_type.clone(),
            expires_at: table.expires_at.clone(),
            lifetime: Some(table.lifetime),
            invalid_grant: table.invalid_grant.clone(),
            invalid_grant_text: table.invalid_grant_text.clone(),
            ..Rules::of_customers_secret()
        };
        let mut call = Call::post(self.address(&table.token_url)?, &params, table.token_request, rules);
        call.authenticate(&client)?;
        call.set_headers(&table.token_headers, |name| self.value(name))?;
        Ok(call)
    }

    fn token_exchange(&self, table: &TokenExchange) -> Result<Call, ProviderError> {
        let mut params = Params::default();
        params.set_all(&table.params, |name| self.value(name));
        let rules = Rules {
            token_pointer: table.token_pointer.clone(),
            token_type: table.token_type.clone(),
            expires_at: table.expires_at.clone(),
            lifetime: Some(table.lifetime),
            invalid_grant: table.invalid_grant.clone(),
            invalid_grant_text: table.invalid_grant_text.clone(),
            invalid_statuses: table.invalid_statuses.clone(),
            ..Rules::of_customers_secret()
        };
        let url = self.address(&table.url)?;
        let mut call = match table.method {
            RequestMethod::Get => Call::get(url, &params, rules),
            RequestMethod::Post => Call::post(url, &params, table.request, rules),
        };
        if let Some(basic) = &table.basic {
            let fill = |template: &Template| template.fill(|name| self.value(name)).unwrap_or_default();
            call.set_basic(&fill(&basic.username), &fill(&basic.password))?;
        }
        call.set_headers(&table.headers, |name| self.value(name))?;
        Ok(call)
    }

    fn jwt_bearer(
        &self,
        table: &JwtBearer,
        url: &Template,
        jwt: &SecretString,
    ) -> Result<Call, ProviderError> {
        let mut params = Params::default();
        params.push("grant_type", JWT_BEARER);
        params.push("assertion", jwt.expose_secret());
        params.set_all(&table.token_params, |name| self.value(name));
        let rules = Rules {
            token_pointer: table.token_pointer.clone(),
            lifetime: Some(table.lifetime),
            invalid_grant: table.invalid_grant.clone(),
            invalid_grant_text: table.invalid_grant_text.clone(),
            ..Rules::of_customers_secret()
        };
        Ok(Call::post(self.address(url)?, &params, TokenRequest::Form, rules))
    }

    /// A new token, signed with the customer's key.
    fn jwt(&self, table: &JwtBearer, now: SystemTime, lifetime: u64) -> Result<SecretString, ProviderError> {
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let nonce = ids::secret();
        let members = |templates: &Templates| -> Map<String, Value> {
            let filled = templates.iter().filter_map(|(name, template)| {
                let value = template.fill(|name| match name {
                    "nonce" => Some(nonce.as_str()),
                    name => self.value(name),
                });
                Some((name.clone(), value?.into()))
            });
            filled.collect()
        };
        let mut claims = members(&table.claims);
        claims.insert("iat".into(), since_epoch.into());
        claims.insert("exp".into(), (since_epoch + lifetime).into());
        let key = self.value(&table.key).unwrap_or_default();
        // A key that cannot be used is the customer's to replace.
        jwt::sign(table.algorithm, table.key_encoding, key, members(&table.header), claims)
            .ok_or(ProviderError::Declined)
    }

    fn address(&self, template: &Template) -> Result<Url, ProviderError> {
        let url = self.option.input.address(template, self.inputs, AddressHosts::Typed);
        url.ok_or(ProviderError::Misconfigured)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.inputs.get(name).map(String::as_str)
    }
}

impl Tokens {
    /// A signed token that is vended itself.
    fn of_jwt(jwt: SecretString, lifetime: u64) -> Self {
        Self {
            access_token: jwt,
            refresh_token: None,
            token_type: "Bearer".into(),
            expires_in: Some(lifetime),
            scope: None,
            response: Value::Null,
        }
    }
}
