//! `GET /events`: cursors, filters, long polls, what is kept, and for whom.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use connect_service::config::Config;
use connect_service::store::Capability;
use serde_json::{Value, json};
use support::{Answer, Platform, text};
use tokio::time::timeout;

const DAY: u64 = 24 * 60 * 60;
/// For what must come at once; a busy machine takes its time.
const SOON: Duration = Duration::from_secs(20);

async fn get(platform: &Platform, query: &str) -> Answer {
    platform.call("GET", &format!("/events?{query}")).without("x-user-email").send().await
}

fn types(answer: &Answer) -> Vec<String> {
    answer.data()["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect()
}

fn ids(answer: &Answer) -> Vec<String> {
    answer.data()["events"].as_array().unwrap().iter().map(|event| text(&event["id"])).collect()
}

fn next(answer: &Answer) -> String {
    text(&answer.data()["next_cursor"])
}

/// Repeating it changes nothing, so a database that is busy for a second is asked again.
async fn rename(platform: &Platform, id: &str, name: &str) {
    let body = json!({ "name": name });
    let rename = || platform.call("PATCH", &format!("/connections/{id}")).json(&body);
    let mut answer = rename().await;
    while answer.status == 503 {
        answer = rename().await;
    }
    answer.data();
}

#[tokio::test]
async fn pages_follow_one_another_without_gap() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    for n in 0..5 {
        rename(&platform, &id, &format!("Mail {n}")).await;
    }
    let whole = get(&platform, "").await;
    assert_eq!(whole.data()["has_more"], false);
    let (all, mut paged, mut after) = (ids(&whole), Vec::new(), String::new());
    assert_eq!(all.len(), 7);
    loop {
        let page = get(&platform, &format!("limit=2&after={after}")).await;
        paged.extend(ids(&page));
        after = next(&page);
        if page.data()["has_more"] == false {
            break;
        }
        assert_eq!(ids(&page).len(), 2);
    }
    assert_eq!(paged, all);
    assert_eq!(after, next(&whole));
    // Every event says where to go on.
    let third = &whole.data()["events"][2];
    let rest = get(&platform, &format!("after={}", text(&third["cursor"]))).await;
    assert_eq!(ids(&rest), all[3..]);
    // An empty page leads to where it was asked.
    let end = get(&platform, &format!("after={after}")).await;
    assert_eq!((ids(&end).len(), next(&end)), (0, after.clone()));
    assert_eq!(next(&get(&platform, "after=latest").await), after);
}

#[tokio::test]
async fn filters_leave_out_and_the_cursor_passes_over() {
    let platform = Platform::start().await;
    let (id, other) = (platform.connected().await, platform.connected().await);
    rename(&platform, &id, "Post").await;
    let filtered = get(&platform, "types=connection.updated").await;
    assert_eq!(types(&filtered), ["connection.updated"]);
    let both = get(&platform, "types=connection.updated,key.created").await;
    assert_eq!(types(&both), ["key.created", "connection.updated"]);
    let of_other = get(&platform, &format!("connection_id={other}")).await;
    assert_eq!(types(&of_other), ["connection.active"]);
    let last = next(&get(&platform, "").await);
    for page in [filtered, of_other, get(&platform, "types=key.revoked").await] {
        assert_eq!((next(&page), &page.data()["has_more"]), (last.clone(), &json!(false)));
    }
    // Empty values are as none.
    assert_eq!(ids(&get(&platform, "types=&connection_id=&after=&limit=").await).len(), 4);
}

/// Writes so many events of keys at once, without waking anybody.
async fn write_others(platform: &Platform, number: u32) {
    let tenant = &platform.tenant;
    let last = format!("(SELECT last FROM event_positions WHERE tenant_id = '{tenant}')");
    let write = format!(
        "INSERT INTO events (tenant_id, position, id, type, created_at, payload)
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {number})
         SELECT '{tenant}', {last} + n, 'evt_' || ({last} + n), 'key.created', {}, '{{}}' FROM n;
         UPDATE event_positions SET last = last + {number} WHERE tenant_id = '{tenant}';",
        platform.clock.now()
    );
    platform.database.connect().await.execute(&write).await;
}

/// A read looks at so many positions and no more, and says where to go on.
#[tokio::test]
async fn a_filter_that_leaves_nearly_all_out_goes_on() {
    let platform = Platform::start().await;
    write_others(&platform, 1_200).await;
    platform.connected().await;
    let first = get(&platform, "types=connection.active").await;
    assert_eq!((ids(&first).len(), &first.data()["has_more"]), (0, &json!(true)));
    let second = get(&platform, &format!("types=connection.active&after={}", next(&first))).await;
    assert_eq!(
        (types(&second), &second.data()["has_more"]),
        (vec!["connection.active".to_owned()], &json!(false))
    );
}

