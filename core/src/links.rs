//! The links that a client made, in memory: where their public status is, which costs the tenant's budget nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use http::HeaderValue;
use url::Url;

use crate::model::RequestLink;

/// More open links than this are not remembered; waiting for them still works, at the tenant's cost.
const MAX_LINKS: usize = 10_000;

/// Where the public status of one link is.
#[derive(Debug)]
pub(crate) struct StatusAddress {
    pub(crate) url: Url,
    /// The value of the `x-request-token` header.
    pub(crate) token: HeaderValue,
    /// The customer whose link it is.
    email: HeaderValue,
}

#[derive(Default)]
pub(crate) struct Links(Mutex<HashMap<String, (Arc<StatusAddress>, SystemTime)>>);

impl Links {
    /// Remembers a link until it expires. An address of another origin than the base URL's is ignored: the request
    /// token is for this service alone.
    pub(crate) fn remember(&self, link: &RequestLink, email: &HeaderValue, base_url: &Url) {
        let Some(url) = link.status_url.as_deref().and_then(|url| Url::parse(url).ok()) else {
            return;
        };
        if url.origin() != base_url.origin() {
            return;
        }
        let Ok(mut token) = HeaderValue::from_str(link.request_token.expose_secret()) else {
            return;
        };
        token.set_sensitive(true);
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() >= MAX_LINKS {
            let now = SystemTime::now();
            links.retain(|_, (_, expires_at)| *expires_at > now);
        }
        if links.len() < MAX_LINKS {
            let expires_at = SystemTime::from(&link.expires_at);
            let email = email.clone();
            let address = Arc::new(StatusAddress { url, token, email });
            links.insert(link.connection_id.clone(), (address, expires_at));
        }
    }

    /// The address of a link that was made for this customer.
    pub(crate) fn find(&self, connection_id: &str, email: &HeaderValue) -> Option<Arc<StatusAddress>> {
        let links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (address, _) = links.get(connection_id)?;
        (address.email == *email).then(|| address.clone())
    }

    pub(crate) fn forget(&self, connection_id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(connection_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: HeaderValue = HeaderValue::from_static("alice@example.com");

    fn remember(links: &Links, connection_id: &str, expires_at: &str, status_url: Option<&str>) {
        let link = serde_json::from_value(serde_json::json!({
            "connection_id": connection_id, "request_token": "rt_canary", "request_link": "https://a.example/l",
            "expires_at": expires_at, "status_url": status_url,
        }));
        links.remember(&link.unwrap(), &ALICE, &Url::parse("https://a.example/platform/v1").unwrap());
    }

    #[test]
    fn a_link_is_found_for_its_own_customer_only() {
        let links = Links::default();
        remember(&links, "c1", "2126-11-21T10:00:00Z", Some("https://a.example/status"));
        assert!(links.find("c1", &ALICE).is_some());
        assert!(links.find("c1", &HeaderValue::from_static("bob@example.com")).is_none());
    }

    #[test]
    fn only_an_address_of_the_same_origin_is_remembered() {
        let find = |status_url| {
            let links = Links::default();
            remember(&links, "c1", "2126-11-21T10:00:00Z", status_url);
            links.find("c1", &ALICE)
        };
        let address = find(Some("https://a.example/platform/v1/connections/c1/status")).unwrap();
        assert_eq!(address.token, "rt_canary");
        assert!(!format!("{address:?}").contains("canary"));
        for other in [
            None,
            Some("https://b.example/"),
            Some("http://a.example/"),
            Some("https://a.example:444/"),
            Some("/status"),
        ] {
            assert!(find(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn links_that_have_lapsed_make_room_and_open_ones_are_not_forgotten() {
        let links = Links::default();
        let remember = |id: &str, expires_at: &str| {
            remember(&links, id, expires_at, Some("https://a.example/status"));
        };
        for n in 0..MAX_LINKS - 1 {
            remember(&format!("open {n}"), "2126-11-21T10:00:00Z");
        }
        remember("expired", "2006-11-21T10:00:00Z");
        assert!(links.find("expired", &ALICE).is_some(), "there was room for it");
        remember("last", "2126-11-21T10:00:00Z");
        assert!(links.find("expired", &ALICE).is_none());
        assert!(links.find("last", &ALICE).is_some() && links.find("open 0", &ALICE).is_some());
        remember("one more", "2126-11-21T10:00:00Z");
        assert!(links.find("one more", &ALICE).is_none());
        assert!(links.find("open 0", &ALICE).is_some());
    }
}
