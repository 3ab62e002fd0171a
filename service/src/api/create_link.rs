//! What a new link is asked to be: the body of `POST /connections/request-link`.

use std::sync::Arc;
use std::time::Duration;

use super::labels::{MAX_LENGTH, read_labels};
use crate::catalogue::App;
use crate::clock::{Millis, millis};
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::path::is_id;
use crate::extract::web_address::{self, is_origin, is_return_url};
use crate::oauth_clients::Clients;
use crate::state::AppState;
use crate::store::{Connection, Labels, LinkOptions, Organization, Target};
use crate::webhooks::WEBHOOK_URL;

/// Seconds.
const DEFAULT_LIFETIME: u64 = 600;
const MAX_APPS: usize = 50;
pub(super) const MAX_SCOPES: usize = 50;
/// Bytes of an organization, as JSON.
const MAX_ORGANIZATION: usize = 4096;
const MAX_ROLE: usize = 50;

/// All that a body may have. One who misspells `customer_id` or `return_url` must hear of it.
const MEMBERS: [&str; 19] = [
    "app_id",
    "name",
    "connection_id",
    "auth_option_key",
    "allowed_apps",
    "return_url",
    "allowed_origin",
    "display_name",
    "confirm",
    "allow_account_change",
    "expires_in",
    "allow_multiple_connections",
    "scopes",
    "customer_id",
    "customer_name",
    "metadata",
    "webhook_url",
    "organization",
    "locale",
];

/// What the body asks for, each member well-formed.
pub(super) struct CreateLinkRequest {
    pub(super) app_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) connection_id: Option<String>,
    pub(super) auth_option_key: Option<String>,
    /// Milliseconds.
    pub(super) lifetime: Millis,
    pub(super) allow_multiple_connections: bool,
    labels: Labels,
    pub(super) options: LinkOptions,
    /// Where events of the link go, too.
    pub(super) webhook_url: Option<String>,
}

impl CreateLinkRequest {
    /// Reads and checks every member.
    pub(super) fn read(app: &AppState, body: &Body) -> Result<Self, ApiError> {
        body.only(&MEMBERS)?;
        let text = |name, form: &str, accepts: &dyn Fn(&str) -> bool| -> Result<_, ApiError> {
            Ok(body.text(name, form, accepts)?.map(str::to_owned))
        };
        let id = |name| text(name, "an id", &is_id);
        let lifetime = body.number("expires_in", 60, 86_400)?.unwrap_or(DEFAULT_LIFETIME);
        let allowed_apps = body.texts("allowed_apps", MAX_APPS, "an id", is_id)?;
        if allowed_apps.as_ref().is_some_and(Vec::is_empty) {
            return Err(ApiError::invalid("allowed_apps must not be empty"));
        }
        let wanted = Self {
            app_id: id("app_id")?,
            name: body.line("name", MAX_LENGTH)?,
            connection_id: id("connection_id")?,
            auth_option_key: id("auth_option_key")?,
            lifetime: millis(Duration::from_secs(lifetime)),
            allow_multiple_connections: body.flag("allow_multiple_connections")?.unwrap_or(true),
            labels: read_labels(body)?,
            options: LinkOptions {
                allowed_apps: allowed_apps.unwrap_or_default(),
                return_url: text("return_url", web_address::RETURN_URL, &is_return_url)?,
                allowed_origin: text("allowed_origin", web_address::ORIGIN, &is_origin)?
                    .map(web_address::as_sent),
                display_name: body.line("display_name", 120)?,
                scopes: body.texts("scopes", MAX_SCOPES, "an OAuth scope", is_scope)?.unwrap_or_default(),
                confirm: body.flag("confirm")?.unwrap_or_default(),
                allow_account_change: body.flag("allow_account_change")?.unwrap_or_default(),
                organization: read_organization(body)?,
                locale: text("locale", "a language tag such as de or fr-CA", &is_language_tag)?,
            },
            webhook_url: text("webhook_url", WEBHOOK_URL, &|text| app.webhooks.accepts(text))?,
        };
        if wanted.options.confirm && wanted.options.return_url.is_none() {
            return Err(ApiError::invalid(
                "return_url is missing; with confirm, the customer's browser brings the code there",
            ));
        }
        if wanted.connection_id.is_none() {
            if wanted.name.is_none() {
                return Err(ApiError::invalid("name is missing"));
            }
            if wanted.app_id.is_none() && wanted.options.allowed_apps.is_empty() {
                return Err(ApiError::invalid(
                    "app_id is missing; allowed_apps or connection_id can stand for it",
                ));
            }
        }
        Ok(wanted)
    }

