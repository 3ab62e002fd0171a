//! What a client is configured with, checked once.

use std::net::IpAddr;
use std::time::Duration;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::error::Error;

/// Where the platform is by default (the guide, section 8).
pub const DEFAULT_BASE_URL: &str = "https://connect.pabbly.com/platform/v1";
/// Bounds each attempt by default (the guide, section 7).
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a 503 is tried again by default (the guide, section 7).
pub const DEFAULT_MAX_RETRIES: u32 = 2;
/// The longest pause before the first retry by default. It doubles with each.
pub const DEFAULT_BACKOFF: Duration = Duration::from_millis(500);

/// The environment's tenant key, where none is given.
pub(crate) const KEY_VARIABLE: &str = "PC_TENANT_KEY";
/// The environment's base URL, where none is given.
pub(crate) const URL_VARIABLE: &str = "PC_BASE_URL";

/// Checked settings of one client.
pub(crate) struct Settings {
    pub(crate) base_url: Url,
    pub(crate) timeout: Duration,
    pub(crate) max_retries: u32,
    pub(crate) backoff: Duration,
}

/// The value of the `Authorization` header. It is marked as sensitive, so that nothing prints it.
pub(crate) fn authorization(api_key: &SecretString) -> Result<HeaderValue, Error> {
    let key = api_key.expose_secret();
    if key.is_empty() {
        return Err(Error::invalid_argument(format!(
            "there is no tenant key: pass one, or set {KEY_VARIABLE} in the environment"
        )));
    }
    let refused = || {
        Error::invalid_argument(
            "the tenant key holds a character that no key has, such as a line break: pass it exactly as it was shown",
        )
    };
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused());
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| refused())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Checks a base URL: HTTPS, or plain HTTP to this machine or where that is wanted.
pub(crate) fn base_url(text: &str, allow_http: bool) -> Result<Url, Error> {
    let refused =
        |why: &str| Error::invalid_argument(format!("the base URL {why}, such as {DEFAULT_BASE_URL}"));
    let mut url = Url::parse(text.trim()).map_err(|_| refused("must be an absolute URL"))?;
    match url.scheme() {
        _ if is_private(&url) => {}
        "http" if allow_http => {}
        "http" => {
            return Err(Error::invalid_argument(
                "the base URL must begin with https://: over plain HTTP the tenant key could be read on its way \
                 (if that is wanted, allow it with the option for insecure HTTP)",
            ));
        }
        _ => return Err(refused("must begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("must not hold a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("must not hold a query or a fragment"));
    }
    // Segments are appended to the path, hence no empty one at its end.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
    }
    Ok(url)
}

/// Whether nobody in between can read what is sent there: over HTTPS, or over plain HTTP on this machine.
pub(crate) fn is_private(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => is_loopback(url),
        _ => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_only_reaches_this_machine() {
        for url in [
            "http://127.0.0.1:8080/platform/v1",
            "http://localhost",
            "http://[::1]:1/",
            "https://a.example/b/",
        ] {
            assert!(base_url(url, false).is_ok(), "{url}");
        }
        for url in
            ["http://a.example", "http://127.0.0.1.example", "http://10.0.0.1", "http://localhost.example"]
        {
            let error = base_url(url, false).expect_err(url);
            assert!(error.message().contains("option for insecure HTTP"), "{error}");
            assert!(base_url(url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_is_not_a_base_is_refused() {
        for url in [
            "",
            "connect.example",
            "ftp://a",
            "data:text/plain,a",
            "https://u:p@a",
            "https://u@a",
            "https://:p@a",
            "https://a?b",
            "https://a#b",
        ] {
            let error = base_url(url, true).expect_err(url);
            assert!(!error.to_string().contains("u:p"));
        }
    }

    #[test]
    fn a_slash_at_the_end_makes_no_difference() {
        assert_eq!(base_url("https://a/b/", false).unwrap(), base_url(" https://a/b\n", false).unwrap());
    }

    #[test]
    fn a_key_that_would_alter_the_header_is_refused_and_not_repeated() {
        for key in ["", "pk_live_canary\n", "pk_live_canary\r\nx: y", "pk live canary", "pk_live_canäry"] {
            let error = authorization(&key.into()).expect_err(key);
            assert!(!format!("{error} {error:?}").contains("can"), "{error}");
        }
        let value = authorization(&"pk_live_canary".into()).unwrap();
        assert_eq!((value.as_bytes(), value.is_sensitive()), (&b"Bearer pk_live_canary"[..], true));
    }
}
