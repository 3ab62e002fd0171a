//! Which headers pass the proxy. Towards the provider: nothing of the caller's credentials, nor of the way that its request
//! took. Towards the caller: nothing that would act on this service's own origin, should a browser ever see it.

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_LOCATION,
    CONTENT_SECURITY_POLICY, COOKIE, EXPECT, FORWARDED, HOST, LINK, LOCATION, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode;

use super::source::{PROVIDER, SOURCE};
use crate::auth::tenant_key::USER_EMAIL;

/// What is said between two neighbours alone (RFC 9110, section 7.6.1).
static HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    http::header::PROXY_AUTHENTICATE,
    http::header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What of a request is the caller's and this service's own. The length is told by the body.
static OF_REQUESTS: [HeaderName; 28] = [
    AUTHORIZATION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    FORWARDED,
    HOST,
    USER_EMAIL,
    VIA,
    HeaderName::from_static("x-request-token"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("x-cluster-client-ip"),
    // Some servers route by these, past what was checked of the request.
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-original-host"),
    HeaderName::from_static("x-rewrite-url"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("baggage"),
    HeaderName::from_static("b3"),
    HeaderName::from_static("uber-trace-id"),
    HeaderName::from_static("sentry-trace"),
    HeaderName::from_static("x-amzn-trace-id"),
    HeaderName::from_static("x-cloud-trace-context"),
];
const PREFIXES_OF_REQUESTS: [&str; 5] = ["x-forwarded-", "x-b3-", "x-connect-", "x-datadog-", "cf-"];

/// What of a response would act on this service's origin, or is replaced.
static OF_RESPONSES: [HeaderName; 12] = [
    SET_COOKIE,
    STRICT_TRANSPORT_SECURITY,
    CACHE_CONTROL,
    HeaderName::from_static("set-cookie2"),
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("alt-svc"),
    HeaderName::from_static("expect-ct"),
    HeaderName::from_static("nel"),
    HeaderName::from_static("report-to"),
    HeaderName::from_static("reporting-endpoints"),
    HeaderName::from_static("service-worker-allowed"),
    HeaderName::from_static("refresh"),
];
const PREFIXES_OF_RESPONSES: [&str; 8] = [
    "access-control-",
    "x-connect-",
    "public-key-pins",
    // Commands to a web server in front of the service, to send a file or another address in the place of the response.
    "x-accel-",
    "x-sendfile",
    "x-lighttpd-",
    "x-litespeed-",
    "x-reproxy-",
];

/// What of a response repeats the address of the request.
static WITH_ADDRESSES: [HeaderName; 3] = [LOCATION, CONTENT_LOCATION, LINK];

/// What the provider gets: what passes, and what the call carries, in the place of headers of the same name.
pub(super) fn for_provider(headers: &HeaderMap, own: &HeaderMap) -> HeaderMap {
    let mut passed = passing(headers, &OF_REQUESTS, &PREFIXES_OF_REQUESTS);
    for (name, value) in own {
        passed.insert(name, value.clone());
    }
    passed
}

/// What the caller gets.
pub(super) fn for_caller(headers: &HeaderMap) -> HeaderMap {
    let mut passed = passing(headers, &OF_RESPONSES, &PREFIXES_OF_RESPONSES);
    passed.insert(CONTENT_DISPOSITION, attachment(headers.get(CONTENT_DISPOSITION)));
    passed.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    passed.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A cache on the way knows nothing of keys and customers.
    passed.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    passed.insert(SOURCE, PROVIDER);
    passed
}

/// Drops addresses in a response that repeat a credential which the request's query carried.
pub(super) fn drop_repeated(headers: &mut HeaderMap, secrets: &[String]) {
    for name in &WITH_ADDRESSES {
        let values = headers.get_all(name);
        if values.iter().any(|value| secrets.iter().any(|secret| repeats(value.as_bytes(), secret))) {
            headers.remove(name);
        }
    }
}

/// Whether a text contains a secret, as it is or encoded, up to three times over, as a path or as a form.
fn repeats(text: &[u8], secret: &str) -> bool {
    if secret.is_empty() {
        return false;
    }
    let contains = |text: &[u8]| text.windows(secret.len()).any(|part| part == secret.as_bytes());
    let (mut path, mut form) = (text.to_vec(), text.to_vec());
    for _ in 0..3 {
        if contains(&path) || contains(&form) {
            return true;
        }
        path = percent_decode(&path).collect();
        let spaced: Vec<_> = form.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        form = percent_decode(&spaced).collect();
    }
    contains(&path) || contains(&form)
}

fn passing(headers: &HeaderMap, dropped: &[HeaderName], prefixes: &[&str]) -> HeaderMap {
    let connection = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<_> =
        connection.flat_map(|value| value.split(',')).map(|name| name.trim().to_lowercase()).collect();
    let passes = |name: &HeaderName| {
        !HOP_BY_HOP.contains(name)
            && !dropped.contains(name)
            && !prefixes.iter().any(|prefix| name.as_str().starts_with(prefix))
            && !named.iter().any(|other| other == name.as_str())
    };
    let kept = headers.iter().filter(|(name, _)| passes(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A file to be saved, under the name that the provider gave it.
fn attachment(disposition: Option<&HeaderValue>) -> HeaderValue {
    let parameters = disposition.and_then(|value| {
        let at = value.as_bytes().iter().position(|byte| *byte == b';')?;
        HeaderValue::from_bytes(&[b"attachment", &value.as_bytes()[at..]].concat()).ok()
    });
    parameters.unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let pairs = lines.iter().map(|(name, value)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
        });
        pairs.collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_provider_learns_nothing_of_the_caller() {
        let request = headers(&[
            ("authorization", "Bearer pk_live_x"),
            ("proxy-authorization", "Basic x"),
            ("cookie", "a=b"),
            ("x-user-email", "alice@example.com"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-host", "connect.example"),
            ("forwarded", "for=10.0.0.1"),
            ("via", "1.1 x"),
            ("traceparent", "00-1-2-03"),
            ("b3", "1"),
            ("x-b3-traceid", "1"),
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("te", "trailers"),
            ("upgrade", "websocket"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("host", "connect.example"),
            ("expect", "100-continue"),
            ("x-connect-source", "provider"),
            ("x-client-ip", "10.0.0.1"),
            ("x-cluster-client-ip", "10.0.0.1"),
            ("x-original-url", "/oauth/token"),
            ("x-original-host", "connect.example"),
            ("x-rewrite-url", "/oauth/token"),
            ("x-http-method", "TRACE"),
            ("x-http-method-override", "TRACE"),
            ("x-method-override", "TRACE"),
            ("accept", "text/csv"),
            ("content-type", "application/json"),
            ("idempotency-key", "k"),
            ("if-none-match", "\"1\""),
            ("range", "bytes=0-1"),
            ("x-api-version", "1"),
            ("x-api-key", "theirs"),
        ]);
        let own = headers(&[("x-api-key", "ours")]);
        let passed = for_provider(&request, &own);
        let expected = [
            "accept",
            "content-type",
            "idempotency-key",
            "if-none-match",
            "range",
            "x-api-key",
            "x-api-version",
        ];
        assert_eq!(names(&passed), expected);
        assert_eq!(passed["x-api-key"], "ours");
    }

    #[test]
    fn a_response_does_nothing_to_this_origin() {
        let response = headers(&[
            ("set-cookie", "a=b"),
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("clear-site-data", "\"*\""),
            ("strict-transport-security", "max-age=1"),
            ("alt-svc", "h3=\":443\""),
            ("connection", "x-mine"),
            ("x-mine", "1"),
            ("transfer-encoding", "chunked"),
            ("x-connect-source", "platform"),
            ("x-accel-redirect", "/protected/keys"),
            ("x-accel-buffering", "yes"),
            ("x-sendfile", "/etc/passwd"),
            ("x-sendfile2", "/etc/passwd 0-"),
            ("x-lighttpd-send-file", "/etc/passwd"),
            ("x-litespeed-location", "/protected/keys"),
            ("x-reproxy-url", "http://169.254.169.254/"),
            ("cache-control", "public, max-age=9"),
            ("content-security-policy", "default-src *"),
            ("content-type", "text/html"),
            ("content-length", "5"),
            ("etag", "\"1\""),
            ("location", "http://169.254.169.254/"),
            ("link", "</?page=2>; rel=next"),
            ("ratelimit", "\"theirs\";r=1;t=1"),
            ("retry-after", "3"),
            ("www-authenticate", "Bearer"),
        ]);
        let passed = for_caller(&response);
        let kept = [
            "content-length",
            "content-type",
            "etag",
            "link",
            "location",
            "ratelimit",
            "retry-after",
            "www-authenticate",
        ];
        let set = [
            "cache-control",
            "content-disposition",
            "content-security-policy",
            "x-connect-source",
            "x-content-type-options",
        ];
        let mut expected = [&kept[..], &set[..]].concat();
        expected.sort_unstable();
        assert_eq!(names(&passed), expected);
        assert_eq!(passed["x-connect-source"], "provider");
        assert_eq!(
            (&passed["cache-control"], &passed["content-security-policy"]),
            (&"no-store".parse().unwrap(), &"sandbox".parse().unwrap())
        );
    }

    #[test]
    fn an_address_does_not_repeat_the_credential() {
        let secrets = ["s3 cr+t".to_owned(), String::new()];
        for (name, value, passes) in [
            ("location", "https://x.example/?token=s3 cr+t", false),
            ("location", "https://x.example/?token=s3+cr%2Bt&a=1", false),
            ("content-location", "/?token=s3%20cr%2bt", false),
            ("link", "</?next=%2F%3Ftoken%3Ds3%2520cr%252Bt>; rel=next", false),
            ("location", "https://x.example/?token=s3", true),
            ("link", "</?page=2>; rel=next", true),
        ] {
            let mut response = headers(&[(name, value), ("etag", "\"1\"")]);
            drop_repeated(&mut response, &secrets);
            assert_eq!(response.contains_key(name), passes, "{name}: {value}");
            assert!(response.contains_key("etag"));
        }
        // All of a name, since an address is nothing without the others.
        let mut response = headers(&[("link", "</a>; rel=first"), ("link", "</?token=s3%20cr+t>; rel=next")]);
        drop_repeated(&mut response, &secrets);
        assert!(response.is_empty());
    }

    #[test]
    fn what_a_browser_would_show_is_a_file() {
        for (given, expected) in [
            (None, "attachment"),
            (Some("inline"), "attachment"),
            (Some("inline; filename=\"a.html\""), "attachment; filename=\"a.html\""),
            (Some("attachment; filename*=UTF-8''a"), "attachment; filename*=UTF-8''a"),
        ] {
            let given = given.map(HeaderValue::from_static);
            assert_eq!(attachment(given.as_ref()), expected);
        }
    }
}
