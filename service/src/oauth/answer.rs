//! Reading what token endpoints answer, which is less uniform than RFC 6749 hopes.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{ProviderError, Tokens};

/// Longer ones are no tokens but a mistake.
const MAX_TOKEN_CHARS: usize = 32 * 1024;

/// The outcome of a token request, whatever its status claims: some providers send errors with status 200.
pub(super) fn parse(
    status: u16,
    body: &[u8],
    retry_after: Option<Duration>,
) -> Result<Tokens, ProviderError> {
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
        Some(tokens) if (200..300).contains(&status) => Ok(Tokens { response: object.into(), ..tokens }),
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
        Some(Value::Object(nested)) => Some(
            ["code", "type", "error"]
                .iter()
                .find_map(|name| nested.get(*name)?.as_str())
                .unwrap_or("unknown"),
        ),
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
        access_token: SecretString::from(text("access_token").filter(|token| is_token(token))?),
        refresh_token: text("refresh_token").map(SecretString::from),
        token_type: token_type(text("token_type")),
        expires_in: object.get("expires_in").and_then(seconds),
        scope: text("scope").map(str::to_owned),
        response: Value::Null,
    })
}

/// Not empty, and safe to be sent in a header.
fn is_printable(value: &str) -> bool {
    !value.is_empty() && value.len() <= MAX_TOKEN_CHARS && !value.chars().any(char::is_control)
}

