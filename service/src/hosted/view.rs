//! Which page says what: from links and refusals to pages.

use http::StatusCode;
use serde_json::json;
use url::Url;

use super::flow::{self, Choice, MAX_ACCOUNT_NAME, Refusal};
use super::look::Look;
use super::setup::{self, ClientSetup};
use crate::catalogue::{App, AuthOption, FieldError, Inputs};
use crate::clock::Millis;
use crate::email;
use crate::hosted::html::{
    Connect, FieldView, FormTargets, NextAction, Outcome, PageResponse, Picker, Product, Secrets, Severity,
};
use crate::language::{Language, Message};
use crate::oauth_clients::{ClientSource, Clients};
use crate::state::Service;
use crate::store::{Link, LinkError, Operation, Status, StoreError};

/// From so many apps on, the picker has a search.
const APPS_TO_SEARCH: usize = 8;

/// Which of these apps?
pub(super) fn picker(
    look: &Look,
    now: Millis,
    link: &Link,
    apps: &[&App],
    search: Option<&str>,
    csrf_token: &str,
) -> PageResponse {
    let search = search.map(str::trim).unwrap_or_default();
    let wanted = search.to_lowercase();
    let found: Vec<&App> = apps.iter().copied().filter(|app| app.matches(&wanted)).collect();
    let page = Picker {
        look,
        product: product(link),
        is_filtered: found.len() < apps.len(),
        apps: &found,
        search: (apps.len() >= APPS_TO_SEARCH).then_some(search),
        csrf_token,
        expires: &expires(look, now, link),
    };
    PageResponse::new(StatusCode::OK, &page, look, &form_targets(link))
}

/// A form, as it is shown.
pub(super) struct Form<'a> {
    /// Proves that it came from this page in this browser.
    pub(super) csrf_token: &'a str,
    /// What was entered before.
    pub(super) entered: &'a Inputs,
    /// What was wrong with it.
    pub(super) errors: &'a [FieldError],
    /// What becomes of the secrets among it.
    pub(super) secrets: Secrets,
}

