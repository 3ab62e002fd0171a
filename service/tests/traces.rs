//! Traces: what a collector is sent, what nobody else is, and what a collector that hangs does to requests.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;
mod webhook_support;

use std::time::{Duration, Instant};

use connect_service::config::Config;
use connect_service::oauth::OAuthClient;
use connect_service::{metrics, traces};
use serde_json::{Value, json};
use support::{ALICE, Api, Call, Platform, text};
use webhook_support::{Receiver, deliver, register};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A service that sends its spans to this collector, with Gmail's provider and API at one address.
async fn start(collector: &str, provider: &Api) -> Platform {
    let mut config = Config::default();
    config.traces.endpoint = Some(format!("{collector}/v1/traces").parse().unwrap());
    config.traces.headers.insert("x-collector-key".into(), "canary-collector".into());
    let gmail = OAuthClient {
        authorization_url: Some(format!("{}/authorize", provider.url)),
        token_url: Some(format!("{}/token", provider.url)),
        ..OAuthClient::new("the-client", "canary-client-secret")
    };
    config.apps.insert("gmail".into(), gmail);
    let platform = Platform::with_apis(config, &provider.url).await;
    platform.app.tasks.spawn(traces::export(platform.app.clone()));
    platform
}

/// Sends what is left, and gives all spans that the collector got.
async fn spans(platform: &Platform, collector: &Api) -> Vec<Value> {
    platform.app.ending.cancel();
    platform.app.closing.cancel();
    platform.app.tasks.close();
    tokio::time::timeout(Duration::from_secs(30), platform.app.tasks.wait()).await.expect("it ends");
    let mut spans = Vec::new();
    for call in collector.seen() {
        assert_eq!((call.method.as_str(), call.target.as_str()), ("POST", "/v1/traces"));
        assert_eq!(call.header("content-type"), "application/json");
        assert_eq!(call.header("x-collector-key"), "canary-collector");
        let message: Value = serde_json::from_slice(&call.body).unwrap();
        let service = json!({"key": "service.name", "value": {"stringValue": "connect-service"}});
        assert_eq!(message["resourceSpans"][0]["resource"]["attributes"][0], service);
        let sent = message["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
        spans.extend(sent.iter().cloned());
    }
    spans
}

fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

fn attribute<'a>(span: &'a Value, name: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().unwrap();
    &attributes.iter().find(|attribute| attribute["key"] == name).unwrap()["value"]
}

