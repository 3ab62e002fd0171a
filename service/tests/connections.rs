//! Reading, waiting for, listing, using and deleting connections.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::{Duration, Instant};

use connect_service::config::Config;
use connect_service::notify::Waiter;
use connect_service::store::{AddedUsage, ConnectionFilter, LinkError, MAX_USAGES, Phase};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::json;
use support::{Answer, Platform, text};

#[tokio::test]
async fn a_long_poll_is_answered_with_the_change() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let stored = platform.stored_link(&link).await;
    let path = format!("/connections/{}", text(&link["connection_id"]));
    let waiting = platform.call("GET", &path).header("prefer", "wait=60").send();
    let declining = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        platform.app.store.decline_link(&stored, None).await.unwrap()
    };
    let (answer, declined) = tokio::join!(waiting, declining);
    assert!(declined);
    assert_eq!(answer.data()["status"], "rejected");
    assert_eq!(answer.header("preference-applied"), "wait");
}

/// A page shows how far the customer has come, and why they failed, as it happens; in this process and in another one.
#[tokio::test]
async fn a_long_poll_of_a_link_ends_with_each_step() {
    let platform = Platform::start().await;
    let other = platform.another().await;
    for service in [&platform, &other] {
        let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
        let stored = platform.stored_link(&link).await;
        let path = format!("/connections/{}/status", text(&link["connection_id"]));
        let token = text(&link["request_token"]);
        let poll = async || {
            let waiting = platform.public("GET", &path, &token).header("prefer", "wait=60").send();
            let answer = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("news at once");
            assert_eq!(answer.data()["status"], "pending");
            (answer.data()["phase"].clone(), answer.data()["last_error"]["code"].clone())
        };
        let step = async |phase| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            service.app.store.set_phase(&stored, phase).await.unwrap();
        };
        let fail = async || {
            tokio::time::sleep(Duration::from_millis(50)).await;
            service.app.store.fail_link(&stored, LinkError::MissingValue).await.unwrap();
        };
        let (seen, ()) = tokio::join!(poll(), step(Phase::Form));
        assert_eq!(seen, (json!("form"), json!(null)));
        let (seen, ()) = tokio::join!(poll(), step(Phase::Returned));
        assert_eq!(seen, (json!("returned"), json!(null)));
        let (seen, ()) = tokio::join!(poll(), fail());
        assert_eq!(seen, (json!("returned"), json!("required_value_missing")));
    }
}

/// Between two polls the link may come further: one that was answered does not know it.
#[tokio::test]
async fn a_long_poll_that_knows_less_is_not_held_back() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let stored = platform.stored_link(&link).await;
    let path = format!("/connections/{}/status", text(&link["connection_id"]));
    let token = text(&link["request_token"]);
    let poll = |revision: &str| {
        let call = platform.public("GET", &format!("{path}?revision={revision}"), &token);
        tokio::time::timeout(Duration::from_secs(30), call.header("prefer", "wait=60").send())
    };
    let first = platform.public("GET", &path, &token).send().await.data()["revision"].clone();
    platform.app.store.set_phase(&stored, Phase::Form).await.unwrap();
    let second = poll(&text(&first)).await.expect("at once").data()["revision"].clone();
    assert_ne!(first, second);
    let known = text(&second);
    let waiting = poll(&known);
    let step = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        platform.app.store.fail_link(&stored, LinkError::MissingValue).await.unwrap();
    };
    let (third, ()) = tokio::join!(waiting, step);
    assert_eq!(third.expect("with the change").data()["last_error"]["code"], "required_value_missing");
}

#[tokio::test]
async fn the_public_status_takes_long_polls_too() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let stored = platform.stored_link(&link).await;
    let path = format!("/connections/{}/status", text(&link["connection_id"]));
    let token = text(&link["request_token"]);
    let poll = || platform.public("GET", &path, &token).header("prefer", "wait=60").send();
    let declining = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        platform.app.store.decline_link(&stored, None).await.unwrap()
    };
    let (answer, declined) = tokio::join!(poll(), declining);
    assert!(declined);
    assert_eq!(answer.data()["status"], "rejected");
    assert_eq!(answer.header("preference-applied"), "wait");
    assert!(answer.header("access-control-expose-headers").contains("preference-applied"));
    let preflight = platform.bare("OPTIONS", &path).send().await;
    assert!(preflight.header("access-control-allow-headers").contains("prefer"));
    // What is settled is not waited for.
    assert_eq!(poll().await.data()["status"], "rejected");
}

