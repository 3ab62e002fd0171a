//! Waiting for a customer: by long polls, so that a wait is one request and not many.

use std::time::Duration;

use connect_tests::browser::Browser;
use pabbly_connect::ConnectionStatus;
use reqwest::Method;
use serde_json::Value;

use crate::support::{OAUTH_APP, Raw, Stage, answer, approve};

#[tokio::test]
async fn a_long_poll_answers_when_the_customer_is_done() {
    let stage = Stage::start().await;
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let path = format!("/connections/{}", link.connection_id);
    let poll = stage.raw().request(Method::GET, &path).header("prefer", "wait=60");
    let poll = tokio::spawn(answer(poll));

    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!poll.is_finished(), "it answered though nothing had happened");
    approve(&Browser::new().unwrap(), &link).await;

    let answer = poll.await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("preference-applied"), Some("wait"));
    assert_eq!(answer.data()["status"], "active");
}

/// The same for a front end, which has the request token and no key.
#[tokio::test]
async fn a_long_poll_of_the_status_does_so_too() {
    let stage = Stage::start().await;
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let path = format!("/connections/{}/status", link.connection_id);
    let poll = || {
        let poll = stage.raw().keyless(Method::GET, &path).header("prefer", "wait=60");
        tokio::spawn(answer(poll.header("x-request-token", link.request_token.expose_secret())))
    };
    let first = poll();

    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!first.is_finished(), "it answered though nothing had happened");
    approve(&Browser::new().unwrap(), &link).await;

    // Each step of the customer ends one.
    let answer = first.await.unwrap();
    assert_eq!(answer.header("preference-applied"), Some("wait"));
    assert_ne!(answer.data()["phase"], "created");
    let mut answer = poll().await.unwrap();
    while answer.data()["status"] == "pending" {
        answer = poll().await.unwrap();
    }
    assert_eq!(answer.data()["status"], "active");
}

/// The customer's browser reaches one process, the product's wait another.
#[tokio::test]
async fn a_long_poll_hears_of_what_another_process_did() {
    let stage = Stage::start().await;
    let other = stage.home.start_another().await.unwrap();
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let path = format!("/connections/{}", link.connection_id);
    let raw = Raw::new(&other, &stage.key);
    let poll = tokio::spawn(answer(raw.request(Method::GET, &path).header("prefer", "wait=60")));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!poll.is_finished());
    approve(&Browser::new().unwrap(), &link).await;
    let answer = poll.await.unwrap();
    assert_eq!(answer.data()["status"], "active", "{}", answer.text);
}

#[tokio::test]
async fn a_long_poll_ends_after_the_seconds_it_was_given() {
    let stage = Stage::start().await;
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
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
            alice.wait_for_connection(&id).interval(Duration::from_millis(20)).await.unwrap()
        })
    };
    // A hundred polls would fit in here.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!waiting.is_finished());
    approve(&Browser::new().unwrap(), &link).await;
    assert_eq!(waiting.await.unwrap().status, ConnectionStatus::Active);

    // At its end it has written what it had to log.
    let Stage { home, service, .. } = stage;
    service.ask_to_end().unwrap();
    assert!(service.ended().await.unwrap().success());
    let logs = home.logs().unwrap();
    let polls = logs.lines().filter(|line| is_poll(&serde_json::from_str(line).unwrap())).count();
    assert!((1..=5).contains(&polls), "{polls} requests for one wait:\n{logs}");
}

/// Whether a line of the service's log is about a connection being read.
fn is_poll(line: &Value) -> bool {
    let route = line["span"]["route"].as_str().unwrap_or_default();
    line["span"]["method"] == "GET" && route.contains("/connections/{")
}
