//! What a client tells its listener. Only Rust has one, so no scenario says it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_tests::scripted::http;
use pabbly_connect::{Client, Event};
use serde_json::json;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_listener_hears_of_each_attempt_answer_retry_and_poll() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/platform/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut answers = [
            (503, json!({})),
            (200, json!({ "data": { "id": "gmail", "name": "Gmail" } })),
            (200, json!({ "data": { "id": "c 1", "status": "pending" } })),
            (200, json!({ "data": { "id": "c 1", "status": "active" } })),
        ]
        .into_iter();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = Vec::new();
            while let Ok(Some(_)) = http::read_request(&mut stream, &mut buffer).await {
                let (status, body) = answers.next().unwrap();
                http::write_json(&mut stream, status, &body).await.unwrap();
            }
        }
    });

    let heard = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&heard);
    let client = Client::builder()
        .api_key("pk_live_test")
        .base_url(base_url)
        .backoff(Duration::from_millis(1))
        .on_event(move |event| hear.lock().unwrap().push(event.clone()))
        .build()
        .unwrap();
    client.get_app("gmail").await.unwrap();
    let alice = client.customer("alice@example.com").unwrap();
    let wait = alice.wait_for_connection("c 1");
    wait.interval(Duration::from_millis(100)).await.unwrap();

    let told: Vec<_> = heard.lock().unwrap().iter().map(in_short).collect();
    assert_eq!(
        told,
        [
            "getApp: GET /apps/gmail 1",
            "getApp: 503 to 1",
            "getApp: again after 1",
            "getApp: GET /apps/gmail 2",
            "getApp: 200 to 2",
            "getConnection: GET /connections/c%201 1",
            "getConnection: 200 to 1",
            "wait: c 1 is pending",
            "getConnection: GET /connections/c%201 1",
            "getConnection: 200 to 1",
        ]
    );
}

fn in_short(event: &Event) -> String {
    match event {
        Event::Request {
            call,
            method,
            path,
            attempt,
            ..
        } => format!("{call}: {method} {path} {attempt}"),
        Event::Response {
            call,
            attempt,
            status,
            ..
        } => format!("{call}: {} to {attempt}", status.unwrap_or(0)),
        Event::Retry { call, attempt, .. } => format!("{call}: again after {attempt}"),
        Event::Wait {
            connection_id,
            status,
            ..
        } => {
            format!(
                "wait: {connection_id} is {}",
                status.as_ref().map_or("unknown", |status| status.as_str())
            )
        }
        unknown => format!("{unknown:?}"),
    }
}
