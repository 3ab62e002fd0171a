//! `GET` and `PUT /apps/{appId}/settings`: what a tenant says of an app.

use axum::Extension;
use axum::extract::State;
use serde::Serialize;

use crate::catalogue::App;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::path::AppId;
use crate::state::AppState;
use crate::store::{AppSettings, Caller};
use crate::text;

const MEMBERS: [&str; 3] = ["managed_by", "instructions", "admin_role_required"];

/// Characters.
const MAX_INSTRUCTIONS: usize = 10_000;

/// The word for apps whose OAuth client each organization brings.
const BY_ORGANIZATION: &str = "organization";

#[derive(Serialize)]
pub(super) struct SettingsView {
    app_id: String,
    managed_by: Option<&'static str>,
    instructions: String,
    admin_role_required: bool,
    redirect_uri: Option<String>,
}

pub(super) async fn read(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    AppId(app_id): AppId,
) -> Result<Success<SettingsView>, ApiError> {
    let found = app.catalogue.get(&app_id).ok_or(ApiError::AppNotFound)?;
    let settings = app.store.app_settings(&caller.tenant, &found.id).await?;
    Ok(Success::new(view(&app, found, settings)))
}

pub(super) async fn set(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    AppId(app_id): AppId,
    body: Body,
) -> Result<Success<SettingsView>, ApiError> {
    let found = app.catalogue.get(&app_id).ok_or(ApiError::AppNotFound)?;
    let settings = read_settings(found, &body)?;
    app.store.set_app_settings(&caller.tenant, &found.id, &settings).await?;
    Ok(Success::new(view(&app, found, settings)))
}

fn read_settings(app: &App, body: &Body) -> Result<AppSettings, ApiError> {
    body.only(&MEMBERS)?;
    let by_organization = match body.nullable_line("managed_by", 50)?.flatten().as_deref() {
        None => false,
        Some(BY_ORGANIZATION) => true,
        Some(_) => return Err(ApiError::invalid("managed_by must be organization, or null")),
    };
    if by_organization && !app.has_oauth() {
        return Err(ApiError::invalid("managed_by: the app is not connected by OAuth"));
    }
    // The form asks for id and secret alone.
    if let Some(name) = app.app_params().into_iter().next().filter(|_| by_organization) {
        let message =
            format!("managed_by: a client of this app has a parameter {name}, which nobody is asked for");
        return Err(ApiError::invalid(message));
    }
    let form =
        format!("at most {MAX_INSTRUCTIONS} characters without control characters but line breaks and tabs");
    let instructions = body.text("instructions", &form, is_instructions)?.unwrap_or_default().to_owned();
    let admin_role_required = body.flag("admin_role_required")?.unwrap_or_default();
    Ok(AppSettings { by_organization, instructions, admin_role_required })
}

fn is_instructions(text: &str) -> bool {
    let is_control = |c: char| text::is_control(c) && !matches!(c, '\n' | '\r' | '\t');
    text.chars().count() <= MAX_INSTRUCTIONS && !text.contains(is_control)
}

fn view(app: &AppState, found: &App, settings: AppSettings) -> SettingsView {
    SettingsView {
        app_id: found.id.clone(),
        managed_by: settings.by_organization.then_some(BY_ORGANIZATION),
        instructions: settings.instructions,
        admin_role_required: settings.admin_role_required,
        redirect_uri: found.has_oauth().then(|| app.redirect_uri(&found.id)),
    }
}
