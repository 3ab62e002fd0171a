//! A call to a provider's API, as far as the platform knows how it is made. Nothing here sends anything.

use std::fmt;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::error::Error;
use crate::settings::is_private;
use crate::token::Token;

/// The URL and headers of a request to a provider's API. Made by [`Token::apply`](crate::Token::apply).
///
/// All of it is secret: some providers want the credential in the query or even in the path. The header values are marked
/// as sensitive, so that nothing prints them.
#[derive(Clone)]
#[non_exhaustive]
pub struct ApiRequest {
    /// The absolute URL.
    pub url: SecretString,
    /// The headers.
    pub headers: HeaderMap,
}

impl ApiRequest {
    pub(crate) fn new(token: &Token, path: &str) -> Result<Self, Error> {
        let base = token.api_base_url.as_ref().map(ExposeSecret::expose_secret);
        let headers = headers(token)?;
        let query = token.api_query.iter().flat_map(|query| query.iter());
        let query: Vec<_> = query.map(|(name, value)| (name, value.expose_secret())).collect();
        if headers.is_empty() && query.is_empty() && base.is_none() {
            return Err(Error::invalid_argument(
                "the service does not tell how this app is called: place the token's fields yourself",
            ));
        }
        let mut url = match base {
            Some(base) => below(base, path)?,
            None => absolute(path)?,
        };
        let taken = |name: &str| url.query_pairs().any(|(taken, _)| taken == name);
        if let Some((name, _)) = query.iter().find(|(name, _)| taken(name)) {
            return Err(refused(&format!("has the query parameter {name}, which is the credential's")));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(Self { url: String::from(url).into(), headers })
    }
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiRequest").field("url", &"[redacted]").field("headers", &self.headers).finish()
    }
}

/// The token's headers; from a service that does not know of them those that OAuth has.
fn headers(token: &Token) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &SecretString| {
        let unusable = || Error::invalid_argument("the service tells a header that cannot be sent");
        let name = HeaderName::try_from(name).map_err(|_| unusable())?;
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| unusable())?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    };
    match &token.api_headers {
        Some(told) => told.iter().try_for_each(|(name, value)| add(name, value))?,
        None => token.authorization().iter().try_for_each(|value| add("authorization", value))?,
    }
    Ok(headers)
}

/// What a URL that lies below the base URL has behind it.
#[cfg(feature = "bindings")]
pub(crate) fn rest_below(base: &str, url: &str) -> Result<String, Error> {
    let url = below(base, url)?;
    let base = checked(base)?;
    let rest = url.path().strip_prefix(base.path().trim_end_matches('/')).unwrap_or_default();
    Ok(url.query().map_or_else(|| rest.to_owned(), |query| format!("{rest}?{query}")))
}

/// The URL of a path below the base URL, or of an absolute URL that lies there.
fn below(base: &str, path: &str) -> Result<Url, Error> {
    let unusable = || Error::invalid_argument("the api_base_url cannot be used as one");
    let base = checked(base).map_err(|_| unusable())?;
    if base.query().is_some() {
        return Err(unusable());
    }
    let url = if is_absolute(path) {
        checked(path)?
    } else {
        let separator = if path.is_empty() || path.starts_with(['/', '?']) { "" } else { "/" };
        checked(&format!("{}{separator}{path}", base.as_str().trim_end_matches('/')))?
    };
    let rest = url.path().strip_prefix(base.path().trim_end_matches('/'));
    if url.origin() != base.origin() || !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return Err(refused("leads out of the api_base_url"));
    }
    Ok(url)
}

/// A URL where nothing tells where the API is.
fn absolute(path: &str) -> Result<Url, Error> {
    if !is_absolute(path) {
        return Err(refused("must be an absolute URL, since the service does not tell where this API is"));
    }
    checked(path)
}

fn is_absolute(path: &str) -> bool {
    let begins =
        |scheme: &str| path.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}

