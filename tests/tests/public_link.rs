//! What an app without a tenant key sends and understands; the scenarios are about clients that have one.

use std::time::Duration;

use connect_tests::scripted::http;
use pabbly_connect::{ConnectionStatus, ErrorKind, LinkPhase, LinkStatus, Operation, PublicLink, Submission};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Generous, for a busy machine.
const SOON: Duration = Duration::from_secs(20);

async fn service() -> (TcpListener, PublicLink) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let link = format!("http://{address}/platform/v1/connect/rl_canary?a=b");
    let link = PublicLink::new(&link, "rt_canary", "conn 1", Some("my-app/1.2")).expect("a link");
    (listener, link)
}

/// Asks once, and gets this answer.
async fn ask(answer: &str, hold: Duration) -> (http::Request, Result<LinkStatus, pabbly_connect::Error>) {
    let (listener, link) = service().await;
    let served = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let request = http::read_request(&mut stream, &mut Vec::new()).await;
        // The client may hang up before it has taken everything.
        let _ = stream.write_all(answer.as_bytes()).await;
        (request.expect("HTTP").expect("a request"), listener)
    };
    let ((request, _listener), status) =
        timeout(SOON, async { tokio::join!(served, link.status(hold)) }).await.expect("an end");
    (request, status)
}

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

const PENDING: &str = r#"{"status":"success","message":"","data":{"connection_id":"conn 1","status":"pending",
    "phase":"at_provider","operation":"reauth","expires_in":590}}"#;

#[tokio::test]
async fn it_sends_the_request_token_and_nothing_else_that_is_secret() {
    let (request, status) = ask(&answer("200 OK", PENDING), Duration::ZERO).await;
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("GET", "/platform/v1/connections/conn%201/status")
    );
    assert_eq!(request.all("x-request-token"), ["rt_canary"]);
    assert_eq!(request.header("accept"), Some("application/json"));
    assert!(request.header("user-agent").unwrap().starts_with("my-app/1.2 pabbly-connect-rust/"));
    let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "host", "user-agent", "x-request-token"]);

    let status = status.unwrap();
    assert_eq!(status.status, ConnectionStatus::Pending);
    assert_eq!(status.phase, Some(LinkPhase::AtProvider));
    assert_eq!(status.operation, Some(Operation::Reauth));
    assert_eq!(status.expires_in, Some(Duration::from_secs(591)));
}

#[tokio::test]
async fn it_asks_the_service_to_hold_the_answer() {
    let (request, _) = ask(&answer("200 OK", PENDING), Duration::from_millis(25_900)).await;
    assert_eq!(request.all("prefer"), ["wait=25"]);
}

#[tokio::test]
async fn every_refusal_has_its_case_and_none_quotes_the_answer() {
    let echo = r#"{"status":"error","message":"rt_canary","data":{"code":"rt_canary"}}"#;
    let cases = [
        ("404 Not Found", ErrorKind::ConnectionDeleted, None),
        ("429 Too Many Requests\r\nretry-after: 7", ErrorKind::RateLimited, Some(7)),
        ("503 Service Unavailable\r\nretry-after: 3", ErrorKind::UpstreamUnavailable, Some(3)),
        ("401 Unauthorized", ErrorKind::Other, None),
        ("500 Internal Server Error", ErrorKind::Other, None),
        ("302 Found\r\nlocation: http://127.0.0.1:1/rt_canary", ErrorKind::Other, None),
        ("200 OK", ErrorKind::Decode, None),
    ];
    for (head, kind, retry_after) in cases {
        let (_, status) = ask(&answer(head, echo), Duration::ZERO).await;
        let error = status.expect_err(head);
        assert_eq!(error.kind(), kind, "{head}");
        assert_eq!(error.retry_after(), retry_after.map(Duration::from_secs), "{head}");
        assert_eq!(error.status(), head[..3].parse().ok(), "{head}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{head}");
    }
}

