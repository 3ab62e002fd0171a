//! What a client tells its listener and its log. Only Rust has them, so no scenario says it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_tests::scripted::http;
use pabbly_connect::{Client, ClientBuilder, ClientEvent};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex as AsyncMutex;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// `tracing` notes at a line's first use whether anybody listens, and may miss who begins to at that very moment.
static ONE_AT_A_TIME: AsyncMutex<()> = AsyncMutex::const_new(());

/// For a service that gives these answers.
async fn client(answers: impl IntoIterator<Item = (u16, Value), IntoIter: Send> + 'static) -> ClientBuilder {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/platform/v1", listener.local_addr().expect("its address"));
    let mut answers = answers.into_iter();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = Vec::new();
            while let Ok(Some(_)) = http::read_request(&mut stream, &mut buffer).await {
                let (status, body) = answers.next().expect("no more requests than answers");
                let written = http::write_json(&mut stream, status, &body).await;
                written.expect("the client listens");
            }
        }
    });
    let builder = Client::builder().api_key("pk_live_canary").base_url(base_url);
    builder.backoff(Duration::from_millis(1))
}

#[tokio::test]
async fn a_listener_hears_of_each_attempt_answer_retry_and_poll() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&heard);
    let client = client([
        (503, json!({})),
        (200, json!({ "data": { "id": "gmail", "name": "Gmail" } })),
        (200, json!({ "data": { "id": "c 1", "status": "pending" } })),
        (200, json!({ "data": { "id": "c 1", "status": "active" } })),
    ])
    .await
    .on_event(move |event| hear.lock().unwrap().push(event.clone()))
    .build()
    .unwrap();
    // No time that a Duration can hold is too long.
    client.get_app("gmail").timeout(Duration::MAX).await.unwrap();
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

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_log_gets_as_much_as_its_level_allows_also_without_a_listener() {
    let _alone = ONE_AT_A_TIME.lock().await;
    for (level, is_told) in [
        (LevelFilter::DEBUG, [true, true]),
        (LevelFilter::INFO, [true, false]),
        (LevelFilter::WARN, [false, false]),
    ] {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_ansi(false);
        let logging = subscriber.with_writer(move || writer.clone()).finish().set_default();
        let gmail = json!({ "data": { "id": "gmail", "name": "Gmail" } });
        let client = client([(503, json!({})), (200, gmail)]).await.build().unwrap();
        client.get_app("gmail").await.unwrap();
        drop(logging);

        let log = log.0.lock().unwrap();
        let log = String::from_utf8_lossy(&log);
        let told = ["pabbly_connect: retry", "pabbly_connect: request"].map(|line| log.contains(line));
        assert_eq!(told, is_told, "{level}: {log}");
        assert!(!log.contains("canary"));
    }
}

fn in_short(event: &ClientEvent) -> String {
    match event {
        ClientEvent::Request { call, method, path, attempt, .. } => {
            format!("{call}: {method} {path} {attempt}")
        }
        ClientEvent::Response { call, attempt, status, .. } => {
            format!("{call}: {} to {attempt}", status.unwrap_or(0))
        }
        ClientEvent::Retry { call, attempt, .. } => format!("{call}: again after {attempt}"),
        ClientEvent::Wait { connection_id, status, .. } => {
            format!(
                "wait: {connection_id} is {}",
                status.as_ref().map_or("unknown", |status| status.as_str())
            )
        }
        unknown => format!("{unknown:?}"),
    }
}
