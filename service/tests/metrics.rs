//! What Prometheus is told, and that the dashboard and the alerts in `deploy/` ask for nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;
mod webhook_support;

use std::collections::BTreeSet;
use std::time::Duration;

use connect_service::config::Config;
use connect_service::metrics;
use serde_json::{Value, json};
use support::{ALICE, Call, Platform, Provider, Reply, text};
use webhook_support::{Receiver, deliver, register};

impl Platform {
    /// What Prometheus would read.
    async fn scrape(&self) -> String {
        let answer = Call::new(metrics::router(self.app.clone()), "GET", "//metrics").send().await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
        assert!(answer.text.ends_with("# EOF\n"));
        answer.text
    }
}

/// The value of a series.
#[track_caller]
fn value(scraped: &str, series: &str) -> f64 {
    let lines = scraped.lines();
    let mut values = lines.filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = values.next().unwrap_or_else(|| panic!("no {series} in\n{scraped}"));
    value.parse().unwrap()
}

#[tokio::test]
async fn calls_refreshes_and_refusals_are_counted() {
    let provider = Provider::start().await;
    let mut config = Config::default();
    config.apps.insert("gmail".into(), provider.registration());
    config.budgets.token = 4;
    let platform = Platform::with(config).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.token(&id).await.data();
    platform.advance(61);
    platform.token(&id).await.data();
    platform.advance(3601);
    provider.will(Reply::Throttle(600));
    platform.token(&id).await.is_error(503, "upstream_unavailable");
    platform.call("POST", "/connections/conn_unknown/token").send().await.is_error(404, "connection_deleted");
    platform.token(&id).await.is_error(429, "rate_limited");

    let scraped = platform.scrape().await;
    let route = "/platform/v1/connections/{connection_id}/token";
    for (series, expected) in [
        (format!("connect_http_requests_total{{method=\"POST\",route=\"{route}\",status=\"200\"}}"), 2.0),
        (format!("connect_http_requests_total{{method=\"POST\",route=\"{route}\",status=\"429\"}}"), 1.0),
        (format!("connect_http_request_duration_seconds_count{{route=\"{route}\"}}"), 5.0),
        ("connect_token_calls_total{outcome=\"vended\"}".into(), 2.0),
        ("connect_token_calls_total{outcome=\"upstream_unavailable\"}".into(), 1.0),
        ("connect_token_calls_total{outcome=\"connection_deleted\"}".into(), 1.0),
        ("connect_refreshes_total{app=\"gmail\",outcome=\"granted\"}".into(), 1.0),
        ("connect_refreshes_total{app=\"gmail\",outcome=\"throttled\"}".into(), 1.0),
        ("connect_refresh_duration_seconds_count{app=\"gmail\"}".into(), 2.0),
        (
            "connect_provider_request_duration_seconds_count{purpose=\"token\",result=\"response\"}".into(),
            2.0,
        ),
        ("connect_budget_refusals_total{group=\"token\"}".into(), 1.0),
        ("connect_refreshes_running".into(), 0.0),
        ("connect_ready".into(), 1.0),
        (format!("connect_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1.0),
    ] {
        assert!((value(&scraped, &series) - expected).abs() < f64::EPSILON, "{series}\n{scraped}");
    }
}

#[tokio::test]
async fn long_polls_are_gauged_and_their_time_is_not() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "Mail"})).await;
    let path = format!("/connections/{}", text(&link["connection_id"]));
    let poll = platform.call("GET", &path).header("prefer", "wait=60").send();
    let poll = tokio::spawn(poll);
    let polling = async {
        while value(&platform.scrape().await, "connect_long_polls") < 1.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), polling).await.expect("the long poll is counted");
    platform.app.ending.cancel();
    poll.await.unwrap().data();
    let scraped = platform.scrape().await;
    assert!(value(&scraped, "connect_long_polls").abs() < f64::EPSILON);
    assert!(value(&scraped, "connect_ready").abs() < f64::EPSILON, "it was asked to end");
    let route = "route=\"/platform/v1/connections/{connection_id}\"";
    let requests = format!("connect_http_requests_total{{method=\"GET\",{route},status=\"200\"}}");
    assert!((value(&scraped, &requests) - 1.0).abs() < f64::EPSILON);
    assert!(!scraped.contains(&format!("connect_http_request_duration_seconds_count{{{route}}}")));
}

