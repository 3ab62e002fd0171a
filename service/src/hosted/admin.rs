//! `/admin/{link}`: an organization's OAuth clients, for the person that the tenant sent there, to look at, to change and to remove.
//! No secret is on the page: one that is entered goes in, and does not come back.

use axum::extract::State;
use http::{HeaderMap, Method, StatusCode};

use super::browser::Browser;
use super::flow::Refusal;
use super::form::SubmittedForm;
use super::look::Look;
use super::page::Secret;
use super::{callback, setup, view};
use crate::catalogue::{App, FieldError};
use crate::clock::rfc3339;
use crate::hosted::html::{Admin, AdminClient, AdminError, FormTargets, PageResponse};
use crate::language::Message;
use crate::oauth_clients::SecretTrial;
use crate::revocation;
use crate::state::{AppState, Service};
use crate::store::{
    Actor, AdminLink, ClientChange, ClientPlace, ClientSecrets, NewClient, StoreError, StoredClient,
};

/// How many secrets one link tries at a provider: the answers tell whether they are right.
const MAX_TRIALS: i64 = 10;

/// What to say on the page.
#[derive(Default)]
struct Notice {
    /// What was done.
    done: Option<Message>,
    refused: Option<RefusedForm>,
}

/// A form that changed nothing.
struct RefusedForm {
    app_id: String,
    /// What is wrong with it.
    error: FieldError,
    /// The client id that was entered, where one was.
    client_id: Option<String>,
}

/// `GET /admin/{link}`.
pub async fn show(
    State(service): State<AppState>,
    method: Method,
    secret: Secret,
    headers: HeaderMap,
) -> PageResponse {
    let plain = Look::of_browser(&headers);
    if !callback::is_visit(&method, &headers) {
        return view::not_a_visit(&plain);
    }
    let secret = secret.map(|path| path.0).unwrap_or_default();
    let page = open(&service, &plain, &secret, &headers).await;
    page.unwrap_or_else(|error| view::store_failed(&plain, &error))
}

/// `POST /admin/{link}`: one of the page's buttons was pressed.
pub async fn submit(
    State(service): State<AppState>,
    secret: Secret,
    headers: HeaderMap,
    form: SubmittedForm,
) -> PageResponse {
    let secret = secret.map(|path| path.0).unwrap_or_default();
    let plain = Look::of_browser(&headers);
    let page = change(&service, &plain, &secret, &headers, form).await;
    page.unwrap_or_else(|error| view::store_failed(&plain, &error))
}

async fn open(
    service: &Service,
    plain: &Look,
    secret: &str,
    headers: &HeaderMap,
) -> Result<PageResponse, StoreError> {
    let link = match usable_link(service, plain, secret).await? {
        Ok(link) => link,
        Err(page) => return Ok(page),
    };
    let look = &Look::of_tenant(service, &link.owner.tenant, None, headers).await?;
    let browser = Browser::known_or_new(service, headers);
    if !service.store.open_admin_link(&link, browser.secret()).await? {
        return Ok(view::admin_link_taken(look));
    }
    let page = page(service, look, &link, &browser, Notice::default()).await?;
    Ok(page.with_cookies(browser.set_cookie(service)))
}

/// The link of this secret, or the page that says why it cannot be used.
async fn usable_link(
    service: &Service,
    plain: &Look,
    secret: &str,
) -> Result<Result<AdminLink, PageResponse>, StoreError> {
    let Some(link) = service.store.admin_link(secret).await? else {
        return Ok(Err(view::unknown_link(plain)));
    };
    if link.is_expired {
        return Ok(Err(view::admin_link_over(plain)));
    }
    if let Some(seconds) = service.budgets.take_of_link(&link.id).refused_for() {
        return Ok(Err(view::too_often(plain, seconds)));
    }
    Ok(Ok(link))
}

async fn change(
    service: &Service,
    plain: &Look,
    secret: &str,
    headers: &HeaderMap,
    form: SubmittedForm,
) -> Result<PageResponse, StoreError> {
    let link = match usable_link(service, plain, secret).await? {
        Ok(link) => link,
        Err(page) => return Ok(page),
    };
    let look = &Look::of_tenant(service, &link.owner.tenant, None, headers).await?;
    let browser = Browser::known(service, headers);
    let browser = browser.filter(|browser| {
        link.is_opened_by(browser.secret()) && browser.sent_admin_form(&link, &form.csrf_token)
    });
    let Some(browser) = browser else {
        return Ok(view::foreign_form(look));
    };
    let found = form.app_id.as_deref().and_then(|id| service.catalogue.get(id));
    let Some(app) = found else {
        return page(service, look, &link, &browser, Notice::default()).await;
    };
    let place = place(&link, app);
    let Some(current) = service.store.current_client(place).await? else {
        let done = Message::new("client-gone").with("app", &app.name);
        return page(service, look, &link, &browser, Notice { done: Some(done), ..Notice::default() }).await;
    };
    let outcome = match form.action.as_deref() {
        Some("remove") => remove(service, &link, app, &form).await?,
        _ => replace(service, &link, app, &current, &form).await?,
    };
    let notice = match outcome {
        Outcome::Done(done) => Notice { done: Some(done), refused: None },
        Outcome::Refused(error) => {
            let client_id = setup::entered_client_id(&form.values).map(str::to_owned);
            Notice { done: None, refused: Some(RefusedForm { app_id: app.id.clone(), error, client_id }) }
        }
        Outcome::NotTried(refusal) => return Ok(view::refused(look, &refusal)),
    };
    page(service, look, &link, &browser, notice).await
}

