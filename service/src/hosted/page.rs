//! The hosted page and its form.

use std::collections::HashMap;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use http::HeaderMap;

use super::browser::Browser;
use super::flow::{self, Accepted, Refusal};
use super::form::SubmittedForm;
use super::look::Look;
use super::setup;
use super::view::{self, Form};
use crate::catalogue::Inputs;
use crate::hosted::html::{PageResponse, Secrets};
use crate::oauth_clients::Clients;
use crate::state::{AppState, Service};
use crate::store::{Link, Phase, Status, StoreError};

pub(super) type Params = Result<Query<HashMap<String, String>>, QueryRejection>;
pub(super) type Secret = Result<Path<String>, PathRejection>;

/// `GET /connect/{link}`: the picker, the consent, or how it ended.
pub async fn show(
    State(service): State<AppState>,
    secret: Secret,
    params: Params,
    headers: HeaderMap,
) -> PageResponse {
    let secret = secret.map(|Path(secret)| secret).unwrap_or_default();
    let params = params.map(|Query(params)| params).unwrap_or_default();
    let plain = Look::of_browser(&headers);
    let page = show_page(&service, &plain, &secret, &params, &headers).await;
    page.unwrap_or_else(|error| view::store_failed(&plain, &error))
}

/// `POST /connect/{link}`: one of the page's buttons was pressed.
pub async fn submit(
    State(service): State<AppState>,
    secret: Secret,
    headers: HeaderMap,
    form: SubmittedForm,
) -> PageResponse {
    let secret = secret.map(|Path(secret)| secret).unwrap_or_default();
    let plain = Look::of_browser(&headers);
    let page = submit_page(&service, &plain, &secret, &headers, form).await;
    page.unwrap_or_else(|error| view::store_failed(&plain, &error))
}

async fn show_page(
    service: &Service,
    plain: &Look,
    secret: &str,
    params: &HashMap<String, String>,
    headers: &HeaderMap,
) -> Result<PageResponse, StoreError> {
    let Some(link) = find(service, secret).await? else {
        return Ok(view::unknown_link(plain));
    };
    let look = Look::of_link(service, &link, headers).await?;
    if link.status != Status::Pending {
        return Ok(view::ended(service, &look, &link));
    }
    if link.awaits_confirmation() {
        return Ok(awaiting(service, &look, &link, Browser::known(service, headers).as_ref()));
    }
    if let Some(seconds) = service.budgets.take_of_link(&link.id).refused_for() {
        return Ok(view::too_often(&look, seconds));
    }
    if link.phase == Phase::Created {
        service.store.set_phase(&link, Phase::Form).await?;
    }
    let browser = Browser::known_or_new(service, headers);
    let clients = flow::clients(service, &link).await?;
    let page = open_page(&clients, &look, &link, params, &browser).await?;
    Ok(page.with_cookies(browser.set_cookie(service)))
}

/// The page of a link that is open.
async fn open_page(
    clients: &Clients<'_>,
    look: &Look,
    link: &Link,
    params: &HashMap<String, String>,
    browser: &Browser,
) -> Result<PageResponse, StoreError> {
    let param = |name: &str| params.get(name).map(String::as_str);
    let apps = flow::apps(clients, link);
    if apps.len() > 1 && param("app").is_none_or(|id| apps.iter().all(|app| app.id != id)) {
        let now = clients.service.clock.now();
        return Ok(view::picker(look, now, link, &apps, param("q"), &browser.csrf_token(link)));
    }
    let choice = flow::choose(clients, link, param("app"), param("option"))
        .or_else(|_| flow::choose(clients, link, param("app"), None))
        .or_else(|_| flow::choose(clients, link, None, None));
    let choice = match choice {
        Ok(choice) => choice,
        Err(refusal) => return Ok(view::refused(look, &refusal)),
    };
    let setup = setup::of(clients, link, choice).await?;
    // Also where the customer consented in the product's own form, unless the product's page sent the browser: see
    // `authorize`.
    let none = Inputs::new();
    let entered = link.inputs.as_ref().unwrap_or(&none);
    let csrf_token = browser.csrf_token(link);
    let form = Form { csrf_token: &csrf_token, entered, errors: &[], secrets: Secrets::Empty };
    Ok(view::connect(look, clients, link, choice, setup.as_ref(), form).await)
}

