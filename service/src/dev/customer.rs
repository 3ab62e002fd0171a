//! Plays a customer and their browser: opens a link, fills in the hosted page, consents. Everything goes over HTTP, as
//! it does in production, but for the click on the provider's page.

use http::StatusCode;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{RequestBuilder, Response};
use url::{Url, form_urlencoded};

use super::control::{Control, ControlError};
use crate::catalogue::{AuthOption, Field, Format};
use crate::store::{Link, Status};

/// What became of a customer's visit.
pub(super) struct Visit {
    /// The link as it is then.
    pub(super) link: Link,
    /// The connection's status, which a link that was declined need not change.
    pub(super) status: Status,
    /// Where the customer's browser is sent in the end: the product's `return_url` with what the service adds to it.
    pub(super) return_url: Option<Url>,
}

/// Connects, or declines.
pub(super) async fn connect(
    control: &Control,
    request_link: &str,
    allow: bool,
) -> Result<Visit, ControlError> {
    let service = &control.service;
    let prefix = format!("{}/connect/", service.base_url());
    // What follows is for front ends: whether the link leads back.
    let address = request_link.split_once('?').map_or(request_link, |(address, _)| address);
    let secret = address.strip_prefix(&prefix).unwrap_or_default();
    let store = &service.store;
    if store.link_by_secret(secret).await?.is_none() {
        return Err(refused("This is no request link of this instance"));
    }

    let mut page = Page::open(control, address).await?;
    if page.hidden("app_id").is_none() {
        // The picker: the first app is as good as any.
        let first = page.between("href=\"?app=", "\"").map(str::to_owned);
        let first = first.ok_or_else(|| refused(&page.problem()))?;
        page = Page::open(control, &format!("{address}?app={first}")).await?;
    }
    let (app, key) = (page.hidden("app_id"), page.hidden("auth_option_key"));
    let app = app.and_then(|id| service.catalogue.get(id));
    let option = app.zip(key).and_then(|(app, key)| app.auth_option(key));
    let option = option.ok_or_else(|| refused(&page.problem()))?;

    let decline_here = !allow && option.oauth.is_none();
    let form = page.filled(option, if decline_here { "decline" } else { "connect" });
    let request = control.http.post(address).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let next = send(request.header(COOKIE, &page.cookie).body(form)).await?;
    let mut return_url = None;
    match location(&next) {
        Some(url) if option.oauth.is_some() => {
            let callback = control.provider.consent(&url, allow).map_err(refused)?;
            let request = control.http.get(callback.clone()).header(COOKIE, &page.cookie);
            let result = location(&send(request).await?).and_then(|url| callback.join(url.as_str()).ok());
            if let Some(result) = result {
                // Not what comes after it: that page is the product's own.
                return_url = location(&send(control.http.get(result).header(COOKIE, &page.cookie)).await?);
            }
        }
        _ if !next.status().is_success() && !next.status().is_redirection() => {
            return Err(refused(&format!("The hosted page answered {}", next.status().as_u16())));
        }
        url => return_url = url,
    }
    let deleted = || refused("The connection was deleted meanwhile");
    let link = store.link_by_secret(secret).await?.ok_or_else(deleted)?;
    let connection = store.connection(&link.owner, &link.connection_id).await?.ok_or_else(deleted)?;
    Ok(Visit { link, status: connection.status, return_url })
}

/// The hosted page as this browser has it.
struct Page {
    html: String,
    cookie: String,
}

impl Page {
    async fn open(control: &Control, url: &str) -> Result<Self, ControlError> {
        let response = send(control.http.get(url)).await?;
        let cookie = response.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default();
        let cookie = cookie.to_owned();
        let html = response.text().await.map_err(|error| unreachable(&error))?;
        Ok(Self { html, cookie })
    }

    /// A hidden input. Those of the hosted page need no unescaping.
    fn hidden(&self, name: &str) -> Option<&str> {
        self.between(&format!("name=\"{name}\" value=\""), "\"")
    }

    fn between(&self, start: &str, end: &str) -> Option<&str> {
        let (_, rest) = self.html.split_once(start)?;
        rest.split_once(end).map(|(found, _)| found)
    }

    /// What the page says instead of showing a form.
    fn problem(&self) -> String {
        let title = self.between("<h1>", "</h1>").unwrap_or("It is no hosted page");
        format!("The hosted page says: {title}")
    }

    fn filled(&self, option: &AuthOption, action: &str) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for name in ["csrf_token", "app_id", "auth_option_key"] {
            form.append_pair(name, self.hidden(name).unwrap_or_default());
        }
        form.append_pair("action", action);
        for field in &option.input.fields {
            form.append_pair(&field.name, &sample(field));
        }
        form.finish()
    }
}

/// A value that the field takes.
fn sample(field: &Field) -> String {
    let default = field.default.as_deref().or(field.choices.first().map(|choice| choice.value.as_str()));
    let default = default.or(field.example.as_deref());
    match (default, field.format) {
        (Some(value), _) => value.to_owned(),
        (None, Format::Uri) => "https://api.example.com".to_owned(),
        (None, Format::Subdomain | Format::Segment) => "example".to_owned(),
        (None, Format::Host) => {
            format!("dev{}", field.suffixes.first().map_or(".example.com", String::as_str))
        }
        (None, Format::Uuid) => "00000000-0000-4000-8000-000000000000".to_owned(),
        (None, Format::Email) => "dev@example.com".to_owned(),
        (None, Format::Text | Format::Password | Format::PrivateKey) => {
            format!("dev-{}", field.name).chars().take(field.max_length).collect()
        }
    }
}

async fn send(request: RequestBuilder) -> Result<Response, ControlError> {
    request.send().await.map_err(|error| unreachable(&error))
}

fn location(response: &Response) -> Option<Url> {
    let value = response.headers().get(LOCATION)?.to_str().ok()?;
    response.url().join(value).ok()
}

fn refused(message: &str) -> ControlError {
    ControlError::new(StatusCode::CONFLICT, message)
}

/// The address is left out, for it may be a secret.
fn unreachable(error: &reqwest::Error) -> ControlError {
    let cause = if error.is_connect() { "cannot be reached" } else { "did not answer" };
    ControlError::new(StatusCode::BAD_GATEWAY, format!("The service {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    /// For every app, what is filled in is accepted.
    #[test]
    fn every_form_takes_the_sample_values() {
        for app in Catalogue::load(None).unwrap().search("") {
            for option in &app.auth_options {
                let fields = &option.input.fields;
                let values = fields.iter().map(|field| (field.name.clone(), sample(field)));
                let problem = option.input.validate(&values.collect());
                assert!(problem.is_ok(), "{}: {problem:?}", app.id);
            }
        }
    }
}