/// An access token has no space (RFC 6750, section 2.1). Some servers put an error's text in its place.
fn is_token(value: &str) -> bool {
    let is_error = value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("error"));
    !is_error && !value.contains(char::is_whitespace)
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

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn ok(body: &str) -> Tokens {
        parse(200, body.as_bytes(), None).unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    fn err(status: u16, body: &str) -> ProviderError {
        parse(status, body.as_bytes(), None).expect_err(body)
    }

    #[test]
    fn what_the_standard_says() {
        let tokens = ok(
            r#"{"access_token":"at","token_type":"bearer","expires_in":3600,"refresh_token":"rt","scope":"a b"}"#,
        );
        assert_eq!(tokens.access_token.expose_secret(), "at");
        assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "rt");
        assert_eq!(tokens.token_type, "Bearer");
        assert_eq!(tokens.expires_in, Some(3600));
        assert_eq!(tokens.scope.as_deref(), Some("a b"));
    }

    #[test]
    fn what_stands_beside_the_tokens_is_kept() {
        let tokens = ok(r#"{"access_token":"at","instance_url":"https://a.example","team":{"id":7}}"#);
        assert_eq!(tokens.scope, None);
        let member = |pointer| tokens.response.pointer(pointer).cloned();
        assert_eq!(member("/instance_url"), Some("https://a.example".into()));
        assert_eq!(member("/team/id"), Some(7.into()));
        // Of a response in form encoding, and around a nested token.
        assert_eq!(ok("access_token=at&scope=repo&x=1").response["x"], "1");
        let slack = ok(r#"{"ok":true,"team":{"id":"T1"},"authed_user":{"access_token":"xoxp","scope":"s"}}"#);
        assert_eq!((slack.scope.as_deref(), &slack.response["team"]["id"]), (Some("s"), &"T1".into()));
    }

    #[test]
    fn the_least_that_is_enough() {
        let tokens = ok(r#"{"access_token":"at"}"#);
        assert_eq!(tokens.token_type, "Bearer");
        assert!(tokens.refresh_token.is_none() && tokens.expires_in.is_none());
        assert_eq!(ok(r#"{"access_token":"at","token_type":"MAC"}"#).token_type, "MAC");
        assert!(ok(r#"{"access_token":"at","refresh_token":""}"#).refresh_token.is_none());
    }

    #[test]
    fn lifetimes_in_every_spelling() {
        for (given, expected) in [
            ("3600", Some(3600)),
            ("\"3600\"", Some(3600)),
            ("\" 60 \"", Some(60)),
            ("3599.9", Some(3599)),
            ("0", None),
            ("-1", None),
            ("null", None),
            ("\"soon\"", None),
            ("\"NaN\"", None),
            ("true", None),
            ("1e300", Some(3_200_000_000)),
            ("\"inf\"", None),
        ] {
            let tokens = ok(&format!(r#"{{"access_token":"at","expires_in":{given}}}"#));
            assert_eq!(tokens.expires_in, expected, "{given}");
        }
    }

    #[test]
    fn form_encoded_as_github_does_unless_asked() {
        let tokens =
            ok("access_token=gho_1%2B2&expires_in=28800&refresh_token=ghr_1&scope=repo&token_type=bearer");
        assert_eq!(tokens.access_token.expose_secret(), "gho_1+2");
        assert_eq!(tokens.expires_in, Some(28800));
        assert_eq!(
            err(200, "error=bad_verification_code&error_description=The+code"),
            ProviderError::Declined
        );
    }

    #[test]
    fn errors_that_claim_success() {
        assert_eq!(err(200, r#"{"error":"bad_verification_code"}"#), ProviderError::Declined);
        assert_eq!(err(200, r#"{"ok":false,"error":"invalid_code"}"#), ProviderError::Declined);
        assert_eq!(err(200, r#"{"ok":false,"error":"bad_client_secret"}"#), ProviderError::Misconfigured);
        assert_eq!(err(200, r#"{"ok":false,"access_token":"at"}"#), ProviderError::UNAVAILABLE);
        assert_eq!(err(200, r#"{"error":"invalid_grant","access_token":"at"}"#), ProviderError::Declined);
    }

    /// Casdoor answers so with status 200.
    #[test]
    fn an_errors_text_is_no_access_token() {
        for token in
            ["error: token is expired by 3h", "error", "Error:expired", "token is expired", " at", "a\u{a0}t"]
        {
            let body =
                serde_json::json!({"access_token": token, "refresh_token": "", "token_type": "Bearer"});
            assert_eq!(err(200, &body.to_string()), ProviderError::UNAVAILABLE, "{token}");
        }
        for token in ["ya29.error", "err", "terror", "é"] {
            let body = serde_json::json!({ "access_token": token });
            assert_eq!(ok(&body.to_string()).access_token.expose_secret(), token);
        }
    }

    #[test]
    fn slack_nests_the_users_token() {
        let both = ok(
            r#"{"ok":true,"access_token":"xoxb","token_type":"bot","authed_user":{"access_token":"xoxp"}}"#,
        );
        assert_eq!(both.access_token.expose_secret(), "xoxb");
        assert_eq!(both.token_type, "Bearer");
        let user = ok(
            r#"{"ok":true,"authed_user":{"id":"U1","access_token":"xoxp","token_type":"user","expires_in":43200}}"#,
        );
        assert_eq!(user.access_token.expose_secret(), "xoxp");
        assert_eq!(user.expires_in, Some(43200));
    }

    #[test]
    fn each_error_calls_for_the_right_thing() {
        assert_eq!(err(400, r#"{"error":"invalid_grant"}"#), ProviderError::Declined);
        assert_eq!(err(400, r#"{"status":"BAD_REFRESH_TOKEN"}"#), ProviderError::Declined);
        assert_eq!(err(401, r#"{"error":"invalid_client"}"#), ProviderError::Misconfigured);
        assert_eq!(
            err(400, r#"{"error":{"code":"invalid_client","message":"no"}}"#),
            ProviderError::Misconfigured
        );
        assert_eq!(err(400, r#"{"error":"something_new"}"#), ProviderError::UNAVAILABLE);
        assert_eq!(err(400, r#"{"error":"temporarily_unavailable"}"#), ProviderError::UNAVAILABLE);
        // Whatever a failing server says about the grant is not believed.
        assert_eq!(err(503, r#"{"error":"invalid_grant"}"#), ProviderError::UNAVAILABLE);
        assert_eq!(err(429, r#"{"error":"invalid_grant"}"#), ProviderError::UNAVAILABLE);
        assert_eq!(err(302, r#"{"access_token":"at"}"#), ProviderError::UNAVAILABLE);
        let later = Some(Duration::from_secs(7));
        assert_eq!(parse(429, b"", later).unwrap_err(), ProviderError::Unavailable { retry_after: later });
    }

    #[test]
    fn nonsense_is_no_answer() {
        let long = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(MAX_TOKEN_CHARS + 1));
        for body in [
            "",
            " ",
            "<html>access_token=at</html>",
            "null",
            "[]",
            "\"at\"",
            "{",
            "{}",
            "ok",
            "access_token",
            "=",
            r#"{"access_token":""}"#,
            r#"{"access_token":null}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":"a\r\nb"}"#,
            r#"{"access_token":{"a":1}}"#,
            &long,
        ] {
            assert_eq!(err(200, body), ProviderError::UNAVAILABLE, "{body}");
        }
        assert_eq!(parse(200, b"\xff\xfe", None).unwrap_err(), ProviderError::UNAVAILABLE);
    }

    #[test]
    fn debug_shows_no_secret() {
        let printed =
            format!("{:?}", ok(r#"{"access_token":"s3cret","refresh_token":"s3cret","id_token":"s3cret"}"#));
        assert!(!printed.contains("s3cret"));
    }
}
