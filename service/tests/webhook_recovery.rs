//! Deliveries in trouble: what waits for an event that failed, endpoints that fail again and again, rows that cannot be sent,
//! and a link's address whose endpoint is off.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;
mod webhook_support;

use std::time::Duration;

use connect_service::config::Config;
use connect_service::store::{Health, NewAttempt, Next};
use futures_util::future::join_all;
use serde_json::json;
use support::{Platform, text};
use webhook_support::{Receiver, Reply, deliver, names, queued, register, rename};

const HOUR: u64 = 60 * 60;

async fn generous() -> Platform {
    let mut config = Config::default();
    config.budgets.default = 10_000;
    Platform::with(config).await
}

async fn execute(platform: &Platform, statement: &str) {
    platform.database.connect().await.execute(statement).await;
}

/// A look for what is ready finds nothing of it, however much it is.
#[tokio::test]
async fn what_waits_for_a_failed_event_is_set_aside() {
    let (platform, receiver) = (generous().await, Receiver::start().await);
    register(&platform, json!({"url": receiver.url("/"), "types": ["connection.updated"]})).await;
    let id = platform.connected().await;
    receiver.refuse("0");
    for number in 0..40 {
        rename(&platform, &id, &number.to_string()).await;
    }
    deliver(&platform).await;
    let now = platform.clock.now();
    let ready = format!("SELECT COUNT(*) FROM webhook_deliveries WHERE next_at <= {now}");
    assert_eq!(platform.database.connect().await.text(&ready).await, "0");
    assert_eq!((receiver.count(), queued(&platform).await), (1, 40));

    rename(&platform, &id, "40").await;
    receiver.accept("0");
    platform.advance(6);
    rename(&platform, &id, "41").await;
    deliver(&platform).await;
    let expected: Vec<_> = (0..=41).map(|number: i32| number.to_string()).collect();
    assert_eq!(names(&receiver)[1..], expected);
}

/// Each time one event gets through, everything is tried again; that must not use up the attempts of three days.
#[tokio::test]
async fn an_endpoint_that_comes_and_goes_loses_nothing() {
    let (platform, receiver) = (generous().await, Receiver::start().await);
    register(&platform, json!({"url": receiver.url("/"), "types": ["connection.active"]})).await;
    receiver.reply(Reply::status(503));
    for _ in 0..30 {
        platform.connected().await;
    }
    deliver(&platform).await;
    for _ in 0..12 {
        receiver.accept_next(1);
        platform.advance(HOUR);
        deliver(&platform).await;
    }
    assert_eq!(queued(&platform).await, 30 - 12);
    receiver.reply(Reply::status(200));
    platform.advance(HOUR);
    deliver(&platform).await;
    platform.advance(24 * HOUR);
    deliver(&platform).await;
    assert_eq!(queued(&platform).await, 0);
}

