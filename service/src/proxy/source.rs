//! `x-connect-source`: who answered a proxied call. What the provider answered, whatever its status, is no error of this
//! service.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};

use crate::server::PREFIX;

pub(super) const SOURCE: HeaderName = HeaderName::from_static("x-connect-source");
pub(super) const PROVIDER: HeaderValue = HeaderValue::from_static("provider");
const PLATFORM: HeaderValue = HeaderValue::from_static("platform");

/// Around every request: marks what this service itself answered to a proxied call.
pub(crate) async fn mark_source(request: Request, next: Next) -> Response {
    let is_proxied = is_proxied(request.uri().path());
    let mut response = next.run(request).await;
    if is_proxied {
        response.headers_mut().entry(SOURCE).or_insert(PLATFORM);
    }
    response
}

fn is_proxied(path: &str) -> bool {
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
