//! From the bytes of a response to its `data`, or to the error that it means.

use std::collections::BTreeMap;
use std::time::SystemTime;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::{
    Error, ErrorDetails, ErrorKind, ErrorResponse, Redactor, RequestTarget, classify, has_contract_shape,
};
use crate::retry_after::retry_after;

const MAX_MESSAGE: usize = 500;

/// A complete response.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Holds credentials, hence zeroed when dropped.
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// How many requests were sent for it.
    pub(crate) attempts: u32,
}

/// What an error says about the fields of a submitted form.
#[derive(Deserialize)]
struct FieldErrors {
    code: String,
    fields: BTreeMap<String, String>,
}

/// The shape of every response; the other members are for people.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl Response {
    /// Whether the status says success.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The `data` of a successful response.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.data().and_then(serde_json::from_str).map_err(|error| self.malformed(&error))
    }

    /// The `data` as the JSON text that came, once it is known to be a `T`.
    pub(crate) fn decode_json<T: DeserializeOwned>(&self) -> Result<(T, SecretString), Error> {
        let decoded = self.data().and_then(|text| Ok((serde_json::from_str(text)?, text.into())));
        decoded.map_err(|error| self.malformed(&error))
    }

    fn data(&self) -> Result<&str, serde_json::Error> {
        if self.body.is_empty() {
            return Ok("null");
        }
        let envelope: Envelope<'_> = serde_json::from_slice(&self.body)?;
        Ok(envelope.data.map_or("null", RawValue::get))
    }

    /// How the body is encoded, though no encoding was asked for.
    fn content_encoding(&self) -> Option<String> {
        let encoding = self.headers.get(CONTENT_ENCODING)?.to_str().ok()?.trim();
        let is_encoded = !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity");
        is_encoded.then(|| printable(encoding))
    }

    /// serde's own text is left out, since it quotes values.
    fn malformed(&self, error: &serde_json::Error) -> Error {
        if let Some(encoding) = self.content_encoding() {
            let message = format!(
                "the answer has the content encoding {encoding}, which was not asked for: is there a proxy in between?"
            );
            return self.refused(message);
        }
        let content_type = self.headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or("no content type");
        let message = format!(
            "the response is not what the contract says (line {}, column {}; {content_type}): is there a proxy in \
             between, or another service at this base URL?",
            error.line(),
            error.column(),
        );
        self.refused(message)
    }

    /// A successful response that does not make sense.
    pub(crate) fn refused(&self, message: impl Into<String>) -> Error {
        Error::local(ErrorKind::Decode, message).with_status(self.status).with_attempts(self.attempts)
    }

    /// The error that an unsuccessful response means.
    pub(crate) fn into_error(self, target: RequestTarget, redactor: &Redactor) -> Error {
        let body = redactor.body(&self.body);
        let text =
            |pointer| body.as_ref().and_then(|body| body.pointer(pointer)).and_then(|value| value.as_str());
        let code = text("/data/code").map(printable);
        let shape = body.as_ref().is_some_and(has_contract_shape);
        let kind = classify(self.status, code.as_deref(), shape, target);
        let message = match text("/message").map(printable).filter(|message| !message.is_empty()) {
            Some(message) => message,
            None if (300..400).contains(&self.status) => {
                "the service redirects, which is not followed: check the base URL".to_owned()
            }
            None => match self.content_encoding() {
                Some(encoding) => format!(
                    "the service answered with HTTP status {} and the content encoding {encoding}, which was not asked for",
                    self.status
                ),
                None => format!("the service answered with HTTP status {}", self.status),
            },
        };
        let has_form = matches!(
            target,
            RequestTarget::SubmitCredentials | RequestTarget::ImportConnection | RequestTarget::OAuthClient
        );
        let fields = has_form.then(|| self.field_errors(redactor)).flatten();
        let oldest_cursor =
            (kind == ErrorKind::CursorExpired).then(|| text("/data/oldest_cursor").map(printable));
        // A busy proxy may ask for patience too, whatever class its response has.
        let asks_to_wait = matches!(kind, ErrorKind::RateLimited | ErrorKind::UpstreamUnavailable)
            || matches!(self.status, 429 | 503);
        let retry_after = asks_to_wait.then(|| retry_after(&self.headers, SystemTime::now())).flatten();
        let headers = redactor.headers(&self.headers);
        let response = Some(ErrorResponse { status: self.status, headers, body });
        let (status, attempts) = (Some(self.status), self.attempts);
        Error::new(
            kind,
            ErrorDetails {
                message,
                status,
                code,
                response,
                attempts,
                retry_after,
                fields,
                oldest_cursor: oldest_cursor.flatten(),
                ..ErrorDetails::default()
            },
        )
    }

    /// What is wrong with each field of a submitted form. The values of the fields themselves do not stay in it.
    pub(crate) fn field_errors(&self, redactor: &Redactor) -> Option<BTreeMap<String, String>> {
        let errors: FieldErrors = self.data().and_then(serde_json::from_str).ok()?;
        let text = |text: String| printable(&redactor.text(&text));
        let fields = errors.fields.into_iter().map(|(name, sentence)| (text(name), text(sentence)));
        (errors.code == "invalid_request").then(|| fields.collect())
    }
}

/// A text from the network in one bounded line.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn response(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
            body: Zeroizing::new(body.as_bytes().to_vec()),
            attempts: 1,
        }
    }

    fn error(status: u16, body: &str) -> Error {
        let redactor = Redactor::new(vec!["pk_live_canary".into()]);
        response(status, body).into_error(RequestTarget::Connection, &redactor)
    }

    #[test]
    fn data_is_what_counts() {
        let response = response(200, r#"{"status":"success","message":"ok","data": [1, 2] }"#);
        let (value, text) = response.decode_json::<Vec<u8>>().unwrap();
        assert_eq!((value, text.expose_secret()), (vec![1, 2], "[1, 2]"));
    }

    #[test]
    fn a_decode_error_never_quotes_the_answer() {
        for body in
            [r#"{"data":"canary"}"#, r#"{"data":{"canary":1}}"#, "<canary>", r#"{"data":null}"#, "{}", ""]
        {
            let error = response(200, body).decode::<u8>().expect_err(body);
            assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)));
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }

    #[test]
    fn messages_are_one_bounded_line() {
        let body = serde_json::json!({"message": format!("no\n{}", "x".repeat(1000)), "data": {"code": "no\npe\u{1b}[2J"}});
        let error = error(400, &body.to_string());
        assert_eq!(error.code(), Some("nope[2J"));
        assert_eq!(error.message().len(), MAX_MESSAGE);
        assert!(!error.to_string().contains(char::is_control));
    }

    #[test]
    fn an_answer_without_a_message_is_described() {
        assert!(error(302, "").message().contains("redirects"));
        assert!(error(500, "<html>").message().contains("500"));
        assert_eq!(error(500, "<html>").response().unwrap().body, Some("<html>".into()));
    }
}