/// Anybody may have a link's token; a thousand long polls would be an attack.
#[tokio::test]
async fn of_one_link_five_long_polls_wait_at_once() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let stored = platform.stored_link(&link).await;
    let path = format!("/connections/{}/status", text(&link["connection_id"]));
    let token = text(&link["request_token"]);
    let poll = || platform.public("GET", &path, &token).header("prefer", "wait=20").send();
    let mut answers: FuturesUnordered<_> = (0..8).map(|_| poll()).collect();
    for _ in 0..3 {
        let answer = answers.next().await.unwrap();
        assert!(!answer.headers.contains_key("preference-applied"));
        assert_eq!(answer.data()["status"], "pending");
    }
    assert!(platform.app.store.decline_link(&stored, None).await.unwrap());
    while let Some(answer) = answers.next().await {
        assert_eq!(answer.header("preference-applied"), "wait");
        assert_eq!(answer.data()["status"], "rejected");
    }
    // There is room again.
    assert_eq!(poll().await.header("preference-applied"), "wait");
}

#[tokio::test]
async fn no_long_poll_where_the_operator_allows_none() {
    let platform = Platform::with(Config { max_long_poll: 0, ..Config::default() }).await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let path = format!("/connections/{}", text(&link["connection_id"]));
    let answer = platform.call("GET", &path).header("prefer", "wait=60").send().await;
    assert_eq!(answer.data()["status"], "pending");
    assert!(!answer.headers.contains_key("preference-applied"));
}

#[tokio::test]
async fn a_long_poll_tells_the_budget_as_it_is_at_its_end() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let path = format!("/connections/{}", text(&link["connection_id"]));
    let reset = |answer: &Answer| -> u32 {
        let (_, reset) = answer.header("ratelimit").split_once(";t=").unwrap();
        reset.parse().unwrap()
    };
    let poll = |seconds: u32| platform.call("GET", &path).header("prefer", &format!("wait={seconds}")).send();
    let before = reset(&poll(0).await);
    assert!(reset(&poll(2).await) + 2 <= before);
}

#[tokio::test]
async fn a_change_in_another_process_is_seen_too() {
    let platform = Platform::start().await;
    let other = platform.another().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let stored = platform.stored_link(&link).await;
    let path = format!("/connections/{}", text(&link["connection_id"]));
    let waiting = platform.call("GET", &path).header("prefer", "wait=60").send();
    let (answer, declined) = tokio::join!(waiting, other.app.store.decline_link(&stored, None));
    assert!(declined.unwrap());
    assert_eq!(answer.data()["status"], "rejected");
}

/// More waiters than one query looks for.
#[tokio::test]
async fn one_look_finds_what_ended_among_many() {
    let platform = Platform::start().await;
    let other = platform.another().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let stored = platform.stored_link(&link).await;
    let store = platform.database.open(&platform.clock).await;
    let waiters =
        |id: &str| [None, Some((stored.id.as_str(), stored.progress()))].map(|link| store.waiter(id, link));
    let pending = waiters(&stored.connection_id);
    let deleted: Vec<_> = (0..600).flat_map(|n| waiters(&format!("conn_{n}"))).collect();
    let is_woken = |waiter: &Waiter| waiter.woken().now_or_never().is_some();

    store.look_for_changes().await.unwrap();
    assert!(deleted.iter().all(is_woken) && !pending.iter().any(is_woken));
    assert!(other.app.store.decline_link(&stored, None).await.unwrap());
    store.look_for_changes().await.unwrap();
    assert!(pending.iter().all(is_woken));
}

#[tokio::test]
async fn a_long_poll_ends_in_time_with_the_link_and_the_service() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x", "expires_in": 60})).await;
    let path = format!("/connections/{}", text(&link["connection_id"]));
    let poll = |seconds: u32| platform.call("GET", &path).header("prefer", &format!("wait={seconds}")).send();

    let start = Instant::now();
    assert_eq!(poll(1).await.data()["status"], "pending");
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(poll(0).await.data()["status"], "pending");

    let lapsing = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        platform.advance(61);
    };
    let (answer, ()) = tokio::join!(poll(60), lapsing);
    assert_eq!(answer.data()["status"], "expired");

    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let path = format!("/connections/{}", text(&link["connection_id"]));
    let waiting = platform.call("GET", &path).header("prefer", "wait=60").send();
    let ending = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        platform.app.ending.cancel();
    };
    let (answer, ()) = tokio::join!(waiting, ending);
    assert_eq!(answer.data()["status"], "pending");
}

