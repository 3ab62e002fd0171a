//! The delivery of webhooks: repeats, order, endpoints that fail or hang, several processes, retention.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;
mod webhook_support;

use std::time::Duration;

use connect_service::config::Config;
use connect_service::webhooks;
use serde_json::json;
use support::{Platform, text};
use webhook_support::{Receiver, Reply, attempts, deliver, names, queued, read, register, rename};

const HOUR: u64 = 60 * 60;

#[tokio::test]
async fn a_failure_is_repeated_with_growing_pauses() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let endpoint =
        register(&platform, json!({"url": receiver.url("/"), "types": ["connection.active"]})).await;
    let id = text(&endpoint["id"]);
    receiver.reply(Reply::status(500).body("\u{1b}[31mcanary-body\n"));
    platform.connected().await;
    // No sooner than this, and at most a tenth later.
    let pauses = [5, 300, HOUR / 2, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
    deliver(&platform).await;
    for (number, pause) in pauses.into_iter().enumerate() {
        assert_eq!(receiver.count(), number + 1);
        platform.advance(pause - 1);
        deliver(&platform).await;
        assert_eq!(receiver.count(), number + 1, "not before {pause} s");
        platform.advance(pause / 10 + 2);
        deliver(&platform).await;
    }
    assert_eq!(receiver.count(), 10);
    let listed = attempts(&platform, &id).await;
    assert_eq!((&listed[9]["attempt"], &listed[0]["attempt"]), (&json!(1), &json!(10)));
    assert_eq!((&listed[0]["status"], &listed[0]["error"]), (&json!(500), &json!("status")));
    assert_eq!(
        (&listed[0]["response"], &listed[0]["next_attempt_at"]),
        (&json!("[31mcanary-body"), &json!(null))
    );
    assert!(listed[1]["next_attempt_at"].is_string());
    let ids: Vec<_> =
        receiver.received().iter().map(|request| request.header("webhook-id").to_owned()).collect();
    assert!(ids.iter().all(|one| *one == ids[0]), "{ids:?}");

    // All failed for three days.
    let endpoint = read(&platform, &id).await;
    assert_eq!((&endpoint["enabled"], &endpoint["disabled_reason"]), (&json!(false), &json!("failing")));
    assert!(endpoint["disabled_at"].is_string() && endpoint["failing_since"].is_string());
    assert_eq!(queued(&platform).await, 0, "it is given up");
    receiver.reply(Reply::status(200));
    platform.connected().await;
    platform.advance(25 * HOUR);
    deliver(&platform).await;
    assert_eq!(receiver.count(), 10);
}

#[tokio::test]
async fn gone_switches_an_endpoint_off_and_on_again() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let id = text(&register(&platform, json!({"url": receiver.url("/")})).await["id"]);
    receiver.reply(Reply::status(410));
    platform.connected().await;
    deliver(&platform).await;
    assert_eq!(receiver.count(), 1);
    let endpoint = read(&platform, &id).await;
    assert_eq!((&endpoint["enabled"], &endpoint["disabled_reason"]), (&json!(false), &json!("gone")));
    platform.advance(48 * HOUR);
    deliver(&platform).await;
    platform.connected().await;
    deliver(&platform).await;
    assert_eq!(receiver.count(), 1, "nothing more is sent, nor queued");

    // What waited when it was switched off is sent once it is on; the rest is for the feed, or `redeliver`.
    receiver.reply(Reply::status(204));
    let path = format!("/webhooks/{id}");
    let answer = platform.call("PATCH", &path).json(&json!({"enabled": true})).await;
    assert_eq!(answer.json["data"]["disabled_reason"], json!(null));
    deliver(&platform).await;
    assert_eq!((receiver.count(), queued(&platform).await), (2, 0));
    let since = connect_service::clock::rfc3339(platform.clock.now() - 60_000);
    let answer = platform.call("POST", &format!("{path}/redeliver")).json(&json!({ "since": since })).await;
    assert_eq!(answer.json["data"]["queued"], 1, "{}", answer.text);
    deliver(&platform).await;
    assert_eq!(receiver.count(), 3);
    let off = platform.call("PATCH", &path).json(&json!({"enabled": false})).await;
    assert_eq!(off.json["data"]["disabled_reason"], "turned_off");
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    register(&platform, json!({"url": receiver.url("/"), "types": ["connection.active"]})).await;
    receiver.reply(Reply::status(429).retry_after("3600"));
    platform.connected().await;
    deliver(&platform).await;
    assert_eq!(receiver.count(), 1);
    // It wants nothing at all, so that another event waits as well.
    receiver.reply(Reply::status(200));
    platform.connected().await;
    platform.advance(3590);
    deliver(&platform).await;
    assert_eq!(receiver.count(), 1);
    platform.advance(HOUR);
    deliver(&platform).await;
    assert_eq!((receiver.count(), queued(&platform).await), (3, 0));
}