#[tokio::test]
async fn a_call_is_a_trace_that_nobody_else_sees() {
    let (collector, provider) = (Api::start().await, Api::start().await);
    provider.will(|_| {
        let tokens = r#"{"access_token":"canary-access-1","refresh_token":"canary-refresh-1","expires_in":3600,
            "token_type":"Bearer"}"#;
        ([("content-type", "application/json")], tokens)
    });
    let platform = start(&collector.url, &provider).await;
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let call = |method: &str, path: &str| platform.call(method, path).header("traceparent", &traceparent);
    let receiver = Receiver::start().await;
    register(&platform, json!({"url": receiver.url("/")})).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.advance(61);
    call("POST", &format!("/connections/{id}/token")).send().await.data();
    let proxied = call("GET", &format!("/connections/{id}/proxy/gmail/v1/users/me/labels?q=canary-query"));
    assert_eq!(proxied.header("tracestate", "canary=1").send().await.status, 200);
    call("GET", "/connections/conn_unknown-canary").send().await;
    call("GET", "/apps?search=canary-search").send().await.data();
    let request = json!({"app_id": "brevo", "name": "canary-name"});
    let link = call("POST", "/connections/request-link").json(&request).await.data().clone();
    let (pending, token_of_link) = (text(&link["connection_id"]), text(&link["request_token"]));
    platform.public("GET", &format!("/connections/{pending}/status"), &token_of_link).send().await.data();
    let secret = text(&link["request_link"]).rsplit('/').next().unwrap().to_owned();
    platform.bare("GET", &format!("/connect/{secret}")).send().await;
    // Not sampled by its caller.
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    platform
        .call("PATCH", &format!("/connections/{id}"))
        .header("traceparent", &unsampled)
        .json(&json!({"name": "x"}))
        .await
        .data();
    deliver(&platform).await;

    // Neither providers nor endpoints learn of it.
    let asked = provider.seen();
    assert!(asked.iter().any(|call| call.target == "/token") && asked.len() >= 2, "{asked:?}");
    let asked =
        asked.into_iter().map(|call| (call.headers, String::from_utf8_lossy(&call.body).into_owned()));
    let received = receiver.received().into_iter().map(|request| (request.headers, request.body));
    for (headers, body) in asked.chain(received) {
        assert!(!format!("{headers:?}{body}").contains(TRACE), "{headers:?}");
        assert!(!headers.contains_key("traceparent") && !headers.contains_key("tracestate"), "{headers:?}");
    }
    assert!(receiver.count() > 0);

    let spans = spans(&platform, &collector).await;
    let token = named(&spans, "POST /platform/v1/connections/{connection_id}/token");
    assert_eq!(token.len(), 1, "{spans:#?}");
    let token = token[0];
    assert_eq!((&token["traceId"], &token["parentSpanId"]), (&json!(TRACE), &json!(PARENT)));
    assert_eq!(
        (&token["kind"], attribute(token, "http.response.status_code")),
        (&json!(2), &json!({"intValue": "200"}))
    );
    // Its refresh asked the database and the provider.
    let children: Vec<_> = spans.iter().filter(|span| span["parentSpanId"] == token["spanId"]).collect();
    let of = |name: &str| children.iter().filter(|span| span["name"] == name).count();
    assert!(of("provider") == 1 && of("store.read") >= 2 && of("store.write") >= 1, "{children:#?}");
    let provider_span = children.iter().find(|span| span["name"] == "provider").unwrap();
    assert_eq!(attribute(provider_span, "connect.purpose"), &json!({"stringValue": "token"}));
    for span in &spans {
        let number = |name: &str| text(&span[name]).parse::<u128>().unwrap();
        assert!(number("startTimeUnixNano") <= number("endTimeUnixNano"), "{span}");
    }
    assert!(named(&spans, "PATCH /platform/v1/connections/{connection_id}").is_empty());
    assert_eq!(named(&spans, "GET /platform/v1/connect/{link}").len(), 1, "sampled by itself");

    let sent = format!("{spans:?}");
    let key_id = &platform.app.store.keys(&platform.tenant).await.unwrap()[0].id;
    let secrets = [&platform.key, key_id, &platform.tenant, &id, &secret, &token_of_link, ALICE];
    for word in ["canary", "conn_", "acme.example"].into_iter().chain(secrets.map(AsRef::as_ref)) {
        assert!(!sent.contains(word), "{word:.20}\n{sent}");
    }
}

/// It takes connections and never answers.
#[tokio::test]
async fn a_collector_that_hangs_loses_spans_and_no_request() {
    let provider = Api::start().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let platform = start(&format!("http://{}", listener.local_addr().unwrap()), &provider).await;
    let id = platform.connected().await;
    let mut slowest = Duration::ZERO;
    let dropped = async || {
        let scraped = Call::new(metrics::router(platform.app.clone()), "GET", "//metrics").send().await.text;
        let dropped =
            scraped.lines().find_map(|line| line.strip_prefix("connect_trace_spans_dropped_total "));
        dropped.unwrap().parse::<u64>().unwrap()
    };
    // More than the queue has room for.
    for _ in 0..3000 {
        let started = Instant::now();
        platform.token(&id).await;
        slowest = slowest.max(started.elapsed());
    }
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    assert_eq!(platform.status(&id).await, "active");
    assert!(dropped().await > 0);
    // Nor does it keep the service from ending.
    platform.app.ending.cancel();
    platform.app.closing.cancel();
    platform.app.tasks.close();
    tokio::time::timeout(Duration::from_secs(20), platform.app.tasks.wait()).await.expect("it ends");
}
