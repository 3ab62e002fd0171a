//! Webhooks and `kill -9`: every event reaches a receiver that fails one time in three, with its one `webhook-id` however
//! often, signed, and those of a connection in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use connect_tests::postgres::{Durability, Postgres};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::events::{Installation, Journal, KILLS, read_on};

/// More than the first pause, and than the lease of a process that died.
const MAX_DELAY: Duration = Duration::from_secs(180);

/// What the receiver noted.
#[derive(Default)]
struct Received {
    requests: usize,
    failures: usize,
    /// Events that it has failed once. A second time, each would take five minutes.
    failed: BTreeSet<String>,
    /// What came with each id, and how often it was taken.
    taken: BTreeMap<String, (String, usize)>,
    /// Ids in the order in which they were first taken.
    order: Vec<String>,
}

struct Receiver {
    secret: String,
    received: Mutex<Received>,
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let webhook = standardwebhooks::Webhook::new(&receiver.secret).unwrap();
    webhook.verify(body.as_bytes(), &headers).expect("a signature of the endpoint's secret");
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let mut received = receiver.received.lock().unwrap();
    received.requests += 1;
    if received.requests % 3 == 0 && received.failed.insert(id.clone()) {
        received.failures += 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    if let Some((first, times)) = received.taken.get_mut(&id) {
        assert_eq!(*first, body, "another body with the same id");
        *times += 1;
    } else {
        received.taken.insert(id.clone(), (body, 1));
        received.order.push(id);
    }
    StatusCode::NO_CONTENT
}

/// Every event of the feed arrives, and nothing else; gives the figures.
async fn each_event_arrives(mut installation: Installation) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let run = async |arguments: &[&str]| -> Value {
        let printed = installation.home.run(&[&["--json"], arguments].concat()).await.unwrap();
        serde_json::from_str(&printed).unwrap()
    };
    let tenant = run(&["tenant", "list"]).await;
    let tenant = tenant["id"].as_str().unwrap();
    let added = run(&["webhook", "add", "--tenant", tenant, "--url", &url]).await;
    let (endpoint, secret) = (added["id"].as_str().unwrap(), added["secret"].as_str().unwrap());
    let receiver = Arc::new(Receiver { secret: secret.to_owned(), received: Mutex::default() });
    let router = Router::new().fallback(receive).with_state(receiver.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let journal = Journal::default();
    for _ in 0..KILLS {
        installation.kill_one_under_load(&journal).await;
    }
    // The feed has each event once; that it has all is what the tests of events show.
    let feed = read_on(installation.raw(0), Arc::new(AtomicBool::new(true))).await;
    // The key was made before the endpoint.
    let feed: Vec<&Value> = feed.iter().filter(|event| event["type"] != "key.created").collect();
    let all_arrived = async {
        while receiver.received.lock().unwrap().taken.len() < feed.len() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    if timeout(MAX_DELAY, all_arrived).await.is_err() {
        let attempts =
            installation.home.run(&["webhook", "attempts", endpoint, "--limit", "20"]).await.unwrap();
        let arrived = receiver.received.lock().unwrap().taken.len();
        panic!("{arrived} of {} arrived; the latest attempts:\n{attempts}", feed.len());
    }

    let received = receiver.received.lock().unwrap();
    let ids: BTreeSet<_> = feed.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(received.taken.keys().map(String::as_str).collect::<BTreeSet<_>>(), ids);
    let mut latest = BTreeMap::new();
    for id in &received.order {
        let event: Value = serde_json::from_str(&received.taken[id].0).unwrap();
        let in_feed = feed.iter().find(|one| one["id"] == event["id"]).unwrap();
        assert_eq!(**in_feed, event, "the same in the feed");
        let connection = event["data"]["connection"]["id"].as_str().unwrap().to_owned();
        let cursor = event["cursor"].as_str().unwrap().to_owned();
        let before = latest.insert(connection, cursor.clone());
        assert!(before.is_none_or(|before| before < cursor), "out of order: {event}");
    }
    let repeated = received.taken.values().filter(|(_, times)| *times > 1).count();
    let (events, requests, failures) = (feed.len(), received.requests, received.failures);
    assert!(events >= KILLS && failures * 6 >= events, "too little to mean anything");
    format!(
        "{events} events in {requests} requests, of which {failures} failed; {repeated} came twice or more"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_arrives_in_spite_of_twenty_kills() {
    println!("{}", each_event_arrives(Installation::start(None, 1).await).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_arrives_from_two_processes_with_kills() {
    let postgres = Postgres::start(Durability::Durable).await.unwrap();
    let url = postgres.create_database().await.unwrap();
    println!("{}", each_event_arrives(Installation::start(Some(url), 2).await).await);
}
