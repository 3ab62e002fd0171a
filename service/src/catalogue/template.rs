//! Text with `{name}` placeholders, and addresses made of it.
//!
//! A template is taken apart when the catalogue is loaded and filled in one pass: a value that looks like a placeholder
//! stays what it is.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use url::Url;

/// Text with `{name}` placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(String),
}

/// The address of an API, or of one of its requests. Where a placeholder stands decides what its value may be: the whole
/// beginning of the address, a part of the host's name, or text of the path, which is escaped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Address(Template);

/// Where in an address a placeholder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// At its beginning: the value is an address itself.
    Start,
    /// In the name of the host.
    Host,
    /// Behind the host.
    Path,
}

/// What stays as it is in a path: RFC 3986's unreserved characters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let unbalanced = || format!("`{text}` has a brace without its other half");
        let (mut parts, mut rest) = (Vec::new(), text.as_str());
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(unbalanced)?;
            if before.contains('}') || name.contains('{') {
                return Err(unbalanced());
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Placeholder(name.to_owned()));
            rest = after;
        }
        if rest.contains('}') {
            return Err(unbalanced());
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Template::try_from(text).map(Self)
    }
}

impl Template {
    /// The names of its placeholders.
    pub(super) fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Where its placeholders stand, if it is an address.
    pub(super) fn positions(&self) -> Vec<(&str, Position)> {
        let (mut found, mut text) = (Vec::new(), String::new());
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Placeholder(name) => {
                    found.push((name.as_str(), position(index, &text)));
                    text.push('x');
                }
            }
        }
        found
    }

    /// Whether its text begins so, whatever is filled in.
    pub(super) fn begins_with(&self, first: char) -> bool {
        matches!(self.parts.first(), Some(Part::Text(text)) if text.starts_with(first))
    }

    /// Whether it leads to one host whatever stands behind it, if it is an address. `https:///{x}` does not: programs skip
    /// the third slash, and take the value for the host. `sample` gives values for the host and the beginning.
    pub(super) fn has_fixed_host<'v>(&self, sample: impl Fn(&str) -> Option<&'v str>) -> bool {
        let origin = |behind: &'static str| {
            let filled = self.fill_by_position(|name, position| match position {
                Position::Start | Position::Host => sample(name).map(Cow::Borrowed),
                Position::Path => Some(Cow::Borrowed(behind)),
            });
            Some(Url::parse(&filled?).ok()?.origin())
        };
        origin("one.example") == origin("two.example")
    }

    /// The text with each placeholder replaced by its value, which may depend on where in an address it stands.
    fn fill_by_position<'v>(&self, value: impl Fn(&str, Position) -> Option<Cow<'v, str>>) -> Option<String> {
        let mut filled = String::new();
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Placeholder(name) => {
                    let value = value(name, position(index, &filled))?;
                    filled.push_str(&value);
                }
            }
        }
        Some(filled)
    }

    /// The text with each placeholder replaced by its value; `None` where one has no value.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        let part = |part: &Part| match part {
            Part::Text(text) => Some(Cow::Owned(text.clone())),
            Part::Placeholder(name) => value(name).map(Cow::Borrowed),
        };
        self.parts.iter().map(part).collect()
    }
}

