//! The gate of the public endpoints: a request token, a budget per link, and what browsers of other origins need.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::auth::tenant_key::only;
use crate::error::ApiError;
use crate::extract::path::ConnectionId;
use crate::state::AppState;
use crate::store::Link;

const REQUEST_TOKEN: HeaderName = HeaderName::from_static("x-request-token");

/// Lets only those in whose request token fits the connection. A handler inside gets the link from its extensions.
pub(crate) fn gated(app: &AppState, endpoint: MethodRouter<AppState>) -> MethodRouter<AppState> {
    endpoint.route_layer(middleware::from_fn_with_state(app.clone(), check))
}

async fn check(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let link = match find(&app, &mut parts).await {
        Ok(link) => link,
        Err(error) => return with_origin(error.into_response(), None),
    };
    let (id, origin) = (link.id.clone(), link.options.allowed_origin.clone());
    let mut response = match app.budgets.take_of_link(&id).check() {
        Ok(()) => {
            parts.extensions.insert(link);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    };
    // As it stands now: a long poll may have taken a minute.
    app.budgets.look_of_link(&id).tell(response.headers_mut());
    with_origin(response, origin)
}

/// A token that does not fit and a connection that does not exist look the same.
async fn find(app: &AppState, parts: &mut Parts) -> Result<Link, ApiError> {
    let ConnectionId(id) = ConnectionId::from_request_parts(parts, app).await?;
    let token = only(&parts.headers, &REQUEST_TOKEN).map_err(|_| ApiError::ConnectionDeleted)?;
    let token = token.and_then(|token| std::str::from_utf8(token).ok()).ok_or(ApiError::ConnectionDeleted)?;
    app.store.link_by_token(&id, token).await?.ok_or(ApiError::ConnectionDeleted)
}

fn with_origin(mut response: Response, origin: Option<String>) -> Response {
    let origin = origin.and_then(|origin| HeaderValue::try_from(origin).ok());
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.unwrap_or(HeaderValue::from_static("*")));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("preference-applied, ratelimit, ratelimit-policy, retry-after"),
    );
    response
}

/// A preflight carries no token, so its answer depends on nothing.
pub(crate) async fn preflight_get() -> Response {
    preflight("GET")
}

/// See [`preflight_get`].
pub(crate) async fn preflight_post() -> Response {
    preflight("POST")
}

fn preflight(method: &'static str) -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, method),
        (ACCESS_CONTROL_ALLOW_HEADERS, "content-type, prefer, x-request-token"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
