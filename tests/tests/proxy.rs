//! `customer.proxy()`: what is sent, what comes back, and what is sent again. Of the Rust SDK alone so far.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream;
use pabbly_connect::{Client, ClientEvent, Customer, ErrorKind, ProxyBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Generous, for a busy machine.
const SOON: Duration = Duration::from_secs(20);

#[derive(Clone, Debug)]
struct Seen {
    method: String,
    target: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

type Reply = dyn Fn(usize) -> Response + Send + Sync;

/// A platform that answers its calls so, by their number, counted from 1.
async fn platform(
    reply: impl Fn(usize) -> Response + Send + Sync + 'static,
) -> (Customer, Arc<Mutex<Vec<Seen>>>) {
    let (seen, reply): (Arc<Mutex<Vec<Seen>>>, Arc<Reply>) = (Arc::default(), Arc::new(reply));
    let noted = seen.clone();
    let router = Router::new().fallback(move |request: Request| {
        let (noted, reply) = (noted.clone(), reply.clone());
        async move {
            let (parts, body) = request.into_parts();
            let one = Seen {
                method: parts.method.to_string(),
                target: parts.uri.to_string(),
                headers: parts.headers,
                body: to_bytes(body, usize::MAX).await.expect("a body").to_vec(),
            };
            let number = {
                let mut noted = noted.lock().expect("no panic");
                noted.push(one);
                noted.len()
            };
            reply(number)
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let customer = customer(&format!("http://{}/platform/v1", listener.local_addr().expect("its address")));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    (customer, seen)
}

fn customer(base_url: &str) -> Customer {
    let client = Client::builder().api_key("pk_live_canary").base_url(base_url);
    let client = client.backoff(Duration::from_millis(1)).build().expect("a client");
    client.customer("alice@example.com").expect("an email")
}

fn by_provider(status: u16, body: impl Into<Body>) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("x-connect-source", "provider")], body.into()).into_response()
}

fn by_platform(status: u16, code: &str) -> Response {
    let body = format!(r#"{{"status":"error","message":"No.","data":{{"code":"{code}"}}}}"#);
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("x-connect-source", "platform"), ("content-type", "application/json")], body).into_response()
}

#[tokio::test]
async fn a_call_is_sent_as_it_is_given() {
    let (alice, seen) = platform(|_| by_provider(201, r#"{"id":1}"#)).await;
    let call = alice.proxy("conn 1", "PUT", "/crm/a%2Fb?x=1").query("q", "a&b").header("X-Api-Version", "2");
    let response = call.json(&serde_json::json!({"a": 1})).await.expect("a response");
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["x-connect-source"], "provider");
    let body: serde_json::Value = response.into_body().json().await.expect("JSON");
    assert_eq!(body["id"], 1);

    let seen = seen.lock().expect("no panic")[0].clone();
    assert_eq!(seen.method, "PUT");
    assert_eq!(seen.target, "/platform/v1/connections/conn%201/proxy/crm/a%2Fb?x=1&q=a%26b");
    assert_eq!(seen.body, br#"{"a":1}"#);
    let header = |name: &str| seen.headers[name].to_str().expect("text").to_owned();
    assert_eq!(
        (header("authorization"), header("x-user-email")),
        ("Bearer pk_live_canary".into(), "alice@example.com".into())
    );
    assert_eq!((header("x-api-version"), header("content-type")), ("2".into(), "application/json".into()));
    assert!(!seen.headers.contains_key("idempotency-key"), "that would be a header of the provider's");
    assert_ne!(header("accept"), "application/json");
}

/// None of these is an error, is sent again, or slows anything else down.
#[tokio::test]
async fn what_the_provider_answers_is_given_back() {
    for status in [204, 302, 401, 403, 404, 409, 429, 500, 503] {
        let (alice, seen) = platform(move |number| match number {
            1 => by_provider(status, ""),
            _ => (StatusCode::OK, r#"{"status":"success","message":"","data":{"connections":[],"total":0,"page":1,"limit":20}}"#)
                .into_response(),
        })
        .await;
        let response = alice.proxy("c", "GET", "x").await.expect("a response");
        assert_eq!(response.status(), status);
        assert!(response.into_body().bytes().await.expect("a body").is_empty());
        timeout(SOON, alice.list_connections().into_future()).await.expect("at once").expect("a list");
        assert_eq!(seen.lock().expect("no panic").len(), 2, "{status}");
    }
}

#[tokio::test]
async fn what_the_platform_answers_is_an_error() {
    for (status, code, kind) in [
        (401, "needs_reconnection", ErrorKind::NeedsReconnection),
        (401, "invalid_api_key", ErrorKind::Authentication),
        (403, "capability_disabled", ErrorKind::CapabilityDisabled),
        (404, "connection_deleted", ErrorKind::ConnectionDeleted),
        (429, "rate_limited", ErrorKind::RateLimited),
        (502, "provider_no_response", ErrorKind::Other),
        (504, "provider_timeout", ErrorKind::Other),
    ] {
        let (alice, seen) = platform(move |_| by_platform(status, code)).await;
        let error = alice.proxy("c", "GET", "x").await.expect_err(code);
        assert_eq!((error.kind(), error.status(), error.code()), (kind, Some(status), Some(code)));
        assert_eq!(seen.lock().expect("no panic").len(), 1, "{code}");
    }
}

#[tokio::test]
async fn only_a_503_of_the_platform_is_sent_again() {
    let (alice, seen) = platform(|number| match number {
        1 | 2 => by_platform(503, "upstream_unavailable"),
        _ => by_provider(200, "done"),
    })
    .await;
    let response = alice.proxy("c", "POST", "x").body("again").await.expect("a response");
    assert_eq!(response.into_body().text().await.expect("a body"), "done");
    let seen = std::mem::take(&mut *seen.lock().expect("no panic"));
    assert_eq!(seen.iter().map(|one| one.body.as_slice()).collect::<Vec<_>>(), [b"again"; 3]);

    let (alice, seen) = platform(|_| by_platform(503, "upstream_unavailable")).await;
    let error = alice.proxy("c", "GET", "x").await.expect_err("a 503");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::UpstreamUnavailable, 3));
    let parts = stream::iter([Ok::<_, std::io::Error>("once")]);
    let error = alice.proxy("c", "POST", "x").body(ProxyBody::stream(parts)).await.expect_err("a 503");
    assert_eq!(error.attempts(), 1, "a stream is there once");
    let error = alice.proxy("c", "GET", "x").max_retries(0).await.expect_err("a 503");
    assert_eq!(error.attempts(), 1);
    assert_eq!(seen.lock().expect("no panic").len(), 5);

    // Whoever sent this: it does not say that the provider was not asked.
    let (alice, seen) = platform(|_| (StatusCode::SERVICE_UNAVAILABLE, "busy").into_response()).await;
    let error = alice.proxy("c", "GET", "x").await.expect_err("a 503");
    assert_eq!((error.status(), error.attempts(), seen.lock().expect("no panic").len()), (Some(503), 1, 1));
}

#[tokio::test]
async fn a_success_that_nobody_answers_for_is_an_error() {
    let (alice, _) = platform(|_| (StatusCode::OK, "canary-body").into_response()).await;
    let error = alice.proxy("c", "GET", "x").await.expect_err("not the provider's");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn bodies_are_streamed_both_ways() {
    let (alice, seen) = platform(|_| {
        let parts = stream::iter(["one", "two"].map(|part| Ok::<_, std::io::Error>(Bytes::from(part))));
        by_provider(200, Body::from_stream(parts))
    })
    .await;
    let parts = || stream::iter(["a", "bc"].map(Ok::<_, std::io::Error>));
    for (body, header) in [
        (ProxyBody::stream(parts()), "transfer-encoding"),
        (ProxyBody::sized_stream(3, parts()), "content-length"),
        (ProxyBody::from(b"abc".to_vec()), "content-length"),
    ] {
        let response = alice.proxy("c", "POST", "x").body(body).await.expect("a response");
        let mut body = response.into_body();
        let mut all = Vec::new();
        while let Some(part) = body.next().await {
            all.extend_from_slice(&part.expect("a part"));
        }
        assert_eq!(all, b"onetwo");
        let seen = std::mem::take(&mut *seen.lock().expect("no panic"));
        assert_eq!(seen[0].body, b"abc");
        assert!(seen[0].headers.contains_key(header), "{header}: {:?}", seen[0].headers);
    }
}

#[tokio::test]
async fn dropping_a_call_or_its_body_ends_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let alice = customer(&format!("http://{}", listener.local_addr().expect("its address")));
    for head in ["", "HTTP/1.1 200 OK\r\nx-connect-source: provider\r\ncontent-length: 99\r\n\r\nbegin"] {
        let call = tokio::spawn(alice.proxy("c", "GET", "x").into_future());
        let (mut stream, _) = timeout(SOON, listener.accept()).await.expect("soon").expect("a connection");
        assert_ne!(stream.read(&mut [0; 4096]).await.expect("a request"), 0);
        stream.write_all(head.as_bytes()).await.expect("it is written");
        if head.is_empty() {
            call.abort();
        } else {
            drop(call.await.expect("no panic").expect("a response"));
        }
        let ended = async { while matches!(stream.read(&mut [0; 4096]).await, Ok(read) if read > 0) {} };
        timeout(SOON, ended).await.expect("the connection ends");
    }
}

#[tokio::test]
async fn a_response_that_stops_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let alice = customer(&format!("http://{}", listener.local_addr().expect("its address")));
    for (stays, kind) in [(true, ErrorKind::Timeout), (false, ErrorKind::Network)] {
        let call = alice.proxy("c", "GET", "x").timeout(Duration::from_secs(2)).into_future();
        let served = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            assert_ne!(stream.read(&mut [0; 4096]).await.expect("a request"), 0);
            let head = "HTTP/1.1 200 OK\r\nx-connect-source: provider\r\ncontent-length: 99\r\n\r\nbegin";
            stream.write_all(head.as_bytes()).await.expect("it is written");
            stays.then_some(stream)
        };
        let (response, _stream) = timeout(SOON, async { tokio::join!(call, served) }).await.expect("soon");
        let error = timeout(SOON, response.expect("a response").into_body().bytes()).await.expect("soon");
        assert_eq!(error.expect_err("it stops").kind(), kind);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before() {
    let (alice, seen) = platform(|_| by_provider(200, "")).await;
    for call in [
        alice.proxy("", "GET", "x"),
        alice.proxy("a/b", "GET", "x"),
        alice.proxy("c", "GE T", "x"),
        alice.proxy("c", "GET", "../token"),
        alice.proxy("c", "GET", "%2e%2e/token"),
        alice.proxy("c", "GET", "https://evil.example/"),
        alice.proxy("c", "GET", "a\r\nb"),
        alice.proxy("c", "GET", "x").header("authorization", "Bearer other"),
        alice.proxy("c", "GET", "x").header("x-user-email", "bob@example.com"),
        alice.proxy("c", "GET", "x").header("x-a", "b\r\nx-user-email: bob@example.com"),
        alice.proxy("c", "GET", "x").timeout(Duration::ZERO),
    ] {
        assert_eq!(call.await.expect_err("refused").kind(), ErrorKind::InvalidArgument);
    }
    assert!(seen.lock().expect("no panic").is_empty());
}

/// The provider's path can name a person.
#[tokio::test]
async fn a_listener_is_told_nothing_of_the_providers_path() {
    let events: Arc<Mutex<Vec<ClientEvent>>> = Arc::default();
    let told = events.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("its address"));
    let client = Client::builder()
        .api_key("pk_live_canary")
        .base_url(&base_url)
        .on_event(move |event| told.lock().expect("no panic").push(event.clone()))
        .build()
        .expect("a client");
    let router = Router::new().fallback(async || by_provider(200, ""));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    let alice = client.customer("alice@example.com").expect("an email");
    alice.proxy("conn_1", "GET", "users/canary@example.com?q=canary").await.expect("a response");
    let events = events.lock().expect("no panic");
    assert_eq!(events.len(), 2);
    assert!(
        matches!(&events[0], ClientEvent::Request { call: "proxy", path, .. } if path == "/connections/conn_1/proxy")
    );
    assert!(matches!(&events[1], ClientEvent::Response { status: Some(200), .. }));
    assert!(!format!("{events:?}").contains("canary"));
}