#[tokio::test]
async fn an_endpoint_that_fails_is_only_probed() {
    let mut config = Config::default();
    config.budgets.default = 10_000;
    let (platform, receiver) = (Platform::with(config).await, Receiver::start().await);
    let id = text(&register(&platform, json!({"url": receiver.url("/")})).await["id"]);
    receiver.reply(Reply::status(503));
    for number in 0..25 {
        let id = platform.connected().await;
        for name in ["a", "b", "c"] {
            rename(&platform, &id, &format!("{number}{name}")).await;
        }
    }
    deliver(&platform).await;
    let first = receiver.count();
    assert!((5..5 + 8).contains(&first), "several at once, until five have failed: {first}");
    for _ in 0..24 {
        platform.advance(HOUR);
        deliver(&platform).await;
    }
    assert_eq!(receiver.count(), first + 24, "one an hour, the time of which is over");
    assert_eq!(read(&platform, &id).await["enabled"], json!(true));
    assert_eq!(queued(&platform).await, 100);

    receiver.reply(Reply::status(200));
    let before = receiver.count();
    platform.advance(HOUR);
    deliver(&platform).await;
    assert_eq!((receiver.count() - before, queued(&platform).await), (100, 0));
    let late = &receiver.received()[before..];
    let order = |number: usize| -> Vec<String> {
        let names = late.iter().filter(|request| request.event["type"] == "connection.updated");
        let names = names.map(|request| text(&request.event["data"]["connection"]["name"]));
        names.filter(|name| name.trim_end_matches(char::is_alphabetic) == number.to_string()).collect()
    };
    for number in 0..25 {
        let expected: Vec<_> = ["a", "b", "c"].iter().map(|name| format!("{number}{name}")).collect();
        assert_eq!(order(number), expected);
    }
    assert_eq!(read(&platform, &id).await["failing_since"], json!(null));
}

#[tokio::test]
async fn order_is_kept_per_connection() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    register(&platform, json!({"url": receiver.url("/"), "types": ["connection.updated"]})).await;
    let (one, other) = (platform.connected().await, platform.connected().await);
    receiver.refuse("1");
    for (id, name) in [(&one, "1"), (&one, "2"), (&other, "3"), (&one, "4")] {
        rename(&platform, id, name).await;
    }
    deliver(&platform).await;
    assert_eq!(names(&receiver).iter().filter(|name| *name != "1").collect::<Vec<_>>(), ["3"]);
    platform.advance(6);
    deliver(&platform).await;
    assert_eq!(receiver.count(), 3, "the first one again");
    receiver.accept("1");
    platform.advance(331);
    deliver(&platform).await;
    assert_eq!(names(&receiver)[3..], ["1", "2", "4"]);

    // One that is never taken holds the others up for some minutes, not for three days.
    receiver.refuse("5");
    rename(&platform, &one, "5").await;
    rename(&platform, &one, "6").await;
    for seconds in [0, 6, 331] {
        assert!(!names(&receiver).contains(&"6".to_owned()));
        platform.advance(seconds);
        deliver(&platform).await;
    }
    assert!(names(&receiver).contains(&"6".to_owned()));
}

#[tokio::test]
async fn a_links_address_does_not_end_the_endpoint() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let endpoint = register(&platform, json!({"url": receiver.url("/all"), "types": ["key.created"]})).await;
    let id = text(&endpoint["id"]);
    receiver.reply(Reply::status(410));
    for _ in 0..7 {
        let link = json!({"app_id": "brevo", "name": "Mail", "webhook_url": receiver.url("/mine")});
        let link = platform.link(link).await;
        let connection = text(&link["connection_id"]);
        let fields = json!({"auth_option_key": "header", "fields": {"api_key": "canary-field"}});
        let path = format!("/connections/{connection}/submit");
        platform.public("POST", &path, &text(&link["request_token"])).json(&fields).await;
    }
    deliver(&platform).await;
    assert_eq!((receiver.count(), queued(&platform).await), (7, 0), "each once");
    let endpoint = read(&platform, &id).await;
    assert_eq!((&endpoint["enabled"], &endpoint["failing_since"]), (&json!(true), &json!(null)));
}

