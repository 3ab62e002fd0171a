//! One request for tokens, put together from what the catalogue, the operator and the customer say.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::answer::Rules;
use super::{ProviderError, encode_form, percent_encode_spaces};
use crate::catalogue::{ApiCall, ClientAuth, Templates, TokenRequest};

/// A request for tokens, ready to be sent.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Zeroizing<String>,
    /// Shorter than the client's own.
    pub(super) timeout: Option<Duration>,
    /// How its response is read.
    pub(super) rules: Rules,
}

/// The parameters of a request, in their order.
#[derive(Default)]
pub(super) struct Params(Vec<(String, Zeroizing<String>)>);

/// Who asks, and how that is proven.
pub(super) struct Client<'a> {
    pub(super) id: &'a str,
    pub(super) secret: &'a str,
    pub(super) auth: ClientAuth,
    /// What the provider calls the two parameters.
    pub(super) id_param: &'a str,
    pub(super) secret_param: &'a str,
}

impl Call {
    /// A POST with these parameters.
    pub(super) fn post(url: Url, params: &Params, request: TokenRequest, rules: Rules) -> Self {
        let mut call = Self::new(Method::POST, url, rules);
        let (content_type, body) = match request {
            TokenRequest::Query => {
                call.add_to_query(params);
                return call;
            }
            TokenRequest::Form => ("application/x-www-form-urlencoded", params.encoded()),
            TokenRequest::Json => ("application/json", params.json()),
        };
        call.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        call.body = body;
        call
    }

    /// A GET with these parameters.
    pub(super) fn get(url: Url, params: &Params, rules: Rules) -> Self {
        let mut call = Self::new(Method::GET, url, rules);
        call.add_to_query(params);
        call
    }

    fn new(method: Method, url: Url, rules: Rules) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Self { method, url, headers, body: Zeroizing::default(), timeout: None, rules }
    }

    fn add_to_query(&mut self, params: &Params) {
        if params.0.is_empty() {
            return;
        }
        let query = match self.url.query() {
            Some(own) if !own.is_empty() => format!("{own}&{}", *params.encoded()),
            _ => params.encoded().to_string(),
        };
        self.url.set_query((!query.is_empty()).then_some(&query));
    }

    /// Sets the headers that these templates give.
    pub(super) fn set_headers<'a>(
        &mut self,
        templates: &Templates,
        value_of: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<(), ProviderError> {
        for (name, template) in templates {
            if let Some(value) = template.fill(&value_of) {
                let name = HeaderName::try_from(name.as_str()).map_err(|_| ProviderError::Misconfigured)?;
                self.headers.insert(name, header(value)?);
            }
        }
        Ok(())
    }

    /// Sets the headers and query parameters of a call to the provider's API.
    pub(super) fn set_api_call(&mut self, api_call: &ApiCall) -> Result<(), ProviderError> {
        for (name, value) in &api_call.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| ProviderError::Misconfigured)?;
            self.headers.insert(name, header(value.clone())?);
        }
        let mut params = Params::default();
        api_call.query.iter().for_each(|(name, value)| params.push(name, value));
        self.add_to_query(&params);
        Ok(())
    }

    /// Proves who asks by HTTP Basic authentication (RFC 6749, section 2.3.1: both parts are form-encoded before they are
    /// joined), where that is how it is proven.
    pub(super) fn authenticate(&mut self, client: &Client<'_>) -> Result<(), ProviderError> {
        let encode = |text: &str| {
            let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            percent_encode_spaces(&encoded)
        };
        if client.secret.is_empty() {
            return Ok(());
        }
        match client.auth {
            ClientAuth::Basic => self.set_basic(&encode(client.id), &encode(client.secret)),
            ClientAuth::SecretAsUser => self.set_basic(&encode(client.secret), ""),
            ClientAuth::Body | ClientAuth::None => Ok(()),
        }
    }

    /// Sets HTTP Basic authentication.
    pub(super) fn set_basic(&mut self, username: &str, password: &str) -> Result<(), ProviderError> {
        let pair = Zeroizing::new(format!("{username}:{password}"));
        self.headers.insert(AUTHORIZATION, header(format!("Basic {}", STANDARD.encode(pair.as_bytes())))?);
        Ok(())
    }
}

