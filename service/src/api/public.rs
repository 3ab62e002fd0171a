//! The public endpoints: how a link stands, and a connection form of the tenant's own. No credential leaves here.

use std::borrow::Cow;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::ORIGIN;
use serde::Serialize;

use super::connections::{AppRef, LinkErrorView};
use super::long_poll::{LongPoll, applied, wait_until};
use crate::catalogue::{Account, AuthOption};
use crate::clock::Millis;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::header::Wait;
use crate::extract::path::is_id;
use crate::extract::query::Query;
use crate::hosted::{self, ClientSetup, Offer, Submitted};
use crate::state::AppState;
use crate::store::{Link, Operation, Phase, Status};

/// How long after a success the account is told, in milliseconds: for the page that waits for it, and not for whoever finds
/// a request token later.
const ACCOUNT_SHOWN_FOR: Millis = 600_000;

/// Fields of a form.
pub(super) const MAX_FIELDS: usize = 50;
/// Characters of one.
pub(super) const MAX_FIELD: usize = 8192;

#[derive(Serialize)]
struct LinkStatus {
    connection_id: String,
    status: Status,
    phase: Phase,
    confirmation_required: bool,
    operation: Operation,
    expires_in: i64,
    app_id: Option<String>,
    account: Option<Account>,
    last_error: Option<LinkErrorView>,
    revision: String,
}

#[derive(Serialize)]
struct AuthOptions<'a> {
    auth_options: Vec<LinkAuthOption<'a>>,
}

/// An auth option with its app, of which a link can have several.
#[derive(Serialize)]
struct LinkAuthOption<'a> {
    app: AppRef,
    #[serde(flatten)]
    option: Cow<'a, AuthOption>,
    client_setup: Option<ClientSetup>,
}

pub(super) async fn status(
    State(app): State<AppState>,
    Extension(link): Extension<Link>,
    Wait(wait): Wait,
    query: Query,
) -> Result<Response, ApiError> {
    let seen = link.progress();
    // Between two polls the link may have come further than the client knows.
    let is_known = query.get("revision")?.is_none_or(|known| known == seen.revision());
    let wait = wait.filter(|_| is_known);
    let (tenant, id) = (link.owner.tenant.clone(), link.id.clone());
    let long_poll = LongPoll::begin(&app, wait, &tenant, Some(&id));
    let link = if long_poll.is_none() {
        // As it was read a moment ago, to let the caller in.
        link
    } else {
        let read = async |_| {
            let found = app.store.link(&id).await?;
            found.ok_or(ApiError::ConnectionDeleted)
        };
        let waiter = || app.store.waiter(&link.connection_id, Some((&id, seen)));
        let is_news = |found: &Link| found.status != Status::Pending || found.progress() != seen;
        wait_until(long_poll.as_ref(), waiter, is_news, read).await?
    };
    let revision = link.progress().revision();
    let connection = match link.status {
        Status::Active => app.store.connection(&link.owner, &link.connection_id).await?,
        _ => None,
    };
    let is_recent = link.ended_at.is_some_and(|at| app.clock.now() - at < ACCOUNT_SHOWN_FOR);
    let (app_id, account) = connection.map(|found| (found.app_id, found.details.account)).unwrap_or_default();
    let status = LinkStatus {
        app_id: link.app_id.clone().or(app_id),
        account: account.filter(|_| is_recent),
        last_error: link.last_error.map(LinkErrorView::from),
        revision,
        expires_in: (link.expires_at - app.clock.now()).max(0) / 1000,
        confirmation_required: link.awaits_confirmation(),
        connection_id: link.connection_id,
        status: link.status,
        phase: link.phase,
        operation: link.operation,
    };
    Ok(applied(long_poll.as_ref(), Success::new(status)))
}

pub(super) async fn auth_options(
    State(app): State<AppState>,
    Extension(link): Extension<Link>,
) -> Result<Response, ApiError> {
    if link.phase == Phase::Created {
        app.store.set_phase(&link, Phase::Form).await?;
    }
    let view = |Offer { app: found, option, client_setup }| LinkAuthOption {
        app: AppRef::new(&app, &found.id),
        option,
        client_setup,
    };
    let auth_options = hosted::auth_options(&app, &link).await?.into_iter().map(view).collect();
    Ok(Success::new(AuthOptions { auth_options }).into_response())
}

pub(super) async fn submit(
    State(app): State<AppState>,
    Extension(link): Extension<Link>,
    headers: HeaderMap,
    body: Body,
) -> Result<Success<Submitted>, ApiError> {
    // A browser keeps another origin from reading the answer; this keeps it from changing anything.
    if let Some(allowed) = &link.options.allowed_origin
        && headers.get_all(ORIGIN).iter().any(|origin| origin != allowed.as_str())
    {
        return Err(ApiError::invalid("The link allows another origin only"));
    }
    let app_id = body.text("app_id", "an id", is_id)?;
    let form = "the key of one of the auth options";
    let key = body.text("auth_option_key", form, is_id)?;
    let key = key.ok_or_else(|| ApiError::invalid(format!("auth_option_key must be {form}")))?;
    let fields = body.fields("fields", MAX_FIELDS, MAX_FIELD)?.unwrap_or_default();
    let submitted = hosted::submit_custom(&app, &link, app_id, key, &fields).await?;
    match submitted.status {
        Status::Pending | Status::Active => Ok(Success::new(submitted)),
        ended => Err(ApiError::ConnectionNotActive(ended.as_str())),
    }
}
