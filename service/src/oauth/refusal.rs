//! What a token endpoint means by an error.
//!
//! RFC 6749 has one word for a grant that is gone, `invalid_grant`. Providers have many, in several places; and to a
//! refresh some say the same by a word that blames the client. Whoever is not understood here is asked again for days,
//! while the customer waits; whoever is misunderstood loses a grant that works.

use serde_json::{Map, Value};

use super::answer::Rules;

/// What an error says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The grant is gone, or what the customer entered is wrong.
    Grant,
    /// The operator's client is wrong, or how the request is made.
    Client,
    /// It is for now.
    Temporary,
    /// Nothing that is known.
    Other,
}

/// Whether a response is an error, whatever its status claims.
pub(super) fn is_error(object: &Map<String, Value>) -> bool {
    !own_codes(object).is_empty()
}

/// What an error says, in general or by the words of its app.
pub(super) fn read(object: &Map<String, Value>, rules: &Rules) -> Refusal {
    let codes = own_codes(object).into_iter().chain(listed_codes(object));
    let codes: Vec<String> = codes.map(str::to_ascii_lowercase).collect();
    let any = |is: fn(&str) -> bool| codes.iter().any(|code| is(code));
    let is_own_word =
        codes.iter().any(|code| rules.invalid_grant.iter().any(|w| w.eq_ignore_ascii_case(code)));
    let is_own_text = || {
        let pattern = rules.invalid_grant_text.as_ref();
        pattern.is_some_and(|pattern| descriptions(object).any(|text| pattern.matches(text)))
    };
    // `unauthorized_client` and `invalid_request` are general enough to be used for a refresh token that is gone.
    let is_told_of_token = || {
        let is_of_client = any(|code| is_about_client(code) && code != "unauthorized_client");
        !is_of_client && descriptions(object).any(says_that_refresh_token_is_gone)
    };
    let is_grant = is_own_word
        || is_own_text()
        || any(ends_grant)
        || (rules.is_customers_client && any(is_about_client))
        || (rules.is_refresh && (any(ends_refresh) || is_told_of_token()));
    if is_grant {
        Refusal::Grant
    } else if any(is_about_client)
        || (!rules.is_trial && (any(is_about_request) || (!rules.is_refresh && any(is_general))))
    {
        Refusal::Client
    } else if any(is_temporary) {
        Refusal::Temporary
    } else {
        Refusal::Other
    }
}

/// `error` as a word (RFC 6749; Slack beside `ok: false`), or nested as some write it.
fn own_codes(object: &Map<String, Value>) -> Vec<&str> {
    let failed = object.get("ok") == Some(&Value::Bool(false));
    let codes = match object.get("error") {
        Some(Value::String(code)) if !code.is_empty() => vec![code.as_str()],
        Some(Value::Object(nested)) => words(nested, &["code", "type", "error"]).collect(),
        _ if failed => Vec::new(),
        // HubSpot sends `status` instead, such as BAD_REFRESH_TOKEN.
        _ => return words(object, &["status"]).filter(|status| status.starts_with("BAD_")).collect(),
    };
    if codes.is_empty() { vec!["unknown"] } else { codes }
}

/// Those in a list, as Fitbit has it.
fn listed_codes(object: &Map<String, Value>) -> impl Iterator<Item = &str> {
    listed(object).flat_map(|error| {
        let word = error.as_str();
        let nested = error.as_object();
        let nested = nested.map(|error| words(error, &["errorType", "code", "type", "error"]));
        word.into_iter().chain(nested.into_iter().flatten())
    })
}

/// What an error says to people, where providers put that.
fn descriptions(object: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let nested = object.get("error").and_then(Value::as_object);
    let objects = [Some(object), nested].into_iter().flatten();
    let names = &["error_description", "error", "message", "detail", "title"];
    objects.chain(listed(object).filter_map(Value::as_object)).flat_map(|object| words(object, names))
}

fn listed(object: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    object.get("errors").and_then(Value::as_array).into_iter().flatten()
}

fn words<'a>(object: &'a Map<String, Value>, names: &'static [&str]) -> impl Iterator<Item = &'a str> {
    names.iter().filter_map(|name| object.get(*name)?.as_str())
}

/// Whether a code says that the grant is gone, or the code of the authorisation.
fn ends_grant(code: &str) -> bool {
    matches!(
        code,
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
            | "login_required"
    )
}

/// Whether a code says so of a refresh token. Elsewhere it would be said of another token.
fn ends_refresh(code: &str) -> bool {
    matches!(
        code,
        "invalid_token"
            | "expired_token"
            | "revoked_token"
            | "token_invalid"
            | "expired_refresh_token"
            | "refresh_token_expired"
            | "refresh_token_invalid"
            | "refresh_token_revoked"
    )
}

