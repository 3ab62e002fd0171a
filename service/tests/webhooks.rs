//! Webhook endpoints: who gets which event, what it looks like, and how endpoints are managed.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;
mod webhook_support;

use std::time::Duration;

use connect_service::config::Config;
use connect_service::dev::command::Command;
use connect_service::dev::{self, Dev, Options};
use connect_service::store::{Capability, EventType, Feed, FeedFilter, FeedStart};
use connect_service::{ids, server};
use serde_json::{Value, json};
use support::{Call, Platform, text};
use webhook_support::{Receiver, Reply, deliver, names, queued, register, rename, statuses};

const DAY: u64 = 24 * 60 * 60;

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
    let event =
        connection.text(&format!("SELECT id FROM events WHERE tenant_id = '{}'", platform.tenant)).await;
    let call = platform.call("POST", &format!("/webhooks/{theirs}/redeliver")).key(&other);
    call.json(&json!({"event_id": event})).await.is_error(404, "not_found");
}

/// A hundred events for an endpoint that is down cost some attempts each half hour, and none is lost.
/// While the first attempts of an event are repeated, later ones of its connection wait; those of others do not.
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
    platform.advance(DAY);
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

/// More than one turn takes.
/// Of two processes, one sends to an endpoint at a time. Where that one dies, the other takes over.
/// The endpoints of one that hangs take none of the others' time.
#[tokio::test]
async fn the_emulator_sends_events_again_out_of_order() {
    let dev = Dev::start(Config::default(), &Options::default()).await.unwrap();
    let exports = dev.exports();
    let export = |name: &str| {
        let line = exports.lines().find_map(|line| line.strip_prefix(&format!("export {name}="))).unwrap();
        line.to_owned()
    };
    let (key, control_url) = (export("PC_TENANT_KEY"), export("PC_DEV_URL"));
    let router = server::router(dev.service().clone());
    let call = |method: &str, path: &str| {
        let call = Call::new(router.clone(), method, path);
        call.header("authorization", &format!("Bearer {key}")).header("x-user-email", support::ALICE)
    };
    let receiver = Receiver::start().await;
    let redeliver = |webhook_id: Option<&str>| Command::Redeliver {
        count: 3,
        shuffle: true,
        webhook_id: webhook_id.map(str::to_owned),
    };
    assert!(dev::control(&control_url, &redeliver(None)).await.is_err(), "there is no endpoint");
    assert_eq!(call("POST", "/webhooks").json(&json!({"url": receiver.url("/")})).await.status, 200);
    let link =
        call("POST", "/connections/request-link").json(&json!({"app_id": "brevo", "name": "Mail"})).await;
    let connection = text(&link.json["data"]["connection_id"]);
    let fields = json!({"auth_option_key": "header", "fields": {"api_key": "key"}});
    let submit = call("POST", &format!("/connections/{connection}/submit"));
    submit.header("x-request-token", &text(&link.json["data"]["request_token"])).json(&fields).await;
    for name in ["1", "2", "3"] {
        call("PATCH", &format!("/connections/{connection}")).json(&json!({"name": name})).await;
    }
    // The instance sends by itself.
    let arrived = async {
        while receiver.count() < 4 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), arrived).await.unwrap();
    assert_eq!(names(&receiver), ["1", "2", "3"]);

    let result = dev::control(&control_url, &redeliver(None)).await.unwrap();
    assert_eq!(result["sent"].as_array().unwrap().len(), 3);
    let again = receiver.received()[4..].to_vec();
    let ids = |requests: &[webhook_support::Received]| -> Vec<String> {
        requests.iter().map(|request| request.header("webhook-id").to_owned()).collect()
    };
    let (before, mut after) = (ids(&receiver.received()[1..4]), ids(&again));
    assert_ne!(before, after);
    after.sort_by_key(|id| before.iter().position(|one| one == id));
    assert_eq!(before, after, "the same events with the same ids");
    assert!(dev::control(&control_url, &redeliver(Some("whe_x"))).await.is_err());
    dev.service().ending.cancel();
    dev.service().closing.cancel();
    dev.ended().await.unwrap();
}

