//! The small languages of a catalogue file: templates, pointers and patterns. Each is checked when the file is read.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::Value;

/// Text with placeholders, such as `https://{subdomain}.example.com/token`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(String),
}

/// A JSON pointer (RFC 6901), such as `/data/access_token`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(String);

/// A regular expression, matched in time linear to the text. Unanchored, as in JSON Schema.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Regex);

/// No pattern of a catalogue compiles to more bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// A sentence about a brace that does not enclose a name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            let placeholder = from.strip_prefix('{').and_then(|from| from.split_once('}'));
            let Some((name, after)) = placeholder.filter(|(name, _)| is_name(name)) else {
                return Err(format!("`{text}` has a brace that is no placeholder's"));
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Placeholder(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The text with each placeholder replaced by its value; `None` where one has no value. A value is never searched
    /// for placeholders.
    pub fn fill<'a>(&'a self, value_of: impl Fn(&'a str) -> Option<&'a str>) -> Option<String> {
        let mut filled = String::new();
        for part in &self.parts {
            filled.push_str(match part {
                Part::Text(text) => text,
                Part::Placeholder(name) => value_of(name)?,
            });
        }
        Some(filled)
    }

    /// The names of the placeholders.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Placeholder(name) => Some(name.as_str()),
        })
    }

    /// In an address, the names of the placeholders that stand before its path, and so choose the host.
    pub(super) fn names_before_path(&self) -> impl Iterator<Item = &str> {
        let mut before = String::new();
        let in_authority = self.parts.iter().take_while(move |part| {
            match part {
                Part::Text(text) => before.push_str(text),
                Part::Placeholder(_) => before.push('x'),
            }
            let authority = before.split_once("://").map_or(before.as_str(), |(_, rest)| rest);
            !authority.contains(['/', '?', '#', '\\'])
        });
        in_authority.filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Placeholder(name) => Some(name.as_str()),
        })
    }

    /// The template as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Of a field, or of a group and a member in it: `app.tenant`.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty()
        && name.split('.').count() <= 2
        && name.split('.').all(|part| !part.is_empty() && part.bytes().all(plain))
}

impl Pointer {
    /// The value that it points to, if there is one.
    pub fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        value.pointer(&self.0)
    }

    /// What the value that it points to is a member of.
    pub(crate) fn parent_of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        let (parent, _) = self.0.rsplit_once('/')?;
        value.pointer(parent)
    }
}

impl Pattern {
    /// Whether it matches somewhere in the text.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // A tilde escapes a slash (`~1`) or itself (`~0`).
        let is_escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if text.starts_with('/') && is_escaped {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is no JSON pointer: it must begin with a slash"))
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let regex = RegexBuilder::new(&text).size_limit(MAX_PATTERN_BYTES).build();
        regex.map(Self).map_err(|error| format!("`{text}` is no usable pattern: {error}"))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn a_value_with_braces_is_a_value() {
        let both = template("{a}-{b}");
        let filled = both.fill(|name| Some(if name == "a" { "{b}" } else { "secret" }));
        assert_eq!(filled.as_deref(), Some("{b}-secret"));
        assert_eq!(both.fill(|name| (name == "a").then_some("")), None);
        assert_eq!(template("").fill(|_| None).as_deref(), Some(""));
        assert_eq!(template("{app.x}{y}").names().collect::<Vec<_>>(), ["app.x", "y"]);
    }

    #[test]
    fn braces_that_enclose_no_name_are_refused() {
        for text in ["{", "}", "a}b", "{}", "{{a}}", "{A}", "{a b}", "{a.}", "{.a}", "{a.b.c}", "{a", "{a/b}"]
        {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_stands_before_the_path_chooses_the_host() {
        for (text, names) in [
            ("https://{a}.example.com/{b}?c={c}", &["a"][..]),
            ("https://{a}{b}", &["a", "b"]),
            ("https://example.com?x={a}", &[]),
            ("https://example.com#{a}", &[]),
            ("https://example.com/{a}", &[]),
            ("https://x\\{a}", &[]),
            ("{a}://{b}/{c}", &["a", "b"]),
        ] {
            assert_eq!(template(text).names_before_path().collect::<Vec<_>>(), names, "{text}");
        }
    }

    #[test]
    fn a_pointer_out_of_range_finds_nothing() {
        let pointer = |text: &str| Pointer::try_from(text.to_owned());
        let value = serde_json::json!({"a": [{"b/c": 7}], "d": null});
        assert_eq!(pointer("/a/0/b~1c").unwrap().find(&value), Some(&7.into()));
        for absent in ["/a/1", "/a/18446744073709551616", "/a/-", "/a/0/b~1c/x", "/x/y", "/"] {
            assert_eq!(pointer(absent).unwrap().find(&value), None, "{absent}");
        }
        for text in ["", "a", "#/a", "/a~", "/a~2"] {
            assert!(pointer(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pattern_too_large_or_wrong_is_refused() {
        let pattern = |text: &str| Pattern::try_from(text.to_owned());
        assert!(pattern("^[a-f0-9]{32}$").unwrap().matches(&"0f".repeat(16)));
        for text in ["(", r"(a)\1", "(?=a)", &"(a{999}){999}".repeat(2)] {
            assert!(pattern(text).is_err(), "{text}");
        }
    }
}
