//! Refreshes: what a response may look like, and what is kept of it.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::cases;
use crate::world::{ENDED, TOKENS, UNAVAILABLE, World, ok, response};

cases! {
    17, "NangoHQ/nango#298", "a refresh without a new refresh token, or with an empty one" => old_refresh_token;
    18, "NangoHQ/nango#482", "expired, and nothing to refresh it with" => nothing_to_refresh_with;
    20, "aakarim/OpenLore#43", "the response to a refresh breaks off" => cut_off;
    22, "NangoHQ/nango#6775", "tokens expire only where the request asks for it" => expiry_on_request;
    24, "NangoHQ/nango#1780", "nothing tells the lifetime, which is an hour" => untold_lifetime;
    25, "Weble/ZohoClient#11", "a lifetime in milliseconds, beside one in seconds" => two_lifetimes;
    27, "RFC 6749, section 5.1", "lifetimes as text, fraction, zero, negative, null" => lifetimes;
    28, "RFC 6749, section 5.1", "tokens that live for 1 to 60 s" => short_lives;
    29, "modelcontextprotocol/typescript-sdk#2408", "gzip that nobody asked for" => gzip;
    31, "RFC 8259, section 8.1", "a byte of Latin-1 in a member that is not used" => latin_1;
    32, "requests/requests-oauthlib#255", "a line break before the JSON" => leading_line_break;
    34, "RFC 9112", "chunks, HTTP/1.0, status 201, no content type, a large id_token" => wrappings;
    35, "casdoor/casdoor#611", "an error's text in the place of the token" => error_as_token;
    36, "NangoHQ/nango#2476", "a refresh that prolongs the old token" => prolonged_token;
    63, "courtlistener#7927", "the token endpoint redirects" => redirect;
}

async fn old_refresh_token() {
    for body in [
        r#"{"access_token":"at-2","expires_in":60}"#,
        r#"{"access_token":"at-2","expires_in":60,"refresh_token":""}"#,
        r#"{"access_token":"at-2","expires_in":60,"refresh_token":null}"#,
    ] {
        let world = World::new().await;
        let made = world.due("gmail").await;
        world.provider.will_send(ok(body));
        for _ in 0..2 {
            assert_eq!(world.vend(&made).await.1["access_token"], "at-2");
            assert_eq!(world.provider.last().form["refresh_token"], "rt-1", "{body}");
            world.stage.advance(61);
        }
    }
}

