//! Paths of an app's API that give credentials out: the proxy calls none of them.

use serde::Deserialize;

/// How some providers let a path name the format of the response.
const FORMATS: [&str; 6] = ["json", "xml", "csv", "html", "tsv", "txt"];

/// `/oauth/token`, where `*` stands for one segment, and `/**` at the end for any number of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct DeniedPath {
    segments: Vec<String>,
    and_below: bool,
}

impl DeniedPath {
    /// Whether it is about the path of these segments behind the base address, with nothing left to decode. Providers differ
    /// in what they take for the same path: case, empty segments, parameters of a segment and the name of a format, as in
    /// `token.json`, make no difference here.
    pub(super) fn matches<'a>(&self, path: impl Iterator<Item = &'a str>) -> bool {
        let segments = normalised(path);
        let fits = |(wanted, segment): (&String, &String)| wanted == "*" || wanted == segment;
        let has_length = match self.and_below {
            true => segments.len() >= self.segments.len(),
            false => segments.len() == self.segments.len(),
        };
        has_length && self.segments.iter().zip(&segments).all(fits)
    }
}

fn normalised<'a>(segments: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names = segments.map(|segment| segment.split(';').next().unwrap_or_default().trim().to_lowercase());
    let without_format = names.map(|name| match name.rsplit_once('.') {
        Some((stem, format)) if FORMATS.contains(&format) => stem.to_owned(),
        _ => name,
    });
    without_format.filter(|name| !name.is_empty()).collect()
}

impl TryFrom<String> for DeniedPath {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (path, and_below) = match text.strip_suffix("/**") {
            Some(path) => (path, true),
            None => (&*text, false),
        };
        let segments = normalised(path.split('/'));
        if !path.starts_with('/') || segments.is_empty() || path.contains("**") {
            return Err("a denied path begins with a slash and names something; ** stands only at its end");
        }
        Ok(Self { segments, and_below })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(text: &str, path: &str) -> bool {
        DeniedPath::try_from(text.to_owned()).unwrap().matches(path.split('/'))
    }

    #[test]
    fn a_path_is_denied_however_it_is_written() {
        for path in [
            "/oauth/token",
            "oauth/token",
            "//OAuth//token",
            "/oauth;a=b/token;c",
            "/oauth/token/",
            "/oauth/token ",
            "/oauth/token.json",
            "/oauth/token.XML;v=1",
        ] {
            assert!(denied("/oauth/token", path), "{path}");
        }
        for path in
            ["", "/", "/oauth", "/oauth/token/1", "/oauth/tokens", "/v1/oauth/token", "/oauth/token.v2"]
        {
            assert!(!denied("/oauth/token", path), "{path}");
        }
    }

    #[test]
    fn stars_stand_for_segments() {
        assert!(denied("/users/*/token", "/users/me/token"));
        assert!(!denied("/users/*/token", "/users/token"));
        assert!(!denied("/users/*/token", "/users/me/token/1"));
        for path in ["/oauth", "/oauth/token", "/oauth/v1/token"] {
            assert!(denied("/oauth/**", path), "{path}");
        }
        assert!(!denied("/oauth/**", "/oauth.access"));
    }

    #[test]
    fn what_would_deny_everything_or_nothing_is_refused() {
        for text in ["", "/", "/**", "oauth", "/a/**/b"] {
            assert!(DeniedPath::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
