//! The address of a proxied call, made of whatever a caller sends: it never leaves the connection's scheme, host and
//! port, nor the path of its API, and nothing panics.
//!
//! The first byte chooses the API's base address, and whether the query carries a credential; the rest is what follows
//! `/proxy/` in the request line.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::{Corpus, fuzz_target};
use url::Url;

#[path = "../../service/src/proxy/address.rs"]
mod address;
#[path = "../../service/src/proxy/path.rs"]
mod path;

use path::ProxyPath;

const CREDENTIAL: &str = "secret&#/?@\\";

/// What bases of the catalogue look like; a customer's own host is at most a name and a port.
const BASES: [&str; 6] = [
    "https://api.example.com",
    "https://api.example.com/",
    "https://api.example.com/v1",
    "https://api.example.com:8443/a/b%2Fc/",
    "https://[2001:db8::1]/v1",
    "http://127.0.0.1:9/x",
];

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((choice, rest)) = input.split_first() else { return Corpus::Reject };
    let Ok(rest) = std::str::from_utf8(rest) else { return Corpus::Reject };
    let (base, has_own) = (BASES[usize::from(choice >> 1) % BASES.len()], choice & 1 == 1);
    let base = Url::parse(base).expect("a base address");
    let own =
        if has_own { BTreeMap::from([("key".to_owned(), CREDENTIAL.to_owned())]) } else { BTreeMap::new() };

    // Even what no HTTP server would let through leads nowhere else.
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    if let Some(url) = address::join(&base, path, query, &own) {
        assert_is_below(&base, &url);
    }

    // From here on as the service does it.
    let Ok(uri) = format!("/connections/conn_1/proxy/{rest}").parse::<http::Uri>() else {
        return Corpus::Keep;
    };
    let Some(path) = ProxyPath::of_request(uri.path()) else { return Corpus::Keep };
    let url =
        address::join(&base, path.raw, uri.query(), &own).expect("what passes the check has an address");
    assert_is_below(&base, &url);
    if has_own {
        let values: Vec<_> =
            url.query_pairs().filter(|(name, _)| name == "key").map(|(_, value)| value).collect();
        assert_eq!(values, [CREDENTIAL], "the caller replaces the credential: {url}");
    }
    // However often a server decodes, it finds no way up, and no further line.
    let decoded = path.decoded.as_str();
    assert!(!decoded.contains(|c: char| c.is_control() || c == '\\'), "{decoded:?}");
    assert!(decoded.split('/').all(|segment| segment != "." && segment != ".."), "{decoded:?}");
    assert_eq!(path.segments.join("/"), decoded);
    assert!(path::pattern(decoded).len() <= 1024, "a line of the audit is short");
    Corpus::Keep
});

/// An address is one of this API.
fn assert_is_below(base: &Url, url: &Url) {
    let of = |url: &Url| (url.scheme().to_owned(), url.host().map(|host| host.to_owned()), url.port());
    assert_eq!(of(base), of(url), "{url}");
    assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None), "{url}");
    let root = base.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(root).unwrap_or_else(|| panic!("{url} is not below {base}"));
    assert!(rest.is_empty() || rest.starts_with('/'), "{url} is not below {base}");
    // Read again by whoever gets it, it is the same.
    assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(url));
}
