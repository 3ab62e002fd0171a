//! JSON bodies. A body is an object; members that are not asked for are ignored, so that a client may be newer than
//! the service. Messages name the member and never repeat its value.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::auth::tenant_key::only;
use crate::catalogue::Inputs;
use crate::error::ApiError;
use crate::server::TIME_TO_ARRIVE;
use crate::state::AppState;

const JSON: &str = "application/json";

/// The members of a request's body.
pub(crate) struct Body(Map<String, Value>);

impl FromRequest<AppState> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, ApiError> {
        let content_type = only(request.headers(), &CONTENT_TYPE)?.unwrap_or_default();
        if !is_json(content_type) {
            return Err(ApiError::UnsupportedMediaType(JSON));
        }
        match timeout(TIME_TO_ARRIVE, Bytes::from_request(request, app)).await {
            Ok(Ok(bytes)) => Self::parse(&bytes),
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError::PayloadTooLarge)
            }
            _ => Err(ApiError::invalid("The body did not arrive whole")),
        }
    }
}

impl Body {
    /// A body of these members.
    pub(crate) fn of(members: Map<String, Value>) -> Self {
        Self(members)
    }

    fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(ApiError::invalid("The body must be a JSON object")),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                Err(ApiError::invalid(format!("The body is not JSON: line {line}, column {column}")))
            }
        }
    }

    /// A text that `accepts` takes; `form` says what that is.
    pub(crate) fn text(
        &self,
        name: &str,
        form: &str,
        accepts: impl Fn(&str) -> bool,
    ) -> Result<Option<&str>, ApiError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        value.as_str().filter(|text| accepts(text)).map(Some).ok_or_else(|| must_be(name, form))
    }

    /// A list of up to `max` texts that `accepts` takes.
    pub(crate) fn texts(
        &self,
        name: &str,
        max: usize,
        form: &str,
        accepts: impl Fn(&str) -> bool,
    ) -> Result<Option<Vec<String>>, ApiError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let texts = value.as_array().filter(|items| items.len() <= max).and_then(|items| {
            let text = |item: &Value| item.as_str().filter(|text| accepts(text)).map(str::to_owned);
            items.iter().map(text).collect()
        });
        texts.map(Some).ok_or_else(|| must_be(name, &format!("a list of at most {max}, each {form}")))
    }

    /// A whole number within bounds.
    pub(crate) fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let number = whole(value).filter(|number| (min..=max).contains(number));
        number.map(Some).ok_or_else(|| must_be(name, &format!("a whole number from {min} to {max}")))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        value.as_bool().map(Some).ok_or_else(|| must_be(name, "true or false"))
    }

    /// An object of up to `max` members, each a text of up to `max_length` characters.
    pub(crate) fn fields(
        &self,
        name: &str,
        max: usize,
        max_length: usize,
    ) -> Result<Option<Inputs>, ApiError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let fields = value.as_object().filter(|members| members.len() <= max).and_then(|members| {
            let text = |value: &Value| {
                value.as_str().filter(|text| text.chars().count() <= max_length).map(str::to_owned)
            };
            members.iter().map(|(name, value)| Some((name.clone(), text(value)?))).collect()
        });
        fields.map(Some).ok_or_else(|| {
            let form = format!("an object of at most {max} strings, each of at most {max_length} characters");
            must_be(name, &form)
        })
    }

    /// The same text for the same members, in whatever order they came.
    pub(crate) fn canonical(&self) -> String {
        let mut members: Vec<_> = self.0.iter().collect();
        members.sort_by_key(|(name, _)| *name);
        members.iter().map(|(name, value)| format!("{}:{value}\n", Value::from(name.as_str()))).collect()
    }
}

/// JSON has one kind of number: `600.0` is a whole one.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..1e15).contains(number))?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(number as u64)
    })
}

fn must_be(name: &str, form: &str) -> ApiError {
    ApiError::invalid(format!("{name} must be {form}"))
}

/// Parameters such as a charset do not matter: JSON is UTF-8.
fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(JSON.as_bytes())
}

/// Between `min` and `max` characters in all, none of which [is a control](crate::text::is_control).
pub(crate) fn is_line(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.chars().count()) && !text.contains(crate::text::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_objects_are_bodies() {
        for body in ["", "{", "[]", "null", "\"x\"", "{\"a\":1}}", "{\"a\":\"\\ud800\"}", &"[".repeat(10_000)]
        {
            assert!(Body::parse(body.as_bytes()).is_err(), "{body:.20}");
        }
        assert!(Body::parse(b"\xff").is_err());
    }

    #[test]
    fn a_wrong_type_is_named_and_its_value_is_not() {
        let body =
            Body::parse(br#"{"a": 73517, "b": "canary", "c": [1], "d": {"x": 1}, "e": null}"#).unwrap();
        let errors = [
            body.text("a", "a string", |_| true).unwrap_err(),
            body.number("b", 1, 2).unwrap_err(),
            body.number("a", 1, 2).unwrap_err(),
            body.flag("b").unwrap_err(),
            body.texts("c", 5, "a string", |_| true).unwrap_err(),
            body.fields("d", 5, 5).unwrap_err(),
            body.text("e", "a string", |_| true).unwrap_err(),
        ];
        for error in errors {
            let text = error.to_string();
            assert!(
                text.contains(" must be ") && !text.contains("73517") && !text.contains("canary"),
                "{text}"
            );
        }
        assert!(body.text("missing", "", |_| false).unwrap().is_none());
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let canonical = |text: &str| Body::parse(text.as_bytes()).unwrap().canonical();
        assert_eq!(canonical(r#"{"a":1,"b":[2]}"#), canonical(r#"{ "b": [2], "a": 1 }"#));
        assert_ne!(canonical(r#"{"a":1}"#), canonical(r#"{"a":"1"}"#));
    }

    #[test]
    fn json_has_parameters_and_no_case() {
        assert!(is_json(b"Application/JSON ; charset=utf-8"));
        assert!(!is_json(b"text/json"));
        assert!(!is_json(b""));
    }
}
