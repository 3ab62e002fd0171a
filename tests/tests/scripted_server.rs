//! The scripted server must find fault: each test here plays a scenario wrongly, with sockets instead of an SDK,
//! and looks for the failure that this must cause.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use connect_tests::scripted::{http, load, server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A session that is played by hand.
struct Played {
    address: SocketAddr,
    task: Value,
}

/// One server for all tests, on a thread of its own: each test's runtime ends with the test.
static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = server::start(&load::folder()).await.unwrap();
            sender.send(server.common.address).unwrap();
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().unwrap()
});

async fn begin(id: &str) -> Played {
    begin_on(*SERVER, id).await
}

async fn begin_on(address: SocketAddr, id: &str) -> Played {
    let begin = json!({ "id": id, "language": "rust" });
    let task = http::call(address, "POST", "/sessions", &begin).await.unwrap();
    Played { address, task }
}

impl Played {
    /// The headers of a client that does everything right, and then `more`; `-name` leaves one out.
    fn head(&self, line: &str, more: &[&str]) -> String {
        let (method, target) = line.split_once(' ').unwrap();
        let key = self.task["client"]["apiKey"].as_str().unwrap();
        let mut headers = vec![
            format!("host: {}", self.address),
            format!("authorization: Bearer {key}"),
            "accept: application/json".to_owned(),
            "user-agent: pabbly-connect-rust/0.1.0".to_owned(),
        ];
        if target.starts_with("/connections") {
            headers.push("x-user-email: alice@example.com".to_owned());
        }
        if method == "POST" {
            headers.push("idempotency-key: 0123456789abcdef".to_owned());
            headers.push("content-length: 0".to_owned());
        }
        for header in more {
            match header.strip_prefix('-') {
                Some(name) => headers.retain(|header| !header.starts_with(name)),
                None => headers.push((*header).to_owned()),
            }
        }
        let session = &self.task["session"];
        format!("{method} /s/{session}{target} HTTP/1.1\r\n{}\r\n\r\n", headers.join("\r\n"))
    }