async fn submit_page(
    service: &Service,
    plain: &Look,
    secret: &str,
    headers: &HeaderMap,
    form: SubmittedForm,
) -> Result<PageResponse, StoreError> {
    let Some(link) = find(service, secret).await? else {
        return Ok(view::unknown_link(plain));
    };
    let look = Look::of_link(service, &link, headers).await?;
    let browser = Browser::known(service, headers).filter(|browser| browser.sent(&link, &form.csrf_token));
    let Some(browser) = browser else {
        return Ok(view::foreign_form(&look));
    };
    if link.status != Status::Pending {
        return view::finished(service, &look, &link, None, link.status, None).await;
    }
    if link.awaits_confirmation() {
        return Ok(awaiting(service, &look, &link, Some(&browser)));
    }
    if let Some(seconds) = service.budgets.take_of_link(&link.id).refused_for() {
        return Ok(view::too_often(&look, seconds));
    }
    let page = match form.action.as_deref() {
        Some("decline") => return decline(service, &look, &link).await,
        Some("show") => with_secrets(service, &look, &link, &browser, &form, Secrets::Shown).await,
        Some("hide") => with_secrets(service, &look, &link, &browser, &form, Secrets::Hidden).await,
        Some("connect") | None => connect(service, &look, &link, &browser, &form).await,
        Some(_) => Err(Refusal::UnknownChoice),
    };
    match page {
        Err(Refusal::Failed(error)) => Err(error),
        Err(refusal) => Ok(view::refused(&look, &refusal)),
        Ok(page) => Ok(page),
    }
}

/// The form once more, with the secrets that were entered: there is no script that could show them. They come in the body of
/// a request and go out in a page that nobody keeps; nothing is stored or tried.
async fn with_secrets(
    service: &Service,
    look: &Look,
    link: &Link,
    browser: &Browser,
    form: &SubmittedForm,
    secrets: Secrets,
) -> Result<PageResponse, Refusal> {
    let clients = flow::clients(service, link).await?;
    let choice = flow::choose(&clients, link, form.app_id.as_deref(), form.auth_option_key.as_deref())?;
    let setup = setup::of(&clients, link, choice).await?;
    let csrf_token = browser.csrf_token(link);
    let form = Form { csrf_token: &csrf_token, entered: &form.values, errors: &[], secrets };
    Ok(view::connect(look, &clients, link, choice, setup.as_ref(), form).await)
}

/// The customer consented, and the tenant has yet to confirm it: the browser that consented carries the code there. All
/// others are told no more than that.
pub(super) fn awaiting(
    service: &Service,
    look: &Look,
    link: &Link,
    browser: Option<&Browser>,
) -> PageResponse {
    let browser = browser.filter(|browser| browser.consented(link));
    let code = browser.map(|browser| browser.confirmation_code(link));
    view::awaiting(service, look, link, code.as_deref())
}

async fn decline(service: &Service, look: &Look, link: &Link) -> Result<PageResponse, StoreError> {
    if service.store.decline_link(link, None).await? {
        return view::finished(service, look, link, None, Status::Rejected, None).await;
    }
    let link = flow::current(service, link).await?;
    view::finished(service, look, &link, None, link.status, None).await
}

async fn connect(
    service: &Service,
    look: &Look,
    link: &Link,
    browser: &Browser,
    form: &SubmittedForm,
) -> Result<PageResponse, Refusal> {
    let clients = flow::clients(service, link).await?;
    let choice = flow::choose(&clients, link, form.app_id.as_deref(), form.auth_option_key.as_deref())?;
    match flow::submit(&clients, link, choice, &form.values, Some(browser)).await {
        Ok(Accepted::Held) => {
            let link = flow::current(service, link).await?;
            Ok(if link.awaits_confirmation() {
                awaiting(service, look, &link, Some(browser))
            } else {
                view::finished(service, look, &link, None, link.status, None).await?
            })
        }
        Ok(Accepted::Stored) => {
            Ok(view::finished(service, look, link, Some(choice.app), Status::Active, None).await?)
        }
        Ok(Accepted::LinkEnded) => {
            let link = flow::current(service, link).await?;
            Ok(view::finished(service, look, &link, None, link.status, None).await?)
        }
        Ok(Accepted::Consent { inputs, entered }) => {
            let entered = entered.as_deref();
            let url = flow::begin(&clients, link, choice, &inputs, browser.secret(), entered).await?;
            Ok(PageResponse::redirect(url.as_str()))
        }
        Err(Refusal::Invalid(errors)) => {
            let csrf_token = browser.csrf_token(link);
            let setup = setup::of(&clients, link, choice).await?;
            let (entered, secrets) = (&form.values, Secrets::Empty);
            let form = Form { csrf_token: &csrf_token, entered, errors: &errors, secrets };
            Ok(view::connect(look, &clients, link, choice, setup.as_ref(), form).await)
        }
        Err(Refusal::ClientTaken) => {
            let secret = browser.handover_secret(link);
            let again = flow::hand_over(service, link, choice, &Inputs::new(), &secret).await?;
            Ok(view::client_taken(look, link, choice.app, again.as_deref()))
        }
        Err(refusal) => Err(refusal),
    }
}

/// The link with this secret. What is no secret finds none.
pub(super) async fn find(service: &Service, secret: &str) -> Result<Option<Link>, StoreError> {
    service.store.link_by_secret(secret).await
}