/// Whether a sentence says that the refresh token is invalid, has expired, or was revoked.
///
/// Such words anywhere in a text do not suffice: about the operator's client some write "invalid grant type" beside
/// "refresh token grant", and it would end the grants of all customers.
fn says_that_refresh_token_is_gone(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let blames_client = words_of(&text).windows(2).any(|pair| {
        matches!(
            pair,
            ["client", "credentials" | "id" | "secret" | "authentication" | "is" | "may" | "or"]
                | ["invalid" | "unknown" | "or", "client"]
                | ["grant", "type" | "types"]
        )
    });
    let mut clauses = text.split(['.', ':', ';', ',', '(', ')', '!', '?']);
    !blames_client && clauses.any(|clause| is_end_of_refresh_token(&words_of(clause)))
}

fn words_of(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// Whether a clause has the refresh token as the thing that is invalid, has expired, or was revoked.
fn is_end_of_refresh_token(clause: &[&str]) -> bool {
    const BESIDE: [&str; 4] = ["already", "either", "provided", "supplied"];
    let clause: Vec<&str> = clause.iter().copied().filter(|word| !BESIDE.contains(word)).collect();
    clause.windows(2).enumerate().filter(|(_, pair)| *pair == ["refresh", "token"]).any(|(at, _)| {
        let (before, after) = (&clause[..at], &clause[at + 2..]);
        let is_told_before = matches!(before, [.., "invalid" | "expired" | "revoked"])
            && !matches!(before, [.., "not", _])
            && matches!(after, [] | ["or" | "and" | "for", ..]);
        let is_told_after = matches!(
            after,
            ["is" | "was", "invalid" | "expired" | "revoked", ..]
                | ["is" | "was", "not", "valid", ..]
                | ["is" | "was", "no", "longer", "valid", ..]
                | ["has", "expired", ..]
                | ["has", "been", "expired" | "revoked", ..]
                | ["invalid" | "expired" | "revoked"]
                | ["invalid" | "expired" | "revoked", "or", ..]
        );
        is_told_before || is_told_after
    })
}

/// Whether a code says that the client's id or secret is wrong.
fn is_about_client(code: &str) -> bool {
    matches!(
        code,
        "invalid_client"
            | "unauthorized_client"
            | "invalid_client_id" // Slack
            | "bad_client_id" // HubSpot, Slack
            | "bad_client_secret" // Slack
            | "invalid_client_secret" // Zoho
            | "incorrect_client_credentials" // GitHub
    )
}

/// Whether a code says that the client is not set up for the request.
fn is_about_request(code: &str) -> bool {
    matches!(
        code,
        "redirect_uri_mismatch" // GitHub
            | "bad_redirect_uri" // Slack, HubSpot
            | "invalid_redirect_uri" // Zoho
            | "unsupported_grant_type"
    )
}

/// Whether a code says that something of the request is wrong: with a code exchange it is the client's set-up, and with a
/// refresh, which worked before, it may be the grant.
fn is_general(code: &str) -> bool {
    matches!(code, "invalid_request" | "invalid_scope")
}

/// Whether a code says that the same request may succeed later.
fn is_temporary(code: &str) -> bool {
    matches!(
        code,
        "temporarily_unavailable"
            | "server_error"
            | "slow_down"
            | "rate_limited"
            | "ratelimited" // Slack
            | "rate_limit_exceeded"
            | "too_many_requests"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str, rules: &Rules) -> Refusal {
        read(&serde_json::from_str(body).unwrap(), rules)
    }

    fn refresh() -> Rules {
        Rules { is_refresh: true, ..Rules::default() }
    }

    #[test]
    fn relatives_of_invalid_grant_end_a_refresh() {
        for body in [
            r#"{"error":"invalid_token"}"#,
            r#"{"error":"Invalid_Token","error_description":"x"}"#,
            r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#,
            r#"{"error":"unauthorized_client","error_description":"Unknown or invalid refresh token."}"#,
            r#"{"error":"invalid_request","error_description":"The Refresh-Token was revoked"}"#,
            r#"{"error":"invalid_request","error_description":"refresh token is not valid"}"#,
            r#"{"message":"Your refresh token has expired"}"#,
            r#"{"message":"Refresh token is invalid or expired"}"#,
            r#"{"message":"Invalid or expired refresh_token"}"#,
            r#"{"message":"Refresh token expired."}"#,
            r#"{"message":"The refresh token has already been revoked"}"#,
            r#"{"message":"The refresh token provided is no longer valid"}"#,
            r#"{"message":"The provided authorization grant or refresh token is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client."}"#,
            r#"{"error":"The refresh token has expired"}"#,
            r#"{"error":{"code":400,"message":"expired refresh token"}}"#,
            r#"{"errors":[{"type":"x"},{"code":"token_invalid"}]}"#,
            r#"{"errors":["invalid_token"]}"#,
        ] {
            assert_eq!(refusal(body, &refresh()), Refusal::Grant, "{body}");
            assert_ne!(refusal(body, &Rules::default()), Refusal::Grant, "a code exchange: {body}");
        }
        for body in [
            r#"{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid: x"}],"success":false}"#,
            r#"{"errors":[{"code":"invalid_grant"}]}"#,
            r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
            r#"{"errors":[{"type":"invalid_grant"}]}"#,
            r#"{"error":{"code":400,"type":"invalid_grant"}}"#,
            r#"{"status":"BAD_REFRESH_TOKEN"}"#,
        ] {
            assert_eq!(refusal(body, &refresh()), Refusal::Grant, "{body}");
            assert_eq!(refusal(body, &Rules::default()), Refusal::Grant, "{body}");
        }
    }

    /// What is made up in the request may be blamed in any words, which say nothing of the client.
    #[test]
    fn only_what_blames_the_client_is_its_trials_refusal() {
        let trial = Rules { is_trial: true, ..Rules::default() };
        for body in [
            r#"{"error":"invalid_client"}"#,
            r#"{"error":"unauthorized_client"}"#,
            r#"{"error":"incorrect_client_credentials"}"#,
            r#"{"ok":false,"error":"bad_client_secret"}"#,
        ] {
            assert_eq!(refusal(body, &trial), Refusal::Client, "{body}");
        }
        for body in [
            r#"{"error":"invalid_grant"}"#,
            r#"{"error":"invalid_request"}"#,
            r#"{"error":"invalid_scope"}"#,
            r#"{"error":"redirect_uri_mismatch"}"#,
            r#"{"error":"unsupported_grant_type"}"#,
            r#"{"error":"server_error"}"#,
        ] {
            assert_ne!(refusal(body, &trial), Refusal::Client, "{body}");
        }
    }

    #[test]
    fn what_blames_the_client_or_nothing_ends_no_grant() {
        for (body, expected) in [
            (
                r#"{"error":"invalid_client","error_description":"client or refresh token invalid"}"#,
                Refusal::Client,
            ),
            (r#"{"error":"unauthorized_client"}"#, Refusal::Client),
            (
                r#"{"error":"unauthorized_client","error_description":"The client is invalid"}"#,
                Refusal::Client,
            ),
            (r#"{"error":"unsupported_grant_type"}"#, Refusal::Client),
            (r#"{"error":"invalid_request","error_description":"refresh_token is missing"}"#, Refusal::Other),
            (
                r#"{"error":"invalid_request","error_description":"the refresh token has not expired yet"}"#,
                Refusal::Other,
            ),
            (r#"{"error":"invalid_request","error_description":"The token has expired"}"#, Refusal::Other),
            (r#"{"message":"Location is not active"}"#, Refusal::Other),
            (r#"{"message":"Invalid client credentials for refresh token grant"}"#, Refusal::Other),
            (
                r#"{"error":"unauthorized_client","error_description":"client may not use refresh token grant: invalid grant type"}"#,
                Refusal::Client,
            ),
            (r#"{"message":"Invalid refresh_token grant_type"}"#, Refusal::Other),
            (r#"{"message":"Invalid refresh token request"}"#, Refusal::Other),
            (r#"{"message":"Unsupported refresh token: invalid scope"}"#, Refusal::Other),
            (r#"{"message":"The client or refresh token is invalid"}"#, Refusal::Other),
            (r#"{"message":"The refresh token is invalid, or the client secret is"}"#, Refusal::Other),
            (r#"{"message":"Scope invalid: the refresh token lacks it"}"#, Refusal::Other),
            (r#"{"error":"temporarily_unavailable"}"#, Refusal::Temporary),
            (r#"{"ok":false,"error":"ratelimited"}"#, Refusal::Temporary),
            (r#"{"ok":false}"#, Refusal::Other),
            (r#"{"errors":[7,null,{"code":7}],"error":{}}"#, Refusal::Other),
        ] {
            assert_eq!(refusal(body, &refresh()), expected, "{body}");
        }
        assert_eq!(refusal(r#"{"error":"invalid_request"}"#, &Rules::default()), Refusal::Client);
    }
}
