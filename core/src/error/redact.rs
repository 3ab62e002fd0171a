//! Keeps secrets out of what an error carries, also where a service or proxy echoes them.

use std::collections::BTreeMap;

use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

const REDACTED: &str = "[redacted]";

/// Members whose value is a secret wherever it turns up.
const SECRET_MEMBERS: [&str; 12] = [
    "access_token",
    "refresh_token",
    "id_token",
    "request_token",
    "fields",
    "client_secret",
    "authorization",
    "api_key",
    "api_base_url",
    "api_headers",
    "api_query",
    "provider_data",
];

/// Headers that hold credentials or cookies.
const SECRET_HEADERS: [&str; 6] = [
    "authorization",
    "cookie",
    "set-cookie",
    "proxy-authorization",
    "authentication-info",
    "x-request-token",
];

/// Removes the tenant's keys, the secrets that a request carried, and values that are secret by their name.
pub(crate) struct Redactor {
    keys: Vec<SecretString>,
}

impl Redactor {
    pub(crate) fn new(mut keys: Vec<SecretString>) -> Self {
        // The longest first: of one that begins with another nothing may be left over.
        keys.sort_by_key(|key| std::cmp::Reverse(key.expose_secret().len()));
        Self { keys }
    }

    /// The same for these secrets, too.
    pub(crate) fn with(self, secrets: &[SecretString]) -> Self {
        Self::new(self.keys.into_iter().chain(secrets.iter().cloned()).collect())
    }

    pub(crate) fn headers(&self, headers: &HeaderMap) -> BTreeMap<String, String> {
        let mut kept = BTreeMap::<String, String>::new();
        for (name, value) in headers {
            if SECRET_HEADERS.contains(&name.as_str()) {
                continue;
            }
            let value = self.text(&String::from_utf8_lossy(value.as_bytes()));
            kept.entry(name.as_str().to_owned())
                .and_modify(|all| {
                    all.push_str(", ");
                    all.push_str(&value);
                })
                .or_insert(value);
        }
        kept
    }

    /// The body as JSON where it is JSON, else as a text; `None` where it is empty, or is JSON that was cut short,
    /// in which secrets could not be told from the rest.
    pub(crate) fn body(&self, body: &[u8]) -> Option<Value> {
        match serde_json::from_slice(body) {
            Ok(value) => Some(self.value(value)),
            Err(_) => {
                let text = String::from_utf8_lossy(body);
                let is_text = !text.trim().is_empty() && !text.trim_start().starts_with(['{', '[', '"']);
                is_text.then(|| Value::String(self.text(&text)))
            }
        }
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                let member = |(name, member): (String, Value)| {
                    let is_secret = SECRET_MEMBERS.contains(&name.as_str());
                    (self.text(&name), if is_secret { REDACTED.into() } else { self.value(member) })
                };
                members.into_iter().map(member).collect()
            }
            other => other,
        }
    }

    pub(crate) fn text(&self, text: &str) -> String {
        self.keys.iter().fold(text.to_owned(), |text, key| text.replace(key.expose_secret(), REDACTED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_removed_by_value_and_by_name() {
        let redactor = Redactor::new(vec!["pk_live_canary".into()]);
        let body =
            json!({"message": "key pk_live_canary is unknown", "data": [{"access_token": "ya29", "n": 1}]});
        assert_eq!(
            redactor.body(body.to_string().as_bytes()),
            Some(
                json!({"message": "key [redacted] is unknown", "data": [{"access_token": "[redacted]", "n": 1}]})
            )
        );
        assert_eq!(redactor.body(b"<p>pk_live_canary"), Some(json!("<p>[redacted]")));
        assert_eq!(redactor.body(br#"{"pk_live_canary": 1}"#), Some(json!({"[redacted]": 1})));
        for nothing in ["", " ", r#"{"data": {"access_token": "ya29"#] {
            assert_eq!(redactor.body(nothing.as_bytes()), None, "{nothing}");
        }
    }

    #[test]
    fn headers_lose_cookies_and_keep_repeats() {
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", "a=b".parse().unwrap());
        headers.append("x-a", "1".parse().unwrap());
        headers.append("x-a", "pk_live_canary".parse().unwrap());
        let kept = Redactor::new(vec!["pk_live_canary".into()]).headers(&headers);
        assert_eq!(kept, BTreeMap::from([("x-a".to_owned(), "1, [redacted]".to_owned())]));
    }
}