    /// Which connection the link is for: the one with this id, or a new one that gets it.
    pub(super) fn target<'a>(&'a self, id: &'a str, exists: bool) -> Result<Target<'a>, ApiError> {
        let name = self.name.as_deref();
        if exists {
            // Only who names a connection by its id can mean to rename it.
            return Ok(Target::Existing { id, name: self.connection_id.as_ref().and(name) });
        }
        let name = name.ok_or_else(|| ApiError::invalid("name is missing"))?;
        Ok(Target::New { id, name })
    }

    /// What to keep with the connection. As with its name, only who names one by its id can mean to change it.
    pub(super) fn labels(&self, exists: bool) -> Labels {
        if exists && self.connection_id.is_none() { Labels::default() } else { self.labels.clone() }
    }

    /// The link is for the organization that its connection is for. The customer's role there is as of now.
    pub(super) fn keep_organization(&mut self, existing: &Connection) -> Result<(), ApiError> {
        let kept = existing.organization.as_ref();
        match &self.options.organization {
            None => self.options.organization = kept.cloned(),
            Some(named) if kept.is_some_and(|kept| kept.id == named.id) => {}
            Some(_) => {
                return Err(ApiError::invalid("The connection is for another organization, or for none"));
            }
        }
        Ok(())
    }

    /// The apps that the link is for, one or several to pick from: all are known and can be connected.
    pub(super) fn apps(
        &self,
        clients: &Clients<'_>,
        existing: Option<&Connection>,
    ) -> Result<Vec<Arc<App>>, ApiError> {
        let fixed = existing.and_then(|connection| connection.app_id.as_deref());
        let mut named: Vec<&str> = Vec::new();
        for id in self.app_id.iter().chain(&self.options.allowed_apps) {
            if !named.contains(&id.as_str()) {
                named.push(id);
            }
        }
        let ids = match fixed {
            Some(id) if named.is_empty() || named == [id] => vec![id],
            Some(_) => return Err(ApiError::invalid("The connection is for another app")),
            None if named.is_empty() => {
                return Err(ApiError::invalid(
                    "The connection has no app yet: app_id or allowed_apps is missing",
                ));
            }
            None => named,
        };
        let mut apps = Vec::with_capacity(ids.len());
        let mut is_managed = false;
        for id in ids {
            let found = clients.service.catalogue.get(id).ok_or(ApiError::AppNotFound)?;
            if let Some(key) = &self.auth_option_key {
                found.auth_option(key).ok_or(ApiError::AppNotFound)?;
            }
            is_managed |= clients.is_managed(found);
            if clients.can_connect(found, self.auth_option_key.as_deref()) {
                apps.push(found.clone());
            }
        }
        for app in &apps {
            if let Some(scope) = clients.forbidden_scope(app, &self.options.scopes) {
                let message = format!("scopes has {scope}, which the operator's OAuth client is not for");
                return Err(ApiError::invalid(message));
            }
        }
        if !apps.is_empty() {
            return Ok(apps);
        }
        Err(match is_managed && self.options.organization.is_none() {
            true => ApiError::invalid(
                "organization is missing: the app is connected with an OAuth client of the customer's organization",
            ),
            false => ApiError::AppNotConfigured,
        })
    }
}

/// The organization that a connection is for. Its name is the id where there is none.
pub(super) fn read_organization(body: &Body) -> Result<Option<Organization>, ApiError> {
    let Some(members) = body.object("organization", MAX_ORGANIZATION, 1)? else {
        return Ok(None);
    };
    let within = |error| match error {
        ApiError::InvalidRequest(message) => ApiError::InvalidRequest(format!("organization: {message}")),
        error => error,
    };
    let members = Body::of(members);
    members.only(&["id", "name", "role"]).map_err(within)?;
    let id = members.text("id", "an id", is_id).map_err(within)?;
    let id = id.ok_or_else(|| ApiError::invalid("organization.id is missing"))?.to_owned();
    let name = members.line("name", MAX_LENGTH).map_err(within)?.unwrap_or_else(|| id.clone());
    let role = members.line("role", MAX_ROLE).map_err(within)?;
    Ok(Some(Organization { id, name, role }))
}

/// One that is no language of the hosted page is taken, too: there the browser decides.
fn is_language_tag(text: &str) -> bool {
    let letters = |part: &str, min, max| {
        (min..=max).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_language = |part: &str| letters(part, 2, 3);
    let is_script = |part: &str| letters(part, 4, 4);
    let is_region = |part: &str| {
        letters(part, 2, 2) || (part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [language] => is_language(language),
        [language, part] => is_language(language) && (is_script(part) || is_region(part)),
        [language, script, region] => is_language(language) && is_script(script) && is_region(region),
        _ => false,
    }
}

/// RFC 6749: visible ASCII without quotes and backslashes.
pub(super) fn is_scope(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}
