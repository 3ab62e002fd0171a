//! The customer's browser: a random cookie that forms and journeys are bound to.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::ids;
use crate::state::Service;
use crate::store::{AdminLink, Link};

/// One browser, known by the secret in its cookie.
#[derive(Clone)]
pub(crate) struct Browser {
    secret: String,
    is_new: bool,
}

impl Browser {
    /// The browser that sends these headers, if it has been here before.
    pub(super) fn known(service: &Service, headers: &HeaderMap) -> Option<Self> {
        let secret = cookie(headers, cookie_name(service)).find(|secret| is_secret(secret))?;
        Some(Self { secret: secret.to_owned(), is_new: false })
    }

    /// The browser that sends these headers, with a new cookie if it has none.
    pub(crate) fn known_or_new(service: &Service, headers: &HeaderMap) -> Self {
        Self::known(service, headers).unwrap_or_else(|| Self { secret: ids::secret(), is_new: true })
    }

    /// What journeys are bound to.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// Goes into every form for this link. Other pages cannot know it, and it cannot be derived without the cookie.
    pub(super) fn csrf_token(&self, link: &Link) -> String {
        self.derived("csrf", link)
    }

    /// What this browser carries to the tenant after it consented: the same as often as it comes, and nobody else can
    /// derive it.
    pub(super) fn confirmation_code(&self, link: &Link) -> String {
        self.derived("confirm", link)
    }

    /// Opens the hosted page for this browser to try again: the same from each of its tabs and after each reload, so that
    /// none closes another's way.
    pub(super) fn handover_secret(&self, link: &Link) -> String {
        self.derived("handover", link)
    }

    /// Whether this is the browser that consented.
    pub(super) fn consented(&self, link: &Link) -> bool {
        let digest = ids::digest(&self.confirmation_code(link));
        link.code_digest.as_ref() == Some(&digest)
    }

    /// Goes into every form of an organization's clients. Other pages cannot know it.
    pub(super) fn admin_csrf_token(&self, link: &AdminLink) -> String {
        self.derived_of("admin", &link.id)
    }

    /// Whether this came from a form for this link in this browser.
    pub(super) fn sent_admin_form(&self, link: &AdminLink, csrf_token: &str) -> bool {
        ids::is_same(&self.admin_csrf_token(link), csrf_token)
    }

    fn derived(&self, purpose: &str, link: &Link) -> String {
        self.derived_of(purpose, &link.id)
    }

    /// What other pages cannot know, and what cannot be derived without the cookie.
    pub(crate) fn derived_of(&self, purpose: &str, id: &str) -> String {
        ids::derived([purpose, &self.secret, id])
    }

    /// Whether this came from a form for this link in this browser.
    pub(super) fn sent(&self, link: &Link, csrf_token: &str) -> bool {
        ids::is_same(&self.csrf_token(link), csrf_token)
    }

    /// The `Set-Cookie` that makes it known, unless it is.
    ///
    /// `Lax` because the way back from the provider is a cross-site navigation, which must carry the cookie.
    pub(crate) fn set_cookie(&self, service: &Service) -> Option<HeaderValue> {
        if !self.is_new {
            return None;
        }
        let secure = if service.is_https() { "; Secure" } else { "" };
        let cookie =
            format!("{}={}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie_name(service), self.secret);
        HeaderValue::try_from(cookie).ok()
    }
}

/// The values of a cookie, of which there can be several.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(found, _)| *found == name).map(|(_, value)| value)
}

/// With `__Host-`, browsers see to it that no other host and no plain HTTP page has set it.
fn cookie_name(service: &Service) -> &'static str {
    if service.is_https() { "__Host-connect" } else { "connect" }
}

/// The form of [`ids::secret`].
pub(crate) fn is_secret(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
