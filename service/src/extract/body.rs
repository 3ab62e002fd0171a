//! JSON bodies. A body is an object without repeated members; members that are not asked for are ignored, so that a
//! client may be newer than the service, but where [`Body::only`] refuses them. Messages name the member and never repeat
//! its value.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::auth::tenant_key::only;
use crate::catalogue::Inputs;
use crate::error::ApiError;
use crate::extract::json::{Unambiguous, quoted};
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
        Self::parse(&read_whole(request, app).await?)
    }
}

/// A request's body, once all of it has arrived.
///
/// # Errors
///
/// [`ApiError::PayloadTooLarge`]; [`ApiError::InvalidRequest`] where it does not arrive, or not in time.
pub(crate) async fn read_whole<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    match timeout(TIME_TO_ARRIVE, Bytes::from_request(request, state)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(ApiError::PayloadTooLarge)
        }
        _ => Err(ApiError::invalid("The body did not arrive whole")),
    }
}

impl Body {
    /// A body of these members.
    pub(crate) fn of(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// The members that are not null, where null says no more than that a member is absent.
    pub(crate) fn without_nulls(self) -> Self {
        Self(self.0.into_iter().filter(|(_, value)| !value.is_null()).collect())
    }

    fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(bytes) {
            Ok(Unambiguous(Value::Object(members))) => Ok(Self(members)),
            Ok(_) => Err(ApiError::invalid("The body must be a JSON object")),
            // The only thing that is demanded of JSON here.
            Err(error) if error.is_data() => Err(ApiError::invalid(format!("The body has {error}"))),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                Err(ApiError::invalid(format!("The body is not JSON: line {line}, column {column}")))
            }
        }
    }

    /// Refuses other members than these.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(ApiError::invalid(format!("There is no member {}", quoted(name)))),
        }
    }

    /// Whether there is such a member.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
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

    /// A text of 1 to `max` characters, none of which [is a control](crate::text::is_control).
    pub(crate) fn line(&self, name: &str, max: usize) -> Result<Option<String>, ApiError> {
        Ok(self.text(name, &line_form(max), |text| is_line(text, 1, max))?.map(str::to_owned))
    }

    /// Such a text, or null, which is `Some(None)`.
    pub(crate) fn nullable_line(&self, name: &str, max: usize) -> Result<Option<Option<String>>, ApiError> {
        match self.0.get(name) {
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::String(text)) if is_line(text, 1, max) => Ok(Some(Some(text.clone()))),
            Some(_) => Err(must_be(name, &format!("{}, or null", line_form(max)))),
            None => Ok(None),
        }
    }

    /// An object of up to `max_size` bytes as JSON without white space, nested up to `max_depth` deep, itself included.
    pub(crate) fn object(
        &self,
        name: &str,
        max_size: usize,
        max_depth: usize,
    ) -> Result<Option<Map<String, Value>>, ApiError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let object =
            value.as_object().filter(|_| depth(value) <= max_depth && value.to_string().len() <= max_size);
        object.cloned().map(Some).ok_or_else(|| {
            let form = format!("an object of at most {max_size} bytes, nested at most {max_depth} deep");
            must_be(name, &form)
        })
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

    /// A list of up to `max` objects.
    pub(crate) fn objects(&self, name: &str, max: usize) -> Result<Option<Vec<Self>>, ApiError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let objects = value
            .as_array()
            .filter(|items| items.len() <= max)
            .and_then(|items| items.iter().map(|item| item.as_object().cloned().map(Self)).collect());
        objects.map(Some).ok_or_else(|| must_be(name, &format!("a list of at most {max} objects")))
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

/// How deep a value is nested; a text or a number is not.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn line_form(max: usize) -> String {
    format!("1 to {max} characters without control characters, of text or of its direction")
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
            body.nullable_line("b", 5).unwrap_err(),
            body.object("d", 6, 1).unwrap_err(),
            body.object("c", 99, 9).unwrap_err(),
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
    fn a_member_that_is_there_twice_is_named() {
        for (body, name) in [
            (r#"{"name": "canary", "name": "canary"}"#, "\"name\""),
            (r#"{"metadata": [{"a": 1, "b": {"c": 1, "\u0063": "canary"}}]}"#, "\"c\""),
            (
                &format!(r#"{{"{0}": 1, "{0}": 2}}"#, "x\u{202e}".repeat(999)),
                &format!("\"{}\"", "x".repeat(60)),
            ),
        ] {
            let message = Body::parse(body.as_bytes()).err().unwrap().to_string();
            assert!(message.contains(&format!("the member {name} twice")), "{message}");
            assert!(!message.contains("canary"), "{message}");
        }
        assert!(Body::parse(br#"{"a": {"a": {"a": 1}}, "A": [{"b": 1}, {"b": 1}]}"#).is_ok());
    }

    #[test]
    fn values_come_through_as_they_are() {
        let text = r#"{"all":[null,true,false,0,-1,18446744073709551615,0.1,1e300,"é\u0000\"",[],{}]}"#;
        let Body(members) = Body::parse(text.as_bytes()).unwrap();
        assert_eq!(Value::Object(members), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn an_object_is_bounded_in_size_and_depth() {
        let body = Body::parse(br#"{"m": {"a": [{}], "b": "\u00e9"}}"#).unwrap();
        assert_eq!(body.object("m", 19, 3).unwrap().unwrap().len(), 2);
        assert!(body.object("m", 18, 3).is_err(), "19 bytes, whatever it was written as");
        assert!(body.object("m", 19, 2).is_err());
        assert!(body.object("missing", 0, 0).unwrap().is_none());
    }

    #[test]
    fn only_known_members_are_let_through() {
        let body = Body::parse(br#"{"a": 1, "b": "canary"}"#).unwrap();
        body.only(&["b", "c", "a"]).unwrap();
        let message = body.only(&["a"]).unwrap_err().to_string();
        assert!(message.contains("\"b\"") && !message.contains("canary"), "{message}");
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let canonical = |text: &str| Body::parse(text.as_bytes()).unwrap().canonical();
        assert_eq!(canonical(r#"{"a":1,"b":[2]}"#), canonical(r#"{ "b": [2], "a": 1 }"#));
        assert_eq!(
            canonical(r#"{"m":{"a":[{"c":1,"d":2}],"b":2}}"#),
            canonical(r#"{"m":{"b":2,"a":[{"d":2,"c":1}]}}"#)
        );
        assert_ne!(canonical(r#"{"a":1}"#), canonical(r#"{"a":"1"}"#));
    }

    #[test]
    fn json_has_parameters_and_no_case() {
        assert!(is_json(b"Application/JSON ; charset=utf-8"));
        assert!(!is_json(b"text/json"));
        assert!(!is_json(b""));
    }
}
