//! One provider as one customer reaches it: addresses filled in, client known.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use super::ProviderError;
use super::answer::Rules;
use super::call::{Call, Client, Params};
use super::client::OAuthClient;
use crate::catalogue::{AddressHosts, AuthOption, Inputs, OAuth, Template, Templates, TokenRequest};
use crate::ids;

/// Where and how to get tokens for one connection.
#[derive(Clone)]
pub struct Endpoint {
    authorization_url: Url,
    token_url: Url,
    refresh_url: Url,
    exchange_url: Option<Url>,
    revocation_url: Option<Url>,
    client_id: String,
    client_secret: SecretString,
    params: BTreeMap<String, SecretString>,
    inputs: Inputs,
    oauth: OAuth,
    scopes: Vec<String>,
}

/// Why an option cannot be used for OAuth.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The option is a form, not OAuth.
    #[error("this option does not use OAuth")]
    NotOAuth,
    /// The configuration, or the customer's inputs in it, give no usable address.
    #[error("{0} is not a usable address")]
    BadAddress(&'static str),
    /// The link asks for a scope that the operator does not allow with this client.
    #[error("the link asks for a scope that allowed_scopes does not have")]
    ScopeNotAllowed,
}

impl Endpoint {
    /// Puts together what the catalogue, the configuration and the customer say. `inputs` must have been validated
    /// against the option's fields: in addresses, the values of those that cannot leave their place are filled in, and
    /// no others.
    ///
    /// # Errors
    ///
    /// When the option is not OAuth or an address is unusable.
    pub fn new(option: &AuthOption, client: &OAuthClient, inputs: &Inputs) -> Result<Self, EndpointError> {
        let oauth = option.oauth.as_ref().ok_or(EndpointError::NotOAuth)?;
        let address = |template: &Template, what| {
            let url = option.input.address(template, inputs, AddressHosts::Named);
            url.filter(|url| matches!(url.scheme(), "https" | "http")).ok_or(EndpointError::BadAddress(what))
        };
        let own_or = |configured: &Option<String>, usual: &Template, what| match configured {
            Some(text) => {
                let template =
                    Template::try_from(text.clone()).map_err(|_| EndpointError::BadAddress(what))?;
                address(&template, what)
            }
            None => address(usual, what),
        };
        let authorization_url =
            own_or(&client.authorization_url, &oauth.authorization_url, "authorization_url")?;
        let token_url = own_or(&client.token_url, &oauth.token_url, "token_url")?;
        let refresh_url = match &oauth.refresh_url {
            Some(template) if client.token_url.is_none() => address(template, "refresh_url")?,
            _ => token_url.clone(),
        };
        let exchange_url = oauth.exchange.as_ref().map(|exchange| address(&exchange.url, "exchange.url"));
        let revoke = option.revoke.as_ref().filter(|_| client.can_revoke(option));
        let revocation_url = revoke.map(|revoke| {
            let usual = revoke.url_for(&client.client_id);
            let usual = usual.map_err(|_| EndpointError::BadAddress("revoke.url"))?;
            own_or(&client.revocation_url, &usual, "revocation_url")
        });
        Ok(Self {
            authorization_url,
            token_url,
            refresh_url,
            revocation_url: revocation_url.transpose()?,
            exchange_url: exchange_url.transpose()?,
            client_id: client.client_id.clone(),
            client_secret: client.client_secret.clone(),
            params: client.params.clone(),
            inputs: inputs.clone(),
            scopes: client.scopes.clone().unwrap_or_else(|| oauth.scopes.clone()),
            oauth: oauth.clone(),
        })
    }

