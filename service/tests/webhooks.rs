//! Webhook endpoints: who gets which event, how often, and what becomes of endpoints that fail.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;
mod webhook_support;

use std::time::Duration;

use connect_service::config::Config;
use connect_service::store::{Capability, EventType, Feed, FeedFilter, FeedStart};
use connect_service::{ids, webhooks};
use serde_json::{Value, json};
use support::{Platform, text};
use webhook_support::{Receiver, Reply};

const HOUR: u64 = 60 * 60;

/// What is queued for any endpoint.
async fn queued(platform: &Platform) -> i64 {
    let count = platform.database.connect().await.text("SELECT COUNT(*) FROM webhook_deliveries").await;
    count.parse().unwrap()
}

async fn deliver(platform: &Platform) {
    webhooks::deliver_ready(&platform.app).await.unwrap();
}

/// Registers an endpoint; gives the answer's `data`.
async fn register(platform: &Platform, body: Value) -> Value {
    let answer = platform.call("POST", "/webhooks").json(&body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["data"].clone()
}

async fn read(platform: &Platform, id: &str) -> Value {
    let answer = platform.call("GET", &format!("/webhooks/{id}")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["data"].clone()
}

async fn attempts(platform: &Platform, id: &str) -> Vec<Value> {
    let answer = platform.call("GET", &format!("/webhooks/{id}/attempts?limit=100")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["data"]["attempts"].as_array().unwrap().clone()
}

/// The oldest first.
async fn statuses(platform: &Platform, id: &str) -> Vec<Option<i64>> {
    attempts(platform, id).await.iter().rev().map(|attempt| attempt["status"].as_i64()).collect()
}

async fn rename(platform: &Platform, connection: &str, name: &str) {
    let call = platform.call("PATCH", &format!("/connections/{connection}"));
    assert_eq!(call.json(&json!({"name": name})).await.status, 200);
}

/// The names that `connection.updated` events told of, in the order of their arrival.
fn names(receiver: &Receiver) -> Vec<String> {
    let received = receiver.received();
    let updates = received.iter().filter(|request| request.event["type"] == "connection.updated");
    updates.map(|request| text(&request.event["data"]["connection"]["name"])).collect()
}

#[tokio::test]
async fn an_event_is_sent_signed_and_once() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let endpoint = register(&platform, json!({"url": receiver.url("/hook")})).await;
    let secret = text(&endpoint["secret"]);
    assert!(secret.starts_with("whsec_"));
    assert_eq!((&endpoint["types"], &endpoint["enabled"]), (&json!([]), &json!(true)));
    let id = platform.connected().await;
    deliver(&platform).await;

    let received = receiver.received();
    let sent = received.iter().find(|request| request.event["type"] == "connection.active").unwrap();
    assert_eq!((sent.path.as_str(), sent.header("content-type")), ("/hook", "application/json"));
    assert!(sent.header("user-agent").starts_with("connect-service/"));
    assert_eq!(sent.event["data"]["connection"]["id"], json!(id));
    assert_eq!(sent.header("webhook-id"), text(&sent.event["id"]));
    standardwebhooks::Webhook::new(&secret).unwrap().verify(sent.body.as_bytes(), &sent.headers).unwrap();
    let other = standardwebhooks::Webhook::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLKSw").unwrap();
    assert!(other.verify(sent.body.as_bytes(), &sent.headers).is_err());
    // The same text as in the feed.
    let store = &platform.app.store;
    let start = store.feed_start(&platform.tenant, FeedStart::Oldest).await.unwrap();
    let feed = store.events(&platform.tenant, start, &FeedFilter::default(), 100).await.unwrap();
    let Feed::Page(page) = feed else { panic!("no page") };
    let bodies: Vec<_> = page.events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    assert!(bodies.contains(&sent.body), "{bodies:?}");

    deliver(&platform).await;
    assert_eq!(receiver.received().len(), received.len(), "nothing is sent again");
    assert_eq!(queued(&platform).await, 0);
    assert!(!sent.body.contains("canary"));
}

#[tokio::test]
async fn an_endpoint_gets_the_types_that_it_wants() {
    let (platform, all, few) = (Platform::start().await, Receiver::start().await, Receiver::start().await);
    register(&platform, json!({"url": all.url("/"), "types": []})).await;
    let types = ["connection.deleted", "connection.updated", "connection.deleted"];
    let endpoint = register(&platform, json!({"url": few.url("/"), "types": types})).await;
    assert_eq!(endpoint["types"], json!(["connection.deleted", "connection.updated"]));
    let id = platform.connected().await;
    rename(&platform, &id, "Other").await;
    platform.call("DELETE", &format!("/connections/{id}")).send().await;
    deliver(&platform).await;
    assert_eq!(few.types(), ["connection.updated", "connection.deleted"]);
    assert_eq!(all.types(), ["connection.active", "connection.updated", "connection.deleted"]);
}

#[tokio::test]
async fn another_tenants_events_go_nowhere_near() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let other = platform.another_key(&Capability::ALL).await;
    let own = register(&platform, json!({"url": receiver.url("/own")})).await;
    let body = json!({"url": receiver.url("/other")});
    let answer = platform.call("POST", "/webhooks").key(&other).json(&body).await;
    let theirs = text(&answer.json["data"]["id"]);
    platform.connected().await;
    deliver(&platform).await;
    assert!(!receiver.received().is_empty());
    assert!(receiver.received().iter().all(|request| request.path == "/own"));

    let unknown = ids::prefixed("whe_");
    for (method, rest, body) in [
        ("GET", "", None),
        ("PATCH", "", Some(json!({"url": "https://example.com/"}))),
        ("POST", "/rotate-secret", None),
        ("POST", "/test", None),
        ("GET", "/attempts", None),
        ("POST", "/redeliver", Some(json!({"since": "2026-01-01T00:00:00Z"}))),
        ("DELETE", "", None),
    ] {
        let call = async |id: &str| {
            let call = platform.call(method, &format!("/webhooks/{id}{rest}"));
            match &body {
                Some(body) => call.json(body).await,
                None => call.send().await,
            }
        };
        let of_nobody = call(&unknown).await;
        of_nobody.is_error(404, "not_found");
        assert_eq!(call(&theirs).await.text, of_nobody.text, "{method} {rest}");
        assert_eq!(call("%FF").await.text, of_nobody.text, "{method} {rest}");
    }
    let listed = platform.call("GET", "/webhooks").send().await;
    let listed = listed.json["data"]["webhooks"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["id"], own["id"]);
    assert!(!listed[0].to_string().contains("secret"), "{}", listed[0]);
    // An event of theirs cannot be asked for either.
    let connection = platform.database.connect().await;
    let event = connection.text(&format!("SELECT id FROM events WHERE tenant = '{}'", platform.tenant)).await;
    let call = platform.call("POST", &format!("/webhooks/{theirs}/redeliver")).key(&other);
    call.json(&json!({"event_id": event})).await.is_error(404, "not_found");
}

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

/// A hundred events for an endpoint that is down cost some attempts each half hour, and none is lost.
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

/// While the first attempts of an event are repeated, later ones of its connection wait; those of others do not.
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
async fn both_secrets_sign_for_a_day() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let endpoint =
        register(&platform, json!({"url": receiver.url("/"), "types": ["connection.updated"]})).await;
    let (id, old) = (text(&endpoint["id"]), text(&endpoint["secret"]));
    let answer = platform.call("POST", &format!("/webhooks/{id}/rotate-secret")).send().await;
    let new = text(&answer.json["data"]["secret"]);
    assert!(answer.json["data"]["previous_expires_at"].is_string());
    assert_ne!(old, new);
    let connection = platform.connected().await;
    let verify = |secret: &str, sent: &webhook_support::Received| {
        let webhook = standardwebhooks::Webhook::new(secret).unwrap();
        webhook.verify(sent.body.as_bytes(), &sent.headers).is_ok()
    };
    rename(&platform, &connection, "a").await;
    deliver(&platform).await;
    let sent = receiver.received().pop().unwrap();
    assert!(verify(&old, &sent) && verify(&new, &sent));
    assert_eq!(sent.header("webhook-signature").split(' ').count(), 2);
    platform.advance(24 * HOUR);
    rename(&platform, &connection, "b").await;
    deliver(&platform).await;
    let sent = receiver.received().pop().unwrap();
    assert!(!verify(&old, &sent) && verify(&new, &sent));
    // Neither is readable in the database.
    let contents = String::from_utf8_lossy(&platform.database.contents().await).into_owned();
    for secret in [&old, &new] {
        assert!(!contents.contains(secret.trim_start_matches("whsec_")));
    }
}