/// Consent, with what was entered before and what was wrong with it.
pub(super) async fn connect(
    look: &Look,
    clients: &Clients<'_>,
    link: &Link,
    choice: Choice<'_>,
    setup: Option<&ClientSetup>,
    Form { csrf_token, entered, errors, secrets }: Form<'_>,
) -> PageResponse {
    let app = choice.app;
    if let Some(setup) = setup.filter(|setup| !setup.allowed) {
        return admin_required(look, &setup.organization.name, app);
    }
    let form = setup.map(|setup| setup::form(choice.option, setup));
    let option = form.as_ref().unwrap_or(choice.option);
    let entered_before = setup.map(|setup| setup::entered_before(entered, setup));
    let entered = entered_before.as_ref().unwrap_or(entered);
    // Before the form is filled in, the defaults show where the way leads.
    let inputs = choice.option.input.preview(entered);
    let endpoint = match setup {
        Some(_) => flow::endpoint(&clients.addresses(app), link, choice, &inputs).ok(),
        None => {
            let current = clients.current(app).await.ok().flatten();
            current.and_then(|current| flow::endpoint(&current.client, link, choice, &inputs).ok())
        }
    };
    let is_organizations = clients.source(app) == Some(ClientSource::Organization) && option.oauth.is_some();
    let organization = link.options.organization.as_ref().filter(|_| is_organizations);
    let address = endpoint.as_ref().map(|endpoint| endpoint.authorization_url());
    let mut targets = form_targets(link);
    if option.oauth.is_some() {
        targets.provider(address);
    }
    // What is about to be entered can lead to another host.
    let host = address.and_then(Url::host_str).filter(|_| choice.option.input.is_empty());
    let options = flow::usable_options(clients, link, app);
    let others: Vec<_> = options.into_iter().filter(|other| other.key != option.key).collect();
    let customer_ascii = email::ascii_form(&link.owner.customer);
    let (title, verb) = match link.operation {
        Operation::Creation => ("connect-title", "connect"),
        Operation::Reauth => ("reconnect-title", "reconnect"),
    };
    let scopes = endpoint.as_ref().map(|endpoint| endpoint.scopes()).unwrap_or_default();
    let problem = setup.and(link.last_error).map(|error| look.language.say(&error.message_for_customer()));
    let page = Connect {
        look,
        title: &look.text(title).with("app", &app.name).to_string(),
        product: product(link),
        app,
        option,
        setup,
        problem: problem.as_deref(),
        client_of: organization.map(|organization| organization.name.as_str()),
        others: &others,
        verb: &look.text(verb).to_string(),
        name: &link.name,
        customer: &link.owner.customer,
        customer_ascii: customer_ascii.as_deref(),
        provider: option.oauth.as_ref().map(|_| host.unwrap_or(&app.name)),
        permissions: &permissions(look.language, option, scopes),
        scopes,
        fields: &FieldView::all(look.language, option, entered, errors, secrets),
        errors,
        has_secret: option.input.fields.iter().any(|field| field.is_secret()),
        show_secrets: secrets == Secrets::Shown,
        can_go_back: flow::apps(clients, link).len() > 1,
        csrf_token,
        expires: &expires(look, clients.service.clock.now(), link),
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    PageResponse::new(status, &page, look, &targets)
}

/// What scopes let a product do, in plain words, as far as the catalogue has them: none at all where it has none, else
/// each scope without words stands as it is, so that nothing is left out.
pub(super) fn permissions(language: Language, option: &AuthOption, scopes: &[String]) -> Vec<String> {
    let words = |scope: &String| option.oauth.as_ref()?.scope_texts.get(scope);
    if scopes.iter().all(|scope| words(scope).is_none()) {
        return Vec::new();
    }
    let mut permissions = Vec::new();
    for scope in scopes {
        let permission = match words(scope) {
            Some(key) if Language::english().has(key) => language.say(&Message::new(key.clone())),
            Some(text) => text.clone(),
            None => scope.clone(),
        };
        if !permissions.contains(&permission) {
            permissions.push(permission);
        }
    }
    permissions
}

/// A link has just ended: back to the product, or a page that says so.
/// `reason` is what the provider said where it declined.
pub(super) async fn finished(
    service: &Service,
    look: &Look,
    link: &Link,
    app: Option<&App>,
    status: Status,
    reason: Option<&str>,
) -> Result<PageResponse, StoreError> {
    if let Some(url) = result_url(link, status).filter(|_| status != Status::Expired) {
        return Ok(PageResponse::redirect(url.as_str()));
    }
    // With `confirm`, the tenant decides whose it is; until it knows, the page does not say whose it could be.
    let mut account = None;
    if status == Status::Active && !link.options.confirm {
        let connection = service.store.connection(&link.owner, &link.connection_id).await?;
        account = connection.and_then(|found| found.details.account?.name(MAX_ACCOUNT_NAME));
    }
    Ok(result_page(service, look, link, Ending { app, status, reason, account: account.as_deref() }))
}

/// The tenant has yet to confirm what the customer consented to. With the code this is the browser that consented, which
/// carries it there.
pub(super) fn awaiting(service: &Service, look: &Look, link: &Link, code: Option<&str>) -> PageResponse {
    if let (Some(code), Some(mut url)) = (code, result_url(link, link.status)) {
        url.query_pairs_mut().append_pair("confirmation_code", code);
        return PageResponse::redirect(url.as_str());
    }
    let app = link.app_id.as_ref().and_then(|id| service.catalogue.get(id)).map(AsRef::as_ref);
    let title = Message::new("awaiting-title").with_message("app", name_of(app));
    let text = Message::new("awaiting-text").with("product", product(link).name());
    Page { tenant: Some(&link.tenant_name), ..Page::new(Severity::Late, title, text) }
        .show(look, StatusCode::OK)
}

/// A link ended some time ago.
pub(super) fn ended(service: &Service, look: &Look, link: &Link) -> PageResponse {
    result_page(service, look, link, Ending { app: None, status: link.status, reason: None, account: None })
}

/// How a link ended.
struct Ending<'a> {
    app: Option<&'a App>,
    status: Status,
    reason: Option<&'a str>,
    account: Option<&'a str>,
}

fn result_page(service: &Service, look: &Look, link: &Link, ending: Ending<'_>) -> PageResponse {
    let Ending { app, status, reason, account } = ending;
    let app = app.or_else(|| service.catalogue.get(link.app_id.as_ref()?).map(AsRef::as_ref));
    let product = product(link).name();
    let titled = |key: &'static str| Message::new(key).with_message("app", name_of(app));
    let text = |key: &'static str| Message::new(key).with("product", product);
    let (code, severity, title, text) = match (status, reason) {
        (Status::Active | Status::Pending, _) => {
            (StatusCode::OK, Severity::Good, titled("connected-title"), text("connected-text"))
        }
        (Status::Rejected, None) => {
            (StatusCode::OK, Severity::Bad, titled("declined-title"), text("declined-text"))
        }
        (Status::Rejected, Some(reason)) => {
            let text = text("declined-reason-text").with_message("app", name_of(app)).with("reason", reason);
            (StatusCode::OK, Severity::Bad, titled("declined-title"), text)
        }
        (Status::Expired, _) => {
            (StatusCode::GONE, Severity::Late, Message::new("link-expired-title"), text("link-expired-text"))
        }
    };
    let back = result_url(link, status);
    let next = back.as_ref().map(|url| (url.as_str(), "go-back"));
    Page { tenant: Some(&link.tenant_name), account, next, ..Page::new(severity, title, text) }
        .show(look, code)
}