#[tokio::test]
async fn a_deletion_ends_a_long_poll() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let path = format!("/connections/{}", text(&link["connection_id"]));
    let waiting = platform.call("GET", &path).header("prefer", "wait=60").send();
    let deleting = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        platform.call("DELETE", &path).send().await
    };
    let (answer, deleted) = tokio::join!(waiting, deleting);
    deleted.data();
    answer.is_error(404, "connection_deleted");
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let path = format!("/connections/{id}");
    let usage = |name: &str| format!("{path}/usages/{name}");
    for name in ["one", "two", "one"] {
        assert_eq!(platform.call("PUT", &usage(name)).send().await.data(), &json!(null));
        // Within one millisecond they would have no order.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let read = platform.call("GET", &path).send().await;
    assert_eq!(read.data()["usages"], json!(["one", "two"]));
    let list = platform.call("GET", "/connections").send().await;
    assert_eq!(list.data()["connections"][0]["usages"], json!(["one", "two"]));

    platform.call("DELETE", &path).send().await.is_error(409, "connection_in_use");
    platform.token(&id).await.data();
    platform.call("DELETE", &usage("one")).send().await.data();
    platform.call("DELETE", &usage("one")).send().await.data();
    platform.call("DELETE", &path).send().await.is_error(409, "connection_in_use");
    platform.call("DELETE", &usage("two")).send().await.data();
    assert_eq!(platform.call("DELETE", &path).send().await.data(), &json!({"revocation": "none"}));

    for (method, path) in
        [("GET", path.clone()), ("DELETE", path.clone()), ("PUT", usage("x")), ("DELETE", usage("x"))]
    {
        platform.call(method, &path).send().await.is_error(404, "connection_deleted");
    }
    platform.token(&id).await.is_error(404, "connection_deleted");
}

#[tokio::test]
async fn pages_are_newest_first_and_complete() {
    let platform = Platform::start().await;
    let mut made = Vec::new();
    for n in 0..7 {
        let app = if n % 2 == 0 { "brevo" } else { "insightly" };
        made.push(text(
            &platform.link(json!({"app_id": app, "name": format!("{n}")})).await["connection_id"],
        ));
        platform.advance(1);
    }
    made.reverse();
    let mut found = Vec::new();
    for page in 1..=4 {
        let answer = platform.call("GET", &format!("/connections?page={page}&limit=2")).send().await;
        let data = answer.data();
        assert_eq!((&data["page"], &data["limit"], &data["total"]), (&json!(page), &json!(2), &json!(7)));
        found
            .extend(data["connections"].as_array().unwrap().iter().map(|connection| text(&connection["id"])));
    }
    assert_eq!(found, made);
    let after = platform.call("GET", "/connections?page=1000000&limit=100").send().await;
    assert_eq!(after.data()["connections"], json!([]));
    let empty = platform.call("GET", "/connections?app_id=&page=&limit=").send().await;
    assert_eq!(empty.data()["total"], json!(7));
    let one_app = platform.call("GET", "/connections?app_id=insightly").send().await;
    assert_eq!(one_app.data()["total"], json!(3));
}

