//! One provider as one customer reaches it: addresses filled in, client known.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use super::encode_form;
use crate::catalogue::{AuthOption, ClientAuth, Inputs, OAuth, TokenRequest, fill};

/// The operator's client at a provider, from the configuration.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Public name of the client.
    pub client_id: String,
    /// Its password.
    pub client_secret: SecretString,
    /// Instead of the catalogue's scopes.
    pub scopes: Option<Vec<String>>,
    /// Instead of the catalogue's address.
    pub authorization_url: Option<String>,
    /// Instead of the catalogue's address.
    pub token_url: Option<String>,
    /// Whether the client is one of the provider's sandbox.
    pub sandbox: bool,
}

/// Where and how to get tokens for one connection.
#[derive(Debug, Clone)]
pub struct Endpoint {
    authorization_url: Url,
    pub(super) token_url: Url,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
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
}

impl Endpoint {
    /// Puts together what the catalogue, the configuration and the customer say. `inputs` must have been validated
    /// against the option's fields: the values of those that may become part of host names are filled in, and no others.
    ///
    /// # Errors
    ///
    /// When the option is not OAuth or an address is unusable.
    pub fn new(
        option: &AuthOption,
        registration: &Registration,
        inputs: &Inputs,
    ) -> Result<Self, EndpointError> {
        let oauth = option.oauth.as_ref().ok_or(EndpointError::NotOAuth)?;
        let address = |configured: &Option<String>, usual: &str, what| {
            let template = configured.as_deref().unwrap_or(usual);
            fill(template, option.input.host_values(inputs))
                .and_then(|address| Url::parse(&address).ok())
                .filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
                .ok_or(EndpointError::BadAddress(what))
        };
        Ok(Self {
            authorization_url: address(
                &registration.authorization_url,
                &oauth.authorization_url,
                "authorization_url",
            )?,
            token_url: address(&registration.token_url, &oauth.token_url, "token_url")?,
            client_id: registration.client_id.clone(),
            client_secret: registration.client_secret.clone(),
            scopes: registration.scopes.clone().unwrap_or_else(|| oauth.scopes.clone()),
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

    /// What is asked for.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Where to send the customer's browser.
    pub fn authorize_url(&self, redirect_uri: &str, state: &str, pkce: &Pkce) -> Url {
        let scopes = self.scopes.join(&self.oauth.scope_separator);
        let challenge = pkce.challenge();
        let mut params = vec![
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", redirect_uri),
            ("state", state),
        ];
        if !self.scopes.is_empty() {
            params.push((&self.oauth.scope_param, &scopes));
        }
        if self.oauth.pkce {
            params.push(("code_challenge", &challenge));
            params.push(("code_challenge_method", "S256"));
        }
        let further = self.oauth.authorize_params.iter();
        params.extend(further.map(|(name, value)| (name.as_str(), value.as_str())));

        let mut url = self.authorization_url.clone();
        let query = match url.query() {
            Some(own) if !own.is_empty() => format!("{own}&{}", encode_form(params)),
            _ => encode_form(params),
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

    /// The parameters of a code exchange.
    pub(super) fn code_params<'a>(
        &self,
        code: &'a str,
        redirect_uri: &'a str,
        pkce: &'a Pkce,
    ) -> Vec<(&'static str, &'a str)> {
        let mut params =
            vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
        if self.oauth.pkce {
            params.push(("code_verifier", pkce.verifier.expose_secret()));
        }
        params
    }

    pub(super) fn client_auth(&self) -> ClientAuth {
        self.oauth.client_auth
    }

    pub(super) fn token_request(&self) -> TokenRequest {
        self.oauth.token_request
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

    fn registration() -> Registration {
        Registration {
            client_id: "the id".into(),
            client_secret: "s3cret".into(),
            scopes: None,
            authorization_url: None,
            token_url: None,
            sandbox: false,
        }
    }

    fn endpoint(app: &str, inputs: &[(&str, &str)]) -> Result<Endpoint, EndpointError> {
        let catalogue = Catalogue::load(None).unwrap();
        let inputs = inputs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Endpoint::new(&catalogue.get(app).unwrap().auth_options[0], &registration(), &inputs)
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
        let registration = Registration {
            scopes: Some(vec!["one".into()]),
            authorization_url: Some("http://127.0.0.1:1/auth?tenant=t".into()),
            token_url: Some("http://127.0.0.1:1/token".into()),
            ..registration()
        };
        let option = &catalogue.get("github").unwrap().auth_options[0];
        let endpoint = Endpoint::new(option, &registration, &Inputs::new()).unwrap();
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
            let endpoint = Endpoint::new(option, &registration(), &Inputs::new()).unwrap();
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
        let mut registration = registration();
        registration.authorization_url = Some("https://id.example/auth?a=b+c".into());
        let catalogue = Catalogue::load(None).unwrap();
        let option = &catalogue.get("github").unwrap().auth_options[0];
        let endpoint = Endpoint::new(option, &registration, &Inputs::new()).unwrap();
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
        let registration =
            Registration { token_url: Some("https://{password}.example.com/".into()), ..registration() };
        let catalogue = Catalogue::load(None).unwrap();
        let zendesk = catalogue.get("zendesk").unwrap();
        let mut option = zendesk.auth_options[0].clone();
        option.input = zendesk.auth_options[1].input.clone();
        let inputs = [("subdomain", "acme"), ("username", "me"), ("password", "evil.example/")];
        let inputs = inputs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            Endpoint::new(&option, &registration, &inputs.into()).unwrap_err(),
            EndpointError::BadAddress("token_url")
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let printed = format!("{:?} {:?} {:?}", endpoint("gmail", &[]).unwrap(), registration(), pkce());
        assert!(!printed.contains("s3cret") && !printed.contains("dBjft"), "{printed}");
    }
}