#[tokio::test]
async fn deliveries_and_attempts_are_forgotten_after_30_days() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let id = text(&register(&platform, json!({"url": receiver.url("/")})).await["id"]);
    platform.connected().await;
    deliver(&platform).await;
    platform.call("PATCH", &format!("/webhooks/{id}")).json(&json!({"enabled": true})).await;
    receiver.reply(Reply::status(500));
    platform.connected().await;
    deliver(&platform).await;
    platform.advance(30 * 24 * HOUR - 60);
    platform.app.store.clean_up().await.unwrap();
    assert_eq!((queued(&platform).await, attempts(&platform, &id).await.len()), (1, 2));
    platform.advance(120);
    platform.app.store.clean_up().await.unwrap();
    assert_eq!((queued(&platform).await, attempts(&platform, &id).await.len()), (0, 0));
}

#[tokio::test]
async fn attempts_are_bounded_for_each_endpoint() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let id = text(&register(&platform, json!({"url": receiver.url("/")})).await["id"]);
    let other =
        text(&register(&platform, json!({"url": receiver.url("/"), "types": ["key.created"]})).await["id"]);
    for id in [&id, &other] {
        let many = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1005)
             INSERT INTO webhook_attempts (id, webhook_id, tenant_id, event_id, event_type, url, number, at, duration)
             SELECT '{id}' || i, '{id}', '{}', 'evt_' || i, 'key.created', '', 1, i, 0 FROM n",
            platform.tenant
        );
        platform.database.connect().await.execute(&many).await;
    }
    platform.connected().await;
    deliver(&platform).await;
    let total = async |id: &str| {
        let answer = platform.call("GET", &format!("/webhooks/{id}/attempts?limit=1")).send().await;
        let data = &answer.json["data"];
        (data["total"].as_i64().unwrap(), text(&data["attempts"][0]["event_type"]))
    };
    assert_eq!(total(&id).await, (1000, "connection.active".to_owned()), "the latest stay");
    assert_eq!(total(&other).await, (1005, "key.created".to_owned()), "to which nothing was sent");
}

#[tokio::test]
async fn many_events_of_one_connection_arrive_in_order() {
    let mut config = Config::default();
    config.budgets.default = 10_000;
    let (platform, receiver) = (Platform::with(config).await, Receiver::start().await);
    register(&platform, json!({"url": receiver.url("/")})).await;
    let id = platform.connected().await;
    let expected: Vec<_> = (0..70).map(|number: i32| number.to_string()).collect();
    for name in &expected {
        rename(&platform, &id, name).await;
    }
    deliver(&platform).await;
    assert_eq!(names(&receiver), expected);
}

#[tokio::test]
async fn a_lease_keeps_two_processes_apart() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let other = platform.another().await;
    register(&platform, json!({"url": receiver.url("/")})).await;
    platform.connected().await;
    let lease = Duration::from_secs(20);
    let claimed = platform.app.store.claim_webhooks(9, true, lease, |_| true).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert!(!format!("{claimed:?}").contains("whsec_"));
    deliver(&other).await;
    assert_eq!(receiver.count(), 0);
    platform.advance(20);
    deliver(&other).await;
    assert_eq!(receiver.count(), 1);
}

#[tokio::test]
async fn endpoints_that_hang_delay_no_other() {
    let (platform, slow, fast) = (Platform::start().await, Receiver::start().await, Receiver::start().await);
    slow.reply(Reply::hang());
    for number in 0..19 {
        register(&platform, json!({"url": slow.url(&format!("/{number}"))})).await;
    }
    register(&platform, json!({"url": fast.url("/")})).await;
    let connection = platform.connected().await;
    for number in 0..5 {
        rename(&platform, &connection, &number.to_string()).await;
    }
    let serving = tokio::spawn({
        let app = platform.app.clone();
        async move { webhooks::deliver_ready(&app).await }
    });
    let arrived = async {
        while fast.count() < 6 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = arrived => {}
        done = serving => panic!("the slow ones were waited for: {done:?}"),
    }
}

/// A disabled tenant's endpoints get nothing, and later what waited.
#[tokio::test]
async fn the_webhooks_of_a_disabled_tenant_wait() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    register(&platform, json!({"url": receiver.url("/"), "types": ["connection.active"]})).await;
    platform.connected().await;
    let store = &platform.app.store;
    assert!(store.disable_tenant(&platform.tenant).await.unwrap());
    deliver(&platform).await;
    platform.advance(HOUR);
    deliver(&platform).await;
    assert_eq!((receiver.count(), queued(&platform).await), (0, 1));
    assert!(store.enable_tenant(&platform.tenant).await.unwrap());
    deliver(&platform).await;
    assert_eq!((receiver.count(), queued(&platform).await), (1, 0));
}