    /// Sends one request and gives all that comes back until the server closes or a moment has passed.
    async fn send(&self, line: &str, more: &[&str]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(self.head(line, more).as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_millis(150), stream.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn verdict(&self, report: Value) -> String {
        let path = format!("/sessions/{}/verdict", self.task["session"]);
        let verdict = http::call(self.address, "POST", &path, &report).await.unwrap();
        let failures: Vec<String> = serde_json::from_value(verdict["failures"].clone()).unwrap();
        failures.join("\n")
    }

    fn secret(&self) -> &str {
        self.task["client"]["apiKey"].as_str().unwrap()
    }
}

fn print(of: &str, text: &str) -> Value {
    json!({ "of": of, "form": "debug", "text": text })
}

/// A report of one step that ended well.
fn report(value: Value) -> Value {
    json!({ "outcomes": [{ "value": value }], "prints": [print("client", ""), print("App", "")] })
}

fn app() -> Value {
    json!({ "id": "gmail", "name": "Gmail" })
}

/// Plays `success-in-chunks` (getApp) with these headers and gives the verdict.
async fn get_app_with(line: &str, more: &[&str]) -> String {
    let played = begin("success-in-chunks").await;
    played.send(line, more).await;
    played.verdict(report(app())).await
}

#[tokio::test]
async fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(get_app_with("GET /apps/gmail", &[]).await, "");
}

#[tokio::test]
async fn wrong_requests_are_found() {
    for (line, more, failure) in [
        ("GET /apps/slack", &[][..], "expected `GET /apps/gmail`"),
        ("GET /apps/gmail?x=1", &[], "expected `GET /apps/gmail`"),
        ("PUT /apps/gmail", &[], "expected `GET /apps/gmail`"),
        ("GET /apps/gmail", &["-authorization"], "authorization: expected"),
        ("GET /apps/gmail", &["-authorization", "authorization: Bearer other"], "authorization: expected"),
        ("GET /apps/gmail", &["authorization: Bearer other"], "authorization: came 2 times"),
        ("GET /apps/gmail", &["-accept"], "accept: expected"),
        ("GET /apps/gmail", &["-user-agent", "user-agent: curl/8"], "user-agent: expected"),
        ("GET /apps/gmail", &["x-user-email: alice@example.com"], "x-user-email: expected null"),
        ("GET /apps/gmail", &["idempotency-key: 0123456789abcdef"], "only a POST has one"),
        ("GET /apps/gmail", &["cookie: sid=1"], "cookie: expected null"),
        ("GET /apps/gmail", &["prefer: wait=5"], "prefer: expected null"),
        ("GET /apps/gmail", &["x-request-token: rt_1"], "x-request-token: expected null"),
        ("GET /apps/gmail", &["content-length: 2\r\n\r\n{}"], "must have no body"),
    ] {
        let failures = get_app_with(line, more).await;
        assert!(failures.contains(failure), "{line} {more:?}: {failures}");
    }
}

#[tokio::test]
async fn missing_and_surplus_requests_are_found() {
    let played = begin("success-in-chunks").await;
    assert!(played.verdict(report(app())).await.contains("came 0 times"));
    let played = begin("success-in-chunks").await;
    played.send("GET /apps/gmail", &[]).await;
    played.send("GET /apps/gmail", &[]).await;
    assert!(
        played.verdict(report(app())).await.contains("request 2 (GET /apps/gmail): must not have been sent")
    );
}

#[tokio::test]
async fn wrong_outcomes_are_found() {
    let other = json!({ "id": "gmail", "name": "Other" });
    let error = json!({ "error": { "class": "TimeoutError" } });
    let prints = json!([print("client", ""), print("App", "")]);
    for (outcome, failure) in [
        (report(other), r#"value.name: expected "Gmail""#),
        (report(Value::Null), "value: expected"),
        (json!({ "outcomes": [error], "prints": prints }), "failed with"),
        (json!({ "outcomes": [{ "cancelled": true }], "prints": prints }), "must not have been cancelled"),
        (json!({ "outcomes": [], "prints": prints }), "0 outcomes for 1 steps"),
        (json!({ "refused": { "class": "X" }, "prints": prints }), "could not be made"),
        (json!({ "outcomes": [{ "value": app() }] }), "the client was not printed"),
        (
            json!({ "outcomes": [{ "value": app() }], "prints": [print("client", "")] }),
            "objects that were handed out",
        ),
    ] {
        let played = begin("success-in-chunks").await;
        played.send("GET /apps/gmail", &[]).await;
        let failures = played.verdict(outcome.clone()).await;
        assert!(failures.contains(failure), "{outcome}: {failures}");
    }
}

#[tokio::test]
async fn secrets_in_prints_are_found() {
    for of in ["client", "App", "log"] {
        let played = begin("success-in-chunks").await;
        played.send("GET /apps/gmail", &[]).await;
        let mut report = report(app());
        report["prints"].as_array_mut().unwrap().push(print(of, &format!("<{}>", played.secret())));
        assert!(played.verdict(report).await.contains(&format!("the debug form of {of} shows the key")));
    }
}

#[tokio::test]
async fn wrong_errors_are_found() {
    let right = json!({
        "class": "CapabilityDisabledError", "code": null, "status": 403, "attempts": 1, "message": "no",
        "response": { "status": 403, "headers": {}, "body": null },
    });
    for (member, value) in [
        ("", Value::Null),
        ("class", json!("TimeoutError")),
        ("code", json!("capability_disabled")),
        ("status", json!(404)),
        ("attempts", json!(2)),
        ("retryAfter", json!(1)),
        ("message", json!("")),
        ("response", Value::Null),
        ("connection", json!({ "id": "conn_1" })),
    ] {
        let played = begin("status-403-on-the-catalogue").await;
        played.send("GET /apps/gmail", &[]).await;
        let mut error = right.clone();
        if !member.is_empty() {
            error[member] = value;
        }
        let prints = json!([print("client", ""), print("error", "")]);
        let failures = played.verdict(json!({ "outcomes": [{ "error": error }], "prints": prints })).await;
        let expected = if member.is_empty() { String::new() } else { format!("error.{member}: expected") };
        assert!(
            failures.contains(&expected) && (!member.is_empty() || failures.is_empty()),
            "{member}: {failures}"
        );
    }
}

#[tokio::test]
async fn keys_of_posts_are_compared() {
    for (second, failure) in [
        (&[][..], ""),
        (&["-idempotency-key", "idempotency-key: fedcba9876543210"], "differs from that of attempt 1"),
        (&["-idempotency-key"], "idempotency-key: is missing"),
        (&["-idempotency-key", "idempotency-key: short"], "is not 16 to 255"),
    ] {
        let played = begin("503-then-200-on-getToken").await;
        played.send("POST /connections/conn_1/token", &[]).await;
        played.send("POST /connections/conn_1/token", second).await;
        let failures = played.verdict(json!({})).await;
        assert!(
            failures.contains(failure) && (!failure.is_empty() || !failures.contains("idempotency")),
            "{failures}"
        );
    }
    let played = begin("calls-do-not-share-their-idempotency-key").await;
    for _ in 0..6 {
        played.send("POST /connections/conn_1/token", &[]).await;
    }
    assert!(played.verdict(json!({})).await.contains("is that of another call"));
}

#[tokio::test]
async fn requests_too_soon_are_found() {
    let played = begin("retry-after-is-a-floor").await;
    played.send("GET /apps/gmail", &[]).await;
    played.send("GET /apps/gmail", &[]).await;
    assert!(played.verdict(json!({})).await.contains("ms after the answer before, expected 990 to any"));
}

#[tokio::test]
async fn a_request_that_is_not_given_up_is_found() {
    let played = begin("cancel-between-the-headers-and-the-body").await;
    let mut stream = TcpStream::connect(played.address).await.unwrap();
    stream.write_all(played.head("GET /apps/gmail", &[]).as_bytes()).await.unwrap();
    let moment = format!("/sessions/{}/moment?step=0", played.task["session"]);
    http::call(played.address, "GET", &moment, &Value::Null).await.unwrap();
    let report = json!({ "outcomes": [{ "cancelled": true }], "prints": [print("client", "")] });
    assert!(played.verdict(report).await.contains("still holds the connection"));
    drop(stream);
}

#[tokio::test]
async fn a_moment_is_told_when_it_has_come_and_not_before() {
    let played = begin("cancel-in-back-off").await;
    let moment = format!("/sessions/{}/moment?step=0", played.task["session"]);
    let told = http::call(played.address, "GET", &moment, &Value::Null);
    tokio::pin!(told);
    let early = tokio::time::timeout(Duration::from_millis(100), told.as_mut()).await;
    assert!(early.is_err());
    played.send("GET /apps/gmail", &[]).await;
    told.await.unwrap();
}

#[tokio::test]
async fn a_run_that_is_not_whole_is_found() {
    let server = server::start(&load::folder()).await.unwrap();
    let played = begin_on(server.common.address, "success-in-chunks").await;
    played.send("GET /apps/gmail", &[]).await;
    assert_eq!(played.verdict(report(app())).await, "");
    played.send("GET /apps/gmail", &[]).await;
    let ran = ["success-in-chunks", "get-app", "no-such-scenario"];
    let finish = json!({ "language": "rust", "ran": ran });
    let end = http::call(played.address, "POST", "/finish", &finish).await.unwrap();
    let failures = end["failures"].to_string();
    for failure in [
        "list-apps: did not run",
        "get-app: ran but was not judged",
        "no-such-scenario: is not in the index",
        "success-in-chunks: /apps/gmail came after the end",
    ] {
        assert!(failures.contains(failure), "{failure}");
    }
    assert!(end["text"].as_str().unwrap().starts_with("rust: 1 of "));
}

#[tokio::test]
async fn answers_go_wrong_as_they_are_told_to() {
    let body = |answer: &str| answer.split_once("\r\n\r\n").map(|(_, body)| body.len()).unwrap_or_default();
    let played = begin("body-cut-short-by-close").await;
    let answer = played.send("POST /connections/conn_1/token", &[]).await;
    assert_eq!(body(&answer), 90, "{answer}");
    assert!(answer.contains("Content-Length: 1"), "{answer}");
    let played = begin("connection-reset-without-an-answer").await;
    let mut stream = TcpStream::connect(played.address).await.unwrap();
    stream.write_all(played.head("GET /apps/gmail", &[]).as_bytes()).await.unwrap();
    let error = stream.read(&mut [0; 10]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let played = begin("answer-that-is-not-http").await;
    assert!(played.send("GET /apps/gmail", &[]).await.starts_with("SSH-"));
    let played = begin("success-in-chunks").await;
    assert!(played.send("GET /apps/gmail", &[]).await.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn what_is_done_unasked_is_done_before_it_has_settled() {
    let played = begin("late-408-idle").await;
    let mut stream = TcpStream::connect(played.address).await.unwrap();
    let head = played.head("GET /apps/gmail", &[]);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 9];
    stream.read_exact(&mut first).await.unwrap();
    let settled = format!("/sessions/{}/settled", played.task["session"]);
    http::call(played.address, "GET", &settled, &Value::Null).await.unwrap();
    let mut rest = vec![0; 64 << 10];
    let mut length = 0;
    // Nothing more has to be waited for, the end included.
    while let Ok(more) = stream.try_read(&mut rest[length..])
        && more > 0
    {
        length += more;
    }
    let rest = String::from_utf8_lossy(&rest[..length]);
    assert!(rest.contains("HTTP/1.1 408 "), "{rest}");
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_race_ends_with_success_or_with_the_error_that_it_names() {
    let id = "close-1-ms-after-each-response-without-a-pause";
    for (error, found) in [
        (json!({ "class": "NetworkError", "code": "network_error", "attempts": 1, "message": "x" }), ""),
        (
            json!({ "class": "TimeoutError", "code": "timeout", "attempts": 1, "message": "x" }),
            "TimeoutError",
        ),
    ] {
        let played = begin(id).await;
        // None of the requests comes, and none has to.
        let outcome = json!({ "error": error });
        let prints: Vec<Value> = (0..4).map(|_| print("error", "")).chain([print("client", "")]).collect();
        let verdict = played
            .verdict(json!({ "outcomes": [outcome, outcome, outcome, outcome], "prints": prints }))
            .await;
        assert!(if found.is_empty() { verdict.is_empty() } else { verdict.contains(found) }, "{verdict}");
    }
    let played = begin(id).await;
    let request = "POST /connections/conn_2/token";
    played.send(request, &[]).await;
    played.send(request, &[]).await;
    let verdict = played.verdict(json!({})).await;
    assert!(verdict.contains("request 2 (POST /connections/conn_2/token): expected"), "{verdict}");
}