/// The provider did not play along; `again` is where to start over.
pub(super) fn provider_failed(look: &Look, app: &App, again: Option<&str>) -> PageResponse {
    let title = Message::new("provider-failed-title").with("app", &app.name);
    let text = Message::new("provider-failed-text").with("app", &app.name);
    Page { next: again.map(try_again), ..Page::new(Severity::Bad, title, text) }
        .show(look, StatusCode::BAD_GATEWAY)
}

/// The customer chose another account than the one that the connection is for; `again` is where to choose anew.
pub(super) fn other_account(look: &Look, app: &App, problem: Message, again: Option<&str>) -> PageResponse {
    let title = Message::new("other-account-title").with("app", &app.name);
    let text = Message::new("other-account-text").with_message("problem", problem);
    Page { next: again.map(try_again), ..Page::new(Severity::Bad, title, text) }
        .show(look, StatusCode::CONFLICT)
}

/// Why a form was refused, where the form itself cannot say it.
pub(super) fn refused(look: &Look, refusal: &Refusal) -> PageResponse {
    let (status, title, text) = match refusal {
        Refusal::UnknownChoice | Refusal::Invalid(_) => {
            (StatusCode::BAD_REQUEST, "something-missing-title", "something-missing-text")
        }
        Refusal::TooManyAttempts => {
            (StatusCode::TOO_MANY_REQUESTS, "too-many-attempts-title", "too-many-attempts-text")
        }
        Refusal::OverBudget(seconds) => return too_often(look, *seconds),
        Refusal::Incomplete => (StatusCode::BAD_GATEWAY, "incomplete-title", "incomplete-text"),
        Refusal::AdminRequired => (StatusCode::FORBIDDEN, "not-set-up-title", "not-set-up-text"),
        Refusal::HostedPageOnly | Refusal::NotConfigured | Refusal::ClientTaken => {
            (StatusCode::CONFLICT, "not-available-title", "not-available-text")
        }
        Refusal::Failed(error) => return store_failed(look, error),
    };
    bad(look, status, title, text)
}

/// The organization's OAuth client is missing, and somebody else has to enter it.
fn admin_required(look: &Look, organization: &str, app: &App) -> PageResponse {
    let title = Message::new("admin-first-title").with("app", &app.name);
    let text = Message::new("admin-first-text").with("organization", organization).with("app", &app.name);
    Page::new(Severity::Late, title, text).show(look, StatusCode::FORBIDDEN)
}

/// Somebody else of the organization was first.
pub(super) fn client_taken(look: &Look, link: &Link, app: &App, again: Option<&str>) -> PageResponse {
    let text = Message::new("client-taken-text")
        .with_message("organization", organization(link))
        .with("app", &app.name);
    let next = again.map(|url| (url, "go-on"));
    Page { next, ..Page::new(Severity::Late, Message::new("client-taken-title"), text) }
        .show(look, StatusCode::CONFLICT)
}

/// The first authorization with the client that this browser entered has succeeded.
pub(super) fn client_stored(look: &Look, link: &Link, app: &App) -> PageResponse {
    let title = Message::new("connected-title").with("app", &app.name);
    let text = Message::new("client-stored-text")
        .with_message("organization", organization(link))
        .with("product", product(link).name());
    Page { tenant: Some(&link.tenant_name), ..Page::new(Severity::Good, title, text) }
        .show(look, StatusCode::OK)
}

/// The time of a way to the clients is over.
pub(super) fn admin_link_over(look: &Look) -> PageResponse {
    bad(look, StatusCode::GONE, "link-expired-title", "admin-link-expired-text")
}

/// Another browser was there first.
pub(super) fn admin_link_taken(look: &Look) -> PageResponse {
    bad(look, StatusCode::FORBIDDEN, "admin-link-taken-title", "admin-link-taken-text")
}

/// There is no such link.
pub(super) fn unknown_link(look: &Look) -> PageResponse {
    bad(look, StatusCode::NOT_FOUND, "unknown-link-title", "unknown-link-text")
}

/// The link's budget is used up for so many seconds.
pub(super) fn too_often(look: &Look, seconds: u64) -> PageResponse {
    bad(look, StatusCode::TOO_MANY_REQUESTS, "too-many-attempts-title", "too-often-text").retry_after(seconds)
}

/// The form came from elsewhere.
pub(super) fn foreign_form(look: &Look) -> PageResponse {
    bad(look, StatusCode::FORBIDDEN, "foreign-form-title", "foreign-form-text")
}

/// The way back from a provider that nobody here is waiting for.
pub(super) fn unknown_sign_in(look: &Look) -> PageResponse {
    bad(look, StatusCode::BAD_REQUEST, "unknown-sign-in-title", "unknown-sign-in-text")
}