#[tokio::test]
async fn bad_parameters_are_refused() {
    let platform = Platform::start().await;
    for query in [
        "after=first",
        "after=cur_1",
        "after=cur_FFFFFFFFFFFFFFFF",
        "after=latest&after=latest",
        "types=connection.exploded",
        "types=connection.active,",
        "types=connection.active,%20key.created",
        "connection_id=%00",
        "connection_id=a/b",
        "limit=0",
        "limit=101",
    ] {
        get(&platform, query).await.is_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn the_feed_has_a_capability_and_a_budget_of_its_own() {
    let mut config = Config::default();
    config.budgets.events = 3;
    config.budgets.default = 1;
    let platform = Platform::with(config).await;
    let without: Vec<_> = Capability::ALL.into_iter().filter(|one| *one != Capability::Events).collect();
    let key = platform.another_key(&without).await;
    let refused = platform.call("GET", "/events").key(&key).send().await;
    refused.is_error(403, "capability_disabled");
    for left in [2, 1, 0] {
        let answer = get(&platform, "").await;
        answer.data();
        assert_eq!(answer.header("ratelimit-policy"), "\"events\";q=3;w=60");
        assert!(answer.header("ratelimit").starts_with(&format!("\"events\";r={left};")));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    get(&platform, "").await.is_error(429, "rate_limited");
    platform.call("GET", "/apps").send().await.data();
}

#[tokio::test]
async fn a_tenant_sees_its_own_events_alone() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let key = platform.another_key(&[Capability::Events]).await;
    let theirs = async |query: &str| platform.call("GET", &format!("/events?{query}")).key(&key).send().await;
    assert_eq!(types(&theirs("").await), ["key.created"]);
    assert!(types(&theirs(&format!("connection_id={id}")).await).is_empty());
    let answer = theirs("types=connection.active").await;
    assert!(types(&answer).is_empty() && !answer.text.contains(&id));
    // A cursor names a place in the feed that it is used with, and theirs is shorter.
    let last = next(&get(&platform, "").await);
    let answer = theirs(&format!("after={last}")).await;
    answer.is_error(410, "cursor_expired");
    assert_eq!(text(&answer.json["data"]["oldest_cursor"]), "cur_0000000000000000");
}

#[tokio::test]
async fn events_are_kept_for_30_days() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let old = get(&platform, "").await;
    platform.advance(30 * DAY - 3600);
    rename(&platform, &id, "Post").await;
    platform.app.store.clean_up().await.unwrap();
    assert_eq!(ids(&get(&platform, "").await).len(), 3);
    platform.advance(7200);
    platform.app.store.clean_up().await.unwrap();
    let kept = get(&platform, "").await;
    assert_eq!(types(&kept), ["connection.updated"]);

    let first = text(&old.data()["events"][0]["cursor"]);
    let gone = get(&platform, &format!("after={first}")).await;
    gone.is_error(410, "cursor_expired");
    let oldest = text(&gone.json["data"]["oldest_cursor"]);
    assert_eq!(ids(&get(&platform, &format!("after={oldest}")).await), ids(&kept));
    // A reader up to there has missed nothing.
    assert_eq!(oldest, next(&old));

    platform.advance(31 * DAY);
    platform.app.store.clean_up().await.unwrap();
    let empty = get(&platform, "").await;
    assert_eq!((ids(&empty).len(), next(&empty)), (0, next(&kept)));
    get(&platform, &format!("after={oldest}")).await.is_error(410, "cursor_expired");
    // Positions go on.
    rename(&platform, &id, "Mail").await;
    assert_eq!(types(&get(&platform, &format!("after={}", next(&kept))).await), ["connection.updated"]);
}

/// A clock that was wrong must neither tear a hole into the feed nor keep what is behind it.
#[tokio::test]
async fn events_are_forgotten_in_the_order_of_the_feed() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    rename(&platform, &id, "Post").await;
    let all = ids(&get(&platform, "").await);
    let made = async |event: &str, at: i64| {
        let set = format!("UPDATE events SET created_at = {at} WHERE id = '{event}'");
        platform.database.connect().await.execute(&set).await;
    };
    made(&all[1], 0).await;
    platform.app.store.clean_up().await.unwrap();
    assert_eq!(ids(&get(&platform, "").await), all, "an event before it is kept");

    made(&all[0], platform.clock.now() + 365 * 24 * 60 * 60 * 1000).await;
    platform.app.store.clean_up().await.unwrap();
    assert_eq!(ids(&get(&platform, "").await), all[2..], "it is as old as those after it");
    // One of the future is kept where none after it is old.
    made(&all[2], platform.clock.now() + 365 * 24 * 60 * 60 * 1000).await;
    platform.app.store.clean_up().await.unwrap();
    assert_eq!(ids(&get(&platform, "").await), all[2..]);
}

/// After a backup was restored, a cursor of before would skip what comes now.
#[tokio::test]
async fn a_cursor_from_the_future_is_refused() {
    let platform = Platform::start().await;
    let answer = get(&platform, "after=cur_00000000000000ff").await;
    answer.is_error(410, "cursor_expired");
    let oldest = text(&answer.json["data"]["oldest_cursor"]);
    assert_eq!(types(&get(&platform, &format!("after={oldest}")).await), ["key.created"]);
}

