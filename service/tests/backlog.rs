//! Events queued for an endpoint that hangs: what token calls of another tenant feel of it, what it costs in memory, and that
//! all of it is delivered once the endpoint works again.
//!
//! `cargo test --release --test backlog -- --nocapture` prints the figures. There are 1,000 events, or as many as
//! `BACKLOG_EVENTS` says.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use connect_service::config::Config;
use connect_service::server;
use connect_service::store::Capability;
use http::StatusCode;
use serde_json::json;
use support::{ALICE, Platform, text};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

/// Calls of one round, with the endpoint and without it in turns, so that whatever else the machine does strikes both.
const CALLS: usize = 200;
const ROUNDS: usize = 10;

#[derive(Default)]
struct Endpoint {
    works: AtomicBool,
    received: AtomicUsize,
}

async fn receive(State(endpoint): State<Arc<Endpoint>>) -> StatusCode {
    if !endpoint.works.load(Ordering::Relaxed) {
        sleep(Duration::from_secs(600)).await;
    }
    endpoint.received.fetch_add(1, Ordering::Relaxed);
    StatusCode::NO_CONTENT
}

/// Serves at a free port; gives the address.
async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// What the process occupies, in MB; none where the system does not tell.
fn memory() -> Option<f64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096.0 / 1e6)
}

/// Another tenant's token call.
struct Caller {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Caller {
    /// How long each of some calls takes.
    async fn measure(&self, times: &mut Vec<Duration>) {
        for _ in 0..CALLS {
            let begun = Instant::now();
            let call = self.http.post(&self.url).bearer_auth(&self.key).header("x-user-email", ALICE);
            let response = call.send().await.unwrap();
            assert_eq!(response.status(), 200);
            response.bytes().await.unwrap();
            times.push(begun.elapsed());
        }
        times.sort();
    }
}

fn quantile(times: &[Duration], part: f64) -> Duration {
    times[(times.len() as f64 * part) as usize]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_delays_nobody_and_is_delivered_at_last() {
    let events: usize = std::env::var("BACKLOG_EVENTS").map_or(1000, |text| text.parse().unwrap());
    let mut config = Config::default();
    (config.budgets.default, config.budgets.token) = (1_000_000, 1_000_000);
    let platform = Platform::with(config).await;
    let endpoint = Arc::new(Endpoint::default());
    let (listener, hook) = listen().await;
    let router = Router::new().fallback(receive).with_state(endpoint.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let (listener, base) = listen().await;
    let serving = tokio::spawn(server::serve(platform.app.clone(), listener));

    let id = platform.connected().await;
    let path = format!("{base}/platform/v1/connections/{id}/token");
    let http = reqwest::Client::builder().tls_backend_preconfigured(no_tls()).no_proxy().build().unwrap();
    let caller = Caller { http, url: path, key: platform.key.clone() };
    // The tenant of the endpoint is another one.
    let key = platform.another_key(&Capability::ALL).await;
    let call = |method: &str, path: &str| platform.call(method, path).key(&key);
    let made = call("POST", "/webhooks").json(&json!({"url": hook})).await;
    let webhook = format!("/webhooks/{}", text(&made.json["data"]["id"]));
    let link =
        call("POST", "/connections/request-link").json(&json!({"app_id": "brevo", "name": "Mail"})).await;
    let connection = text(&link.json["data"]["connection_id"]);
    let database = platform.database.connect().await;
    let tenant = database.text(&format!("SELECT tenant_id FROM connections WHERE id = '{connection}'")).await;
    let known: usize = database
        .text(&format!("SELECT last FROM event_positions WHERE tenant_id = '{tenant}'"))
        .await
        .parse()
        .unwrap();
    let payload = json!({"connection": {"id": connection, "name": "x".repeat(200)}, "changed": ["name"]});
    let now = platform.clock.now();
    database
        .execute(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {events})
             INSERT INTO events (tenant_id, position, id, type, connection_id, created_at, payload)
             SELECT '{tenant}', {known} + i, 'evt_' || i, 'connection.updated', 'conn_' || (i % 1000), {now}, '{payload}'
             FROM n"
        ))
        .await;
    database
        .execute(&format!(
            "UPDATE event_positions SET last = {known} + {events} WHERE tenant_id = '{tenant}'"
        ))
        .await;

    let enable = async |enabled: bool| {
        assert_eq!(call("PATCH", &webhook).json(&json!({ "enabled": enabled })).await.status, 200);
    };
    enable(false).await;
    let body = json!({ "since": connect_service::clock::rfc3339(now - 1000) });
    let queued = call("POST", &format!("{webhook}/redeliver")).json(&body).await;
    let queued = usize::try_from(queued.json["data"]["queued"].as_u64().unwrap()).unwrap();
    assert!(queued >= events);
    caller.measure(&mut Vec::new()).await;
    let before = memory();
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        caller.measure(&mut without).await;
        enable(true).await;
        caller.measure(&mut with).await;
        enable(false).await;
    }
    let after = memory();
    assert_eq!(endpoint.received.load(Ordering::Relaxed), 0);
    let ratio = |part| quantile(&with, part).as_secs_f64() / quantile(&without, part).as_secs_f64();
    println!("token calls beside {queued} events for an endpoint that hangs:");
    println!(
        "  median {:?}, without them {:?}: {:.3} times",
        quantile(&with, 0.5),
        quantile(&without, 0.5),
        ratio(0.5)
    );
    println!(
        "  90 % {:?}, without them {:?}: {:.3} times",
        quantile(&with, 0.9),
        quantile(&without, 0.9),
        ratio(0.9)
    );
    if let (Some(before), Some(after)) = (before, after) {
        println!("  memory {after:.1} MB, before {before:.1} MB");
        assert!(after < before + 50.0, "it grows with what is queued");
    }

    endpoint.works.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    enable(true).await;
    let delivered = async {
        while database.text("SELECT COUNT(*) FROM webhook_deliveries").await != "0" {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(1200), delivered).await.expect("all of it is delivered");
    let (took, received) = (begun.elapsed(), endpoint.received.load(Ordering::Relaxed));
    assert!(received >= queued);
    println!("delivered in {took:?}: {:.0} a second", received as f64 / took.as_secs_f64());
    if let Some(memory) = memory() {
        println!("  memory {memory:.1} MB");
    }
    platform.app.ending.cancel();
    platform.app.closing.cancel();
    serving.await.unwrap();
}

/// For loopback.
fn no_tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    versions.unwrap().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}
