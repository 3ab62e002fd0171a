//! The members of a tenant.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use http::StatusCode;

use super::frame::{self, Frame, Moment};
use super::guard::{TenantVisit, redirect};
use super::problem::{PageResult, Problem};
use super::sign_in;
use crate::email;
use crate::extract::form::Form;
use crate::notices::{self, Change};
use crate::state::AppState;
use crate::store::{Actor, MAX_ADDED, MAX_MEMBERS, Member, MemberChange, Role};

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage<'a> {
    frame: Frame,
    members: &'a [Member],
    roles: [Role; 3],
    has_mail: bool,
    command: &'a str,
    error: Option<&'a str>,
}

/// What a role may do, in words.
pub(super) fn role_text(role: &Role) -> &'static str {
    match role {
        Role::Owner => "everything",
        Role::Member => "everything but keys and members",
        Role::Viewer => "see connections, change nothing",
    }
}

async fn page(app: &AppState, member: &TenantVisit, error: Option<&str>) -> PageResult {
    let members = app.store.members(&member.tenant.tenant).await?;
    let page = MembersPage {
        frame: Frame::new(app, &member.visit, "members"),
        members: &members,
        roles: Role::ALL,
        has_mail: app.mailer.is_configured(),
        command: sign_in::command(app),
        error,
    };
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(frame::page(status, &page))
}

/// `GET …/members`.
pub(super) async fn show(State(app): State<AppState>, member: TenantVisit) -> PageResult {
    page(&app, &member, None).await
}

/// `POST …/members`: invites somebody, or gives a member another role.
pub(super) async fn put(
    State(app): State<AppState>,
    member: TenantVisit,
    Extension(form): Extension<Form>,
) -> PageResult {
    let email = match email::parse(form.get("email").trim().as_bytes()) {
        Ok(email) => email,
        Err(problem) => return page(&app, &member, Some(&format!("The address {problem}."))).await,
    };
    let Ok(role) = form.get("role").parse::<Role>() else {
        return page(&app, &member, Some("Choose a role.")).await;
    };
    let (tenant, by) = (&member.tenant.tenant, &member.visit.session.email);
    let before = app.store.members(tenant).await?;
    let change = app.store.put_member(tenant, &email, role, Actor::Account(by)).await?;
    let told = match change {
        MemberChange::Added => Some(Change::MemberAdded(&email, role)),
        MemberChange::AddedAgain => Some(Change::MemberAddedAgain(&email, role)),
        MemberChange::Changed => Some(Change::MemberChanged(&email, role)),
        _ => None,
    };
    if let Some(told) = told {
        notices::tell(&app, tenant, &before, told, by).await;
    }
    answer(&app, &member, change).await
}

/// `POST …/members/remove`.
pub(super) async fn remove(
    State(app): State<AppState>,
    member: TenantVisit,
    Extension(form): Extension<Form>,
) -> PageResult {
    let (tenant, by, email) = (&member.tenant.tenant, &member.visit.session.email, form.get("email"));
    let before = app.store.members(tenant).await?;
    let change = app.store.remove_member(tenant, email, Actor::Account(by)).await?;
    if change == MemberChange::Removed {
        notices::tell(&app, tenant, &before, Change::MemberRemoved(email), by).await;
    }
    answer(&app, &member, change).await
}

async fn answer(app: &AppState, member: &TenantVisit, change: MemberChange) -> PageResult {
    match change {
        MemberChange::Added
        | MemberChange::AddedAgain
        | MemberChange::Changed
        | MemberChange::Unchanged
        | MemberChange::Removed => Ok(redirect(app, &format!("/tenants/{}/members", member.tenant.tenant))),
        MemberChange::LastOwner => {
            page(app, member, Some("The last owner stays: make somebody else an owner first.")).await
        }
        MemberChange::TooMany => {
            page(app, member, Some(&format!("There are {MAX_MEMBERS} members: remove one first."))).await
        }
        MemberChange::TooManyAdded => {
            let error = format!("{MAX_ADDED} members were added within a day: add more tomorrow.");
            page(app, member, Some(&error)).await
        }
        MemberChange::Unknown => Err(Problem::NotFound),
    }
}
