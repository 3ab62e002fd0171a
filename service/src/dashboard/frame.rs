//! What stands around the content of every page of a signed-in account, and how a page travels.

use askama::Template;
use http::StatusCode;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use url::Url;

use super::PREFIX;
use super::assets::{SCRIPT_NAME, STYLE_NAME};
use super::guard::Visit;
use crate::clock::{Millis, rfc3339};
use crate::hosted::html::PageResponse;
use crate::state::Service;
use crate::store::{Membership, Role};

/// The pages of a tenant that the navigation leads to, and who may see them.
const SECTIONS: [(&str, &str, Role); 3] = [
    ("connections", "Connections", Role::Viewer),
    ("keys", "Platform API Keys", Role::Owner),
    ("members", "Members", Role::Owner),
];

/// Style and script of the service, and nothing else; forms lead to the service alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                      form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// What stands around the content.
pub(super) struct Frame {
    /// Where the dashboard's paths begin.
    pub(super) base: String,
    /// Who is signed in.
    pub(super) email: String,
    /// Goes into every form.
    pub(super) csrf_token: String,
    /// Which tenant the page is about.
    pub(super) tenant: Option<Membership>,
    /// The page's name in the navigation.
    current: &'static str,
}

/// A link of the navigation.
pub(super) struct NavigationLink {
    pub(super) href: String,
    pub(super) label: &'static str,
    pub(super) is_current: bool,
}

impl Frame {
    pub(super) fn new(service: &Service, visit: &Visit, current: &'static str) -> Self {
        Self {
            base: base(service),
            email: visit.session.email.clone(),
            csrf_token: visit.csrf_token.clone(),
            tenant: visit.tenant.clone(),
            current,
        }
    }

    /// The name of the page's tenant.
    pub(super) fn tenant_name(&self) -> &str {
        self.tenant.as_ref().map(|tenant| tenant.tenant_name.as_str()).unwrap_or_default()
    }

    /// Where the paths of the page's tenant begin.
    pub(super) fn tenant_base(&self) -> String {
        let tenant = self.tenant.as_ref().map(|tenant| tenant.tenant.as_str()).unwrap_or_default();
        format!("{}/tenants/{tenant}", self.base)
    }

    /// The links to what of the tenant the account may see.
    pub(super) fn sections(&self) -> Vec<NavigationLink> {
        let Some(tenant) = &self.tenant else { return Vec::new() };
        let sections = SECTIONS.into_iter().filter(|(.., role)| tenant.role >= *role);
        let link = |(name, label, _)| NavigationLink {
            href: format!("{}/{name}", self.tenant_base()),
            label,
            is_current: self.current == name,
        };
        sections.map(link).collect()
    }

    /// The links to what is the account's own.
    pub(super) fn own_pages(&self) -> Vec<NavigationLink> {
        let link = |(name, label): (&'static str, _)| NavigationLink {
            href: format!("{}/{name}", self.base),
            label,
            is_current: self.current == name,
        };
        [("my-connections", "My connections"), ("sessions", "Sessions")].map(link).into()
    }

    pub(super) fn style(&self) -> String {
        format!("{}/assets/{}", self.base, *STYLE_NAME)
    }

    pub(super) fn script(&self) -> String {
        format!("{}/assets/{}", self.base, *SCRIPT_NAME)
    }
}

/// Where the dashboard's paths begin, in browsers.
pub(super) fn base(service: &Service) -> String {
    let public = Url::parse(&service.public_url);
    let path = public.as_ref().map_or("", |url| url.path().trim_end_matches('/'));
    format!("{path}{PREFIX}")
}

/// A page.
pub(super) fn page(status: StatusCode, page: &impl Template) -> PageResponse {
    PageResponse::with_policy(status, page, POLICY)
}

/// A point in time, for people and for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(pub(super) Millis);

impl Moment {
    /// Templates have references.
    pub(super) fn at(time: &Millis) -> Self {
        Self(*time)
    }

    pub(super) fn machine(self) -> String {
        rfc3339(self.0)
    }

    pub(super) fn people(self) -> String {
        const FORM: &[BorrowedFormatItem<'_>] =
            format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
        let time = OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1000)).ok();
        time.and_then(|time| time.format(FORM).ok()).unwrap_or_else(|| self.machine())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people() {
        assert_eq!(Moment(1_795_255_200_999).people(), "21 Nov 2026, 10:00 UTC");
    }
}