/// A URL to which a credential may be sent.
fn checked(text: &str) -> Result<Url, Error> {
    if text.chars().any(char::is_control) {
        return Err(refused("holds a control character"));
    }
    if climbs(text) {
        return Err(refused("holds a segment `..`"));
    }
    let url = Url::parse(text).map_err(|_| refused("makes no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("holds a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(refused("holds a fragment: write a `#` that belongs to it as %23"));
    }
    if !is_private(&url) {
        return Err(refused(
            "must begin with https://: over plain HTTP the credential could be read on its way",
        ));
    }
    Ok(url)
}

/// Whether a segment is `..`, however its dots and slashes are written, and whatever parameters follow it behind a
/// semicolon: what a URL leaves alone, a server may resolve.
pub(crate) fn climbs(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let path = path.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/").replace('\\', "/");
    let path = path.replace("%3b", ";");
    path.split('/').any(|segment| segment.split(';').next() == Some(".."))
}

fn refused(why: &str) -> Error {
    Error::invalid_argument(format!("the path {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::ErrorKind;

    fn token(more: Value) -> Token {
        let mut members = json!({"auth_type": "o_auth", "access_token": "canary", "api_headers": {}});
        for (name, value) in more.as_object().unwrap() {
            members[name] = value.clone();
        }
        serde_json::from_value(members).unwrap()
    }

    fn url(base: Option<&str>, path: &str) -> Result<String, Error> {
        let token = token(json!({"api_base_url": base, "api_query": {"k": "1"}}));
        let url = token.apply(path)?.url.expose_secret().to_owned();
        Ok(url.replace("?k=1", "").replace("&k=1", ""))
    }

    #[test]
    fn a_path_follows_the_base_url() {
        for (base, path, expected) in [
            ("https://a.example/v1", "/users", "https://a.example/v1/users"),
            ("https://a.example/v1", "users", "https://a.example/v1/users"),
            ("https://a.example/v1/", "/users", "https://a.example/v1/users"),
            ("https://a.example/v1/", "", "https://a.example/v1"),
            ("https://a.example/v1", "?q=a b", "https://a.example/v1?q=a%20b"),
            ("https://a.example", "users/1?q=%2F&r=..", "https://a.example/users/1?q=%2F&r=.."),
            ("https://a.example/", "", "https://a.example/"),
            ("https://a.example/v1", "//b.example/x", "https://a.example/v1//b.example/x"),
            ("https://a.example/v1", "x:y@b", "https://a.example/v1/x:y@b"),
            ("https://a.example/v1", "https:/b.example", "https://a.example/v1/https:/b.example"),
            ("https://a.example/v1", "https://A.example:443/v1/x?y", "https://a.example/v1/x?y"),
            ("https://a.example/v1", "https://a.example/v1", "https://a.example/v1"),
            ("https://a.example", "https://a.example/any", "https://a.example/any"),
            ("https://a.example/v1", "/a..;b/..a;c", "https://a.example/v1/a..;b/..a;c"),
            ("http://127.0.0.1:1/v1", "/x", "http://127.0.0.1:1/v1/x"),
        ] {
            assert_eq!(url(Some(base), path).expect(path), expected);
        }
    }

    #[test]
    fn what_leads_out_of_the_base_url_is_refused() {
        for path in [
            "https://b.example/v1/x",
            "http://a.example/v1/x",
            "https://a.example:444/v1/x",
            "https://a.example/v2",
            "https://a.example/v10",
            "https://a.example/",
            "https://u@a.example/v1/x",
            "https://a.example@b.example/v1/x",
            "../x",
            "/x/../../y",
            "..",
            "/%2e%2E/x",
            "/.%2e\\x",
            "\\..\\x",
            "/x%2f..%2fy",
            "/x%5C..%5cy",
            "/x/..;/y",
            "/x/..;a=b/y",
            "/x/%2e%2e%3B/y",
            "https://a.example/v1/../x",
            "/x\ny",
            "/\t../x",
            "/x#y",
        ] {
            let error = url(Some("https://a.example/v1"), path).expect_err(path);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{path}");
        }
    }

    #[test]
    fn without_a_base_url_an_absolute_one_is_needed() {
        assert_eq!(url(None, "https://a.example/x?y=1").unwrap(), "https://a.example/x?y=1");
        assert_eq!(url(None, "http://localhost:1/x").unwrap(), "http://localhost:1/x");
        for path in
            ["/x", "", "http://a.example/x", "ftp://a.example/x", "https://", "https://u:p@a.example/"]
        {
            let error = url(None, path).expect_err(path);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{path}");
        }
    }

    #[test]
    fn a_base_url_that_is_none_is_refused_and_not_repeated() {
        for base in [
            "",
            "canary",
            "http://canary.example",
            "https://u:canary@a",
            "https://a/?canary",
            "mailto:canary",
        ] {
            let error = url(Some(base), "/x").expect_err(base);
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }

    #[test]
    fn the_credential_goes_where_the_service_says() {
        let placed = token(json!({
            "api_base_url": "https://a.example", "api_query": {"key": "canary &"}, "api_headers": {"X-Api-Key": "canary"},
        }));
        let request = placed.apply("/x?page=2").unwrap();
        assert_eq!(request.url.expose_secret(), "https://a.example/x?page=2&key=canary+%26");
        assert_eq!(request.headers["x-api-key"], "canary");
        assert_eq!(request.headers.len(), 1);
        assert!(!format!("{request:?} {placed:?}").contains("canary"));
        let error = placed.apply("/x?key=mine").unwrap_err().to_string();
        assert_eq!(error, "the path has the query parameter key, which is the credential's");
    }

    #[test]
    fn a_service_that_tells_nothing_leaves_oauth() {
        let oauth: Token = serde_json::from_value(
            json!({"auth_type": "o_auth", "access_token": "a", "token_type": "Bearer"}),
        )
        .unwrap();
        assert_eq!(oauth.apply("https://a.example/x").unwrap().headers["authorization"], "Bearer a");
        let fields: Token = serde_json::from_value(json!({"auth_type": "basic", "fields": {}})).unwrap();
        let error = fields.apply("https://a.example/x").unwrap_err();
        assert!(error.message().contains("does not tell how this app is called"), "{error}");
    }

    #[test]
    fn headers_that_no_request_can_have_are_refused() {
        for (name, value) in [("a b", "canary"), ("a", "canary\r\nb: c"), ("", "canary")] {
            let token = token(json!({"api_base_url": "https://a.example", "api_headers": {name: value}}));
            let error = token.apply("/").expect_err(name);
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
}
