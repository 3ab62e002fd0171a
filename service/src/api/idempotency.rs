//! Requests that make something once for each `Idempotency-Key`: a repeat gets the first one's answer.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use secrecy::ExposeSecret;

use crate::error::ApiError;
use crate::state::AppState;
use crate::store::{NewAnswer, Owner};

/// The key of a request that is made for the first time.
#[derive(Clone, Copy)]
pub(super) struct Once<'a> {
    key: &'a str,
    fingerprint: &'a str,
}

impl<'a> Once<'a> {
    /// The answer to keep, in the transaction that makes what it tells of.
    pub(super) fn answer(self, body: &'a str) -> NewAnswer<'a> {
        NewAnswer { key: self.key, fingerprint: self.fingerprint, body }
    }
}

/// Carries a request out, unless one with the same key was. `make` gives the answer's body; `None` where its key is taken.
/// `fingerprint` tells the request from others.
pub(super) async fn once(
    app: &AppState,
    owner: &Owner,
    key: Option<String>,
    fingerprint: &str,
    make: impl AsyncFnOnce(Option<Once<'_>>) -> Result<Option<String>, ApiError>,
) -> Result<Response, ApiError> {
    let Some(key) = key else {
        let answer = make(None).await?;
        return answer.map(json).ok_or_else(|| ApiError::internal("a request was refused without a key"));
    };
    // Keys are the customer's own, and so are their answers.
    let key = format!("{}\n{key}", owner.customer);
    if let Some(answer) = kept(app, owner, &key, fingerprint).await? {
        return Ok(answer);
    }
    if let Some(answer) = make(Some(Once { key: &key, fingerprint })).await? {
        return Ok(json(answer));
    }
    // The same request came at the same time and was first.
    let answer = kept(app, owner, &key, fingerprint).await?;
    answer.ok_or_else(|| ApiError::internal("an idempotency key is taken but has no answer"))
}

fn json(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn kept(
    app: &AppState,
    owner: &Owner,
    key: &str,
    fingerprint: &str,
) -> Result<Option<Response>, ApiError> {
    match app.store.answer(&owner.tenant, key).await? {
        Some((same, body)) if same == fingerprint => Ok(Some(json(body.expose_secret().to_owned()))),
        Some(_) => Err(ApiError::IdempotencyKeyReused),
        None => Ok(None),
    }
}
