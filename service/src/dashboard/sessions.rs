//! The browsers in which an account is signed in.

use askama::Template;
use axum::extract::{Path, State};
use http::StatusCode;

use super::frame::{self, Frame, Moment};
use super::guard::{Visit, redirect};
use super::problem::{PageResult, Problem};
use crate::state::AppState;
use crate::store::Session;

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage<'a> {
    frame: Frame,
    sessions: &'a [Session],
    current: &'a str,
}

/// `GET /dashboard/sessions`.
pub(super) async fn show(State(app): State<AppState>, visit: Visit) -> PageResult {
    let sessions = app.store.sessions(&visit.session.email).await?;
    let frame = Frame::new(&app, &visit, "sessions");
    Ok(frame::page(StatusCode::OK, &SessionsPage { frame, sessions: &sessions, current: &visit.session.id }))
}

/// `POST /dashboard/sessions/{session}/end`.
pub(super) async fn end(State(app): State<AppState>, visit: Visit, Path(id): Path<String>) -> PageResult {
    if !app.store.revoke_session(&visit.session.email, &id).await? {
        return Err(Problem::NotFound);
    }
    Ok(redirect(&app, "/sessions"))
}

/// `POST /dashboard/sessions/end-others`.
pub(super) async fn end_others(State(app): State<AppState>, visit: Visit) -> PageResult {
    app.store.revoke_other_sessions(&visit.session.email, &visit.session.id).await?;
    Ok(redirect(&app, "/sessions"))
}
