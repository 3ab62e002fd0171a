//! Addresses that a tenant gives for browsers: where to return to, and which origin may watch.
//!
//! Stricter than the URL standard, which takes much for an address that people would not: here it is `https`, `http`
//! to this machine, or an app's own scheme, and every character has its place.

use url::Url;

const MAX_RETURN_URL: usize = 2048;
const MAX_ORIGIN: usize = 300;

/// What a `return_url` must be, as the rest of a sentence.
pub(crate) const RETURN_URL: &str =
    "an https address, http to a loopback host, or an app's own reverse-domain scheme";

/// What an `allowed_origin` must be, as the rest of a sentence.
pub(crate) const ORIGIN: &str = "an https origin, or http to a loopback host, without a path";

/// Whether a browser may be sent there at the end.
pub(crate) fn is_return_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let path_at = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path_at);
    let Some(host) = host(authority) else { return false };
    let fits = match scheme {
        "https" => is_domain(host),
        "http" => is_loopback(host),
        own => is_own_scheme(own) && is_name(host),
    };
    fits && text.len() <= MAX_RETURN_URL && path.bytes().all(is_path_byte) && Url::parse(text).is_ok()
}

/// Whether this is an origin that a tenant may name.
pub(crate) fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let Some(host) = host(authority) else { return false };
    let fits = match scheme {
        "https" => is_domain(host),
        "http" => is_loopback(host),
        _ => false,
    };
    fits && text.len() <= MAX_ORIGIN && Url::parse(text).is_ok()
}

/// Whether this is the origin of a page that this machine serves.
pub(crate) fn is_loopback_origin(text: &str) -> bool {
    text.strip_prefix("http://").and_then(host).is_some_and(is_loopback)
}

/// The origin of an address, in the form in which browsers send it: lower case, no port that goes without saying.
pub(crate) fn as_sent(address: String) -> String {
    Url::parse(&address).map_or(address, |url| url.origin().ascii_serialization())
}

/// The address of a tenant's website, as it was given.
///
/// # Errors
///
/// What it must be, where it is no https address of a domain.
pub fn website_url(text: &str) -> Result<String, String> {
    let fits = text.starts_with("https://") && is_return_url(text);
    fits.then(|| text.to_owned())
        .ok_or_else(|| "it must be an https address, such as https://app.example.com".to_owned())
}

/// The host of `host` or `host:port`.
fn host(authority: &str) -> Option<&str> {
    match authority.rsplit_once(':') {
        // The colons of an IPv6 address are inside its brackets.
        Some((host, port)) if !port.ends_with(']') => is_port(port).then_some(host),
        _ => Some(authority),
    }
}

fn is_port(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && !text.starts_with('0') && text.parse::<u16>().is_ok()
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Labels with dots between them; the last one begins with a letter, so that it is no IP address.
fn is_domain(host: &str) -> bool {
    let plain = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.split('.').all(plain) && last.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// `com.example.app`: a dot tells an app's own scheme from those with a meaning, such as `javascript`.
fn is_own_scheme(scheme: &str) -> bool {
    let mut labels = scheme.split('.');
    let plain = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    scheme.contains('.')
        && labels.all(|label| !label.is_empty() && plain(label))
        && scheme.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_name(host: &str) -> bool {
    host.starts_with(|first: char| first.is_ascii_lowercase())
        && host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._~!$&'()*+,;=:@/?%-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_return_to_the_web_or_to_an_app() {
        for url in [
            "https://app.example.com/connected?a=b&c=%20",
            "https://app.example.com",
            "https://app.example.com:8443/",
            "http://localhost:3000/done",
            "http://127.0.0.1/",
            "http://[::1]:5000/x",
            "com.example.app://connected",
            "com.example.app://connected/x?y=z",
        ] {
            assert!(is_return_url(url), "{url}");
        }
    }

    #[test]
    fn nothing_else_is_an_address_to_return_to() {
        for url in [
            "",
            "https",
            "https://",
            "http://app.example.com/",
            "javascript://alert/1",
            "javascript:alert(1)",
            "data://x/",
            "file:///etc/passwd",
            "//app.example.com/",
            "https://user@example.com/",
            "https://example.com:0/",
            "https://example.com:99999/",
            "https://example.com/#x",
            "https://exa mple.com/",
            "https://1.2.3.4/",
            "https://[::1]/",
            "https://example.com\\@evil.example/",
            "https://example.com/\n",
            "com.example.app:/x",
            "COM.example.app://x",
            "https://.example.com/",
            "http://localhost.evil.example/",
        ] {
            assert!(!is_return_url(url), "{url}");
        }
        assert!(!is_return_url(&format!("https://example.com/{}", "a".repeat(2048))));
    }

    #[test]
    fn an_origin_is_compared_as_browsers_send_it() {
        assert_eq!(as_sent("https://App.Example.COM:443".into()), "https://app.example.com");
        assert_eq!(as_sent("http://localhost:3000".into()), "http://localhost:3000");
    }

    #[test]
    fn a_website_is_an_https_address() {
        for url in ["https://app.example.com", "https://App.example.com:8443/start?x=1"] {
            assert_eq!(website_url(url).unwrap(), url);
        }
        for url in [
            "",
            "http://app.example.com",
            "http://localhost:3000",
            "https://127.0.0.1",
            "https://user@app.example.com/",
            "com.example.app://x",
            "javascript:alert(1)",
            "https://app.example.com/ x",
        ] {
            assert!(website_url(url).is_err(), "{url}");
        }
        assert_eq!(as_sent("https://App.example.com:443/start?x=1".into()), "https://app.example.com");
    }

    #[test]
    fn a_developers_machine_is_told_by_its_origin() {
        for origin in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080"] {
            assert!(is_loopback_origin(origin), "{origin}");
        }
        for origin in
            ["https://localhost:3000", "http://localhost.evil.example", "http://evil.example:80", "null", ""]
        {
            assert!(!is_loopback_origin(origin), "{origin}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        assert!(is_origin("https://app.example.com"));
        assert!(is_origin("http://localhost:3000"));
        assert!(is_origin("http://localhost:65535"));
        assert!(!is_origin("http://localhost:65536"));
        for origin in
            ["https://app.example.com/", "http://app.example.com", "*", "null", "com.example.app://x"]
        {
            assert!(!is_origin(origin), "{origin}");
        }
    }
}