/// As it is written.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Placeholder(name) => write!(f, "{{{name}}}"),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Address {
    /// This address with a path behind it.
    pub(super) fn joined(&self, path: &Template) -> Self {
        let parts = self.0.parts.iter().chain(&path.parts);
        Self(Template { parts: parts.cloned().collect() })
    }

    /// Its placeholders and where they stand.
    pub(super) fn placeholders(&self) -> Vec<(&str, Position)> {
        self.0.positions()
    }

    /// The first thing that makes it no address, apart from what its placeholders stand for.
    pub(super) fn problem(&self) -> Option<String> {
        let sample = |(name, position)| match position {
            Position::Start => (name, "https://host.example"),
            Position::Host | Position::Path => (name, "sample"),
        };
        let samples: Vec<_> = self.placeholders().into_iter().map(sample).collect();
        let value = |name: &str| samples.iter().find(|(found, _)| *found == name).map(|(_, value)| *value);
        let text = self.0.fill(value).unwrap_or_default();
        let ends_host = |next: &Part| matches!(next, Part::Text(text) if text.starts_with('/'));
        if let [Part::Placeholder(_), next, ..] = self.0.parts.as_slice()
            && !ends_host(next)
        {
            return Some(format!("`{text}` would change the host that it begins with"));
        }
        if !self.0.has_fixed_host(value) {
            return Some(format!("a value in `{self}` could change the host"));
        }
        match Url::parse(&text) {
            Ok(url) if url.scheme() != "https" => Some(format!("`{text}` is not https")),
            Ok(url) if has_extras(&url) => Some(format!("`{text}` has a user name or a fragment")),
            Ok(_) => None,
            Err(error) => Some(format!("`{text}` is no address: {error}")),
        }
    }

    /// The address with each placeholder replaced by its value; `None` where one has none, or one that has no place there.
    pub(super) fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        let filled = self.0.fill_by_position(|name, position| {
            let value = value(name)?;
            match position {
                Position::Start => start(value).map(Cow::Owned),
                Position::Host => host_part(value).map(Cow::Borrowed),
                Position::Path => path_part(value).map(Cow::Owned),
            }
        })?;
        Url::parse(&filled).is_ok().then_some(filled)
    }

    /// Whether this address, without its query, can be one of those that it gives: a placeholder stands for what is in one
    /// segment. For emulators.
    pub(super) fn matches(&self, address: &str) -> bool {
        let mut rest = address;
        for part in &self.0.parts {
            match part {
                Part::Text(text) => {
                    let path = text.split('?').next().unwrap_or_default();
                    let Some(after) = rest.strip_prefix(path) else { return false };
                    rest = after;
                    if path.len() < text.len() {
                        break;
                    }
                }
                Part::Placeholder(_) => rest = rest.find('/').map_or("", |end| &rest[end..]),
            }
        }
        rest.is_empty()
    }

    /// Leads to `base` instead of to its host, with the same path. For emulators.
    pub(super) fn redirect(&mut self, base: &str) {
        let mut host = String::new();
        let mut parts = vec![Part::Text(base.to_owned())];
        for (index, part) in self.0.parts.drain(..).enumerate() {
            match part {
                Part::Placeholder(name) if position(index, &host) == Position::Path => {
                    parts.push(Part::Placeholder(name));
                }
                Part::Placeholder(_) => host.push('x'),
                Part::Text(text) if position(index, &host) == Position::Path => parts.push(Part::Text(text)),
                Part::Text(text) => {
                    host.push_str(&text);
                    let (_, rest) = host.split_once("://").unwrap_or(("", &host));
                    if let Some(path) = rest.find('/') {
                        parts.push(Part::Text(rest[path..].to_owned()));
                    }
                }
            }
        }
        self.0.parts = parts;
    }
}

/// Where a placeholder stands that comes after `before`.
fn position(index: usize, before: &str) -> Position {
    let behind_scheme = before.split_once("://").map_or(before, |(_, rest)| rest);
    match index {
        0 => Position::Start,
        _ if behind_scheme.contains(['/', '?']) => Position::Path,
        _ if before.contains("://") => Position::Host,
        _ => Position::Path,
    }
}

/// An address that others are built on: no more than scheme, host and path.
fn start(value: &str) -> Option<String> {
    let url = Url::parse(value).ok()?;
    let is_plain = url.has_host() && !has_extras(&url) && url.query().is_none();
    is_plain.then(|| url.as_str().trim_end_matches('/').to_owned())
}

/// Whether there is a user name, password or fragment.
pub(super) fn has_extras(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some() || url.fragment().is_some()
}

/// Labels of a host's name.
fn host_part(value: &str) -> Option<&str> {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (!value.is_empty() && value.bytes().all(is_safe)).then_some(value)
}

