//! The JSON forms in which every language reports.

use std::error::Error as _;
use std::fmt::Debug;

use pabbly_connect::{ApiRequest, Error, ExposeSecret, SecretFields, Token};
use reqwest::header::HeaderValue;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Printed forms of what the SDK handed out.
#[derive(Default)]
pub(crate) struct Prints(pub Vec<Value>);

impl Prints {
    pub(crate) fn add(&mut self, of: &str, form: &str, text: String) {
        self.0.push(json!({ "of": of, "form": form, "text": text }));
    }

    pub(crate) fn debug(&mut self, of: &str, object: &impl Debug) {
        self.add(of, "debug", format!("{object:?} {object:#?}"));
    }

    /// For types that can be serialised, which only those without secrets can be, and the link.
    pub(crate) fn json(&mut self, of: &str, object: &impl Serialize) {
        self.add(of, "json", serde_json::to_string(object).expect("what the SDK hands out is JSON"));
    }

    pub(crate) fn error(&mut self, error: &Error) {
        self.debug("error", error);
        self.add("error", "message", format!("{error} {}", error.message()));
        let mut cause = error.source();
        while let Some(error) = cause {
            self.add("cause", "debug", format!("{error} {error:?}"));
            cause = error.source();
        }
    }
}

pub(crate) fn error_of(error: &Error) -> Value {
    let response = error.response().map(
        |response| json!({ "status": response.status, "headers": response.headers, "body": response.body }),
    );
    json!({
        "class": error.kind().class(),
        "code": error.code(),
        "status": error.status(),
        "retryAfter": error.retry_after().map(|time| time.as_secs()),
        "attempts": error.attempts(),
        "message": error.to_string(),
        "response": response,
        "connection": error.connection(),
        "fields": error.fields(),
        "oldestCursor": error.oldest_cursor(),
    })
}

/// A token cannot be serialised, so that this takes it apart.
pub(crate) fn token_of(token: &Token) -> Value {
    let mut value = Map::new();
    for (name, secret) in token.extra.iter() {
        let text = secret.expose_secret();
        value.insert(name.to_owned(), serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
    }
    let texts = |fields: &SecretFields| {
        let fields = fields.iter().map(|(name, secret)| (name.to_owned(), json!(secret.expose_secret())));
        Value::Object(fields.collect())
    };
    value.insert("auth_type".to_owned(), json!(token.auth_type));
    value.insert(
        "access_token".to_owned(),
        json!(token.access_token.as_ref().map(ExposeSecret::expose_secret)),
    );
    value.insert("token_type".to_owned(), json!(token.token_type));
    value.insert("expires_in".to_owned(), json!(token.expires_in));
    value.insert("fields".to_owned(), json!(token.fields.as_ref().map(texts)));
    value.insert("scopes".to_owned(), json!(token.scopes));
    value.insert("account".to_owned(), json!(token.account));
    value.insert("provider_data".to_owned(), texts(&token.provider_data));
    let base_url = token.api_base_url.as_ref().map(ExposeSecret::expose_secret);
    value.insert("api_base_url".to_owned(), json!(base_url));
    value.insert("api_headers".to_owned(), json!(token.api_headers.as_ref().map(texts)));
    value.insert("api_query".to_owned(), json!(token.api_query.as_ref().map(texts)));
    Value::Object(value)
}

pub(crate) fn request_of(request: &ApiRequest) -> Value {
    let text = |value: &HeaderValue| json!(value.to_str().expect("the scenarios' headers are ASCII"));
    let headers = request.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    json!({ "url": request.url.expose_secret(), "headers": headers.collect::<Map<_, _>>() })
}
