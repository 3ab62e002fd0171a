//! The first page: the tenants of an account.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use http::StatusCode;

use super::frame::{self, Frame};
use super::guard::{TenantVisit, Visit, redirect};
use super::problem::PageResult;
use crate::extract::form::Form;
use crate::hosted::html::PageResponse;
use crate::state::{AppState, Service};
use crate::store::{MAX_TENANT_NAME, Membership, OwnTenant};
use crate::text;

/// How many tenants an account may own that it made itself, or was given.
const MAX_OWN_TENANTS: i64 = 5;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    frame: Frame,
    tenants: &'a [Membership],
    can_create: bool,
    error: Option<&'a str>,
}

/// `GET /dashboard`: the only tenant, a choice of several, or what is the account's own.
pub(super) async fn show(State(app): State<AppState>, visit: Visit) -> PageResult {
    let tenants = app.store.memberships(&visit.session.email).await?;
    match tenants.as_slice() {
        [] if !app.config.dashboard.self_service => Ok(redirect(&app, "/my-connections")),
        [only] if !app.config.dashboard.self_service => {
            Ok(redirect(&app, &format!("/tenants/{}", only.tenant)))
        }
        tenants => Ok(page(&app, &visit, tenants, None)),
    }
}

fn page(app: &Service, visit: &Visit, tenants: &[Membership], error: Option<&str>) -> PageResponse {
    let can_create = app.config.dashboard.self_service;
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    frame::page(status, &HomePage { frame: Frame::new(app, visit, ""), tenants, can_create, error })
}

/// `POST /dashboard/tenants`: self-service, where the operator allows it.
pub(super) async fn create_tenant(
    State(app): State<AppState>,
    visit: Visit,
    Extension(form): Extension<Form>,
) -> PageResult {
    let tenants = app.store.memberships(&visit.session.email).await?;
    if !app.config.dashboard.self_service {
        return Ok(page(
            &app,
            &visit,
            &tenants,
            Some("Ask whoever runs this service for a product of your own."),
        ));
    }
    let name = form.get("name").trim();
    if text::printable(name, MAX_TENANT_NAME).as_deref() != Some(name) || name.chars().any(text::is_invisible)
    {
        let error =
            format!("The name must have 1 to {MAX_TENANT_NAME} characters, and none that is not seen.");
        return Ok(page(&app, &visit, &tenants, Some(&error)));
    }
    match app.store.create_own_tenant(name, &visit.session.email, MAX_OWN_TENANTS).await? {
        OwnTenant::Created(tenant) => Ok(redirect(&app, &format!("/tenants/{tenant}"))),
        OwnTenant::NameTaken => {
            Ok(page(&app, &visit, &tenants, Some("Another product has this name: choose one that differs.")))
        }
        OwnTenant::TooMany => {
            let error = format!("An account can own {MAX_OWN_TENANTS} products.");
            Ok(page(&app, &visit, &tenants, Some(&error)))
        }
    }
}

/// `GET /dashboard/`, as people type it.
pub(super) async fn without_slash(State(app): State<AppState>) -> PageResponse {
    redirect(&app, "")
}

/// `GET /dashboard/tenants/{tenant}`.
pub(super) async fn tenant(State(app): State<AppState>, member: TenantVisit) -> PageResult {
    Ok(redirect(&app, &format!("/tenants/{}/connections", member.tenant.tenant)))
}