#[tokio::test]
async fn a_test_event_goes_to_one_endpoint_at_once() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let endpoint = register(&platform, json!({"url": receiver.url("/a")})).await;
    register(&platform, json!({"url": receiver.url("/b")})).await;
    let (id, secret) = (text(&endpoint["id"]), text(&endpoint["secret"]));
    receiver.reply(Reply::status(202).body("thanks"));
    let answer = platform.call("POST", &format!("/webhooks/{id}/test")).send().await;
    let attempt = &answer.json["data"];
    assert_eq!(
        (&attempt["status"], &attempt["error"], &attempt["response"]),
        (&json!(202), &json!(null), &json!("thanks"))
    );
    let sent = receiver.received();
    assert_eq!((sent.len(), sent[0].path.as_str()), (1, "/a"));
    assert_eq!(
        (&sent[0].event["type"], &sent[0].event["data"], &sent[0].event["cursor"]),
        (&json!("webhook.test"), &json!({}), &json!(""))
    );
    assert_eq!(attempt["event_id"], sent[0].event["id"]);
    standardwebhooks::Webhook::new(&secret)
        .unwrap()
        .verify(sent[0].body.as_bytes(), &sent[0].headers)
        .unwrap();
    platform.advance(1);
    receiver.reply(Reply::status(404));
    let answer = platform.call("POST", &format!("/webhooks/{id}/test")).send().await;
    assert_eq!(
        (&answer.json["data"]["status"], &answer.json["data"]["error"]),
        (&json!(404), &json!("status"))
    );
    deliver(&platform).await;
    assert_eq!(receiver.count(), 2, "it is not repeated, and in no feed");
    assert_eq!(statuses(&platform, &id).await, [Some(202), Some(404)]);
}