async fn nothing_to_refresh_with() {
    let world = World::new().await;
    let made = world.connected_by("gmail", ok(r#"{"access_token":"at-1","expires_in":60}"#)).await;
    world.stage.advance(61);
    let (status, data) = world.vend(&made).await;
    assert_eq!((status, data["code"].as_str()), (401, Some(ENDED)));
}

async fn cut_off() {
    let world = World::new().await;
    let made = world.due("gmail").await;
    let whole = ok(r#"{"access_token":"at-2","refresh_token":"rt-2","expires_in":3600}"#);
    world.provider.will_send(&whole[..whole.len() - 20]);
    let (status, data) = world.vend(&made).await;
    assert_eq!((status, data["code"].as_str()), (503, Some(UNAVAILABLE)));
    // The provider knows of networks, and takes the spent token for a while.
    world.stage.advance(60);
    world.provider.will_send(whole);
    assert_eq!(world.vend(&made).await.1["access_token"], "at-2");
    assert_eq!(world.provider.last().form["refresh_token"], "rt-1");
}

async fn expiry_on_request() {
    let world = World::new().await;
    let body = r#"{"access_token":"at-1","refresh_token":"rt-1","expires_in":1800}"#;
    let made = world.connected_by("zendesk", ok(body)).await;
    assert_eq!(world.provider.last().form["expires_in"], "1800");
    world.stage.advance(1795);
    world.provider.will_send(ok(r#"{"access_token":"at-2","refresh_token":"rt-2","expires_in":1800}"#));
    assert_eq!(world.vend(&made).await.1["access_token"], "at-2", "before it expires");
    assert_eq!(world.provider.last().form["expires_in"], "1800");
}

async fn untold_lifetime() {
    let world = World::new().await;
    let made = world.connected_by("gmail", ok(r#"{"access_token":"at-1","refresh_token":"rt-1"}"#)).await;
    world.provider.will_send(ok(r#"{"access_token":"at-2"}"#));
    world.stage.advance(3400);
    assert_eq!(world.vend(&made).await.1["access_token"], "at-1");
    world.stage.advance(150);
    assert_eq!(world.vend(&made).await.1["access_token"], "at-2", "50 s before the hour is over");
}

/// The life that is told with a token of these members.
async fn told_life(members: &str) -> Option<i64> {
    let world = World::new().await;
    let made = world.connected_by("gmail", ok(&format!(r#"{{"access_token":"at-1"{members}}}"#))).await;
    world.vend(&made).await.1["expires_in"].as_i64()
}

async fn two_lifetimes() {
    let life = told_life(r#","expires_in":3600000,"expires_in_sec":3600"#).await.unwrap();
    assert!((3000..=3600).contains(&life), "{life}");
}

async fn lifetimes() {
    for told in [r#""3600""#, "3600", "3600.99", r#""3600 ""#] {
        let life = told_life(&format!(r#","expires_in":{told}"#)).await;
        assert!(life.is_some_and(|life| (3000..=3600).contains(&life)), "{told}: {life:?}");
    }
    for unknown in [r#","expires_in":0"#, r#","expires_in":-1"#, r#","expires_in":null"#, ""] {
        assert_eq!(told_life(unknown).await, None, "{unknown}");
    }
}

async fn short_lives() {
    for seconds in [1, 2, 5, 30, 60] {
        let world = World::new().await;
        let body = format!(r#"{{"access_token":"at-1","refresh_token":"rt-1","expires_in":{seconds}}}"#);
        let made = world.connected_by("gmail", ok(&body)).await;
        world.provider.will_send(ok(r#"{"access_token":"at-2","expires_in":3600}"#));
        // A busy machine takes its time, too.
        if seconds >= 30 {
            world.stage.advance(seconds / 2);
            assert_eq!(world.vend(&made).await.1["access_token"], "at-1", "{seconds} s");
            world.stage.advance(seconds - seconds / 2 - seconds / 10);
        } else {
            world.advance(Duration::from_millis(seconds * 900));
        }
        assert_eq!(world.vend(&made).await.1["access_token"], "at-2", "{seconds} s");
    }
}

/// Fails where a code exchange or a rotating refresh loses its tokens in this wrapping.
async fn loses_nothing(wrap: impl Fn(&str) -> Vec<u8>) {
    let tokens =
        |n: u32| wrap(&format!(r#"{{"access_token":"at-{n}","refresh_token":"rt-{n}","expires_in":60}}"#));
    let world = World::new().await;
    let made = world.connected_by("gmail", tokens(1)).await;
    for n in [2, 3] {
        world.stage.advance(61);
        world.provider.will_send(tokens(n));
        assert_eq!(world.vend(&made).await.1["access_token"], format!("at-{n}"));
        assert_eq!(world.provider.last().form["refresh_token"], format!("rt-{}", n - 1));
    }
}

async fn gzip() {
    loses_nothing(|body| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            packed.len()
        );
        [head.as_bytes(), &packed].concat()
    })
    .await;
}

async fn latin_1() {
    loses_nothing(|body| {
        let members = body.strip_prefix('{').unwrap();
        let body = [b"{\"name\":\"Andr\xe9\",", members.as_bytes()].concat();
        response(200, "application/json", body)
    })
    .await;
}

async fn leading_line_break() {
    let world = World::new().await;
    assert_eq!(world.refresh("gmail", ok("\n\r\n {\"access_token\":\"at-2\"}")).await, "at-2");
}

async fn wrappings() {
    let body = r#"{"access_token":"at-2"}"#;
    let id_token = format!(r#"{{"access_token":"at-2","id_token":"{}"}}"#, "a".repeat(100 * 1024));
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
    for bytes in [
        format!(
            "{head}transfer-encoding: chunked\r\n\r\n9\r\n{}\r\ne\r\n{}\r\n0\r\n\r\n",
            &body[..9],
            &body[9..]
        ),
        format!("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{body}"),
        format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()),
        format!("{head}content-length: {}\r\n\r\n{body}", body.len()),
        format!("{head}content-length: {}\r\n\r\n{id_token}", id_token.len()),
    ] {
        let world = World::new().await;
        assert_eq!(world.refresh("gmail", bytes.clone().into()).await, "at-2", "{}", &bytes[..100]);
    }
}

async fn error_as_token() {
    let world = World::new().await;
    let body = r#"{"access_token":"error: token is expired by 24h0m0s","id_token":"","refresh_token":"",
        "token_type":"","expires_in":0,"scope":""}"#;
    assert_eq!(world.refresh("gmail", ok(body)).await, UNAVAILABLE);
    let made = world.stage.link("gmail").await;
    let back = world.consent(&made, "gmail", &[], &[("code", "c")]).await;
    assert_eq!((back.status, world.stage.status(&made).await.as_str()), (502, "pending"));
}

async fn prolonged_token() {
    let keys = r#"refresh_keeps_token = { pointer = "/result", equals = "0000" }"#;
    let world = World::with_fixture(keys).await;
    assert_eq!(world.refresh("fixture", ok(r#"{"result":"0000"}"#)).await, "at-1");
    assert_eq!(world.refresh("fixture", ok(r#"{"result":"0001"}"#)).await, UNAVAILABLE);
}

async fn redirect() {
    let elsewhere = World::new().await.provider;
    for status in [301, 302, 307, 308] {
        let world = World::new().await;
        let bytes = format!(
            "HTTP/1.1 {status} Moved\r\nlocation: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{TOKENS}",
            elsewhere.url,
            TOKENS.len()
        );
        assert_eq!(world.refresh("gmail", bytes.into()).await, UNAVAILABLE, "{status}");
    }
    assert!(elsewhere.requests().is_empty(), "a refresh token is not sent to whoever is named");
}
