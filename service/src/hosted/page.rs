//! The hosted page and its form.

use std::collections::HashMap;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use http::HeaderMap;

use super::browser::Browser;
use super::flow::{self, Accepted, Refusal};
use super::form::SubmittedForm;
use super::setup;
use super::view::{self, Form};
use crate::catalogue::Inputs;
use crate::hosted::html::PageResponse;
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
    show_page(&service, &secret, &params, &headers).await.unwrap_or_else(|error| view::store_failed(&error))
}

/// `POST /connect/{link}`: one of the page's buttons was pressed.
pub async fn submit(
    State(service): State<AppState>,
    secret: Secret,
    headers: HeaderMap,
    form: SubmittedForm,
) -> PageResponse {
    let secret = secret.map(|Path(secret)| secret).unwrap_or_default();
    submit_page(&service, &secret, &headers, form).await.unwrap_or_else(|error| view::store_failed(&error))
}

async fn show_page(
    service: &Service,
    secret: &str,
    params: &HashMap<String, String>,
    headers: &HeaderMap,
) -> Result<PageResponse, StoreError> {
    let Some(link) = find(service, secret).await? else {
        return Ok(view::unknown_link());
    };
    if link.status != Status::Pending {
        return Ok(view::ended(service, &link));
    }
    if link.awaits_confirmation() {
        return Ok(awaiting(service, &link, Browser::known(service, headers).as_ref()));
    }
    if let Some(seconds) = service.budgets.take_of_link(&link.id).refused_for() {
        return Ok(view::too_often(seconds));
    }
    if link.phase == Phase::Created {
        service.store.set_phase(&link, Phase::Form).await?;
    }
    let browser = Browser::known_or_new(service, headers);
    let clients = flow::clients(service, &link).await?;
    let page = open_page(&clients, &link, params, &browser).await?;
    Ok(match browser.set_cookie(service) {
        Some(cookie) => page.with_cookie(cookie),
        None => page,
    })
}

/// The page of a link that is open.
async fn open_page(
    clients: &Clients<'_>,
    link: &Link,
    params: &HashMap<String, String>,
    browser: &Browser,
) -> Result<PageResponse, StoreError> {
    let param = |name: &str| params.get(name).map(String::as_str);
    let apps = flow::apps(clients, link);
    if apps.len() > 1 && param("app").is_none_or(|id| apps.iter().all(|app| app.id != id)) {
        return Ok(view::picker(link, &apps, &browser.csrf_token(link)));
    }
    let choice = flow::choose(clients, link, param("app"), param("option"))
        .or_else(|_| flow::choose(clients, link, param("app"), None))
        .or_else(|_| flow::choose(clients, link, None, None));
    let choice = match choice {
        Ok(choice) => choice,
        Err(refusal) => return Ok(view::refused(&refusal)),
    };
    let setup = setup::of(clients, link, choice).await?;
    // Also where the customer consented in the product's own form, unless the product's page sent the browser: see
    // `authorize`.
    let none = Inputs::new();
    let entered = link.inputs.as_ref().unwrap_or(&none);
    let form = Form { csrf_token: &browser.csrf_token(link), entered, errors: &[] };
    Ok(view::connect(clients, link, choice, setup.as_ref(), form).await)
}

async fn submit_page(
    service: &Service,
    secret: &str,
    headers: &HeaderMap,
    form: SubmittedForm,
) -> Result<PageResponse, StoreError> {
    let Some(link) = find(service, secret).await? else {
        return Ok(view::unknown_link());
    };
    let browser = Browser::known(service, headers).filter(|browser| browser.sent(&link, &form.csrf_token));
    let Some(browser) = browser else {
        return Ok(view::foreign_form());
    };
    if link.status != Status::Pending {
        return Ok(view::finished(service, &link, None, link.status, None));
    }
    if link.awaits_confirmation() {
        return Ok(awaiting(service, &link, Some(&browser)));
    }
    if let Some(seconds) = service.budgets.take_of_link(&link.id).refused_for() {
        return Ok(view::too_often(seconds));
    }
    match form.action.as_deref() {
        Some("decline") => decline(service, &link).await,
        Some("connect") | None => match connect(service, &link, &browser, &form).await {
            Err(Refusal::Failed(error)) => Err(error),
            Err(refusal) => Ok(view::refused(&refusal)),
            Ok(page) => Ok(page),
        },
        Some(_) => Ok(view::refused(&Refusal::UnknownChoice)),
    }
}

/// The customer consented, and the tenant has yet to confirm it: the browser that consented carries the code there. All
/// others are told no more than that.
pub(super) fn awaiting(service: &Service, link: &Link, browser: Option<&Browser>) -> PageResponse {
    let browser = browser.filter(|browser| browser.consented(link));
    let code = browser.map(|browser| browser.confirmation_code(link));
    view::awaiting(service, link, code.as_deref())
}

async fn decline(service: &Service, link: &Link) -> Result<PageResponse, StoreError> {
    if service.store.decline_link(link, None).await? {
        return Ok(view::finished(service, link, None, Status::Rejected, None));
    }
    let link = flow::current(service, link).await?;
    Ok(view::finished(service, &link, None, link.status, None))
}

async fn connect(
    service: &Service,
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
                awaiting(service, &link, Some(browser))
            } else {
                view::finished(service, &link, None, link.status, None)
            })
        }
        Ok(Accepted::Stored) => Ok(view::finished(service, link, Some(choice.app), Status::Active, None)),
        Ok(Accepted::LinkEnded) => {
            let link = flow::current(service, link).await?;
            Ok(view::finished(service, &link, None, link.status, None))
        }
        Ok(Accepted::Consent { inputs, entered }) => {
            let entered = entered.as_deref();
            let url = flow::begin(&clients, link, choice, &inputs, browser.secret(), entered).await?;
            Ok(PageResponse::redirect(url.as_str()))
        }
        Err(Refusal::Invalid(errors)) => {
            let csrf_token = browser.csrf_token(link);
            let setup = setup::of(&clients, link, choice).await?;
            let form = Form { csrf_token: &csrf_token, entered: &form.values, errors: &errors };
            Ok(view::connect(&clients, link, choice, setup.as_ref(), form).await)
        }
        Err(Refusal::ClientTaken) => {
            let secret = browser.handover_secret(link);
            let again = flow::hand_over(service, link, choice, &Inputs::new(), &secret).await?;
            Ok(view::client_taken(link, choice.app, again.as_deref()))
        }
        Err(refusal) => Err(refusal),
    }
}

/// The link with this secret. What is no secret finds none.
pub(super) async fn find(service: &Service, secret: &str) -> Result<Option<Link>, StoreError> {
    service.store.link_by_secret(secret).await
}
