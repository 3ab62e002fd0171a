//! Which page says what: from links and refusals to pages.

use http::StatusCode;
use serde_json::json;
use url::Url;

use super::flow::{self, Choice, Refusal};
use super::setup::{self, ClientSetup};
use crate::catalogue::{App, FieldError, Inputs};
use crate::clock;
use crate::email;
use crate::hosted::html::{
    Connect, FieldView, FormTargets, NextAction, Outcome, PageResponse, Picker, Product, Severity,
};
use crate::oauth_clients::{ClientSource, Clients};
use crate::state::Service;
use crate::store::{Link, LinkError, Operation, Status, StoreError};

/// Which of these apps?
pub(super) fn picker(link: &Link, apps: &[&App], csrf_token: &str) -> PageResponse {
    let page = Picker { product: product(link), apps, csrf_token, expires: &expires(link) };
    PageResponse::new(StatusCode::OK, &page, &form_targets(link))
}

/// A form, as it is shown.
pub(super) struct Form<'a> {
    /// Proves that it came from this page in this browser.
    pub(super) csrf_token: &'a str,
    /// What was entered before.
    pub(super) entered: &'a Inputs,
    /// What was wrong with it.
    pub(super) errors: &'a [FieldError],
}

/// Consent, with what was entered before and what was wrong with it.
pub(super) async fn connect(
    clients: &Clients<'_>,
    link: &Link,
    choice: Choice<'_>,
    setup: Option<&ClientSetup>,
    Form { csrf_token, entered, errors }: Form<'_>,
) -> PageResponse {
    let app = choice.app;
    if let Some(setup) = setup.filter(|setup| !setup.allowed) {
        return admin_required(&setup.organization.name, app);
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
    let page = Connect {
        product: product(link),
        app,
        option,
        setup,
        problem: setup.and(link.last_error).map(LinkError::message),
        client_of: organization.map(|organization| organization.name.as_str()),
        others: &others,
        verb: match link.operation {
            Operation::Creation => "Connect",
            Operation::Reauth => "Reconnect",
        },
        name: &link.name,
        customer: &link.owner.customer,
        customer_ascii: customer_ascii.as_deref(),
        provider: option.oauth.as_ref().map(|_| host.unwrap_or(&app.name)),
        scopes: endpoint.as_ref().map(|endpoint| endpoint.scopes()).unwrap_or_default(),
        fields: &FieldView::all(option, entered, errors),
        errors,
        can_go_back: flow::apps(clients, link).len() > 1,
        csrf_token,
        expires: &expires(link),
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    PageResponse::new(status, &page, &targets)
}

/// A link has just ended: back to the product, or a page that says so.
/// `reason` is what the provider said where it declined.
pub(super) fn finished(
    service: &Service,
    link: &Link,
    app: Option<&App>,
    status: Status,
    reason: Option<&str>,
) -> PageResponse {
    match result_url(link, status) {
        Some(url) if status != Status::Expired => PageResponse::redirect(url.as_str()),
        _ => result_page(service, link, app, status, reason),
    }
}

/// The tenant has yet to confirm what the customer consented to. With the code this is the browser that consented, which
/// carries it there.
pub(super) fn awaiting(service: &Service, link: &Link, code: Option<&str>) -> PageResponse {
    if let (Some(code), Some(mut url)) = (code, result_url(link, link.status)) {
        url.query_pairs_mut().append_pair("confirmation_code", code);
        return PageResponse::redirect(url.as_str());
    }
    let product = product(link).name();
    let app = link.app_id.as_ref().and_then(|id| service.catalogue.get(id));
    let name = app.map_or("The account", |app| app.name.as_str());
    let page = Outcome {
        severity: Severity::Late,
        title: &format!("{name} is not connected yet"),
        text: &format!(
            "Access was given in another browser. {product} has yet to confirm it, signed in there."
        ),
        next_action: None,
    };
    PageResponse::new(StatusCode::OK, &page, &FormTargets::default())
}

/// A link ended some time ago.
pub(super) fn ended(service: &Service, link: &Link) -> PageResponse {
    result_page(service, link, None, link.status, None)
}

fn result_page(
    service: &Service,
    link: &Link,
    app: Option<&App>,
    status: Status,
    reason: Option<&str>,
) -> PageResponse {
    let app = app.or_else(|| service.catalogue.get(link.app_id.as_ref()?).map(AsRef::as_ref));
    let name = app.map_or("The account", |app| app.name.as_str());
    let product = product(link).name();
    let (code, severity, title, text) = match status {
        Status::Active | Status::Pending => (
            StatusCode::OK,
            Severity::Good,
            format!("{name} is connected"),
            format!("All done. You can close this window and go on in {product}."),
        ),
        Status::Rejected => (
            StatusCode::OK,
            Severity::Bad,
            format!("{name} was not connected"),
            match reason {
                Some(reason) => format!(
                    "Access was not given, and nothing was shared. {name} says: “{reason}” You can close this window and \
                     go back to {product}."
                ),
                None => format!(
                    "Access was not given, and nothing was shared. You can close this window and go back to {product}."
                ),
            },
        ),
        Status::Expired => (
            StatusCode::GONE,
            Severity::Late,
            "This link has expired".to_owned(),
            format!("Links work for a short time and only once. Go back to {product} and start again."),
        ),
    };
    let back = result_url(link, status);
    let next_action = back.as_ref().map(|url| NextAction { url: url.as_str(), label: "Go back" });
    let page = Outcome { severity, title: &title, text: &text, next_action };
    PageResponse::new(code, &page, &FormTargets::default())
}

/// The provider did not play along; `again` is where to start over.
pub(super) fn provider_failed(app: &App, again: Option<&str>) -> PageResponse {
    let page = Outcome {
        severity: Severity::Bad,
        title: &format!("{} could not be connected", app.name),
        text: &format!("{} did not complete the sign-in. Nothing was shared. Please try again.", app.name),
        next_action: again.map(|url| NextAction { url, label: "Try again" }),
    };
    PageResponse::new(StatusCode::BAD_GATEWAY, &page, &FormTargets::default())
}

/// The customer chose another account than the one that the connection is for; `again` is where to choose anew.
pub(super) fn other_account(app: &App, text: &str, again: Option<&str>) -> PageResponse {
    let page = Outcome {
        severity: Severity::Bad,
        title: &format!("This is another {} account", app.name),
        text: &format!("{text} Nothing was changed."),
        next_action: again.map(|url| NextAction { url, label: "Try again" }),
    };
    PageResponse::new(StatusCode::CONFLICT, &page, &FormTargets::default())
}

/// Why a form was refused, where the form itself cannot say it.
pub(super) fn refused(refusal: &Refusal) -> PageResponse {
    match refusal {
        Refusal::UnknownChoice | Refusal::Invalid(_) => bad(
            StatusCode::BAD_REQUEST,
            "Something is missing",
            "This way to connect does not exist. Please open the link again and choose from what it shows.",
        ),
        Refusal::TooManyAttempts => bad(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts",
            "This link takes no more. Please go back to where you found it and start again.",
        ),
        Refusal::OverBudget(seconds) => too_often(*seconds),
        Refusal::Incomplete => bad(
            StatusCode::BAD_GATEWAY,
            "The account could not be connected",
            "The app did not say all that is needed. Nothing was shared. Please open the link again.",
        ),
        Refusal::AdminRequired => bad(
            StatusCode::FORBIDDEN,
            "This app is not set up yet",
            "Please ask an admin of your organization to connect it first. Nothing was changed.",
        ),
        Refusal::HostedPageOnly | Refusal::NotConfigured | Refusal::ClientTaken => bad(
            StatusCode::CONFLICT,
            "Not available right now",
            "This app cannot be connected at the moment. Please tell the product that sent you here.",
        ),
        Refusal::Failed(error) => store_failed(error),
    }
}

/// The organization's OAuth client is missing, and somebody else has to enter it.
fn admin_required(organization: &str, app: &App) -> PageResponse {
    let page = Outcome {
        severity: Severity::Late,
        title: &format!("{} is not set up yet", app.name),
        text: &format!(
            "{organization} connects {} with an OAuth client of its own, which an admin has to enter. Please ask an admin to \
             connect it first; then open this link again.",
            app.name
        ),
        next_action: None,
    };
    PageResponse::new(StatusCode::FORBIDDEN, &page, &FormTargets::default())
}

/// Somebody else of the organization was first.
pub(super) fn client_taken(link: &Link, app: &App, again: Option<&str>) -> PageResponse {
    let organization = link.options.organization.as_ref().map_or("The organization", |found| &found.name);
    let page = Outcome {
        severity: Severity::Late,
        title: "Somebody else was first",
        text: &format!(
            "{organization} has an OAuth client for {} by now, which somebody else has just entered. The one that you entered \
             is not used, and what was granted with it is withdrawn. Go on to connect with theirs.",
            app.name
        ),
        next_action: again.map(|url| NextAction { url, label: "Go on" }),
    };
    PageResponse::new(StatusCode::CONFLICT, &page, &FormTargets::default())
}

/// The first authorization with the client that this browser entered has succeeded.
pub(super) fn client_stored(link: &Link, app: &App) -> PageResponse {
    let organization = link.options.organization.as_ref().map_or("the organization", |found| &found.name);
    let page = Outcome {
        severity: Severity::Good,
        title: &format!("{} is connected", app.name),
        text: &format!(
            "All done. The OAuth client that you entered is stored: everybody else of {organization} goes straight on, and is \
             never asked for it. You can close this window and go on in {}.",
            product(link).name()
        ),
        next_action: None,
    };
    PageResponse::new(StatusCode::OK, &page, &FormTargets::default())
}

/// The time of a way to the clients is over.
pub(super) fn admin_link_over() -> PageResponse {
    bad(
        StatusCode::GONE,
        "This link has expired",
        "Nothing was changed. Ask for a new one where you found it.",
    )
}

/// Another browser was there first.
pub(super) fn admin_link_taken() -> PageResponse {
    bad(
        StatusCode::FORBIDDEN,
        "This link was opened in another browser",
        "It works in the first browser alone that opens it. Ask for a new one where you found it.",
    )
}

/// There is no such link.
pub(super) fn unknown_link() -> PageResponse {
    bad(
        StatusCode::NOT_FOUND,
        "There is no such link",
        "Please check that the address is complete, or go back to where you found it and start again.",
    )
}

/// The link's budget is used up for so many seconds.
pub(super) fn too_often(seconds: u64) -> PageResponse {
    bad(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many attempts",
        "Please wait a minute, then load this page again.",
    )
    .retry_after(seconds)
}

/// The form came from elsewhere.
pub(super) fn foreign_form() -> PageResponse {
    bad(
        StatusCode::FORBIDDEN,
        "Please open the link again",
        "This form was not sent from this browser, or your browser does not keep cookies. Nothing was changed.",
    )
}

/// The way back from a provider that nobody here is waiting for.
pub(super) fn unknown_journey() -> PageResponse {
    bad(
        StatusCode::BAD_REQUEST,
        "This page does not belong to your browser",
        "The sign-in was begun in another browser, or a long time ago, or your browser does not keep cookies. If you have \
         just connected an account, all is well and you can close this window. Otherwise open the link again.",
    )
}

/// Fetched in advance, or by a program.
pub(super) fn not_a_visit() -> PageResponse {
    bad(
        StatusCode::FORBIDDEN,
        "Please open this page in a window of its own",
        "It was fetched in advance or from within another page. Nothing was changed.",
    )
}

/// The code is being redeemed; the page asks again by itself.
pub(super) fn under_way() -> PageResponse {
    let page = Outcome {
        severity: Severity::Late,
        title: "One moment",
        text: "The account is being connected. This page goes on by itself.",
        next_action: None,
    };
    PageResponse::new(StatusCode::OK, &page, &FormTargets::default()).reload_after(1)
}

/// The service failed.
pub(super) fn failed() -> PageResponse {
    bad(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong",
        "It is our fault. Please try again in a moment.",
    )
}

/// The store failed: for a moment, or in a way that somebody has to look at.
pub(super) fn store_failed(error: &StoreError) -> PageResponse {
    if error.is_unavailable() {
        tracing::warn!(%error, "the database is unavailable");
        return bad(
            StatusCode::SERVICE_UNAVAILABLE,
            "Please try again in a moment",
            "The service is not available just now. Please load this page again.",
        )
        .retry_after(1);
    }
    tracing::error!(%error, "internal error");
    failed()
}

fn bad(status: StatusCode, title: &str, text: &str) -> PageResponse {
    let page = Outcome { severity: Severity::Bad, title, text, next_action: None };
    PageResponse::new(status, &page, &FormTargets::default())
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

/// `10:20 UTC`, out of `2026-11-21T10:20:00Z`.
fn expires(link: &Link) -> String {
    let time = clock::rfc3339(link.expires_at);
    format!("{} UTC", time.get(11..16).unwrap_or(&time))
}
