//! Reading what token endpoints answer, which is less uniform than RFC 6749 hopes.

use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::refusal::{self, Refusal};
use super::{Failure, ProviderError, Tokens};
use super::{lenient, lifetime};
use crate::catalogue::{Expected, Pattern, Pointer};

/// Longer ones are no tokens but a mistake.
const MAX_TOKEN_CHARS: usize = 32 * 1024;

/// What is known beforehand about a provider's responses, from the catalogue.
#[derive(Default)]
pub(super) struct Rules {
    /// The object with the tokens, or the access token; by default the whole response is that object.
    pub(super) token_pointer: Option<Pointer>,
    /// Whatever the response says.
    pub(super) token_type: Option<String>,
    /// Where the expiry stands, if not in the usual places.
    pub(super) expires_at: Option<Pointer>,
    /// In seconds, where the response does not tell.
    pub(super) lifetime: Option<u64>,
    /// Further error codes that end the grant.
    pub(super) invalid_grant: Vec<String>,
    /// Descriptions of errors that end the grant.
    pub(super) invalid_grant_text: Option<Pattern>,
    /// Statuses that mean that what the customer entered is wrong.
    pub(super) invalid_statuses: Vec<u16>,
    /// Whether the client is the customer's own, and no setting of the operator's.
    pub(super) is_customers_client: bool,
    /// Whether a refresh token is exchanged, so that what is said of a token is said of that one.
    pub(super) is_refresh: bool,
    /// Whether the request is made up, to learn whether the client is accepted: only what blames the client blames it.
    pub(super) is_trial: bool,
    /// The response that prolongs this access token instead of bringing one.
    pub(super) prolongs: Option<(Expected, SecretString)>,
}

/// A response.
pub(super) struct Received<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
    pub(super) retry_after: Option<Duration>,
    /// The time, which lifetimes count from.
    pub(super) now: SystemTime,
}

/// The outcome of a token request, whatever its status claims: some providers send errors with status 200.
pub(super) fn parse(received: &Received<'_>, rules: &Rules) -> Result<Tokens, ProviderError> {
    let &Received { status, body, retry_after, now } = received;
    let failed = |failure| Err(ProviderError::Unavailable { retry_after, failure });
    if status == 429 {
        return failed(Failure::Throttled);
    }
    if status >= 500 {
        return failed(Failure::Unusable);
    }
    // A firewall's page says nothing about what the customer entered or granted.
    let is_page = body.trim_ascii_start().starts_with(b"<");
    if rules.invalid_statuses.contains(&status) && !is_page {
        return Err(ProviderError::Declined);
    }
    let failure = match status {
        408 | 425 => Failure::Unusable,
        400..500 if !is_page => Failure::Refused,
        _ => Failure::Unusable,
    };
    let Some(object) = object(body) else {
        return failed(failure);
    };
    let is_success = (200..300).contains(&status);
    if is_success && !refusal::is_error(&object) {
        let response = Value::Object(object);
        return match rules.tokens(&response, now) {
            Some(tokens) => Ok(Tokens { response, ..tokens }),
            None => failed(failure),
        };
    }
    match refusal::read(&object, rules) {
        Refusal::Grant => Err(ProviderError::Declined),
        Refusal::Client => Err(ProviderError::Misconfigured),
        Refusal::Temporary => failed(Failure::Unusable),
        Refusal::Other => failed(failure),
    }
}

impl Rules {
    /// Those of a request with a customer's own secret.
    pub(super) fn of_customers_secret() -> Self {
        Self { invalid_statuses: vec![401], is_customers_client: true, ..Self::default() }
    }

