//! `/tenant/sdk-config` and its logo: how the hosted page looks for a tenant's customers.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, put};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use serde::Serialize;

use crate::auth::tenant_key::only;
use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::{Body, read_whole};
use crate::sdk_config::SdkConfig;
use crate::state::{AppState, Service};
use crate::store::{Actor, Caller, StoredSdkConfig};
use crate::theme::{self, MAX_LOGO};

const LOGO_TYPES: &str = "image/png, image/jpeg, image/webp or application/octet-stream";

/// What a tenant set, and what it has.
#[derive(Serialize)]
pub(super) struct SdkConfigView {
    #[serde(flatten)]
    config: SdkConfig,
    logo: Option<LogoView>,
    updated_at: Option<String>,
}

#[derive(Serialize)]
struct LogoView {
    url: String,
    width: i64,
    height: i64,
}

pub(super) async fn read(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
) -> Result<Success<SdkConfigView>, ApiError> {
    view(&app, &caller).await
}

pub(super) async fn set(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Success<SdkConfigView>, ApiError> {
    let config = SdkConfig::read(body)?;
    app.store.set_sdk_config(&caller.tenant, &config, Actor::Key(&caller.key)).await?;
    view(&app, &caller).await
}

/// The endpoints of the logo, which is larger than other bodies.
pub(super) fn logo_endpoints() -> MethodRouter<AppState> {
    put(set_logo).delete(remove_logo).layer(DefaultBodyLimit::max(MAX_LOGO))
}

async fn set_logo(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Success<SdkConfigView>, ApiError> {
    let content_type = only(request.headers(), &CONTENT_TYPE)?.unwrap_or_default().to_ascii_lowercase();
    // What the file is, its bytes tell.
    let known = ["image/png", "image/jpeg", "image/webp", "application/octet-stream"];
    if !known.iter().any(|known| known.as_bytes() == content_type) {
        return Err(ApiError::UnsupportedMediaType(LOGO_TYPES));
    }
    let logo = theme::encode(read_whole(request, &app).await?)
        .await
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    app.store.set_logo(&caller.tenant, &logo, Actor::Key(&caller.key)).await?;
    view(&app, &caller).await
}

async fn remove_logo(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
) -> Result<Success<SdkConfigView>, ApiError> {
    app.store.remove_logo(&caller.tenant, Actor::Key(&caller.key)).await?;
    view(&app, &caller).await
}

async fn view(app: &Service, caller: &Caller) -> Result<Success<SdkConfigView>, ApiError> {
    let StoredSdkConfig { config, logo, updated_at } = app.store.sdk_config(&caller.tenant).await?;
    let logo =
        logo.map(|logo| LogoView { url: app.logo_url(&logo.digest), width: logo.width, height: logo.height });
    Ok(Success::new(SdkConfigView { config, logo, updated_at: updated_at.map(rfc3339) }))
}

/// `GET /logos/{digest}`: a picture of our own encoder. Opened as a page of its own it can do nothing.
pub async fn logo(
    State(app): State<AppState>,
    digest: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let digest = digest.map(|Path(digest)| digest).unwrap_or_default();
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let found = if is_digest { app.store.logo(&digest).await? } else { None };
    let png = found.and_then(|png| STANDARD.decode(png).ok()).ok_or(ApiError::NotFound)?;
    let headers = [
        (CONTENT_TYPE, "image/png"),
        // Another picture has another address.
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    Ok((headers, png).into_response())
}