#[tokio::test]
async fn the_catalogue_can_be_searched_and_paged() {
    let platform = Platform::start().await;
    let all = platform.call("GET", "/apps?limit=100").send().await;
    let total = all.data()["total"].as_u64().unwrap();
    assert!(total >= 25, "{total}");
    assert_eq!(all.data()["apps"].as_array().unwrap().len() as u64, total);
    assert!(all.header("cache-control").starts_with("private, max-age="));
    let found = platform.call("GET", "/apps?search=GMAIL&limit=5").send().await;
    assert_eq!(found.data()["apps"][0]["id"], "gmail");
    assert_eq!(found.data()["apps"][0]["auth_type"], "o_auth");
    let gmail = platform.call("GET", "/apps/gmail").send().await;
    assert_eq!(gmail.data(), &found.data()["apps"][0]);
    let empty = platform.call("GET", "/apps?search=&page=&limit=").send().await;
    assert_eq!((&empty.data()["total"], &empty.data()["limit"]), (&json!(total), &json!(20)));
    let none = platform.call("GET", "/apps?search=no%20such%20app").send().await;
    assert_eq!((&none.data()["apps"], &none.data()["total"]), (&json!([]), &json!(0)));
    let head = platform.call("HEAD", "/apps").send().await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

/// A client may go away at any moment, and takes its request along.
#[tokio::test]
async fn a_request_that_is_dropped_leaves_no_transaction_open() {
    let platform = Platform::start().await;
    let other = platform.another().await;
    let (store, owner, id) = (&platform.app.store, platform.owner(), platform.connected().await);
    for moments in 1..40 {
        let mut dropped = Box::pin(store.add_usage(&owner, &id, "dropped"));
        for _ in 0..moments {
            if dropped.as_mut().now_or_never().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(dropped);
        let usage = format!("after_{moments}");
        let added = store.add_usage(&owner, &id, &usage).await.unwrap();
        assert_eq!(added, AddedUsage::Added);
        let seen = other.app.store.connection(&owner, &id).await.unwrap().unwrap();
        assert!(seen.usages.contains(&usage), "{moments}");
    }
}

/// What a load balancer and a supervisor ask.
#[tokio::test]
async fn probes_tell_dead_from_not_ready() {
    let platform = Platform::start().await;
    let other = platform.another().await;
    for path in ["//livez", "//readyz"] {
        other.bare("GET", path).send().await.data();
    }
    other.app.ending.cancel();
    let ending = other.bare("GET", "//readyz").send().await;
    ending.is_error(503, "upstream_unavailable");
    assert_eq!(ending.header("retry-after"), "1");
    other.bare("GET", "//livez").send().await.data();

    platform.app.store.close().await;
    let broken = platform.bare("GET", "//readyz").send().await;
    broken.is_error(503, "upstream_unavailable");
    platform.bare("GET", "//livez").send().await.data();
}

#[tokio::test]
async fn a_connection_has_a_bounded_number_of_usages() {
    let platform = Platform::start().await;
    let (id, owner) = (platform.connected().await, platform.owner());
    let put = async |usage: &str| {
        let path = format!("/connections/{id}/usages/{usage}");
        platform.call("PUT", &path).send().await
    };
    for n in 0..MAX_USAGES {
        let added = platform.app.store.add_usage(&owner, &id, &n.to_string()).await;
        assert_eq!(added.unwrap(), AddedUsage::Added);
    }
    let refused = put("more").await;
    refused.is_error(400, "invalid_request");
    assert!(refused.text.contains("1000 usages"), "{}", refused.text);
    put("7").await.data();
    let path = format!("/connections/{id}/usages/7");
    platform.call("DELETE", &path).send().await.data();
    put("more").await.data();
    put("7").await.is_error(400, "invalid_request");
}

#[tokio::test]
async fn a_list_reads_the_usages_of_its_page_alone() {
    let platform = Platform::start().await;
    let (first, second, owner) = (platform.connected().await, platform.connected().await, platform.owner());
    let store = &platform.app.store;
    for id in [&first, &second] {
        store.add_usage(&owner, id, "one").await.unwrap();
        store.add_usage(&owner, id, "two").await.unwrap();
    }
    platform.advance(1);
    store.add_usage(&owner, &second, "first").await.unwrap();
    let (page, total) = store.connections(&owner, &ConnectionFilter::default(), 1, 1).await.unwrap();
    let usages = if page[0].id == second { 3 } else { 2 };
    assert_eq!((total, page.len(), page[0].usages.len()), (2, 1, usages));
    let list = platform.call("GET", "/connections?limit=2").send().await;
    let of = |id: &str| {
        let all = list.data()["connections"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["id"] == id).unwrap()["usages"].clone()
    };
    assert_eq!(of(&first), json!(["one", "two"]));
    // In the order in which they were added, whatever they are called.
    assert_eq!(of(&second), json!(["one", "two", "first"]));
    let beyond = platform.call("GET", "/connections?limit=1&page=3").send().await;
    assert_eq!(beyond.data()["connections"], json!([]));
    assert_eq!(beyond.data()["total"], 2);
}

/// Links that nobody finishes would fill the database otherwise.
#[tokio::test]
async fn unfinished_connections_are_removed_after_a_week() {
    const DAY: u64 = 24 * 60 * 60;
    let platform = Platform::start().await;
    let (store, owner) = (&platform.app.store, platform.owner());
    let new = async || {
        let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
        (text(&link["connection_id"]), link)
    };
    let ((expired, _), (declined, link)) = (new().await, new().await);
    assert!(store.decline_link(&platform.stored_link(&link).await, None).await.unwrap());
    let ((used, _), (again, _)) = (new().await, new().await);
    store.add_usage(&owner, &used, "w").await.unwrap();
    let kept = platform.connected().await;
    let exists = async |id: &str| store.connection(&owner, id).await.unwrap().is_some();

    platform.advance(7 * DAY);
    store.clean_up().await.unwrap();
    assert!(exists(&expired).await && exists(&declined).await, "the links lived for minutes");
    platform.link(json!({"connection_id": again})).await;
    platform.advance(601);
    store.clean_up().await.unwrap();
    assert!(!exists(&expired).await && !exists(&declined).await);
    for id in [&kept, &used, &again] {
        assert!(exists(id).await, "{id}");
    }
    let read = platform.call("GET", &format!("/connections/{expired}")).send().await;
    read.is_error(404, "connection_deleted");
    platform.advance(7 * DAY);
    store.clean_up().await.unwrap();
    assert!(!exists(&again).await);
    assert!(store.remove_usage(&owner, &used, "w").await.unwrap());
    store.clean_up().await.unwrap();
    assert!(!exists(&used).await);
}