#[tokio::test]
async fn one_event_is_repeated_on_demand() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let id =
        text(&register(&platform, json!({"url": receiver.url("/"), "types": ["key.created"]})).await["id"]);
    platform.connected().await;
    deliver(&platform).await;
    assert_eq!(receiver.count(), 0);
    let connection = platform.database.connect().await;
    let event = connection.text("SELECT id FROM events WHERE type = 'connection.active'").await;
    let path = format!("/webhooks/{id}/redeliver");
    for _ in 0..2 {
        let answer = platform.call("POST", &path).json(&json!({ "event_id": event })).await;
        assert_eq!(answer.json["data"]["queued"], 1, "{}", answer.text);
        deliver(&platform).await;
    }
    let ids: Vec<_> = receiver.received().iter().map(|sent| sent.header("webhook-id").to_owned()).collect();
    assert_eq!(ids, [event.clone(), event]);
    // By time, only what it wants.
    let answer = platform.call("POST", &path).json(&json!({"since": "2026-01-01T00:00:00Z"})).await;
    assert_eq!(answer.json["data"]["queued"], 1, "the key of the test: {}", answer.text);
    deliver(&platform).await;
    assert_eq!(receiver.types().last().unwrap(), "key.created");
    for body in
        [json!({}), json!({"event_id": "evt_1", "since": "2026-01-01T00:00:00Z"}), json!({"since": "now"})]
    {
        platform.call("POST", &path).json(&body).await.is_error(400, "invalid_request");
    }
    platform.call("POST", &path).json(&json!({"event_id": "evt_1"})).await.is_error(404, "not_found");
}

#[tokio::test]
async fn a_link_has_an_address_of_its_own() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let endpoint = register(&platform, json!({"url": receiver.url("/all"), "types": ["key.created"]})).await;
    let secret = text(&endpoint["secret"]);
    let body = |url: String| json!({"app_id": "gmail", "name": "Mail", "webhook_url": url});
    let other = Receiver::start().await;
    for url in
        [other.url("/"), "https://example.com/".to_owned(), receiver.url("/").replace("http:", "https:")]
    {
        let answer = platform.call("POST", "/connections/request-link").json(&body(url)).await;
        assert!(answer.text.contains("scheme, host and port"), "{}", answer.text);
        answer.is_error(400, "invalid_request");
    }
    let mut link = body(receiver.url("/mine"));
    link["app_id"] = "brevo".into();
    let link = platform.link(link).await;
    let id = text(&link["connection_id"]);
    let fields = json!({"auth_option_key": "header", "fields": {"api_key": "canary-field"}});
    platform
        .public("POST", &format!("/connections/{id}/submit"), &text(&link["request_token"]))
        .json(&fields)
        .await;
    rename(&platform, &id, "Other").await;
    deliver(&platform).await;
    let received = receiver.received();
    let seen: Vec<_> =
        received.iter().map(|sent| (sent.path.as_str(), sent.event["type"].as_str().unwrap())).collect();
    assert_eq!(seen, [("/mine", "connection.active")], "what is of the attempt, and nothing later");
    standardwebhooks::Webhook::new(&secret)
        .unwrap()
        .verify(received[0].body.as_bytes(), &received[0].headers)
        .unwrap();

    // Where the link's address is the endpoint's own, an event goes there once.
    platform.call("PATCH", &format!("/webhooks/{}", text(&endpoint["id"]))).json(&json!({"types": []})).await;
    let mut link = body(receiver.url("/all"));
    link["app_id"] = "brevo".into();
    let link = platform.link(link).await;
    let id = text(&link["connection_id"]);
    platform
        .public("POST", &format!("/connections/{id}/submit"), &text(&link["request_token"]))
        .json(&fields)
        .await;
    deliver(&platform).await;
    assert_eq!(receiver.count(), 2);
}