#[tokio::test]
async fn a_tenant_redelivers_once_at_a_time() {
    let (platform, receiver) = (generous().await, Receiver::start().await);
    let id = text(&register(&platform, json!({"url": receiver.url("/")})).await["id"]);
    platform.connected().await;
    let since = json!({"since": "2026-01-01T00:00:00Z"});
    let path = format!("/webhooks/{id}/redeliver");
    let calls = (0..8).map(|_| platform.call("POST", &path).json(&since));
    let statuses: Vec<_> = join_all(calls).await.iter().map(|answer| answer.status).collect();
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(platform.call("POST", &path).json(&since).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_read_stops_no_other() {
    let (platform, receiver) = (generous().await, Receiver::start().await);
    let bad = text(&register(&platform, json!({"url": receiver.url("/bad")})).await["id"]);
    register(&platform, json!({"url": receiver.url("/good")})).await;
    execute(&platform, &format!("UPDATE webhooks SET secrets = 'x' WHERE id = '{bad}'")).await;
    let id = platform.connected().await;
    execute(&platform, "UPDATE events SET payload = '{'").await;
    rename(&platform, &id, "Other").await;
    deliver(&platform).await;
    let received = receiver.received();
    assert_eq!(received.iter().map(|request| request.path.as_str()).collect::<Vec<_>>(), ["/good"]);
    assert_eq!(receiver.types(), ["connection.updated"]);
}

#[tokio::test]
async fn a_delivery_without_its_event_is_dropped() {
    let (platform, receiver) = (generous().await, Receiver::start().await);
    register(&platform, json!({"url": receiver.url("/")})).await;
    platform.connected().await;
    execute(&platform, "DELETE FROM events").await;
    let delivered = tokio::time::timeout(Duration::from_secs(20), deliver(&platform)).await;
    assert!(delivered.is_ok(), "it is looked at again and again");
    assert_eq!((receiver.count(), queued(&platform).await), (0, 0));
}

/// Written by a clock that was a year ahead.
#[tokio::test]
async fn a_time_far_ahead_is_not_waited_for() {
    let (platform, receiver) = (generous().await, Receiver::start().await);
    register(&platform, json!({"url": receiver.url("/")})).await;
    platform.connected().await;
    let ahead = platform.clock.now() + 365 * 24 * 60 * 60 * 1000;
    execute(&platform, &format!("UPDATE webhook_deliveries SET next_at = {ahead}, attempts = 1")).await;
    deliver(&platform).await;
    assert_eq!((receiver.count(), queued(&platform).await), (1, 0));
}

#[tokio::test]
async fn a_links_address_outlives_one_endpoint_of_its_origin() {
    let (platform, receiver) = (generous().await, Receiver::start().await);
    let body = |path: &str| json!({"url": receiver.url(path), "types": ["key.created"]});
    let first = register(&platform, body("/first")).await;
    let second = register(&platform, body("/second")).await;
    let connect = async |path: &str| {
        let link = json!({"app_id": "brevo", "name": "Mail", "webhook_url": receiver.url(path),
            "allow_multiple_connections": true});
        let link = platform.link(link).await;
        let fields = json!({"auth_option_key": "header", "fields": {"api_key": "canary-field"}});
        let path = format!("/connections/{}/submit", text(&link["connection_id"]));
        platform.public("POST", &path, &text(&link["request_token"])).json(&fields).await;
        deliver(&platform).await;
        receiver.received().pop().unwrap()
    };
    let is_signed_by = |sent: &webhook_support::Received, endpoint: &serde_json::Value| {
        let webhook = standardwebhooks::Webhook::new(&text(&endpoint["secret"])).unwrap();
        webhook.verify(sent.body.as_bytes(), &sent.headers).is_ok()
    };
    // The very address of an endpoint is that endpoint's, though another one is older.
    let sent = connect("/second").await;
    assert!(sent.path == "/second" && is_signed_by(&sent, &second) && receiver.count() == 1);
    let path = format!("/webhooks/{}", text(&first["id"]));
    platform.call("PATCH", &path).json(&json!({"enabled": false})).await;
    let sent = connect("/mine").await;
    assert!(sent.path == "/mine" && is_signed_by(&sent, &second) && receiver.count() == 2);
}

/// The turn that has the event in hand must not take the wish for what it was about to do anyway.
#[tokio::test]
async fn asked_for_while_it_is_sent_it_is_sent_again() {
    let (platform, receiver) = (generous().await, Receiver::start().await);
    let id = text(&register(&platform, json!({"url": receiver.url("/")})).await["id"]);
    platform.connected().await;
    let store = &platform.app.store;
    let claimed = store.claim_webhooks(1, true, Duration::from_secs(20), |_| true).await.unwrap();
    let delivery = store.ready_deliveries(&claimed[0], 1).await.unwrap().remove(0);
    let event = delivery.event.id.clone();
    let call = platform.call("POST", &format!("/webhooks/{id}/redeliver"));
    assert_eq!(call.json(&json!({ "event_id": event })).await.status, 200);
    let attempt = NewAttempt {
        event_id: event.clone(),
        event_type: "connection.active".into(),
        url: receiver.url("/"),
        number: 1,
        at: platform.clock.now(),
        duration: Duration::ZERO,
        status: Some(200),
        error: None,
        response: None,
        next: Next::Received,
    };
    let health = Health {
        failures: 0,
        failing_since: None,
        paused_until: 0,
        concurrency: 8,
        is_suspect: false,
        has_recovered: false,
        disabled: None,
    };
    store.finish_turn(&claimed[0], &[(delivery, attempt)], &health).await.unwrap();
    deliver(&platform).await;
    assert_eq!(receiver.received()[0].event["id"], json!(event));
    assert_eq!((receiver.count(), queued(&platform).await), (1, 0));
}