/// Text that stays within its segment: not even `..` leads out of it.
fn path_part(value: &str) -> Option<String> {
    let leads_out = matches!(value, "" | "." | "..");
    (!leads_out).then(|| utf8_percent_encode(value, ESCAPED).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::try_from(text.to_owned()).unwrap()
    }

    fn fill(text: &str, values: &[(&str, &'static str)]) -> Option<String> {
        let value = |name: &str| values.iter().find(|(found, _)| *found == name).map(|(_, value)| *value);
        template(text).fill(value)
    }

    fn address(text: &str, value: &'static str) -> Option<String> {
        Address(template(text)).fill(|name| (name == "x").then_some(value))
    }

    #[test]
    fn values_are_filled_in_once() {
        let values = [("a", "{b}{a}"), ("b", "{a}"), ("empty", "")];
        assert_eq!(fill("{a}-{b}", &values).as_deref(), Some("{b}{a}-{a}"));
        assert_eq!(fill("Bearer {a}", &values).as_deref(), Some("Bearer {b}{a}"));
        assert_eq!(fill("plain", &values).as_deref(), Some("plain"));
        assert_eq!(fill("[{empty}]", &values).as_deref(), Some("[]"));
        assert_eq!(fill("{c}", &values), None);
    }

    #[test]
    fn braces_come_in_pairs() {
        for text in ["{", "}", "a}b", "{a", "{a}}", "{{a}}", "}{"] {
            assert!(Template::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_stays_in_its_place_of_an_address() {
        for (text, value, expected) in [
            ("https://{x}.example/a", "acme", Some("https://acme.example/a")),
            ("https://api.{x}/a", "zoho.com", Some("https://api.zoho.com/a")),
            ("https://api.example/c/{x}/d", "42", Some("https://api.example/c/42/d")),
            (
                "https://api.example/c/{x}",
                "a b/../c?d#e",
                Some("https://api.example/c/a%20b%2F..%2Fc%3Fd%23e"),
            ),
            ("https://api.example/?q={x}", "a&b=c", Some("https://api.example/?q=a%26b%3Dc")),
            ("{x}/v1", "https://acme.example/", Some("https://acme.example/v1")),
            ("{x}/v1", "https://acme.example/base", Some("https://acme.example/base/v1")),
            // None of these is a name, a segment or a plain address.
            ("https://{x}.example/a", "evil.com/", None),
            ("https://{x}.example/a", "me@evil.com", None),
            ("https://{x}.example/a", "", None),
            ("https://{x}:1/a", "[::1]", None),
            ("https://api.example/c/{x}/d", "..", None),
            ("https://api.example/c/{x}/d", ".", None),
            ("https://api.example/c/{x}/d", "", None),
            ("{x}/v1", "acme.example", None),
            ("{x}/v1", "https://me@acme.example", None),
            ("{x}/v1", "https://acme.example/?a=b", None),
            ("{x}/v1", "https://acme.example/#a", None),
        ] {
            assert_eq!(address(text, value).as_deref(), expected, "{text} {value}");
        }
    }

    #[test]
    fn an_emulator_takes_the_place_of_the_host_alone() {
        for (text, expected) in [
            ("https://api.example", "http://127.0.0.1:1/p"),
            ("https://api.example/v3/c/{x}/d", "http://127.0.0.1:1/p/v3/c/{x}/d"),
            ("https://{x}.api.example/v3/{x}", "http://127.0.0.1:1/p/v3/{x}"),
            ("https://api.{x}/v3", "http://127.0.0.1:1/p/v3"),
            ("{x}/v3/{x}", "http://127.0.0.1:1/p/v3/{x}"),
            ("{x}", "http://127.0.0.1:1/p"),
        ] {
            let mut address = Address(template(text));
            address.redirect("http://127.0.0.1:1/p");
            let expected = Address(template(expected));
            let fill = |address: &Address| address.fill(|_| Some("value"));
            assert_eq!(fill(&address), fill(&expected), "{text}");
        }
    }

    #[test]
    fn an_address_is_recognised_by_its_segments() {
        let own = Address(template("http://127.0.0.1:1/c/{x}/info?a={x}"));
        for (address, expected) in [
            ("http://127.0.0.1:1/c/42/info", true),
            ("http://127.0.0.1:1/c/4/2/info", false),
            ("http://127.0.0.1:1/c/42/info/more", false),
            ("http://127.0.0.1:1/c/42", false),
            ("http://127.0.0.1:2/c/42/info", false),
        ] {
            assert_eq!(own.matches(address), expected, "{address}");
        }
    }

    #[test]
    fn an_address_is_https_and_no_more() {
        let problem = |text: &str| Address(template(text)).problem();
        for fine in ["https://a.example/{x}", "{x}/v1", "https://{x}.a.example", "https://a.example/?b={x}"] {
            assert_eq!(problem(fine), None, "{fine}");
        }
        for (text, reason) in [
            ("http://a.example", "not https"),
            ("a.example", "no address"),
            ("https://me@a.example", "user name"),
            ("https://a.example/#b", "fragment"),
            ("x{x}", "no address"),
            ("{x}.evil.example/", "change the host"),
            ("{x}{y}", "change the host"),
            ("{x}{y}/v1", "change the host"),
            ("https:{x}", "change the host"),
            ("https:/{x}", "change the host"),
            ("https:///{x}/v1", "change the host"),
        ] {
            assert!(problem(text).unwrap().contains(reason), "{text}");
        }
    }
}
