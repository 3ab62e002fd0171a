//! How a page travels: the headers that keep it private and make it inert.

use std::sync::LazyLock;

use askama::Template;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, REFRESH, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};
use url::Url;

use super::STYLE;
use crate::hosted::Look;

/// Where a page's forms may lead. Browsers hold every redirect after a form against this list, too.
#[derive(Debug, Default)]
pub struct FormTargets {
    sources: Vec<String>,
    anywhere: bool,
}

impl FormTargets {
    /// Any address: for the provider of `connect-service dev`, whose consent goes on to wherever the product wants its
    /// customer back.
    pub fn anywhere() -> Self {
        Self { anywhere: true, ..Self::default() }
    }

    /// The provider's sign-in, whose address may depend on what is entered. It may go on to other hosts of its own (a
    /// workspace's, an identity provider's), so that any `https` one must be allowed.
    pub fn provider(&mut self, url: Option<&Url>) {
        self.sources.push("https:".to_owned());
        if let Some(url) = url {
            self.destination(url);
        }
    }

    /// One address: its origin, or its scheme where that belongs to an app.
    pub fn destination(&mut self, url: &Url) {
        let source = match url.origin() {
            origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
            url::Origin::Opaque(_) => format!("{}:", url.scheme()),
        };
        self.sources.push(source);
    }

    /// The policy's directive about forms.
    fn directive(&self) -> String {
        if self.anywhere {
            return String::new();
        }
        let sources: String = self.sources.iter().map(|source| format!(" {source}")).collect();
        format!("form-action 'self'{sources}; ")
    }
}

/// A rendered page, or the redirect that stands for one.
#[derive(Debug)]
pub struct PageResponse {
    response: Response,
}

static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| style_source(STYLE));

/// What lets a style sheet through the page's policy, and no other.
fn style_source(sheet: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(sheet)))
}

impl PageResponse {
    /// A page.
    pub fn new(status: StatusCode, page: &impl Template, look: &Look, targets: &FormTargets) -> Self {
        let own = match look.style.as_str() {
            "" => String::new(),
            sheet => format!(" {}", style_source(sheet)),
        };
        let policy = format!(
            "default-src 'none'; style-src {}{own}; img-src data:{}; {}base-uri 'none'; frame-ancestors 'none'",
            *STYLE_SOURCE,
            if look.logo.is_some() { " 'self'" } else { "" },
            targets.directive(),
        );
        Self::with_policy(status, page, &policy)
    }

    /// A page with a content security policy of its own.
    pub fn with_policy(status: StatusCode, page: &impl Template, policy: &str) -> Self {
        let mut response = match page.render() {
            Ok(html) => (status, html).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page cannot be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        // Origins and schemes of parsed URLs are ASCII without separators.
        if let Ok(policy) = HeaderValue::try_from(policy) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        Self { response }.private()
    }

    /// Goes on to another address, with a GET (303).
    pub fn redirect(to: &str) -> Self {
        let response = match HeaderValue::try_from(to) {
            Ok(to) => (StatusCode::SEE_OTHER, [(http::header::LOCATION, to)]).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
        Self { response }.private()
    }

    /// Sets cookies as well, after those set before.
    #[must_use]
    pub fn with_cookies(mut self, cookies: impl IntoIterator<Item = HeaderValue>) -> Self {
        for cookie in cookies {
            self.response.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        self
    }

    /// Says when to come back.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.response.headers_mut().insert(RETRY_AFTER, seconds.into());
        self
    }

    /// Makes browsers load the page again after so many seconds.
    #[must_use]
    pub fn reload_after(mut self, seconds: u64) -> Self {
        self.response.headers_mut().insert(REFRESH, seconds.into());
        self
    }

    fn private(mut self) -> Self {
        let headers: [(HeaderName, &'static str); 4] = [
            (CACHE_CONTROL, "no-store"),
            // The address of the page is the customer's way in; nobody else gets to see it.
            (REFERRER_POLICY, "no-referrer"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (HeaderName::from_static("x-robots-tag"), "noindex"),
        ];
        for (name, value) in headers {
            self.response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        self
    }
}

impl IntoResponse for PageResponse {
    fn into_response(self) -> Response {
        self.response
    }
}
