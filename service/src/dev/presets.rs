//! Named ways in which the provider fails on purpose: the data is in `presets.toml`.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;

/// All presets by name.
pub type Presets = BTreeMap<String, Preset>;

/// One way to fail; the fields are explained in `presets.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// One line for people.
    pub about: String,
    /// What comes of it, as the documentation says.
    pub result: String,
    pub(super) delay_ms: Option<u64>,
    pub(super) connection: Option<Cut>,
    #[serde(default)]
    pub(super) rotates: bool,
    pub(super) authorize_error: Option<String>,
    pub(super) description: Option<String>,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

/// How a connection ends before its response does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cut {
    /// Without a response. Goes with a response as its extension, for whoever writes it.
    Close,
    /// In the middle of the body.
    Break,
}

/// The presets of the file.
///
/// # Errors
///
/// When the file is not what it should be.
pub fn load() -> Result<Presets, toml::de::Error> {
    toml::from_str(include_str!("presets.toml"))
}

impl Preset {
    /// The response in place of the usual one; none where that is given.
    pub(super) fn response(&self) -> Option<Response> {
        if self.connection == Some(Cut::Close) {
            let mut response = StatusCode::BAD_GATEWAY.into_response();
            response.extensions_mut().insert(Cut::Close);
            return Some(response);
        }
        let status = StatusCode::from_u16(self.status?).ok()?;
        let body = Bytes::from(self.body.clone());
        let body = match self.connection {
            Some(Cut::Break) => {
                Body::from_stream(stream::iter([Ok(body), Err(std::io::Error::other("cut off on purpose"))]))
            }
            _ => Body::from(body),
        };
        let mut response = (status, [(CONTENT_TYPE, "application/json")], body).into_response();
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_does_something() {
        for (name, preset) in load().unwrap() {
            let answers = preset.status.is_some() || preset.connection.is_some();
            assert_eq!(answers, preset.response().is_some(), "{name}");
            assert!(answers || preset.delay_ms.is_some() || preset.authorize_error.is_some(), "{name}");
            for (header, value) in &preset.headers {
                assert!(HeaderName::try_from(header).is_ok() && HeaderValue::try_from(value).is_ok());
            }
        }
    }

    /// The table of the page is what the file says.
    #[test]
    fn the_page_lists_every_preset() {
        let page = include_str!("../../../docs/dev.md");
        let mut table = String::new();
        for (name, Preset { about, result, .. }) in load().unwrap() {
            table.push_str(&format!("| `{name}` | {about} | `{result}` |\n"));
        }
        assert!(page.contains(&table), "docs/dev.md lacks the table:\n{table}");
    }
}