    fn tokens(&self, response: &Value, now: SystemTime) -> Option<Tokens> {
        let found = match &self.token_pointer {
            Some(pointer) => pointer.get(response),
            None => Some(response),
        };
        let prolonged = || {
            let (expected, token) = self.prolongs.as_ref()?;
            expected.is_in(response).then(|| (response.as_object(), token.clone()))
        };
        // The access token itself: what else there is stands beside it.
        let beside = || self.token_pointer.as_ref()?.parent()?.get(response)?.as_object();
        let (object, access_token) = match found {
            Some(Value::String(token)) => (beside(), access_token(token)),
            Some(Value::Object(object)) => {
                (Some(object), object.get("access_token").and_then(Value::as_str).and_then(access_token))
            }
            _ => (None, None),
        };
        let (object, access_token) = match access_token {
            Some(token) => (object?, token),
            None => prolonged().and_then(|(object, token)| Some((object?, token)))?,
        };
        let text = |names: [&str; 2]| {
            let mut values = names.into_iter().filter_map(|name| object.get(name)?.as_str());
            values.find(|value| is_printable(value))
        };
        Some(Tokens {
            access_token,
            refresh_token: text(["refresh_token", "refreshToken"]).map(SecretString::from),
            token_type: match &self.token_type {
                Some(token_type) => token_type.clone(),
                None => token_type(text(["token_type", "tokenType"])),
            },
            expires_in: self
                .expires_at
                .as_ref()
                .and_then(|pointer| lifetime::until(pointer.get(response)?, now))
                .or_else(|| lifetime::expires_in(object, now))
                .or(self.lifetime),
            scope: text(["scope", "scopes"]).map(str::to_owned),
            response: Value::Null,
        })
    }
}

impl Expected {
    fn is_in(&self, response: &Value) -> bool {
        match self.pointer.get(response) {
            Some(Value::String(text)) => *text == self.equals,
            Some(Value::Number(number)) => number.to_string() == self.equals,
            Some(Value::Bool(flag)) => flag.to_string() == self.equals,
            _ => false,
        }
    }
}

/// The body as an object: JSON, or form-encoded as GitHub does unless asked, and some do always. What a provider
/// granted cannot be asked for again, so bytes that are no UTF-8 damage only the member that they are in, and what
/// stands around the object does not matter.
fn object(body: &[u8]) -> Option<Map<String, Value>> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{') {
        return lenient::object(text);
    }
    if text.starts_with('<') || !text.contains('=') {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes());
    Some(pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect())
}

/// Not empty, whole, and safe to be sent in a header.
fn is_printable(value: &str) -> bool {
    let is_odd = |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER;
    !value.is_empty() && value.len() <= MAX_TOKEN_CHARS && !value.chars().any(is_odd)
}

/// An access token has no space (RFC 6750, section 2.1). Some servers put an error's text in its place.
fn access_token(text: &str) -> Option<SecretString> {
    let is_error = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("error"));
    let is_token = is_printable(text) && !is_error && !text.contains(char::is_whitespace);
    is_token.then(|| SecretString::from(text))
}