/// What became of a form.
enum Outcome {
    /// It was done, as this says.
    Done(Message),
    /// Something is wrong with what was entered.
    Refused(FieldError),
    /// There were too many tries.
    NotTried(Refusal),
}

async fn remove(
    service: &Service,
    link: &AdminLink,
    app: &App,
    form: &SubmittedForm,
) -> Result<Outcome, StoreError> {
    if !is_confirmed(form) {
        return Ok(Outcome::Refused(unconfirmed()));
    }
    let ended = service.store.remove_client(place(link, app), Actor::Customer, &link.owner.customer).await?;
    revocation::end_sessions(service).await?;
    let done = Message::new("client-removed").with("app", &app.name).with("connections", ended.unwrap_or(0));
    Ok(Outcome::Done(done))
}

async fn replace(
    service: &Service,
    link: &AdminLink,
    app: &App,
    current: &StoredClient,
    form: &SubmittedForm,
) -> Result<Outcome, StoreError> {
    let (client_id, client_secret) = match setup::read_client(&form.values) {
        Ok(entered) => entered,
        Err(error) => return Ok(Outcome::Refused(error)),
    };
    let ends = client_id != current.client_id;
    if ends && !is_confirmed(form) {
        return Ok(Outcome::Refused(unconfirmed()));
    }
    let kept = match ends {
        true => ClientSecrets::default(),
        false => service.store.client_secrets(current).await?,
    };
    let new = NewClient {
        place: place(link, app),
        client_id: &client_id,
        secrets: ClientSecrets { client_secret: client_secret.into(), ..kept },
        scopes: current.scopes.clone(),
        sandbox: current.sandbox,
    };
    // A secret that does not work would end the sessions later, one after the other.
    if !ends {
        if !service.store.count_trial(link, MAX_TRIALS).await? {
            return Ok(Outcome::NotTried(Refusal::TooManyAttempts));
        }
        match service.try_secret(app, &new, current).await? {
            SecretTrial::NotRefused => {}
            SecretTrial::OverBudget(seconds) => {
                return Ok(Outcome::NotTried(Refusal::OverBudget(seconds)));
            }
            SecretTrial::Refused => {
                let message = Message::new("client-secret-refused").with("app", &app.name);
                return Ok(Outcome::Refused(setup::secret_error(message)));
            }
        }
    }
    let change = service.store.put_client(&new, Actor::Customer, &link.owner.customer).await?;
    revocation::end_sessions(service).await?;
    let done = match change {
        ClientChange::Updated => Message::new("client-secret-stored"),
        ClientChange::Created | ClientChange::Replaced => Message::new("client-replaced"),
    };
    Ok(Outcome::Done(done.with("app", &app.name)))
}

fn is_confirmed(form: &SubmittedForm) -> bool {
    form.values.get("confirm").is_some_and(|value| value == "yes")
}

fn unconfirmed() -> FieldError {
    FieldError { field: "confirm".to_owned(), message: Message::new("client-unconfirmed") }
}

fn place<'a>(link: &'a AdminLink, app: &'a App) -> ClientPlace<'a> {
    ClientPlace { tenant: &link.owner.tenant, app_id: &app.id, organization: Some(&link.organization.id) }
}

async fn page(
    service: &Service,
    look: &Look,
    link: &AdminLink,
    browser: &Browser,
    notice: Notice,
) -> Result<PageResponse, StoreError> {
    let (tenant, organization) = (&link.owner.tenant, &link.organization);
    let mut clients = Vec::new();
    for stored in service.store.current_clients(tenant, Some(&organization.id)).await? {
        let is_theirs = stored.organization.is_some();
        let Some(app) = service.catalogue.get(&stored.app_id).filter(|_| is_theirs) else { continue };
        let refused = notice.refused.as_ref().filter(|refused| refused.app_id == app.id);
        // What is no email is the id of a key, which tells nobody of the organization anything.
        let is_email = stored.set_by.contains('@') || stored.set_by.is_empty();
        clients.push(AdminClient {
            app,
            connections: service.store.connections_of_client(place(link, app)).await?,
            redirect_uri: service.redirect_uri(&app.id),
            set_at: rfc3339(stored.updated_at).get(..10).unwrap_or_default().to_owned(),
            client_id: refused.and_then(|refused| refused.client_id.clone()).unwrap_or(stored.client_id),
            set_by: if is_email { stored.set_by } else { link.tenant_name.clone() },
            error: refused.map(|refused| AdminError {
                field: &refused.error.field,
                message: look.language.say(&refused.error.message),
            }),
        });
    }
    clients.sort_by_key(|client| client.app.name.to_lowercase());
    let status = if notice.refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let done = notice.done.as_ref().map(|done| look.language.say(done));
    let page = Admin {
        look,
        tenant: &link.tenant_name,
        organization: &organization.name,
        csrf_token: &browser.admin_csrf_token(link),
        done: done.as_deref(),
        clients: &clients,
    };
    Ok(PageResponse::new(status, &page, look, &FormTargets::default()))
}