    /// Asks for these scopes instead.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Vec<String>) -> Self {
        self.scopes = scopes;
        self
    }

    /// Where the customer signs in, without a request.
    pub fn authorization_url(&self) -> &Url {
        &self.authorization_url
    }

    /// Where codes are redeemed.
    pub(crate) fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// Which client refreshes, and at which host.
    pub(crate) fn refreshed_by(&self) -> (&str, &str) {
        (&self.client_id, self.refresh_url.host_str().unwrap_or_default())
    }

    /// Where a grant is ended, if it can be.
    pub(crate) fn revocation_url(&self) -> Option<&Url> {
        self.revocation_url.as_ref()
    }

    /// The client's id.
    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What is asked for.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Where to send the customer's browser.
    pub fn authorize_url(&self, redirect_uri: &str, state: &str, pkce: &Pkce) -> Url {
        let (oauth, nonce) = (&self.oauth, ids::secret());
        let mut params = Params::default();
        params.push("response_type", "code");
        params.push(&oauth.names.client_id, &self.client_id);
        params.push(&oauth.names.redirect_uri, redirect_uri);
        params.push("state", state);
        let own = [(&oauth.scope_param, &self.scopes)];
        for (name, scopes) in own.into_iter().chain(&oauth.scope_params) {
            if !scopes.is_empty() {
                params.push(name, &scopes.join(&oauth.scope_separator));
            }
        }
        if oauth.pkce {
            params.push("code_challenge", &pkce.challenge());
            params.push("code_challenge_method", "S256");
        }
        params.set_all(&oauth.authorize_params, |name| match name {
            "nonce" => Some(&nonce),
            name => self.value(name),
        });

        let mut url = self.authorization_url.clone();
        let params = params.encoded();
        let query = match url.query() {
            Some(own) if !own.is_empty() => format!("{own}&{}", *params),
            _ => params.to_string(),
        };
        url.set_query(Some(&query));
        url
    }

    /// Whether a callback with this `iss` is from this provider (RFC 9207, section 2.4): where the catalogue names the
    /// provider's issuer, it must be there and the same. A slash at the end makes no difference.
    pub fn accepts_issuer(&self, iss: Option<&str>) -> bool {
        self.oauth.issuer.as_deref().is_none_or(|expected| {
            iss.is_some_and(|given| given.trim_end_matches('/') == expected.trim_end_matches('/'))
        })
    }

    /// The code exchange.
    pub(super) fn code_call(
        &self,
        code: &str,
        redirect_uri: &str,
        pkce: &Pkce,
    ) -> Result<Call, ProviderError> {
        let rules = Rules { invalid_grant: Vec::new(), invalid_grant_text: None, ..self.rules() };
        self.exchange_of_code(code, redirect_uri, pkce, rules)
    }

    /// The exchange of a code that nobody issued: who does not accept the client says so, and all others blame the
    /// code.
    pub(super) fn trial_call(&self, redirect_uri: &str) -> Result<Call, ProviderError> {
        let (code, pkce) = (ids::secret(), Pkce::from_verifier(ids::secret().into()));
        let rules = Rules { is_trial: true, ..Rules::default() };
        self.exchange_of_code(&code, redirect_uri, &pkce, rules)
    }

    fn exchange_of_code(
        &self,
        code: &str,
        redirect_uri: &str,
        pkce: &Pkce,
        rules: Rules,
    ) -> Result<Call, ProviderError> {
        let names = &self.oauth.names;
        let mut params = Params::default();
        params.push("grant_type", "authorization_code");
        params.push(&names.code, code);
        params.push(&names.redirect_uri, redirect_uri);
        if self.oauth.pkce {
            params.push("code_verifier", pkce.verifier.expose_secret());
        }
        self.token_call(&self.token_url, params, &self.oauth.token_params, rules)
    }

    /// A refresh. The provider may prolong the access token that there is.
    pub(super) fn refresh_call(
        &self,
        access_token: &SecretString,
        refresh_token: &SecretString,
    ) -> Result<Call, ProviderError> {
        let mut params = Params::default();
        params.push("grant_type", "refresh_token");
        params.push(&self.oauth.names.refresh_token, refresh_token.expose_secret());
        let prolongs = self.oauth.refresh_keeps_token.clone();
        let rules = Rules {
            prolongs: prolongs.map(|expected| (expected, access_token.clone())),
            is_refresh: true,
            ..self.rules()
        };
        self.token_call(&self.refresh_url, params, &self.oauth.refresh_params, rules)
    }

    /// The request that makes an access token last, if the provider has one.
    pub(super) fn exchange_call(&self, access_token: &SecretString) -> Option<Call> {
        let exchange = self.oauth.exchange.as_ref()?;
        let mut params = Params::default();
        params.set_all(&exchange.params, |name| match name {
            "access_token" => Some(access_token.expose_secret()),
            "client_secret" => Some(self.client_secret.expose_secret()),
            name => self.value(name),
        });
        // Its response is the token alone, as the standard has it.
        let rules = Rules { token_pointer: None, expires_at: None, ..self.rules() };
        Some(Call::get(self.exchange_url.clone()?, &params, rules))
    }

    fn token_call(
        &self,
        url: &Url,
        mut params: Params,
        further: &Templates,
        rules: Rules,
    ) -> Result<Call, ProviderError> {
        let client = self.client();
        params.push_client(&client);
        params.set_all(further, |name| self.value(name));
        self.authenticated_call(url.clone(), &params, self.oauth.token_request, &client, rules)
    }

    /// A POST with these parameters, among which the client stands where it belongs there.
    pub(super) fn authenticated_call(
        &self,
        url: Url,
        params: &Params,
        request: TokenRequest,
        client: &Client<'_>,
        rules: Rules,
    ) -> Result<Call, ProviderError> {
        let mut call = Call::post(url, params, request, rules);
        call.authenticate(client)?;
        call.set_headers(&self.oauth.token_headers, |name| self.value(name))?;
        Ok(call)
    }

    /// The client, as the token endpoint knows it.
    pub(super) fn client(&self) -> Client<'_> {
        Client {
            id: &self.client_id,
            secret: self.client_secret.expose_secret(),
            auth: self.oauth.client_auth,
            id_param: &self.oauth.names.client_id,
            secret_param: &self.oauth.names.client_secret,
        }
    }

    /// What stands for a placeholder in a parameter or header.
    fn value<'a>(&'a self, name: &str) -> Option<&'a str> {
        if name == "client_id" {
            return Some(&self.client_id);
        }
        match name.strip_prefix("app.") {
            Some(name) => self.params.get(name).map(ExposeSecret::expose_secret),
            None => self.inputs.get(name).map(String::as_str),
        }
    }

    fn rules(&self) -> Rules {
        let oauth = &self.oauth;
        Rules {
            token_pointer: oauth.token_pointer.clone(),
            token_type: oauth.token_type.clone(),
            expires_at: oauth.expires_at.clone(),
            lifetime: oauth.lifetime,
            invalid_grant: oauth.invalid_grant.clone(),
            invalid_grant_text: oauth.invalid_grant_text.clone(),
            ..Rules::default()
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Proof Key for Code Exchange (RFC 7636): whoever redeems the code proves to have asked for it.
#[derive(Debug, Clone)]
pub struct Pkce {
    verifier: SecretString,
}

impl Pkce {
    /// Takes a verifier: 43 to 128 characters of URL-safe base64.
    pub fn from_verifier(verifier: SecretString) -> Self {
        Self { verifier }
    }

    /// The secret half, to be kept until the callback.
    pub fn verifier(&self) -> &SecretString {
        &self.verifier
    }

    /// The public half, by S256.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose_secret()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    fn client() -> OAuthClient {
        OAuthClient::new("the id", "s3cret")
    }

    fn endpoint(app: &str, inputs: &[(&str, &str)]) -> Result<Endpoint, EndpointError> {
        let catalogue = Catalogue::load(None).unwrap();
        let inputs = inputs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Endpoint::new(&catalogue.get(app).unwrap().auth_options[0], &client(), &inputs)
    }

    /// The example of RFC 7636, appendix B.
    fn pkce() -> Pkce {
        Pkce::from_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into())
    }

    #[test]
    fn the_authorize_url_has_everything_once() {
        let url =
            endpoint("gmail", &[]).unwrap().authorize_url("https://me.example/cb?a=1", "st&te", &pkce());
        assert!(url.as_str().starts_with("https://accounts.google.com/o/oauth2/v2/auth?"));
        assert!(!url.as_str().contains("s3cret"));
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let expected = [
            ("response_type", "code"),
            ("client_id", "the id"),
            ("redirect_uri", "https://me.example/cb?a=1"),
            ("state", "st&te"),
            (
                "scope",
                "https://www.googleapis.com/auth/gmail.modify https://www.googleapis.com/auth/userinfo.email",
            ),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
            ("access_type", "offline"),
            ("prompt", "consent"),
        ];
        assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn the_providers_own_ways_are_kept() {
        let slack = endpoint("slack", &[]).unwrap().authorize_url("https://me.example/", "s", &pkce());
        assert!(
            slack
                .query_pairs()
                .any(|(name, value)| name == "scope" && value == "channels:read,chat:write,users:read")
        );
        let linkedin = endpoint("linkedin", &[]).unwrap().authorize_url("https://me.example/", "s", &pkce());
        assert!(!linkedin.query_pairs().any(|(name, _)| name.starts_with("code_challenge")));
    }

    #[test]
    fn a_customers_host_is_filled_in() {
        let zoho = endpoint("zoho-crm", &[("domain", "zohocloud.ca")]).unwrap();
        assert_eq!(zoho.token_url.as_str(), "https://accounts.zohocloud.ca/oauth/v2/token");
        assert_eq!(endpoint("zendesk", &[]).unwrap_err(), EndpointError::BadAddress("authorization_url"));
        assert_eq!(endpoint("insightly", &[]).unwrap_err(), EndpointError::NotOAuth);
    }

    #[test]
    fn the_configuration_has_the_last_word() {
        let catalogue = Catalogue::load(None).unwrap();
        let client = OAuthClient {
            scopes: Some(vec!["one".into()]),
            authorization_url: Some("http://127.0.0.1:1/auth?tenant=t".into()),
            token_url: Some("http://127.0.0.1:1/token".into()),
            ..client()
        };
        let option = &catalogue.get("github").unwrap().auth_options[0];
        let endpoint = Endpoint::new(option, &client, &Inputs::new()).unwrap();
        let url = endpoint.authorize_url("https://me.example/", "s", &pkce());
        assert!(url.as_str().starts_with("http://127.0.0.1:1/auth?tenant=t&response_type=code&"));
        assert!(url.query_pairs().any(|pair| pair == ("scope".into(), "one".into())));
        let asked = endpoint.with_scopes(vec!["two".into(), "three".into()]);
        let url = asked.authorize_url("https://me.example/", "s", &pkce());
        assert!(url.query_pairs().any(|pair| pair == ("scope".into(), "two three".into())));
    }

    #[test]
    fn an_issuer_that_is_known_must_be_sent_and_fit() {
        let catalogue = Catalogue::load(None).unwrap();
        let mut option = catalogue.get("gmail").unwrap().auth_options[0].clone();
        let accepts = |option: &AuthOption, iss| {
            let endpoint = Endpoint::new(option, &client(), &Inputs::new()).unwrap();
            endpoint.accepts_issuer(iss)
        };
        // Nothing is known of this provider's.
        assert!(accepts(&option, None) && accepts(&option, Some("https://id.example")));

        for issuer in ["https://id.example", "https://id.example/"] {
            option.oauth.as_mut().unwrap().issuer = Some(issuer.into());
            assert!(accepts(&option, Some("https://id.example")));
            assert!(accepts(&option, Some("https://id.example/")));
            assert!(!accepts(&option, None));
            for other in ["", "https://id.example.evil.example", "https://id.example/x", "https://ID.example"]
            {
                assert!(!accepts(&option, Some(other)), "{other}");
            }
        }
    }

    /// Not every server reads `+` as a space, and every one reads `%20` so.
    #[test]
    fn a_space_is_percent_encoded() {
        let mut client = client();
        client.authorization_url = Some("https://id.example/auth?a=b+c".into());
        let catalogue = Catalogue::load(None).unwrap();
        let option = &catalogue.get("github").unwrap().auth_options[0];
        let endpoint = Endpoint::new(option, &client, &Inputs::new()).unwrap();
        let url = endpoint.with_scopes(vec!["a+b".into(), "c".into()]).authorize_url(
            "https://me.example/",
            "s",
            &pkce(),
        );
        // What the operator wrote stays as it is.
        let query = url.query().unwrap();
        assert!(query.starts_with("a=b+c&response_type=code&client_id=the%20id&"), "{query}");
        assert!(query.contains("&scope=a%2Bb%20c&"), "{query}");
    }

    #[test]
    fn a_configured_address_is_filled_from_host_names_alone() {
        let client = OAuthClient { token_url: Some("https://{password}.example.com/".into()), ..client() };
        let catalogue = Catalogue::load(None).unwrap();
        let zendesk = catalogue.get("zendesk").unwrap();
        let mut option = zendesk.auth_options[0].clone();
        option.input = zendesk.auth_options[1].input.clone();
        let inputs = [("subdomain", "acme"), ("username", "me"), ("password", "evil.example/")];
        let inputs = inputs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            Endpoint::new(&option, &client, &inputs.into()).unwrap_err(),
            EndpointError::BadAddress("token_url")
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let printed = format!("{:?} {:?} {:?}", endpoint("gmail", &[]).unwrap(), client(), pkce());
        assert!(!printed.contains("s3cret") && !printed.contains("dBjft"), "{printed}");
    }

    /// A catalogue may have been tightened since they were entered.
    #[test]
    fn stored_inputs_are_checked_as_new_ones_are() {
        for (app, name, good, bad) in [
            ("zoho-crm", "domain", "zoho.eu", &["evil.example", ""][..]),
            ("zendesk", "subdomain", "acme", &["evil.example", "evil.example/", "Acme"][..]),
        ] {
            assert!(endpoint(app, &[(name, good)]).is_ok(), "{app}");
            for value in bad {
                let error = endpoint(app, &[(name, value)]).unwrap_err();
                assert!(matches!(error, EndpointError::BadAddress(_)), "{app} {value}");
            }
        }
    }
}
