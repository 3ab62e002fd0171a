//! Who may call: the tenant's key, its capabilities, its budget, and the customer whom the call is about.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use tower::Service as _;

use crate::auth::rejected_keys::RejectedKeys;
use crate::budget::Group;
use crate::email;
use crate::error::ApiError;
use crate::ids;
use crate::state::AppState;
use crate::store::{Caller, Capability, Mode, Owner, StoreError, TokenLookup};

/// The header that names the customer.
pub(crate) const USER_EMAIL: HeaderName = HeaderName::from_static("x-user-email");

/// Longer than any key; what is longer is not looked up.
const MAX_KEY_LENGTH: usize = 256;

/// Who called, for the log; goes with the response.
#[derive(Debug, Clone)]
pub(crate) struct LoggedCaller {
    pub(crate) tenant: String,
    pub(crate) key: String,
}

/// What an endpoint asks of its caller.
#[derive(Clone)]
struct Guard {
    app: AppState,
    capability: Capability,
    group: Group,
}

/// Lets only callers in whose key has this capability and whose budget for this group is not used up. A method that
/// the endpoint does not have stays a 405 for everybody.
pub fn guarded(
    app: &AppState,
    capability: Capability,
    group: Group,
    endpoint: MethodRouter<AppState>,
) -> MethodRouter<AppState> {
    let guard = Guard { app: app.clone(), capability, group };
    endpoint.route_layer(middleware::from_fn_with_state(guard, check))
}

/// The future that is returned has the request once, and what comes before the handler is boxed: a long poll that waits
/// has no room for either.
fn check(
    State(guard): State<Guard>,
    mut request: Request,
    mut next: Next,
) -> impl Future<Output = Response> + Send {
    let digest = key_digest(&guard.app, request.headers());
    async move {
        let caller = match Box::pin(caller(&guard.app, digest)).await {
            Ok(caller) => caller,
            Err(error) => return error.into_response(),
        };
        let mut response = match admit(&guard.app, &caller, guard.capability, guard.group).await {
            Ok(()) => {
                request.extensions_mut().insert(caller.clone());
                let Ok(response) = next.call(request).await;
                response
            }
            Err(error) => error.into_response(),
        };
        note_caller(&guard.app, &caller, guard.group, &mut response);
        response
    }
}

/// Counts a call, if the caller's key has this capability and the tenant's budget for this group is not used up.
///
/// # Errors
///
/// [`ApiError::CapabilityDisabled`], with nothing counted, and [`ApiError::RateLimited`].
pub(crate) async fn admit(
    app: &AppState,
    caller: &Caller,
    capability: Capability,
    group: Group,
) -> Result<(), ApiError> {
    if !caller.capabilities.contains(&capability) {
        return Err(ApiError::CapabilityDisabled(capability));
    }
    app.budgets.take(group, caller).await.check()
}

/// Whose key the request carries, and what this connection of this customer holds; without either of the two, the caller
/// alone.
///
/// # Errors
///
/// Those of [`authenticate`].
pub(crate) async fn look_up(
    app: &AppState,
    headers: &HeaderMap,
    connection: &Result<String, ApiError>,
    customer: &Result<String, ApiError>,
) -> Result<TokenLookup, ApiError> {
    let digest = key_digest(app, headers)?;
    let (connection, customer) = (connection.as_deref().ok(), customer.as_deref().ok());
    let lookup = app.store.token_lookup(&digest, connection, customer);
    opened(&app.rejected_keys, &digest, lookup).await
}

/// Tells how the caller's budget stands now, since a long poll may have taken a minute; and the log who called.
pub(crate) fn note_caller(app: &AppState, caller: &Caller, group: Group, response: &mut Response) {
    app.budgets.look(group, caller).tell(response.headers_mut());
    log_caller(caller, response);
}

/// Tells the log who called, and the client nothing of its budget.
pub(crate) fn log_caller(caller: &Caller, response: &mut Response) {
    response.extensions_mut().insert(LoggedCaller { tenant: caller.tenant.clone(), key: caller.key.clone() });
}

