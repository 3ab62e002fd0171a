//! Webhooks as every language verifies them: tests/webhooks.json says what is sent and what comes of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_tests::browser::plain_http;
use pabbly_connect::{CODES, ErrorKind, webhooks};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use ring::hmac;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use xtask::manifest::Manifest;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

#[derive(Deserialize)]
struct Case {
    name: String,
    headers: BTreeMap<String, String>,
    body: String,
    secrets: Vec<String>,
    received_at: u64,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expected {
    Event(Value),
    Code(String),
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../webhooks.json")).expect("the cases are right")
}

#[test]
fn every_webhook_ends_as_its_case_says() {
    for Case { name, headers, body, secrets, received_at, expect } in cases() {
        let headers = headers.iter().map(|(name, value)| {
            let name = HeaderName::try_from(name).expect("a header's name");
            (name, HeaderValue::try_from(value).expect("a header's value"))
        });
        let headers: HeaderMap = headers.collect();
        let received_at = SystemTime::UNIX_EPOCH + Duration::from_secs(received_at);
        let outcome = webhooks::verify_received_at(&headers, body.as_bytes(), &secrets, received_at);
        match (expect, outcome) {
            (Expected::Event(expected), Ok(event)) => {
                assert_eq!(serde_json::to_value(event).unwrap(), expected, "{name}");
            }
            (Expected::Code(code), Err(error)) => {
                let kind = match code.as_str() {
                    "invalid_argument" => ErrorKind::InvalidArgument,
                    _ => ErrorKind::WebhookVerification,
                };
                assert_eq!((error.code(), error.kind()), (Some(code.as_str()), kind), "{name}");
                // The sender may have put anything there.
                let printed = format!("{error} {error:?}");
                assert!(!printed.contains("conn_1") && !printed.contains("evt_1"), "{name}: {printed}");
            }
            (_, outcome) => panic!("{name}: ended with {outcome:?}"),
        }
    }
}

#[test]
fn every_code_of_verification_has_a_case() {
    let cases = cases();
    for row in CODES.iter().filter(|row| row.kind == ErrorKind::WebhookVerification) {
        let has = |case: &Case| matches!(&case.expect, Expected::Code(code) if code == row.code);
        assert!(cases.iter().any(has), "{}", row.code);
    }
}

/// The example that docs/receiving-webhooks.md shows.
#[path = "../../examples/webhooks/axum.rs"]
#[allow(clippy::print_stdout, unreachable_pub, reason = "it is an example")]
mod receiver;

#[tokio::test]
async fn the_example_in_axum_takes_webhooks_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/connect", listener.local_addr().unwrap());
    let app = receiver::app(SECRET.into());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let body =
        r#"{"id":"evt_1","type":"webhook.test","timestamp":"2026-11-29T12:00:00Z","cursor":"","data":{}}"#;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().to_string();
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signature = STANDARD.encode(hmac::sign(&key, format!("evt_1.{now}.{body}").as_bytes()));
    let http = plain_http().build().unwrap();
    for (body, status, text) in [(body, 204, ""), (&body.replace("evt_1", "evt_2"), 400, "bad_signature")] {
        let request = http.post(&url).header("webhook-id", "evt_1").header("webhook-timestamp", &now);
        let request = request.header("webhook-signature", format!("v1,{signature}")).body(body.to_owned());
        let response = request.send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (status, text));
    }
}

#[test]
fn the_page_has_the_tested_examples_and_all_types() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/receiving-webhooks.md")).unwrap();
    for name in ["express.mjs", "next/route.js", "fastapi_app.py", "django_views.py", "axum.rs"] {
        let example = std::fs::read_to_string(root.join("examples/webhooks").join(name)).unwrap();
        assert!(
            page.contains(&format!("\n{example}```\n")),
            "the page does not show examples/webhooks/{name}"
        );
    }
    for event in Manifest::read().unwrap().events {
        let row = format!("\n| `{}` | `{}` | {} |\n", event.kind, event.data, event.doc);
        assert!(page.contains(&row), "the page has no {row}");
    }
}
