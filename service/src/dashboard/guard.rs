//! Decides who may use an address, before its handler runs.
//!
//! A session is a random cookie; each sign-in makes a new one. A tenant of which an account is no member does not
//! exist for it. A form counts only with a token that is derived from the cookie, which other sites can neither read
//! nor set.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

use super::problem::Problem;
use super::{Access, Endpoint, PREFIX, frame, sign_in};
use crate::clock::millis;
use crate::extract::form::Form;
use crate::extract::path::ConnectionId;
use crate::hosted::browser::{self, Browser};
use crate::hosted::html::PageResponse;
use crate::ids;
use crate::state::{AppState, Service};
use crate::store::{MAX_AGE, Membership, Session};

/// Goes into every form.
pub(super) const CSRF_FIELD: &str = "csrf_token";

/// A browser that need not be signed in.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) browser: Browser,
    pub(super) session: Option<Session>,
}

/// A signed-in account.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) session: Session,
    pub(super) csrf_token: String,
    pub(super) tenant: Option<Membership>,
}

/// A member of the tenant that the address names.
pub(super) struct TenantVisit {
    pub(super) visit: Visit,
    pub(super) tenant: Membership,
}

#[derive(Clone)]
struct Guard {
    app: AppState,
    endpoint: Endpoint,
}

/// Lets only those use an address who may.
pub(super) fn guarded(
    app: &AppState,
    endpoint: Endpoint,
    handler: MethodRouter<AppState>,
) -> MethodRouter<AppState> {
    let guard = Guard { app: app.clone(), endpoint };
    handler.route_layer(middleware::from_fn_with_state(guard, check))
}

async fn check(State(guard): State<Guard>, params: RawPathParams, request: Request, next: Next) -> Response {
    let tenant = params.iter().find(|(name, _)| *name == "tenant").map(|(_, value)| value.to_owned());
    match guard.admit(tenant.as_deref(), request).await {
        Ok((request, cookie)) => {
            let mut response = next.run(request).await;
            if let Some(cookie) = cookie {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            response
        }
        Err(response) => response,
    }
}

impl Guard {
    /// The request with who it is from and the fields of its form, and perhaps a cookie to set.
    async fn admit(
        &self,
        tenant: Option<&str>,
        request: Request,
    ) -> Result<(Request, Option<HeaderValue>), Response> {
        let app = &self.app;
        let secret = session_secret(app, request.headers());
        let session = match &secret {
            Some(secret) => app.store.session(secret).await.map_err(refuse)?,
            None => None,
        };
        if self.endpoint.access == Access::Anyone {
            let browser = Browser::known_or_new(app, request.headers());
            let (mut request, form) = self.with_form(request).await?;
            if form.is_some_and(|form| !ids::is_same(form.get(CSRF_FIELD), &sign_in::csrf_token(&browser))) {
                return Err(Problem::ForeignForm.into_response());
            }
            let cookie = browser.set_cookie(app);
            request.extensions_mut().insert(Visitor { browser, session });
            return Ok((request, cookie));
        }
        let (Some(session), Some(secret)) = (session, secret) else {
            let to = (request.method() == Method::GET).then(|| local_path(app, request.uri().path()));
            return Err(sign_in::redirect(app, to.as_deref()).into_response());
        };
        let csrf_token = ids::derived(["dashboard", "csrf", &secret]);
        let (mut request, form) = self.with_form(request).await?;
        if form.is_some_and(|form| !ids::is_same(form.get(CSRF_FIELD), &csrf_token)) {
            return Err(Problem::ForeignForm.into_response());
        }
        let mut visit = Visit { session, csrf_token, tenant: None };
        if let Access::Tenant(role) = self.endpoint.access {
            let tenant = tenant.unwrap_or_default();
            let membership = app.store.membership(tenant, &visit.session.email).await.map_err(refuse)?;
            let membership = membership.ok_or_else(|| Problem::NotFound.into_response())?;
            if membership.role < role {
                return Err(Problem::Forbidden(role).into_response());
            }
            if membership.is_disabled && self.endpoint.method == Method::POST {
                return Err(Problem::Disabled.into_response());
            }
            visit.tenant = Some(membership);
        }
        if self.endpoint.fresh && !visit.session.is_fresh {
            let to = section_of(&local_path(app, request.uri().path()));
            return Err(sign_in::fresh_page(app, &visit, &to).into_response());
        }
        request.extensions_mut().insert(visit);
        Ok((request, None))
    }

    /// A form's fields, which its handler gets, too.
    async fn with_form(&self, request: Request) -> Result<(Request, Option<Form>), Response> {
        if self.endpoint.method != Method::POST {
            return Ok((request, None));
        }
        let (mut parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let form = Form::from_request(request, &self.app).await.map_err(refuse)?;
        parts.extensions.insert(form.clone());
        Ok((Request::from_parts(parts, axum::body::Body::empty()), Some(form)))
    }
}

fn refuse(error: impl Into<Problem>) -> Response {
    error.into().into_response()
}

/// The session's cookie. With `__Host-`, browsers see to it that no other host and no plain HTTP page has set it.
/// `Lax`, since links in mails lead to the dashboard.
pub(super) fn session_cookie(service: &Service, secret: &str) -> Option<HeaderValue> {
    let max_age = if secret.is_empty() { 0 } else { millis(MAX_AGE) / 1000 };
    let secure = if service.is_https() { "; Secure" } else { "" };
    let name = cookie_name(service);
    let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}");
    HeaderValue::try_from(cookie).ok()
}

/// The secret of the session that the browser says it has.
pub(super) fn session_secret(service: &Service, headers: &HeaderMap) -> Option<String> {
    let mut secrets = browser::cookie(headers, cookie_name(service));
    secrets.find(|secret| browser::is_secret(secret)).map(str::to_owned)
}

fn cookie_name(service: &Service) -> &'static str {
    if service.is_https() { "__Host-connect-session" } else { "connect-session" }
}

/// The path within the dashboard.
fn local_path(app: &Service, path: &str) -> String {
    let path = path.strip_prefix(&frame::base(app)).or_else(|| path.strip_prefix(PREFIX)).unwrap_or_default();
    sign_in::return_to(path)
}

/// The page from which a form comes.
fn section_of(path: &str) -> String {
    let depth = if path.starts_with("/tenants/") { 3 } else { 1 };
    path.split('/').take(depth + 1).collect::<Vec<_>>().join("/")
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or(Problem::NotFound)
    }
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or(Problem::NotFound)
    }
}

impl FromRequestParts<AppState> for TenantVisit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let visit = Visit::from_request_parts(parts, app).await?;
        let tenant = visit.tenant.clone().ok_or(Problem::NotFound)?;
        Ok(Self { visit, tenant })
    }
}

/// The connection that the address names; whatever cannot be an id at all is an unknown one, too.
pub(super) struct NamedConnection(pub(super) String);

impl FromRequestParts<AppState> for NamedConnection {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let ConnectionId(id) = ConnectionId::from_request_parts(parts, app).await?;
        Ok(Self(id))
    }
}

/// A redirect to a page of the dashboard.
pub(super) fn redirect(app: &Service, path: &str) -> PageResponse {
    PageResponse::redirect(&format!("{}{path}", frame::base(app)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_its_page() {
        for (path, section) in [
            ("/tenants/ten_1/keys/key_1/revoke", "/tenants/ten_1/keys"),
            ("/tenants/ten_1/keys", "/tenants/ten_1/keys"),
            ("/my-connections/conn_1/withdraw", "/my-connections"),
            ("", ""),
        ] {
            assert_eq!(section_of(path), section);
        }
    }
}
