//! How a page looks to this customer: in which language, and with what the tenant set.

use http::HeaderMap;

use crate::language::{Language, Markup, Text};
use crate::sdk_config::PageLink;
use crate::state::Service;
use crate::store::{Link, StoreError, StoredSdkConfig};

/// The language of a page, and a tenant's colours, logo and texts on it.
#[derive(Debug, Clone)]
pub struct Look {
    /// The language.
    pub language: Language,
    /// The tokens that the tenant changed, as CSS.
    pub style: String,
    /// The tenant's logo.
    pub logo: Option<LogoPicture>,
    /// A line of the tenant's.
    pub tagline: Option<String>,
    /// Links of the tenant's.
    pub links: Vec<PageLink>,
}

/// A logo as a page shows it.
#[derive(Debug, Clone)]
pub struct LogoPicture {
    /// Its address.
    pub url: String,
    /// In pixels, at the size at which it is shown.
    pub width: i64,
    /// Likewise.
    pub height: i64,
}

/// The size of a logo on a page, in pixels.
const LOGO_WIDTH: i64 = 200;
const LOGO_HEIGHT: i64 = 52;

impl Look {
    /// A page of no tenant.
    pub fn plain(language: Language) -> Self {
        Self { language, style: String::new(), logo: None, tagline: None, links: Vec::new() }
    }

    /// A page of no tenant, for those who run the service or use the dashboard.
    pub(crate) fn english() -> Self {
        Self::plain(Language::english())
    }

    /// A page of no tenant, in the browser's language.
    pub(super) fn of_browser(headers: &HeaderMap) -> Self {
        Self::plain(Language::of_browser(headers))
    }

    /// The pages of a link: the link's language, else the browser's, else the tenant's usual one.
    pub(super) async fn of_link(
        service: &Service,
        link: &Link,
        headers: &HeaderMap,
    ) -> Result<Self, StoreError> {
        Self::of_tenant(service, &link.owner.tenant, link.options.locale.as_deref(), headers).await
    }

    /// The pages of a tenant.
    pub(super) async fn of_tenant(
        service: &Service,
        tenant: &str,
        locale: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Self, StoreError> {
        let stored = service.store.sdk_config(tenant).await?;
        let offered = stored.config.offered();
        let named = locale.and_then(Language::of_tag).filter(|language| offered.contains(language));
        let language = named
            .or_else(|| Language::accepted(headers, &offered))
            .or_else(|| offered.first().copied())
            .unwrap_or_else(Language::english);
        Ok(Self::new(service, stored, language))
    }

    /// What a tenant set, in this language.
    pub fn new(service: &Service, stored: StoredSdkConfig, language: Language) -> Self {
        let StoredSdkConfig { config, logo, .. } = stored;
        let logo = logo.map(|logo| {
            let (width, height) = shown(logo.width, logo.height);
            LogoPicture { url: service.logo_url(&logo.digest), width, height }
        });
        Self { language, style: config.style(), logo, tagline: config.tagline, links: config.links }
    }

    /// A text in the page's language.
    pub fn text(&self, key: &'static str) -> Text {
        self.language.text(key)
    }

    /// A text with markup in the page's language.
    pub fn markup(&self, key: &'static str) -> Markup {
        self.language.markup(key)
    }
}

/// A logo's size on the page, from the size of its file. Nothing is drawn larger than it is.
fn shown(width: i64, height: i64) -> (i64, i64) {
    let (width, height) = (width.max(1), height.max(1));
    let (by_width, by_height) = (height * LOGO_WIDTH / width, width * LOGO_HEIGHT / height);
    match (width <= LOGO_WIDTH && height <= LOGO_HEIGHT, by_width <= LOGO_HEIGHT) {
        (true, _) => (width, height),
        (false, true) => (LOGO_WIDTH, by_width.max(1)),
        (false, false) => (by_height.max(1), LOGO_HEIGHT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_keeps_its_shape_within_its_place() {
        for (file, page) in [
            ((400, 50), (200, 25)),
            ((104, 104), (52, 52)),
            ((10, 104), (5, 52)),
            ((40, 30), (40, 30)),
            ((400, 1), (200, 1)),
            ((0, 0), (1, 1)),
        ] {
            assert_eq!(shown(file.0, file.1), page);
        }
    }
}
