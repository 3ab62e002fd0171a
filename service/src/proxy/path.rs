//! The path of a proxied call. What a provider might read in another way than this service is refused, so that no call
//! leaves the path of its connection's API: dots, encoded or not, backslashes, control characters.

use percent_encoding::percent_decode_str;

/// How often a path may be encoded over. Once is usual, for a slash within a name.
const MAX_ENCODINGS: usize = 3;

/// Longest segment, and the number of them, that a line of the audit shows.
const MAX_SEGMENT: usize = 40;
const MAX_SEGMENTS: usize = 16;

/// A path behind the base address of an API, without a slash at its beginning. It may be empty.
pub(super) struct ProxyPath<'a> {
    /// As the caller wrote it, which is how it is sent.
    pub(super) raw: &'a str,
    /// With nothing left to decode.
    pub(super) decoded: String,
    /// The same by segments as the caller wrote them; one may have slashes in it.
    pub(super) segments: Vec<String>,
}

impl<'a> ProxyPath<'a> {
    /// The part of a request's path that follows `/connections/{id}/proxy`; `None` where it could lead elsewhere.
    pub(super) fn of_request(path: &'a str) -> Option<Self> {
        Self::parse(path.splitn(5, '/').nth(4).unwrap_or_default())
    }

    fn parse(raw: &'a str) -> Option<Self> {
        let segments: Vec<_> = raw.split('/').map(decode).collect::<Option<_>>()?;
        Some(Self { raw, decoded: segments.join("/"), segments })
    }
}

/// Decodes a segment until nothing is left to decode; `None` where any of the steps could lead elsewhere.
fn decode(raw: &str) -> Option<String> {
    let mut text = raw.to_owned();
    for _ in 0..=MAX_ENCODINGS {
        if text.contains(|c: char| c == '\\' || c.is_control()) || text.split('/').any(is_dots) {
            return None;
        }
        let decoded = percent_decode_str(&text).decode_utf8().ok()?.into_owned();
        if decoded == text {
            return Some(text);
        }
        text = decoded;
    }
    None
}

/// `.`, `..` and what some servers take for the same: `..;a=b`, `.. `, `...`.
fn is_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or_default().trim();
    !name.is_empty() && name.chars().all(|c| c == '.')
}

/// A path for the audit: words and versions as they are, `*` for everything that could be an id or a person's.
pub(crate) fn pattern(path: &str) -> String {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut pattern = String::new();
    for segment in segments.by_ref().take(MAX_SEGMENTS) {
        pattern.push('/');
        pattern.push_str(if is_word(segment) { segment } else { "*" });
    }
    if segments.next().is_some() {
        pattern.push_str("/…");
    }
    if pattern.is_empty() { "/".into() } else { pattern }
}

fn is_word(segment: &str) -> bool {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_version = |text: &str| text.strip_prefix('v').is_some_and(is_number);
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic() || b"-_".contains(&byte));
    segment.len() <= MAX_SEGMENT
        && segment.starts_with(|first: char| first.is_ascii_alphabetic())
        && (is_version(segment) || segment.split('.').all(|part| is_plain(part) || is_version(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_sent_as_they_are() {
        for (raw, decoded) in [
            ("", ""),
            ("crm/v3/objects/contacts", "crm/v3/objects/contacts"),
            ("projects/group%2Fproject/files/src%2Fmain.rs", "projects/group/project/files/src/main.rs"),
            ("search/a%20b%3F%23", "search/a b?#"),
            ("me@example.com/messages", "me@example.com/messages"),
            ("//evil.example/a", "//evil.example/a"),
            ("http://evil.example/", "http://evil.example/"),
            ("values/A1:B2!.x", "values/A1:B2!.x"),
            ("100%25", "100%"),
            ("a..b/.well-known/...x", "a..b/.well-known/...x"),
            ("%C3%A9", "é"),
        ] {
            let path = ProxyPath::parse(raw).unwrap_or_else(|| panic!("{raw}"));
            assert_eq!((path.raw, &*path.decoded), (raw, decoded));
            assert_eq!(path.segments.len(), raw.split('/').count());
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_refused() {
        for raw in [
            "..",
            "../x",
            "a/../../x",
            "a/./b",
            ".",
            "%2e%2e/x",
            "%2E%2E%2Fx",
            ".%2e/x",
            "a/..%2fx",
            "a%2f..%2fx",
            "%252e%252e/x",
            "%25252e%25252e%25252fx",
            "%2525252525252e",
            "..;/x",
            "..;a=b/x",
            "%2e%2e%3b/x",
            ".. /x",
            "..%20/x",
            ".../x",
            "a\\b",
            "..\\x",
            "a%5cb",
            "%255c",
            "a%0d%0aHost:%20evil.example",
            "a%0ab",
            "a%00",
            "%250a",
            "%7f",
            "%C2%85",
            "%c0%ae%c0%ae/x",
            "%ff",
        ] {
            assert!(ProxyPath::parse(raw).is_none(), "{raw}");
        }
    }

    #[test]
    fn a_request_names_what_follows_the_proxy() {
        let raw = |path| ProxyPath::of_request(path).map(|path| path.raw);
        for (path, expected) in [
            ("/connections/conn_1/proxy", ""),
            ("/connections/conn_1/proxy/", ""),
            ("/connections/conn_1/proxy/a/b/", "a/b/"),
            ("/connections/conn_1/proxy//a", "/a"),
            ("/connections/conn_1/proxy/connections/x/proxy/a", "connections/x/proxy/a"),
        ] {
            assert_eq!(raw(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn the_audit_shows_words_alone() {
        for (path, expected) in [
            ("", "/"),
            ("/", "/"),
            ("/crm/v3/objects/contacts/17", "/crm/v3/objects/contacts/*"),
            ("/users/alice@example.com/messages", "/users/*/messages"),
            ("//admin/api/2026-10/shop.json", "/admin/api/*/shop.json"),
            ("/oauth.v2.access/a1b2c3", "/oauth.v2.access/*"),
            ("/v1.0/me/é", "/v1.0/me/*"),
        ] {
            assert_eq!(pattern(path), expected, "{path}");
        }
        let long = pattern(&"/a".repeat(17));
        assert!(long.ends_with("/a/…") && long.matches("/a").count() == 16, "{long}");
        assert_eq!(pattern(&format!("/{}", "a".repeat(41))), "/*");
    }
}