/// Fetched in advance, or by a program.
pub(super) fn not_a_visit(look: &Look) -> PageResponse {
    bad(look, StatusCode::FORBIDDEN, "not-a-visit-title", "not-a-visit-text")
}

/// The code is being redeemed; the page asks again by itself.
pub(super) fn under_way(look: &Look) -> PageResponse {
    let (title, text) = (Message::new("under-way-title"), Message::new("under-way-text"));
    Page::new(Severity::Late, title, text).show(look, StatusCode::OK).reload_after(1)
}

/// The service failed.
pub(super) fn failed(look: &Look) -> PageResponse {
    bad(look, StatusCode::INTERNAL_SERVER_ERROR, "failed-title", "failed-text")
}

/// The store failed: for a moment, or in a way that somebody has to look at.
pub(super) fn store_failed(look: &Look, error: &StoreError) -> PageResponse {
    if error.is_unavailable() {
        tracing::warn!(%error, "the database is unavailable");
        return bad(look, StatusCode::SERVICE_UNAVAILABLE, "unavailable-title", "unavailable-text")
            .retry_after(1);
    }
    tracing::error!(%error, "internal error");
    failed(look)
}

/// A page that says one thing.
struct Page<'a> {
    severity: Severity,
    title: Message,
    text: Message,
    tenant: Option<&'a str>,
    account: Option<&'a str>,
    /// Where to go from here, and the key of the words on it.
    next: Option<(&'a str, &'static str)>,
}

impl Page<'_> {
    fn new(severity: Severity, title: Message, text: Message) -> Self {
        Self { severity, title, text, tenant: None, account: None, next: None }
    }

    fn show(self, look: &Look, status: StatusCode) -> PageResponse {
        let label = self.next.map(|(_, key)| look.text(key).to_string()).unwrap_or_default();
        let page = Outcome {
            look,
            tenant: self.tenant,
            account: self.account,
            severity: self.severity,
            title: &look.language.say(&self.title),
            text: &look.language.say(&self.text),
            next_action: self.next.map(|(url, _)| NextAction { url, label: &label }),
        };
        PageResponse::new(status, &page, look, &FormTargets::default())
    }
}

fn bad(look: &Look, status: StatusCode, title: &'static str, text: &'static str) -> PageResponse {
    Page::new(Severity::Bad, Message::new(title), Message::new(text)).show(look, status)
}

fn try_again(url: &str) -> (&str, &'static str) {
    (url, "try-again")
}

/// What to call an app in a sentence.
fn name_of(app: Option<&App>) -> Message {
    app.map_or_else(|| Message::new("the-account"), |app| Message::verbatim(&app.name))
}

fn organization(link: &Link) -> Message {
    let found = link.options.organization.as_ref();
    found.map_or_else(|| Message::new("the-organization"), |found| Message::verbatim(&found.name))
}

/// Where the tenant wants the customer back, with what became of it: never a secret, and nothing of what the provider sent.
fn result_url(link: &Link, status: Status) -> Option<Url> {
    let mut url = Url::parse(link.options.return_url.as_deref()?).ok()?;
    let mut query = url.query_pairs_mut();
    query
        .append_pair("connection_id", &link.connection_id)
        .append_pair("status", status.as_str())
        .append_pair("operation", link.operation.as_str());
    if let Some(error) = failure(link, status) {
        let (code, message) = (error.code(), error.message());
        query
            .append_pair("error", code)
            .append_pair("error_description", message)
            .append_pair("errorData", &json!({ "code": code, "message": message }).to_string());
    }
    drop(query);
    Some(url)
}

/// Why a link ended without success, if it did.
fn failure(link: &Link, status: Status) -> Option<LinkError> {
    match status {
        Status::Active | Status::Pending => None,
        Status::Rejected => Some(LinkError::AccessDenied),
        Status::Expired => Some(link.last_error.unwrap_or(LinkError::LinkExpired)),
    }
}

/// Every form can end at `return_url`.
fn form_targets(link: &Link) -> FormTargets {
    let mut targets = FormTargets::default();
    if let Some(url) = link.options.return_url.as_deref().and_then(|url| Url::parse(url).ok()) {
        targets.destination(&url);
    }
    targets
}

fn product(link: &Link) -> Product<'_> {
    let display_name = link.options.display_name.as_deref().map(str::trim);
    Product {
        tenant: &link.tenant_name,
        display_name: display_name.filter(|name| !name.is_empty() && *name != link.tenant_name),
    }
}

/// For how long the link still works, in a sentence.
fn expires(look: &Look, now: Millis, link: &Link) -> String {
    let minutes = u64::try_from((link.expires_at - now) / 60_000).unwrap_or_default();
    look.language.say(&Message::new("page-works-for").with_number("minutes", minutes))
}