fn json_of(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// Runs the command line over the platform's database: what it prints, or why it fails.
fn command(platform: &Platform, arguments: &[&str]) -> Result<String, String> {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_connect-service"))
        .args(arguments)
        .current_dir(platform.database.folder())
        .env_clear()
        .env("CONNECT_DATABASE_URL", &platform.database.url)
        .env("CONNECT_ENCRYPTION_KEY", support::KEY)
        .env("CONNECT_ALLOW_PRIVATE_NETWORKS", "true")
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoints_are_managed_from_the_command_line() {
    let (platform, receiver) = (Platform::start().await, Receiver::start().await);
    let (tenant, url) = (platform.tenant.as_str(), receiver.url("/hook"));
    let run = |arguments: &[&str]| command(&platform, &[&["--json", "webhook"], arguments].concat());
    let add = |tenant: &str, url: &str, types: &str| {
        run(&["add", "--tenant", tenant, "--url", url, "--types", types, "--description", "Mine"])
    };
    assert!(add(tenant, "ftp://example.com/", "key.created").unwrap_err().contains("url must be"));
    assert!(add(tenant, &url, "key.nosuch").unwrap_err().contains("key.promoted"));
    assert!(add("ten_unknown", &url, "key.created").unwrap_err().contains("no such tenant"));
    let added = json_of(&add(tenant, &url, "key.created,connection.active").unwrap());
    let (id, secret) = (text(&added["id"]), text(&added["secret"]));
    let id = id.as_str();
    let listed = json_of(&run(&["list", "--tenant", tenant]).unwrap());
    let expected = json!([id, url, "on", null]);
    assert_eq!(json!([listed["id"], listed["url"], listed["state"], listed["failing_since"]]), expected);

    let tested = json_of(&run(&["test", id]).unwrap());
    assert_eq!((&tested["type"], &tested["result"]), (&json!("webhook.test"), &json!(200)));
    let sent = receiver.received().pop().unwrap();
    standardwebhooks::Webhook::new(&secret).unwrap().verify(sent.body.as_bytes(), &sent.headers).unwrap();
    receiver.reply(Reply::status(410).body("gone"));
    assert!(run(&["test", id]).unwrap_err().contains("did not take"));
    let rotated = json_of(&run(&["rotate-secret", id]).unwrap());
    assert!(text(&rotated["secret"]).starts_with("whsec_"));

    platform.connected().await;
    deliver(&platform).await;
    assert_eq!(json_of(&run(&["list", "--tenant", tenant]).unwrap())["state"], "gone");
    let latest = json_of(&run(&["attempts", id, "--limit", "1"]).unwrap());
    let expected = json!(["connection.active", 1, 410, "gone"]);
    assert_eq!(json!([latest["type"], latest["attempt"], latest["result"], latest["response"]]), expected);
    run(&["enable", id]).unwrap();
    receiver.reply(Reply::status(200));
    deliver(&platform).await;
    assert_eq!(queued(&platform).await, 0);
    let queued_again = run(&["redeliver", id, "--since", "2026-01-01T00:00:00Z"]).unwrap();
    assert_eq!(json_of(&queued_again)["queued"], "2");
    let event = text(&receiver.received().pop().unwrap().event["id"]);
    run(&["redeliver", id, "--event", &event]).unwrap();
    assert_eq!(queued(&platform).await, 2, "one of them once more");
    assert!(run(&["redeliver", id]).is_err());
    run(&["remove", id]).unwrap();
    assert_eq!(run(&["list", "--tenant", tenant]).unwrap(), "");
    for arguments in [["remove", id], ["enable", id], ["test", id], ["attempts", id]] {
        assert!(run(&arguments).unwrap_err().contains("no such webhook endpoint"), "{arguments:?}");
    }
}
