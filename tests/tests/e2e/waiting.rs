//! Waiting for a customer: the service holds the answer, so that a wait is one request and not many.

use std::time::Duration;

use connect_tests::browser::Browser;
use pabbly_connect::ConnectionStatus;
use reqwest::Method;
use serde_json::Value;

use crate::support::{OAUTH_APP, Stage, answer, approve};

#[tokio::test]
async fn a_held_get_answers_when_the_customer_is_done() {
    let stage = Stage::start().await;
    let link = stage
        .alice()
        .create_request_link(OAUTH_APP, "Work Gmail")
        .await
        .unwrap();
    let path = format!("/connections/{}", link.connection_id);
    let held = stage
        .raw()
        .request(Method::GET, &path)
        .header("prefer", "wait=60");
    let held = tokio::spawn(answer(held));

    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!held.is_finished(), "it answered though nothing had happened");
    approve(&Browser::new().unwrap(), &link).await;

    let answer = held.await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("preference-applied"), Some("wait"));
    assert_eq!(answer.data()["status"], "active");
}

#[tokio::test]
async fn a_held_get_gives_up_after_the_seconds_it_was_given() {
    let stage = Stage::start().await;
    let link = stage
        .alice()
        .create_request_link(OAUTH_APP, "Work Gmail")
        .await
        .unwrap();
    let path = format!("/connections/{}", link.connection_id);
    let answer = answer(stage.raw().request(Method::GET, &path).header("prefer", "wait=1")).await;
    assert_eq!(answer.header("preference-applied"), Some("wait"));
    assert_eq!(answer.data()["status"], "pending");
}

#[tokio::test]
async fn the_sdk_waits_with_few_requests() {
    let stage = Stage::start().await;
    let alice = stage.alice();
    let link = alice.create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let id = link.connection_id.clone();
    let waiting = {
        let (alice, id) = (alice.clone(), id.clone());
        tokio::spawn(async move {
            alice
                .wait_for_connection(&id)
                .interval(Duration::from_millis(20))
                .await
                .unwrap()
        })
    };
    // A hundred polls would fit in here.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!waiting.is_finished());
    approve(&Browser::new().unwrap(), &link).await;
    assert_eq!(waiting.await.unwrap().status, ConnectionStatus::Active);

    let reads = requests(&stage.home.logs().unwrap(), "GET", "/connections/{id}");
    assert!((1..=5).contains(&reads), "{reads} requests for one wait");
}

/// How many requests of this kind the service logged.
fn requests(logs: &str, method: &str, route_end: &str) -> usize {
    logs.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| {
            mentions(line, &|text| text == method) && mentions(line, &|text| text.ends_with(route_end))
        })
        .count()
}

fn mentions(value: &Value, wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => wanted(text),
        Value::Array(values) => values.iter().any(|value| mentions(value, wanted)),
        Value::Object(members) => members.values().any(|value| mentions(value, wanted)),
        _ => false,
    }
}
