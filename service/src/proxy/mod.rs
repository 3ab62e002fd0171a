//! `ANY /connections/{id}/proxy/{path}`: calls to a connection's API, for backends that never hold its credential.
//!
//! This file is the way of one call: the key, the connection, a credential that works (`vending`), the provider, and
//! once more with a new credential where the provider rejects the first. Where a call may go is in `target.rs`,
//! `address.rs` and `path.rs`; which headers pass in `headers.rs`; bodies in `body.rs`; who answered in `source.rs`.
//!
//! It must never lead to another host than the connection's own, repeat a request that a provider may have carried out, or
//! call its own errors the provider's.

mod address;
mod audit;
mod body;
mod headers;
mod in_flight;
mod path;
mod source;
mod target;

pub(crate) use audit::AuditedCall;
pub use in_flight::ProxiedCalls;
pub(crate) use path::pattern;
pub(crate) use source::{is_proxied, mark_source};

use std::error::Error;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::auth::tenant_key;
use crate::budget::Group;
use crate::error::ApiError;
use crate::extract::path::ConnectionId;
use crate::oauth::{ForwardError, ForwardRequest};
use crate::state::AppState;
use crate::store::{Caller, Capability, Owner, TokenLookup, VendableConnection, Vended};
use crate::vending::{self, TokenDigest};
use body::{Download, IDLE_TIMEOUT, Progress, Upload, UploadBroke};
use in_flight::ProxiedCall;
use path::ProxyPath;
use target::Target;

const REFUSED_PATH: &str = "The path must stay below the API's address, without dots, backslashes and control \
    characters, encoded or not";

/// The endpoint. What a request breaks is told in the usual order: first the key, its capability and budget, then the rest.
pub(crate) async fn call(
    State(app): State<AppState>,
    id: Result<ConnectionId, ApiError>,
    request: Request,
) -> Response {
    let headers = request.headers();
    let (id, customer) = (id.map(|ConnectionId(id)| id), tenant_key::customer(headers));
    let found = match tenant_key::look_up(&app, headers, &id, &customer).await {
        Ok(found) => found,
        Err(error) => return error.into_response(),
    };
    let TokenLookup { caller, connection } = found;
    let response = match tenant_key::admit(&app, &caller, Capability::Proxy, Group::Proxy).await {
        Ok(()) => audited(&app, &caller, request, id, customer, connection).await,
        Err(error) => Err(error),
    };
    match response {
        Ok(mut response) => {
            // The provider's own `RateLimit` stays.
            tenant_key::log_caller(&caller, &mut response);
            response
        }
        Err(error) => {
            let mut response = error.into_response();
            tenant_key::note_caller(&app, &caller, Group::Proxy, &mut response);
            response
        }
    }
}

/// The provider's response, once the call is in the audit.
async fn audited(
    app: &AppState,
    caller: &Caller,
    request: Request,
    id: Result<String, ApiError>,
    customer: Result<String, ApiError>,
    connection: Option<VendableConnection>,
) -> Result<Response, ApiError> {
    let (known_id, known_customer) =
        (id.as_deref().unwrap_or_default(), customer.as_deref().unwrap_or_default());
    let mut audit = AuditedCall::new(app, caller, known_id, known_customer, request.method().as_str());
    let owner = customer.map(|customer| Owner { tenant: caller.tenant.clone(), customer });
    let outcome = match (owner, id) {
        (Ok(owner), Ok(id)) => {
            let proxy = Proxy { app, owner: &owner, id: &id };
            proxy.call(request, connection, &mut audit).await
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    audit.note(outcome.as_ref().map(|response| response.status().as_u16()).map_err(ApiError::code)).await?;
    outcome
}

/// One customer's connection, to be called through.
struct Proxy<'a> {
    app: &'a AppState,
    owner: &'a Owner,
    id: &'a str,
}

/// What of a request every attempt has in common.
struct Asked<'a> {
    method: Method,
    path: ProxyPath<'a>,
    query: Option<&'a str>,
    headers: HeaderMap,
}

