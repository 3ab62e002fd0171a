//! Reading what token endpoints answer, which is less uniform than RFC 6749 hopes.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{ProviderError, Tokens};

/// Longer ones are no tokens but a mistake.
const MAX_TOKEN_CHARS: usize = 32 * 1024;

/// The outcome of a token request, whatever its status claims: some providers send errors with status 200.
pub(super) fn parse(status: u16, body: &[u8], retry_after: Option<Duration>) -> Result<Tokens, ProviderError> {
    let unavailable = ProviderError::Unavailable { retry_after };
    if status == 429 || status >= 500 {
        return Err(unavailable);
    }
    let Some(object) = object(body) else {
        return Err(unavailable);
    };
    if let Some(error) = error_code(&object) {
        return Err(classify(error, retry_after));
    }
    match tokens(&object).or_else(|| object.get("authed_user")?.as_object().and_then(tokens)) {
        Some(tokens) if (200..300).contains(&status) => Ok(tokens),
        _ => Err(unavailable),
    }
}

/// The body as an object: JSON, or form-encoded as GitHub does unless asked, and some do always.
fn object(body: &[u8]) -> Option<Map<String, Value>> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.starts_with('{') {
        return serde_json::from_str(text).ok();
    }
    if text.starts_with('<') || !text.contains('=') {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes());
    Some(pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect())
}

/// `error` as a word (RFC 6749; Slack beside `ok: false`), or nested as some write it.
fn error_code(object: &Map<String, Value>) -> Option<&str> {
    let failed = object.get("ok") == Some(&Value::Bool(false));
    match object.get("error") {
        Some(Value::String(code)) if !code.is_empty() => Some(code),
        Some(Value::Object(nested)) => {
            Some(["code", "type", "error"].iter().find_map(|name| nested.get(*name)?.as_str()).unwrap_or("unknown"))
        }
        _ if failed => Some("unknown"),
        // HubSpot sends `status` instead, such as BAD_REFRESH_TOKEN.
        _ => object.get("status")?.as_str().filter(|status| status.starts_with("BAD_")),
    }
}

fn classify(code: &str, retry_after: Option<Duration>) -> ProviderError {
    match code.to_ascii_lowercase().as_str() {
        "invalid_grant"
        | "bad_verification_code" // GitHub: the code
        | "bad_refresh_token" // GitHub, HubSpot
        | "bad_auth_code" // HubSpot
        | "invalid_code" // Zoho, Slack
        | "invalid_refresh_token" // Slack
        | "token_revoked"
        | "token_expired"
        | "code_already_used"
        | "access_denied"
        | "interaction_required"
        | "consent_required"
        | "login_required" => ProviderError::Declined,
        "invalid_client"
        | "unauthorized_client"
        | "invalid_client_id" // Slack
        | "bad_client_id" // HubSpot, Slack
        | "bad_client_secret" // Slack
        | "invalid_client_secret" // Zoho
        | "incorrect_client_credentials" // GitHub
        | "redirect_uri_mismatch" // GitHub
        | "bad_redirect_uri" // Slack, HubSpot
        | "invalid_redirect_uri" // Zoho
        | "invalid_request"
        | "invalid_scope"
        | "unsupported_grant_type" => ProviderError::Misconfigured,
        _ => ProviderError::Unavailable { retry_after },
    }
}

fn tokens(object: &Map<String, Value>) -> Option<Tokens> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|value| is_printable(value));
    Some(Tokens {
        access_token: SecretString::from(text("access_token")?),
        refresh_token: text("refresh_token").map(SecretString::from),
        token_type: token_type(text("token_type")),
        expires_in: object.get("expires_in").and_then(seconds),
        scope: text("scope").map(str::to_owned),
    })
}

/// Not empty, and safe to be sent in a header.
fn is_printable(value: &str) -> bool {
    !value.is_empty() && value.len() <= MAX_TOKEN_CHARS && !value.chars().any(char::is_control)
}

/// `bearer` in any case is `Bearer`, which APIs that are strict about it expect. Slack tells the token's kind (`bot`,
/// `user`) instead of its type.
fn token_type(given: Option<&str>) -> String {
    match given {
        Some(other) if !["bearer", "bot", "user"].contains(&other.to_ascii_lowercase().as_str()) => {
            other.to_owned()
        }
        _ => "Bearer".to_owned(),
    }
}

/// A number of seconds, also as text or with a fraction. Zero and less mean that nothing useful was said.
fn seconds(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // A century is as good as for ever, and leaves room for sums.
    (seconds.is_finite() && seconds >= 1.0).then(|| seconds.min(3.2e9) as u64)
}