impl Params {
    pub(super) fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), Zeroizing::new(value.to_owned())));
    }

    /// What of the client stands among the parameters. A public client has no secret, and some servers refuse an empty
    /// one (RFC 6749, section 2.3.1).
    pub(super) fn push_client(&mut self, client: &Client<'_>) {
        let in_header =
            matches!(client.auth, ClientAuth::Basic | ClientAuth::SecretAsUser) && !client.secret.is_empty();
        if in_header {
            return;
        }
        self.push(client.id_param, client.id);
        if client.auth != ClientAuth::None && !client.secret.is_empty() {
            self.push(client.secret_param, client.secret);
        }
    }

    /// Sets the parameters that these templates give, in the place of those of the same name; an empty one is removed.
    pub(super) fn set_all<'a>(&mut self, templates: &Templates, value_of: impl Fn(&str) -> Option<&'a str>) {
        for (name, template) in templates {
            let Some(value) = template.fill(&value_of) else {
                continue;
            };
            if value.is_empty() {
                self.0.retain(|(other, _)| other != name);
                continue;
            }
            let value = Zeroizing::new(value);
            match self.0.iter_mut().find(|(other, _)| other == name) {
                Some((_, old)) => *old = value,
                None => self.0.push((name.clone(), value)),
            }
        }
    }

    /// As `application/x-www-form-urlencoded`.
    pub(super) fn encoded(&self) -> Zeroizing<String> {
        let pairs = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Zeroizing::new(encode_form(pairs))
    }

    fn json(&self) -> Zeroizing<String> {
        let object: serde_json::Map<_, _> =
            self.0.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        Zeroizing::new(serde_json::Value::from(object).to_string())
    }
}

/// A header's value that no log shows.
fn header(value: String) -> Result<HeaderValue, ProviderError> {
    let mut value = HeaderValue::try_from(value).map_err(|_| ProviderError::Misconfigured)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(auth: ClientAuth, secret: &'static str) -> Client<'static> {
        Client { id: "an id", secret, auth, id_param: "client_id", secret_param: "client_secret" }
    }

    fn authorization(client: &Client<'_>) -> Option<HeaderValue> {
        let url = Url::parse("https://example.com/").unwrap();
        let mut call = Call::post(url, &Params::default(), TokenRequest::Form, Rules::default());
        call.authenticate(client).unwrap();
        call.headers.remove(AUTHORIZATION)
    }

    #[test]
    fn basic_credentials_are_encoded_before_they_are_joined() {
        let header = authorization(&client(ClientAuth::Basic, "s3 cret:")).unwrap();
        assert!(header.is_sensitive());
        // an%20id:s3%20cret%3A
        assert_eq!(header, "Basic YW4lMjBpZDpzMyUyMGNyZXQlM0E=");
        // s3cret:
        let header = authorization(&client(ClientAuth::SecretAsUser, "s3cret")).unwrap();
        assert_eq!(header, "Basic czNjcmV0Og==");
        for auth in [ClientAuth::Body, ClientAuth::None] {
            assert_eq!(authorization(&client(auth, "s3cret")), None);
        }
    }

    #[test]
    fn no_empty_secret_is_sent() {
        let sent = |auth, secret| {
            let mut params = Params::default();
            params.push_client(&client(auth, secret));
            params.encoded().to_string()
        };
        for auth in [ClientAuth::Body, ClientAuth::Basic, ClientAuth::SecretAsUser, ClientAuth::None] {
            assert_eq!(sent(auth, ""), "client_id=an%20id", "{auth:?}");
            assert_eq!(authorization(&client(auth, "")), None, "{auth:?}");
        }
        assert_eq!(sent(ClientAuth::None, "s"), "client_id=an%20id");
        assert_eq!(sent(ClientAuth::Body, "s"), "client_id=an%20id&client_secret=s");
        assert_eq!(sent(ClientAuth::Basic, "s"), "");
        assert_eq!(sent(ClientAuth::SecretAsUser, "s"), "");
    }

    #[test]
    fn a_value_can_end_neither_parameter_nor_header() {
        let templates = |text: &str| toml::from_str::<Templates>(text).unwrap();
        let evil = "a&grant_type=x\r\nHost: evil{b}";
        let mut params = Params::default();
        params.push("grant_type", "authorization_code");
        params.set_all(&templates("a = \"{a}\"\nb = \"{b}\""), |name| (name == "a").then_some(evil));
        assert_eq!(
            *params.encoded(),
            "grant_type=authorization_code&a=a%26grant_type%3Dx%0D%0AHost%3A%20evil%7Bb%7D"
        );
        let url = Url::parse("https://example.com/").unwrap();
        let mut call = Call::get(url, &params, Rules::default());
        assert!(call.set_headers(&templates("x-a = \"{a}\""), |_| Some(evil)).is_err());
    }
}