impl Proxy<'_> {
    async fn call(
        &self,
        request: Request,
        connection: Option<VendableConnection>,
        audit: &mut AuditedCall<'_>,
    ) -> Result<Response, ApiError> {
        let (parts, body) = request.into_parts();
        if is_refused(&parts.method) {
            return Err(ApiError::invalid("TRACE, TRACK and CONNECT are not passed on"));
        }
        let path = ProxyPath::of_request(parts.uri.path()).ok_or_else(|| ApiError::invalid(REFUSED_PATH))?;
        let digest = tenant_key::key_digest(self.app, &parts.headers)?;
        let asked = Asked { method: parts.method, path, query: parts.uri.query(), headers: parts.headers };

        let vended = vending::vend(self.app, self.owner, self.id, connection, None).await?;
        let in_flight = self.app.proxied_calls.enter(&self.owner.tenant, self.id);
        let in_flight = in_flight.ok_or(ApiError::RateLimited { retry_after: 1 })?;
        let target = self.target(&vended, &asked, audit).await?;
        let upload = Upload::read(body, &self.app.proxied_calls).await?;
        let again = upload.again();
        let response = self.send(target, &asked, upload).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(again) = again
            && let Some(vended) = replaced(self.app, self.owner, self.id, &vended, &digest).await?
        {
            let target = self.target(&vended, &asked, audit).await?;
            return Ok(answer(self.send(target, &asked, again).await?, in_flight));
        }
        Ok(answer(response, in_flight))
    }

    async fn target(
        &self,
        vended: &Vended,
        asked: &Asked<'_>,
        audit: &mut AuditedCall<'_>,
    ) -> Result<Target, ApiError> {
        let tenant = &self.owner.tenant;
        let client = vended.oauth_client.as_deref();
        let client = self.app.client_of_grant(tenant, &vended.app_id, client).await?;
        let target = Target::new(self.app, tenant, (vended, client.as_deref()), &asked.path, asked.query)?;
        if let Some(request) = audit.request() {
            target.note(request);
        }
        Ok(target)
    }

    async fn send(
        &self,
        target: Target,
        asked: &Asked<'_>,
        upload: Upload,
    ) -> Result<reqwest::Response, ApiError> {
        let (progress, in_query) = (Progress::start(), target.in_query);
        let mut headers = headers::for_provider(&asked.headers, &target.headers);
        if upload.is_empty() && matches!(asked.method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let request = ForwardRequest {
            method: asked.method.clone(),
            url: target.url,
            headers,
            body: upload.into_body(progress.clone()),
        };
        let mut response = tokio::select! {
            response = self.app.providers.forward(request) => response.map_err(error)?,
            () = progress.stalled(IDLE_TIMEOUT) => return Err(ApiError::ProviderTimeout),
        };
        headers::drop_repeated(response.headers_mut(), &in_query);
        Ok(response)
    }
}

/// The credential that takes the place of one which the provider rejected; `None` where there is no other, and the provider's
/// response is what the caller gets.
///
/// # Errors
///
/// [`ApiError::NeedsReconnection`].
pub(crate) async fn replaced(
    app: &AppState,
    owner: &Owner,
    id: &str,
    rejected: &Vended,
    key_digest: &str,
) -> Result<Option<Vended>, ApiError> {
    let digest = TokenDigest::of(&rejected.content);
    let customer = Some(owner.customer.as_str());
    let Ok(Some(found)) = app.store.token_lookup(key_digest, Some(id), customer).await else {
        return Ok(None);
    };
    match vending::vend(app, owner, id, found.connection, Some(&digest)).await {
        Ok(vended) => Ok((TokenDigest::of(&vended.content) != digest).then_some(vended)),
        Err(ApiError::NeedsReconnection) => Err(ApiError::NeedsReconnection),
        Err(_) => Ok(None),
    }
}

/// TRACE would give back the credential, as TRACK does on some servers, and CONNECT is no request to the API at all. Some
/// servers take methods in any case.
fn is_refused(method: &Method) -> bool {
    ["TRACE", "TRACK", "CONNECT"].iter().any(|refused| method.as_str().eq_ignore_ascii_case(refused))
}

fn error(error: ForwardError) -> ApiError {
    match error {
        ForwardError::NotSent => ApiError::UpstreamUnavailable { retry_after: 1 },
        ForwardError::BrokeOff(error) if is_of_caller(&error) => {
            ApiError::invalid("The body did not arrive whole")
        }
        ForwardError::BrokeOff(_) => ApiError::ProviderNoResponse,
    }
}

/// Whether it is the caller's body that broke off.
fn is_of_caller(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<UploadBroke>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// What the caller gets of a provider's response.
fn answer(response: reqwest::Response, in_flight: ProxiedCall) -> Response {
    let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
    let mut answer = Response::new(axum::body::Body::new(Download::new(body, in_flight)));
    // A connection to the provider does not become one of the caller's.
    *answer.status_mut() = match parts.status {
        StatusCode::SWITCHING_PROTOCOLS => StatusCode::BAD_GATEWAY,
        status => status,
    };
    *answer.headers_mut() = headers::for_caller(&parts.headers);
    answer
}