async fn long_poll(platform: &Platform, query: &str, seconds: u64) -> Answer {
    let call = platform.call("GET", &format!("/events?{query}"));
    call.header("prefer", &format!("wait={seconds}")).send().await
}

#[tokio::test]
async fn a_long_poll_ends_with_the_next_event() {
    let platform = Platform::start().await;
    let other = platform.another().await;
    let id = platform.connected().await;
    let mut cursor = next(&get(&platform, "").await);
    for writer in [&platform, &other] {
        let query = format!("after={cursor}");
        let waiting = timeout(SOON, long_poll(&platform, &query, 60));
        let change = async {
            // The long poll has looked by then.
            tokio::time::sleep(Duration::from_millis(100)).await;
            rename(writer, &id, if std::ptr::eq(writer, &other) { "There" } else { "Here" }).await;
        };
        let (answer, ()) = tokio::join!(waiting, change);
        let answer = answer.expect("it is woken");
        assert_eq!(types(&answer), ["connection.updated"]);
        assert_eq!(answer.header("preference-applied"), "wait");
        cursor = next(&answer);
    }
    // What is there already is no reason to wait.
    let answer = timeout(SOON, long_poll(&platform, "", 60)).await.unwrap();
    assert_eq!(ids(&answer).len(), 4);
}

#[tokio::test]
async fn a_long_poll_waits_for_what_the_filter_lets_through() {
    let platform = Platform::start().await;
    let (id, other) = (platform.connected().await, platform.connected().await);
    let cursor = next(&get(&platform, "").await);
    let query = format!("after={cursor}&connection_id={id}&types=connection.deleted");
    let answer = long_poll(&platform, &query, 1).await;
    assert_eq!((ids(&answer).len(), next(&answer)), (0, cursor.clone()));
    assert_eq!(answer.header("preference-applied"), "wait");
    let waiting = timeout(SOON, long_poll(&platform, &query, 60));
    let changes = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        rename(&platform, &id, "Post").await;
        for one in [&other, &id] {
            platform.call("DELETE", &format!("/connections/{one}")).send().await.data();
        }
    };
    let (answer, ()) = tokio::join!(waiting, changes);
    let answer = answer.unwrap();
    assert_eq!(types(&answer), ["connection.deleted"]);
    assert_eq!(answer.data()["events"][0]["data"]["connection"]["id"], id);
}

/// What the filter left out is passed over while the poll waits: all of it together is more than one read looks at.
#[tokio::test]
async fn a_long_poll_reads_nothing_twice() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let query = "after=latest&types=connection.deleted";
    let waiting = timeout(SOON, long_poll(&platform, query, 60));
    let changes = async {
        for change in 0..12 {
            // The long poll has looked by then.
            tokio::time::sleep(Duration::from_millis(100)).await;
            write_others(&platform, 150).await;
            rename(&platform, &id, &change.to_string()).await;
        }
        platform.call("DELETE", &format!("/connections/{id}")).send().await.data();
    };
    let (answer, ()) = tokio::join!(waiting, changes);
    assert_eq!(types(&answer.unwrap()), ["connection.deleted"]);
}

/// Two processes write at once while somebody reads: nothing becomes visible behind the reader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_misses_nothing_of_many_writers() {
    const WRITERS: usize = 8;
    const CHANGES: usize = 12;
    let mut config = Config::default();
    (config.budgets.default, config.budgets.events) = (1_000_000, 1_000_000);
    let platform = Platform::with(config).await;
    let other = platform.another().await;
    let mut ids = Vec::new();
    for _ in 0..WRITERS {
        ids.push(platform.connected().await);
    }
    let mut cursor = next(&get(&platform, "").await);
    let write = async |(number, id): (usize, &String)| {
        let platform = if number % 2 == 0 { &platform } else { &other };
        for change in 1..=CHANGES {
            rename(platform, id, &change.to_string()).await;
        }
    };
    let writing = futures_util::future::join_all(ids.iter().enumerate().map(write));
    let read = async {
        let mut events: Vec<Value> = Vec::new();
        while events.len() < WRITERS * CHANGES {
            let page = long_poll(&other, &format!("limit=7&after={cursor}"), 10).await;
            cursor = next(&page);
            events.extend(page.data()["events"].as_array().unwrap().iter().cloned());
        }
        events
    };
    let (_, events) = timeout(SOON * 3, async { tokio::join!(writing, read) }).await.expect("all is read");
    let unique: HashSet<_> = events.iter().map(|event| text(&event["id"])).collect();
    assert_eq!((events.len(), unique.len()), (WRITERS * CHANGES, WRITERS * CHANGES));
    let mut names: HashMap<String, Vec<String>> = HashMap::new();
    for event in &events {
        let connection = &event["data"]["connection"];
        names.entry(text(&connection["id"])).or_default().push(text(&connection["name"]));
    }
    let in_order: Vec<_> = (1..=CHANGES).map(|n| n.to_string()).collect();
    for id in ids {
        assert_eq!(names[&id], in_order, "in the order of its changes");
    }
}