/// The spellings of `Bearer` that are in use, in lower case and without separators, are `Bearer`, which APIs that are
/// strict about it expect. Any other type is kept as it is.
fn token_type(given: Option<&str>) -> String {
    let given = given.unwrap_or_default().trim();
    let plain: String = given.chars().filter(|c| !['-', '_', ' '].contains(c)).collect();
    match plain.to_ascii_lowercase().as_str() {
        "" | "bearer" | "bearertoken" | "jwtbearer" => "Bearer".to_owned(),
        _ => given.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const UNUSABLE: ProviderError = unavailable(Failure::Unusable);
    const REFUSED: ProviderError = unavailable(Failure::Refused);

    const fn unavailable(failure: Failure) -> ProviderError {
        ProviderError::Unavailable { retry_after: None, failure }
    }

    fn ok(body: &str) -> Tokens {
        read(200, body, &Rules::default()).unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    fn err(status: u16, body: &str) -> ProviderError {
        read(status, body, &Rules::default()).expect_err(body)
    }

    fn read(status: u16, body: &str, rules: &Rules) -> Result<Tokens, ProviderError> {
        parse(&received(status, body.as_bytes(), None), rules)
    }

    fn received(status: u16, body: &[u8], retry_after: Option<Duration>) -> Received<'_> {
        Received { status, body, retry_after, now: SystemTime::UNIX_EPOCH }
    }

    /// The rules of a table of the catalogue, so that what is tested is what files can say.
    fn rules(table: &str) -> Rules {
        let urls = "authorization_url = \"https://a.example\"\ntoken_url = \"https://a.example\"\n";
        let oauth: crate::catalogue::OAuth = toml::from_str(&format!("{urls}{table}")).unwrap();
        Rules {
            token_pointer: oauth.token_pointer,
            token_type: oauth.token_type,
            expires_at: oauth.expires_at,
            lifetime: oauth.lifetime,
            invalid_grant: oauth.invalid_grant,
            invalid_grant_text: oauth.invalid_grant_text,
            invalid_statuses: Vec::new(),
            is_customers_client: false,
            is_refresh: false,
            is_trial: false,
            prolongs: oauth.refresh_keeps_token.map(|expected| (expected, "old".into())),
        }
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
        // Of a response in form encoding.
        assert_eq!(ok("access_token=at&scope=repo&x=1").response["x"], "1");
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
        assert_eq!(err(200, r#"{"ok":false,"access_token":"at"}"#), UNUSABLE);
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
            assert_eq!(err(200, &body.to_string()), UNUSABLE, "{token}");
        }
        for token in ["ya29.error", "err", "terror", "é"] {
            let body = serde_json::json!({ "access_token": token });
            assert_eq!(ok(&body.to_string()).access_token.expose_secret(), token);
        }
    }

    #[test]
    fn a_pointer_finds_tokens_elsewhere() {
        let user = rules("token_pointer = \"/authed_user\"\ntoken_type = \"Bearer\"");
        let tokens = read(
            200,
            r#"{"ok":true,"access_token":"xoxb","authed_user":{"access_token":"xoxp","token_type":"user",
                "expires_in":43200,"scope":"s"},"team":{"id":"T1"}}"#,
            &user,
        );
        let tokens = tokens.unwrap();
        assert_eq!(tokens.access_token.expose_secret(), "xoxp");
        assert_eq!((tokens.token_type.as_str(), tokens.expires_in), ("Bearer", Some(43200)));
        assert_eq!((tokens.scope.as_deref(), &tokens.response["team"]["id"]), (Some("s"), &"T1".into()));

        // To the token itself, whatever it is called.
        for (pointer, body) in [
            ("/token", r#"{"token":"at","refresh_token":"rt","expires_in":60}"#),
            ("/accessToken", r#"{"accessToken":"at","refreshToken":"rt","expiresIn":60}"#),
            ("/data/access_token", r#"{"data":{"access_token":"at","refresh_token":"rt","expires_in":60}}"#),
            ("/data", r#"{"data":{"access_token":"at","refresh_token":"rt","expires_in":60}}"#),
            ("/list/0/t", r#"{"list":[{"t":"at","refresh_token":"rt","expires_in":60}]}"#),
        ] {
            let tokens = read(200, body, &rules(&format!("token_pointer = \"{pointer}\""))).unwrap();
            assert_eq!(tokens.access_token.expose_secret(), "at", "{body}");
            assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "rt", "{body}");
            assert_eq!(tokens.expires_in, Some(60), "{body}");
        }
        // Where nothing usable stands there, nothing else is taken for it.
        for (pointer, body) in [
            ("/data", r#"{"access_token":"at"}"#),
            ("/data", r#"{"access_token":"at","data":{}}"#),
            ("/data", r#"{"access_token":"at","data":[{"access_token":"at"}]}"#),
            ("/data/9", r#"{"data":[{"access_token":"at"}]}"#),
            ("/token", r#"{"token":"error: no"}"#),
            ("/token", r#"{"token":7}"#),
            ("/token", r#"{"token":""}"#),
            ("/a/b/c", r#"{"a":"at"}"#),
        ] {
            let refused = read(200, body, &rules(&format!("token_pointer = \"{pointer}\"")));
            assert_eq!(refused.unwrap_err(), UNUSABLE, "{pointer} {body}");
        }
    }

    #[test]
    fn spellings_of_bearer_are_understood() {
        for (given, expected) in [
            ("bearer", "Bearer"),
            ("BEARER", "Bearer"),
            ("Bearer ", "Bearer"),
            (" bearer", "Bearer"),
            ("BearerToken", "Bearer"),
            ("bearer_token", "Bearer"),
            ("jwt-bearer", "Bearer"),
            ("", "Bearer"),
            ("mac", "mac"),
            (" DPoP ", "DPoP"),
            ("bot", "bot"),
        ] {
            let tokens = ok(&serde_json::json!({"access_token": "at", "token_type": given}).to_string());
            assert_eq!(tokens.token_type, expected, "{given:?}");
            assert_eq!(tokens.has_known_type(), expected == "Bearer");
        }
        let tokens = read(
            200,
            r#"{"access_token":"at","token_type":"bot"}"#,
            &rules("token_type = \"Zoho-oauthtoken\""),
        );
        assert_eq!(tokens.unwrap().token_type, "Zoho-oauthtoken");
    }

    #[test]
    fn an_apps_own_words_end_the_grant() {
        let own = rules(
            "invalid_grant = [\"unauthorized_client\", \"Gone\"]\ninvalid_grant_text = \"(?i)not active|has expired\"",
        );
        for (status, body) in [
            (403, r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#),
            (200, r#"{"error":"gone"}"#),
            (400, r#"{"error":"invalid_request","error_description":"The token has expired."}"#),
            (400, r#"{"statusCode":400,"message":"Location is not active"}"#),
            (400, r#"{"errors":[{"detail":"It has expired"}]}"#),
            (401, r#"{"error":{"code":"x","message":"it HAS EXPIRED"}}"#),
        ] {
            assert_eq!(read(status, body, &own).unwrap_err(), ProviderError::Declined, "{body}");
            assert_ne!(err(status, body), ProviderError::Declined, "{body}");
        }
        for (status, body) in [
            (400, r#"{"error":"invalid_request","error_description":"something else"}"#),
            // A failing server is not believed, and a success is none of its words.
            (500, r#"{"error":"gone"}"#),
            (429, r#"{"message":"Location is not active"}"#),
            (400, "<html>has expired</html>"),
            (400, r#"{"message":["has expired"]}"#),
        ] {
            assert_ne!(read(status, body, &own).unwrap_err(), ProviderError::Declined, "{body}");
        }
        assert!(read(200, r#"{"access_token":"at","message":"has expired"}"#, &own).is_ok());
    }

    #[test]
    fn a_customers_own_secret_is_refused_by_status_or_word() {
        let own = Rules::of_customers_secret();
        for (status, body) in [
            (401, ""),
            (401, "no"),
            (401, r#"{"access_token":"at"}"#),
            (400, r#"{"error":"Invalid_Client"}"#),
            (400, r#"{"error":"invalid_grant"}"#),
            (200, r#"{"error":"bad_client_secret"}"#),
        ] {
            assert_eq!(read(status, body, &own).unwrap_err(), ProviderError::Declined, "{status} {body}");
        }
        for (status, body) in [
            (401, " <html>Blocked</html>"),
            (403, "{}"),
            (400, "{}"),
            (503, r#"{"error":"invalid_client"}"#),
            (429, r#"{"error":"invalid_client"}"#),
            (400, r#"{"error":"invalid_scope"}"#),
        ] {
            assert_ne!(read(status, body, &own).unwrap_err(), ProviderError::Declined, "{status} {body}");
        }
        // An operator's client is the operator's to mend, and no customer has to connect again.
        assert_eq!(err(401, r#"{"error":"invalid_client"}"#), ProviderError::Misconfigured);
    }

    #[test]
    fn the_old_token_is_prolonged_by_the_expected_response_alone() {
        let keeps =
            rules("refresh_keeps_token = { pointer = \"/result\", equals = \"0000\" }\nlifetime = 60");
        let tokens = read(200, r#"{"result":"0000"}"#, &keeps).unwrap();
        assert_eq!((tokens.access_token.expose_secret(), tokens.expires_in), ("old", Some(60)));
        assert!(tokens.refresh_token.is_none());
        let tokens = read(200, r#"{"result":"0000","access_token":"new","expires_in":7}"#, &keeps).unwrap();
        assert_eq!((tokens.access_token.expose_secret(), tokens.expires_in), ("new", Some(7)));
        for (status, body) in [
            (200, r#"{"result":"1001"}"#),
            (200, r#"{"result":0}"#),
            (200, r#"{"result":["0000"]}"#),
            (200, "{}"),
            (503, r#"{"result":"0000"}"#),
        ] {
            assert_eq!(read(status, body, &keeps).unwrap_err(), UNUSABLE, "{body}");
        }
        assert_eq!(read(400, r#"{"result":"0000"}"#, &keeps).unwrap_err(), REFUSED);
        let number = rules("refresh_keeps_token = { pointer = \"/code\", equals = \"0\" }");
        assert!(read(200, r#"{"code":0}"#, &number).is_ok());
        assert!(read(200, r#"{"result":"0000"}"#, &Rules::default()).is_err());
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
        assert_eq!(err(400, r#"{"error":"something_new"}"#), REFUSED);
        assert_eq!(err(400, r#"{"error":"temporarily_unavailable"}"#), UNUSABLE);
        // Whatever a failing server says about the grant is not believed.
        assert_eq!(err(503, r#"{"error":"invalid_grant"}"#), UNUSABLE);
        assert_eq!(err(429, r#"{"error":"invalid_grant"}"#), unavailable(Failure::Throttled));
        assert_eq!(err(302, r#"{"access_token":"at"}"#), UNUSABLE);
        let later = Some(Duration::from_secs(7));
        let told = parse(&received(429, b"", later), &Rules::default());
        assert_eq!(
            told.unwrap_err(),
            ProviderError::Unavailable { retry_after: later, failure: Failure::Throttled }
        );
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
            assert_eq!(err(200, body), UNUSABLE, "{body}");
        }
        let broken = parse(&received(200, b"\xff\xfe", None), &Rules::default());
        assert_eq!(broken.unwrap_err(), UNUSABLE);
    }

    /// A run of refusals by a 4xx ends a grant after days; nothing else does.
    #[test]
    fn a_refusal_is_a_4xx_of_the_token_endpoint_itself() {
        for (status, body) in [
            (400, r#"{"message":"Location is not active"}"#),
            (400, ""),
            (401, "no"),
            (403, r#"{"error":"forbidden"}"#),
            (404, "{}"),
            (499, "[1]"),
        ] {
            assert_eq!(err(status, body), REFUSED, "{status} {body}");
        }
        for (status, body) in [
            (408, ""),
            (425, "{}"),
            (403, " <html>Blocked</html>"),
            (400, r#"{"error":"server_error"}"#),
            (500, r#"{"message":"Location is not active"}"#),
            (200, r#"{"error":"something_new"}"#),
            (302, ""),
        ] {
            assert_eq!(err(status, body), UNUSABLE, "{status} {body}");
        }
    }

    /// What was granted cannot be asked for again.
    #[test]
    fn what_stands_around_the_tokens_does_not_matter() {
        for body in [
            &b"\xef\xbb\xbf{\"access_token\":\"at\",\"refresh_token\":\"rt\"}"[..],
            b"\n\r\n {\"access_token\":\"at\",\"refresh_token\":\"rt\"}\n\0",
            b"{\"name\":\"Andr\xe9\",\"access_token\":\"at\",\"refresh_token\":\"rt\"}",
            b"{\"id\":1e999,\"access_token\":\"at\",\"refresh_token\":\"rt\"}",
            b"{\"access_token\":\"old\",\"refresh_token\":\"rt\",\"access_token\":\"at\"}",
            b"name=Andr%E9&access_token=at&refresh_token=rt\n",
            b"name=Andr\xe9&access_token=at&refresh_token=rt",
        ] {
            for rules in [Rules::default(), Rules { is_refresh: true, ..Rules::default() }] {
                let tokens = parse(&received(200, body, None), &rules);
                let text = String::from_utf8_lossy(body);
                let tokens = tokens.unwrap_or_else(|error| panic!("{text}: {error}"));
                assert_eq!(tokens.access_token.expose_secret(), "at", "{text}");
                assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "rt", "{text}");
            }
        }
        // A token that is damaged itself is none.
        let damaged = parse(&received(200, b"{\"access_token\":\"a\xe9t\"}", None), &Rules::default());
        assert_eq!(damaged.unwrap_err(), UNUSABLE);
    }

    #[test]
    fn debug_shows_no_secret() {
        let printed =
            format!("{:?}", ok(r#"{"access_token":"s3cret","refresh_token":"s3cret","id_token":"s3cret"}"#));
        assert!(!printed.contains("s3cret"));
    }
}