/// Whose key the request carries.
///
/// # Errors
///
/// [`ApiError::InvalidApiKey`] where there is none, or one that opens nothing; [`ApiError::KeyOfOtherMode`];
/// [`ApiError::RateLimited`] where that one
/// comes again and again.
pub async fn authenticate(app: &AppState, headers: &HeaderMap) -> Result<Caller, ApiError> {
    caller(app, key_digest(app, headers)).await
}

async fn caller(app: &AppState, digest: Result<String, ApiError>) -> Result<Caller, ApiError> {
    let digest = digest?;
    opened(&app.rejected_keys, &digest, app.store.caller(&digest)).await
}

/// The digest of the key that the request carries.
///
/// # Errors
///
/// [`ApiError::InvalidApiKey`] where there is none; [`ApiError::KeyOfOtherMode`].
pub(crate) fn key_digest(app: &AppState, headers: &HeaderMap) -> Result<String, ApiError> {
    let value = only(headers, &AUTHORIZATION).map_err(|_| ApiError::InvalidApiKey)?;
    let key = value.and_then(bearer).ok_or(ApiError::InvalidApiKey)?;
    if app.store.mode().is_foreign(key) {
        return Err(other_mode(app.store.mode()));
    }
    Ok(ids::digest(key))
}

/// What a key or an MCP URL's token with this digest opens, by a look into the database.
///
/// # Errors
///
/// Those of [`authenticate`].
pub(crate) async fn opened<T>(
    rejected: &RejectedKeys,
    digest: &str,
    lookup: impl Future<Output = Result<Option<T>, StoreError>>,
) -> Result<T, ApiError> {
    rejected.check(digest)?;
    lookup.await?.ok_or_else(|| {
        rejected.note(digest);
        ApiError::InvalidApiKey
    })
}

/// Says which of the two kinds of key was taken for the other. The beginning of a key is no secret.
fn other_mode(mode: Mode) -> ApiError {
    ApiError::KeyOfOtherMode(match mode {
        Mode::Live => "This is a test key: it works only with the `connect-service dev` that printed it",
        Mode::Test => "This is not a test key: `connect-service dev` takes the pk_test_ key that it printed",
    })
}

fn bearer(value: &[u8]) -> Option<&str> {
    let (scheme, key) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let key = key.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && key.len() <= MAX_KEY_LENGTH).then_some(key)
}

/// The value of a header that may be there once.
///
/// # Errors
///
/// When it is there more than once: two values contradict each other, and it must not depend on who reads which.
pub fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(http::HeaderValue::as_bytes);
    match values.next() {
        None => Ok(first),
        Some(_) => Err(ApiError::invalid(format!("The header {name} is there more than once"))),
    }
}

/// The customer whom a call is about. Only in endpoints that are [`guarded`].
#[derive(Debug)]
pub struct Customer(pub Owner);

impl FromRequestParts<AppState> for Customer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().ok_or(ApiError::InvalidApiKey)?;
        Ok(Self(Owner { tenant: caller.tenant.clone(), customer: customer(&parts.headers)? }))
    }
}

/// The customer's email, in its one spelling.
///
/// # Errors
///
/// [`ApiError::InvalidUserEmail`].
pub(crate) fn customer(headers: &HeaderMap) -> Result<String, ApiError> {
    let value = only(headers, &USER_EMAIL)
        .map_err(|_| ApiError::InvalidUserEmail("is there more than once"))?
        .ok_or(ApiError::InvalidUserEmail("is missing"))?;
    email::parse(value).map_err(ApiError::InvalidUserEmail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_as_a_bearer_token() {
        assert_eq!(bearer(b"Bearer pk_live_x"), Some("pk_live_x"));
        assert_eq!(bearer(b"bearer  pk_live_x"), Some("pk_live_x"));
        for value in [&b""[..], b"Bearer", b"Basic cGs6", b"pk_live_x", b"Bearer \xff"] {
            assert_eq!(bearer(value), None);
        }
        assert_eq!(bearer(format!("Bearer {}", "x".repeat(300)).as_bytes()), None);
    }
}