/// What a proxy or firewall says of an address is not about the link.
#[tokio::test]
async fn a_proxys_404_does_not_end_the_link() {
    for body in ["<html>Not Found</html>", "", r#"{"message":"Not Found"}"#] {
        let (_, status) = ask(&answer("404 Not Found", body), Duration::ZERO).await;
        let error = status.expect_err(body);
        assert_eq!((error.kind(), error.status()), (ErrorKind::Other, Some(404)), "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_never_ends_is_an_error() {
    let broken = format!("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{PENDING}");
    let (_, status) = ask(&broken, Duration::ZERO).await;
    assert_eq!(status.unwrap_err().kind(), ErrorKind::Network);
    let huge = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 9 << 20);
    let (_, status) = ask(&huge, Duration::ZERO).await;
    assert_eq!(status.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn nobody_there_is_a_network_error() {
    let (listener, link) = service().await;
    drop(listener);
    let error = link.status(Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn dropping_the_question_closes_its_connection() {
    let (listener, link) = service().await;
    let question = tokio::spawn(async move { link.status(Duration::from_secs(50)).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    http::read_request(&mut stream, &mut Vec::new()).await.unwrap().unwrap();
    question.abort();
    let end = timeout(SOON, stream.read(&mut [0; 1])).await.unwrap();
    assert!(!matches!(end, Ok(1..)));
}

/// Sends a form with this secret in it, and gets this answer.
async fn submit(answer: &str, secret: &str) -> (http::Request, Result<Submission, pabbly_connect::Error>) {
    let (listener, link) = service().await;
    let served = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let request = http::read_request(&mut stream, &mut Vec::new()).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        request.expect("HTTP").expect("a request")
    };
    let submitted =
        link.submit_credentials(Some("sendgrid"), "api_key", [("api_key", secret), ("region", "eu")]);
    timeout(SOON, async { tokio::join!(served, submitted) }).await.expect("an end")
}

#[tokio::test]
async fn a_form_is_asked_for_and_sent_without_a_tenant_key() {
    let body = r#"{"status":"success","message":"","data":{"status":"pending","authorize_url":"https://a.example/c"}}"#;
    let (request, submission) = submit(&answer("200 OK", body), "secret-canary").await;
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/platform/v1/connections/conn%201/submit")
    );
    assert_eq!(request.all("x-request-token"), ["rt_canary"]);
    assert_eq!(request.header("authorization"), None);
    let sent: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let fields = serde_json::json!({"api_key": "secret-canary", "region": "eu"});
    assert_eq!(
        sent,
        serde_json::json!({"app_id": "sendgrid", "auth_option_key": "api_key", "fields": fields})
    );
    assert_eq!(submission.unwrap().authorize_url.as_deref(), Some("https://a.example/c"));

    let (listener, link) = service().await;
    let served = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let request = http::read_request(&mut stream, &mut Vec::new()).await;
        let body = r#"{"status":"success","message":"","data":{"auth_options":[{"key":"k","type":"saml","title":"T"}]}}"#;
        stream.write_all(answer("200 OK", body).as_bytes()).await.unwrap();
        request.expect("HTTP").expect("a request").target
    };
    let (target, options) =
        timeout(SOON, async { tokio::join!(served, link.list_auth_options()) }).await.unwrap();
    assert_eq!(target, "/platform/v1/connections/conn%201/auth-options");
    assert_eq!(options.unwrap().auth_options[0].auth_type.as_str(), "saml");
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_told_without_its_values() {
    let refusal = r#"{"status":"error","message":"secret-canary rt_canary","data":{"code":"invalid_request",
        "fields":{"api_key":"secret-canary of rt_canary is not accepted in eu."}}}"#;
    let error = submit(&answer("400 Bad Request", refusal), "secret-canary").await.1.unwrap_err();
    let fields = error.fields().unwrap();
    assert_eq!(fields["api_key"], "[redacted] of [redacted] is not accepted in eu.");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Other, Some("invalid_request")));
    assert!(!format!("{error} {error:?}").contains("canary"));

    let over =
        r#"{"status":"error","message":"","data":{"code":"connection_not_active","fields":{"a":"b"}}}"#;
    let error = submit(&answer("409 Conflict", over), "secret-canary").await.1.unwrap_err();
    assert_eq!((error.code(), error.fields()), (Some("connection_not_active"), None));
    // Not the service's own word.
    let error = submit(&answer("400 Bad Request", "<html>"), "secret-canary").await.1.unwrap_err();
    assert_eq!((error.code(), error.fields()), (None, None));
}
