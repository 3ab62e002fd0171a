//! `x-connect-source`: who answered a proxied call. What the provider answered, whatever its status, is no error of this
//! service.

use axum::response::Response;
use http::{HeaderName, HeaderValue};

use crate::server::PREFIX;

pub(super) const SOURCE: HeaderName = HeaderName::from_static("x-connect-source");
pub(super) const PROVIDER: HeaderValue = HeaderValue::from_static("provider");
const PLATFORM: HeaderValue = HeaderValue::from_static("platform");

/// Marks a response to a proxied call as this service's own, unless it is the provider's.
pub(crate) fn mark_source(response: &mut Response) {
    response.headers_mut().entry(SOURCE).or_insert(PLATFORM);
}

/// Whether a request with this path is a proxied call.
pub(crate) fn is_proxied(path: &str) -> bool {
    let rest = path.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix("/connections/"));
    rest.is_some_and(|rest| rest.split('/').nth(1) == Some("proxy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxied_calls_are_told_by_their_path() {
        for path in ["/connections/x/proxy", "/connections/x/proxy/", "/connections//proxy/a/b"] {
            assert!(is_proxied(&format!("{PREFIX}{path}")), "{path}");
        }
        for path in ["/connections/x/token", "/connections/proxy", "/connections/x/y/proxy", "/apps/x/proxy"]
        {
            assert!(!is_proxied(&format!("{PREFIX}{path}")), "{path}");
        }
    }
}
