//! The URL of a proxied call: exactly the scheme, host and port of the connection's API, and a path below its own.
//!
//! It needs nothing else of this crate than `path.rs`, so that `fuzz/` builds both alone.

use std::collections::BTreeMap;

use url::{Url, form_urlencoded};

/// A path behind a base address; `None` where the address that comes out is elsewhere, which `ProxyPath` rules out.
pub(super) fn join(
    base: &Url,
    path: &str,
    query: Option<&str>,
    own_query: &BTreeMap<String, String>,
) -> Option<Url> {
    let root = base.path().trim_end_matches('/');
    let mut url = base.clone();
    url.set_fragment(None);
    if !path.is_empty() {
        url.set_path(&format!("{root}/{path}"));
    }
    url.set_query(with_own(query, own_query).as_deref());
    let is_below = url.path().strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    (url.origin() == base.origin() && url.origin().is_tuple() && is_below).then_some(url)
}

/// A query as the caller wrote it, but for parameters that carry the credential: these cannot be replaced or repeated.
fn with_own(query: Option<&str>, own: &BTreeMap<String, String>) -> Option<String> {
    if own.is_empty() {
        return query.map(str::to_owned);
    }
    let is_own = |pair: &str| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name);
        name.is_some_and(|name| own.contains_key(&*name))
    };
    let kept = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !is_own(pair));
    let own = form_urlencoded::Serializer::new(String::new()).extend_pairs(own).finish();
    Some(kept.chain([&*own]).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::path::ProxyPath;

    fn joined(base: &str, path: &str, query: Option<&str>) -> Option<String> {
        join(&Url::parse(base).unwrap(), path, query, &BTreeMap::new()).map(String::from)
    }

    #[test]
    fn a_path_is_joined_as_it_is_written() {
        for (base, path, query, expected) in [
            ("https://api.example.com", "", None, "https://api.example.com/"),
            ("https://api.example.com/graphql", "", Some("a=1"), "https://api.example.com/graphql?a=1"),
            ("https://api.example.com/v1", "a%2Fb/c/", None, "https://api.example.com/v1/a%2Fb/c/"),
            (
                "https://api.example.com/v1",
                "a",
                Some("q=%2e%2e/&q=2&"),
                "https://api.example.com/v1/a?q=%2e%2e/&q=2&",
            ),
            ("https://api.example.com:8443/v1/", "a", None, "https://api.example.com:8443/v1/a"),
        ] {
            assert_eq!(joined(base, path, query).as_deref(), Some(expected));
        }
    }

    /// Even what `ProxyPath` lets through, and what it does not, leads to no other host.
    #[test]
    fn no_path_leads_to_another_host() {
        for path in [
            "//evil.example/a",
            "/evil.example",
            "http://evil.example/",
            "https:/evil.example",
            "@evil.example/",
            ":80@evil.example/",
            "\\evil.example",
            "\\\\evil.example",
            "/\\evil.example",
            "?@evil.example",
            "#@evil.example",
            "[::1]/",
            ";@evil.example",
        ] {
            for base in ["https://api.example.com", "https://api.example.com/v1"] {
                let url = joined(base, path, Some("@evil.example")).unwrap();
                assert!(url.starts_with(&format!("{base}/")), "{base} {path} {url}");
                let url = Url::parse(&url).unwrap();
                assert_eq!((url.host_str(), url.username()), (Some("api.example.com"), ""), "{path}");
            }
        }
        for path in ["../admin", "%2e%2e/admin", "a/../../admin", "..\\admin"] {
            assert_eq!(joined("https://api.example.com/v1", path, None), None, "{path}");
        }
        assert_eq!(joined("https://api.example.com/v1", "../v10/x", None), None);
    }

    /// Paths made at random of what has led astray elsewhere, always the same ones.
    #[test]
    fn no_random_path_leads_elsewhere() {
        const PIECES: [&str; 24] = [
            "..",
            ".",
            "/",
            "//",
            "\\",
            "%2e",
            "%2E",
            "%2f",
            "%2F",
            "%5c",
            "%25",
            "%252e",
            "@",
            ":",
            ";",
            "?",
            "#",
            "a",
            "v1",
            "evil.example",
            "http:",
            "%0d%0a",
            "%00",
            " ",
        ];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % 1_000_003).unwrap_or_default() % below
        };
        let (mut sent, base) = (0, Url::parse("https://api.example.com/v1/x").unwrap());
        for _ in 0..20_000 {
            let length = 1 + random(8);
            let raw: String = (0..length).map(|_| PIECES[random(PIECES.len())]).collect();
            let request = format!("/connections/c/proxy/{raw}");
            let Some(path) = ProxyPath::of_request(&request) else { continue };
            let url = join(&base, path.raw, None, &BTreeMap::new()).unwrap_or_else(|| panic!("{raw}"));
            assert_eq!(
                (url.scheme(), url.host_str(), url.port()),
                ("https", Some("api.example.com"), None),
                "{raw}"
            );
            assert_eq!((url.username(), url.password(), url.query()), ("", None, None), "{raw}");
            assert!(url.path().starts_with("/v1/x/"), "{raw}: {url}");
            // However often a server decodes, it finds no way up.
            let decoded = format!("/v1/x/{}", path.decoded);
            assert!(decoded.split(['/', '\\']).all(|segment| segment != ".." && segment != "."), "{raw}");
            sent += 1;
        }
        assert!(sent > 2_000, "{sent}");
    }

    #[test]
    fn a_caller_cannot_replace_the_credential_in_the_query() {
        let own =
            BTreeMap::from([("key".to_owned(), "k&1".to_owned()), ("token".to_owned(), "t".to_owned())]);
        for (query, expected) in [
            (None, "key=k%261&token=t"),
            (Some(""), "key=k%261&token=t"),
            (Some("a=%20&key=evil&b"), "a=%20&b&key=k%261&token=t"),
            (Some("%6bey=evil&tok%65n&keys=1&&"), "keys=1&key=k%261&token=t"),
        ] {
            assert_eq!(with_own(query, &own).as_deref(), Some(expected), "{query:?}");
        }
    }
}