/// What is late by the service's doing, and not what waits for an endpoint that fails.
#[tokio::test]
async fn webhook_lag_is_the_age_of_what_is_due() {
    let platform = Platform::start().await;
    let lag = async || value(&platform.scrape().await, "connect_webhook_lag_seconds");
    assert!(lag().await.abs() < f64::EPSILON);
    let receiver = Receiver::start().await;
    register(&platform, json!({"url": receiver.url("/"), "types": ["connection.active"]})).await;
    platform.connected().await;
    platform.advance(90);
    assert!((90.0..100.0).contains(&lag().await), "{}", lag().await);
    // A later one is not as late.
    platform.connected().await;
    platform.advance(30);
    assert!((120.0..130.0).contains(&lag().await), "{}", lag().await);
    platform.app.store.disable_tenant(&platform.tenant).await.unwrap();
    assert!(lag().await.abs() < f64::EPSILON, "it is to wait");
    platform.app.store.enable_tenant(&platform.tenant).await.unwrap();

    receiver.reply(webhook_support::Reply::status(500));
    deliver(&platform).await;
    assert!(lag().await.abs() < f64::EPSILON, "they wait for their next attempt");
    platform.advance(6);
    assert!(lag().await < 7.0, "{}", lag().await);
    platform.advance(60);
    assert!((59.0..67.0).contains(&lag().await), "{}", lag().await);
    receiver.reply(webhook_support::Reply::status(204));
    deliver(&platform).await;
    assert!(lag().await.abs() < f64::EPSILON);
}

/// Callers can neither put something of theirs into a label nor make more of them.
#[tokio::test]
async fn labels_hold_nothing_that_a_caller_chose() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "Mail", "metadata": {"a": "canary"}})).await;
    for (method, path) in [
        ("GET", format!("/connections/{id}")),
        ("POST", format!("/connections/{id}/token")),
        ("GET", "/connections/conn_canary".to_owned()),
        ("GET", "//canary".to_owned()),
        ("CANARY", format!("/connections/{id}")),
        ("GET", format!("/connect/{}", text(&link["request_link"]).rsplit('/').next().unwrap())),
    ] {
        platform.call(method, &path).send().await;
    }
    let scraped = platform.scrape().await;
    let secrets = [&platform.tenant, &platform.key, &id, ALICE, &text(&link["request_token"])];
    for word in ["canary", "CANARY", "conn_", "ten_", "key_"].into_iter().chain(secrets.map(AsRef::as_ref)) {
        assert!(!scraped.contains(word), "{word}\n{scraped}");
    }
    assert!(scraped.contains("route=\"none\"") && scraped.contains("method=\"other\""), "{scraped}");
}

/// Names of metrics in an expression of Prometheus.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("connect_")).collect()
}

fn expressions(dashboard: &Value) -> Vec<&str> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets.map(|target| target["expr"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn dashboard_and_alerts_ask_for_what_there_is() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.advance(61);
    platform.token(&id).await.data();
    let scraped = platform.scrape().await;
    let families = scraped.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut shown = BTreeSet::new();
    for (name, kind) in families {
        match kind {
            "counter" => shown.extend([format!("{name}_total")]),
            "histogram" => shown.extend(["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}"))),
            "info" => shown.extend([format!("{name}_info")]),
            _ => shown.extend([name.to_owned()]),
        }
    }
    let dashboard: Value = serde_json::from_str(include_str!("../../deploy/grafana-dashboard.json")).unwrap();
    let alerts = include_str!("../../deploy/alerts.yaml");
    let rules = alerts.lines().filter(|line| line.trim_start().starts_with("expr:"));
    let asked =
        expressions(&dashboard).into_iter().chain(rules).flat_map(metrics_in).collect::<BTreeSet<_>>();
    assert!(asked.len() > 10, "{asked:?}");
    for name in asked {
        assert!(shown.contains(name), "{name} is not among {shown:?}");
    }
}
