//! Headers that single endpoints read.

use std::time::Duration;

use axum::extract::FromRequestParts;
use http::HeaderName;
use http::header::HeaderMap;
use http::request::Parts;

use crate::auth::tenant_key::only;
use crate::error::ApiError;
use crate::state::AppState;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_KEY_LENGTH: usize = 255;

/// The request's `Idempotency-Key`, if it has one.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl FromRequestParts<AppState> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        Self::of(&parts.headers)
    }
}

impl IdempotencyKey {
    /// # Errors
    ///
    /// [`ApiError::InvalidRequest`] where it breaks the contract.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = only(headers, &IDEMPOTENCY_KEY)? else {
            return Ok(Self(None));
        };
        let fits = (1..=MAX_KEY_LENGTH).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
        let key = std::str::from_utf8(value)
            .ok()
            .filter(|_| fits)
            .ok_or_else(|| ApiError::invalid("Idempotency-Key must be 1 to 255 visible ASCII characters"))?;
        Ok(Self(Some(key.to_owned())))
    }
}

/// How long a long poll may take, where `Prefer: wait=N` (RFC 7240) asks for one. As that RFC demands, what cannot be
/// understood is ignored, and of two wishes the first counts.
pub(crate) struct Wait(pub(crate) Option<Duration>);

impl FromRequestParts<AppState> for Wait {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let max = app.config.max_long_poll();
        let wait = wait(&parts.headers).filter(|_| !max.is_zero());
        Ok(Self(wait.map(|wait| wait.min(max))))
    }
}

fn wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut waits = preferences.flat_map(|value| value.split(',')).filter_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').to_owned())
    });
    let seconds: u64 = waits.next()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefer(values: &[&str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("prefer", value.parse().unwrap());
        }
        wait(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_is_found_among_other_preferences() {
        assert_eq!(prefer(&["wait=10"]), Some(10));
        assert_eq!(prefer(&["respond-async, WAIT = 5; x=1"]), Some(5));
        assert_eq!(prefer(&["return=minimal", "wait=\"7\""]), Some(7));
        assert_eq!(prefer(&["wait=3, wait=9"]), Some(3));
    }

    #[test]
    fn nonsense_is_ignored() {
        for value in ["", "wait", "wait=", "wait=-1", "wait=soon", "waiting=5"] {
            assert_eq!(prefer(&[value]), None, "{value}");
        }
        assert_eq!(prefer(&[]), None);
    }
}