/// That a customer's own address fails, or is gone, is no fault of the endpoint at the same origin.
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
async fn what_is_wrong_is_refused_with_a_sentence() {
    let platform = Platform::start().await;
    for (body, said) in [
        (json!({}), "url is missing"),
        (json!({"url": "example.com"}), "url must be an https address"),
        (json!({"url": "https://user:pw@example.com/"}), "url must be"),
        (json!({"url": "https://example.com/", "types": ["connection.nosuch"]}), "types must be"),
        (json!({"url": "https://example.com/", "type": "x"}), "no member"),
        (json!({"url": "https://example.com/", "description": "a\u{202e}b"}), "description must be"),
    ] {
        let answer = platform.call("POST", "/webhooks").json(&body).await;
        answer.is_error(400, "invalid_request");
        assert!(answer.json["message"].as_str().unwrap().contains(said), "{}", answer.text);
    }
    for _ in 0..20 {
        register(&platform, json!({"url": "https://example.com/"})).await;
    }
    let answer = platform.call("POST", "/webhooks").json(&json!({"url": "https://example.com/"})).await;
    answer.is_error(400, "invalid_request");
    let others: Vec<_> =
        Capability::ALL.into_iter().filter(|capability| *capability != Capability::Admin).collect();
    let key = platform.app.store.create_key(&platform.tenant, &others).await.unwrap().unwrap();
    platform.call("GET", "/webhooks").key(&key).send().await.is_error(403, "capability_disabled");
    for event_type in EventType::ALL {
        let update = json!({"types": [event_type.as_str()]});
        let listed = platform.call("GET", "/webhooks").send().await;
        let id = text(&listed.json["data"]["webhooks"][0]["id"]);
        assert_eq!(platform.call("PATCH", &format!("/webhooks/{id}")).json(&update).await.status, 200);
    }
}

#[tokio::test]
async fn a_removed_endpoint_takes_everything_with_it() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let id = text(&register(&platform, json!({"url": receiver.url("/")})).await["id"]);
    platform.connected().await;
    deliver(&platform).await;
    platform.connected().await;
    assert_eq!(queued(&platform).await, 1);
    assert_eq!(platform.call("DELETE", &format!("/webhooks/{id}")).send().await.status, 200);
    platform.call("GET", &format!("/webhooks/{id}")).send().await.is_error(404, "not_found");
    let connection = platform.database.connect().await;
    for table in ["webhooks", "webhook_deliveries", "webhook_attempts"] {
        assert_eq!(connection.text(&format!("SELECT COUNT(*) FROM {table}")).await, "0", "{table}");
    }
    let audit = platform.app.store.audit(&platform.tenant).await.unwrap();
    let actions: Vec<_> = audit.iter().map(|line| line.action.as_str()).collect();
    assert!(actions.ends_with(&["webhook.created", "webhook.deleted"]), "{actions:?}");
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

/// More than one turn takes.
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

/// Of two processes, one sends to an endpoint at a time. Where that one dies, the other takes over.
#[tokio::test]
async fn a_lease_keeps_two_processes_apart() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let other = platform.another().await;
    register(&platform, json!({"url": receiver.url("/")})).await;
    platform.connected().await;
    let lease = Duration::from_secs(20);
    let claimed = platform.app.store.claim_webhooks(9, true, lease).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert!(!format!("{claimed:?}").contains("whsec_"));
    deliver(&other).await;
    assert_eq!(receiver.count(), 0);
    platform.advance(20);
    deliver(&other).await;
    assert_eq!(receiver.count(), 1);
}

/// The endpoints of one that hangs take none of the others' time.
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
