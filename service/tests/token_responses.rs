//! Responses with tokens that cannot be asked for again: nothing is lost for what stands around them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use std::io::Write;

use fixture_support::{Provider, Visit, connect};
use flate2::Compression;
use flate2::write::GzEncoder;

const OAUTH: &str = r#"
    type = "o_auth"
    [auth.oauth]
    authorization_url = "PROVIDER/authorize"
    token_url = "PROVIDER/token"
    pkce = false
"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The same tokens, wrapped in each way.
fn wrapped(n: u32) -> Vec<(&'static str, Vec<u8>)> {
    let members = format!(r#""access_token":"at-{n}","refresh_token":"rt-{n}","expires_in":3600}}"#);
    let object = |before: &[u8]| [b"{", before, members.as_bytes()].concat();
    let plain = object(b"");
    let packed = gzip(&plain);
    vec![
        ("gzip", packed.clone()),
        ("gzip without its checksum", packed[..packed.len() - 8].to_vec()),
        ("a byte order mark", [b"\xef\xbb\xbf", plain.as_slice()].concat()),
        ("newlines around it", [b"\r\n\n", plain.as_slice(), b"\n\n"].concat()),
        ("a byte of Latin-1", object(b"\"name\":\"Andr\xe9\",")),
        ("a number that is too large", object(b"\"id\":1e999,")),
        ("a member twice", object(b"\"access_token\":\"other\",")),
    ]
}

#[tokio::test]
async fn tokens_are_read_whatever_stands_around_them() {
    let provider = Provider::start().await;
    let platform = provider.platform(OAUTH).await;
    for ((what, exchanged), (_, refreshed)) in wrapped(1).into_iter().zip(wrapped(2)) {
        provider.will_say_text(200, exchanged);
        let (id, _) = connect(&platform, &[]).await;
        assert_eq!(platform.token(&id).await.data()["access_token"], "at-1", "{what}");
        provider.will_say_text(200, refreshed);
        for presented in ["rt-1", "rt-2"] {
            provider.seen();
            platform.advance(3600);
            assert_eq!(platform.token(&id).await.data()["access_token"], "at-2", "{what}");
            assert_eq!(provider.seen()[0].form["refresh_token"], presented, "{what}");
        }
    }
}

#[tokio::test]
async fn nobody_is_asked_to_compress() {
    let provider = Provider::start().await;
    let platform = provider.platform(OAUTH).await;
    provider.will_say_text(200, wrapped(1).remove(0).1);
    let (id, _) = connect(&platform, &[]).await;
    platform.advance(3600);
    platform.token(&id).await.data();
    let requests = provider.seen();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.headers["accept-encoding"] == "identity"));
}

/// A few kilobytes on the wire are not unpacked to more than a response may have.
#[tokio::test]
async fn what_is_unpacked_has_the_limit_of_a_response() {
    let provider = Provider::start().await;
    let platform = provider.platform(OAUTH).await;
    let padded = |padding: usize| {
        gzip(format!(r#"{{"access_token":"at","padding":"{}"}}"#, "x".repeat(padding)).as_bytes())
    };
    provider.will_say_text(200, padded(200 * 1024));
    connect(&platform, &[]).await;

    let bomb = padded(64 * 1024 * 1024);
    assert!(bomb.len() < 128 * 1024, "{}", bomb.len());
    provider.will_say_text(200, bomb);
    let visit = Visit::begin(&platform).await;
    let left = visit.to_provider(&[]).await;
    assert_eq!(visit.come_back(&left, &[("code", "c0de")]).await.status, 502);
}
