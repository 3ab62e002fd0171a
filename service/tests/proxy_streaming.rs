//! Bodies of proxied calls, over real connections: streamed both ways, in constant memory, and ended with the caller.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::{Duration, Instant};

use connect_service::config::Config;
use connect_service::server;
use support::{Platform, Provider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Generous, for a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A service that listens, a connection, and the provider's API as a listener that nothing was written for.
struct Stage {
    api: TcpListener,
    platform: Platform,
    id: String,
    address: String,
}

impl Stage {
    async fn start() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(mut config: Config) -> Self {
        let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
        config.apps.insert("gmail".into(), Provider::start().await.registration());
        let url = format!("http://{}", api.local_addr().unwrap());
        let platform = Platform::with_apis(config, &url).await;
        let id = platform.authorised(None, Some(3600)).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(server::serve(platform.app.clone(), listener));
        Self { api, platform, id, address }
    }

    /// Begins a call, up to the end of its headers.
    async fn begin(&self, method: &str, header: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let head = format!(
            "{method} /platform/v1/connections/{}/proxy/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             x-user-email: {}\r\n{header}\r\n\r\n",
            self.id,
            self.platform.key,
            support::ALICE
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    /// What arrives at the provider, up to this text.
    async fn arrives(&self, text: &str) -> (TcpStream, String) {
        let (mut stream, _) = timeout(SOON, self.api.accept()).await.unwrap().unwrap();
        let seen = until(&mut stream, text).await;
        (stream, seen)
    }
}

/// What comes, up to this text.
async fn until(stream: &mut TcpStream, text: &str) -> String {
    let read = async {
        let (mut seen, mut buffer) = (String::new(), [0; 4096]);
        while !seen.contains(text) {
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "it ends without {text}: {seen}");
            seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        seen
    };
    timeout(SOON, read).await.unwrap_or_else(|_| panic!("{text} arrives"))
}

/// Waits until the other side has closed the connection.
async fn is_closed(stream: &mut TcpStream) {
    let closed = async {
        let mut buffer = [0; 4096];
        while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {}
    };
    timeout(SOON, closed).await.expect("the connection is closed");
}

#[tokio::test]
async fn each_part_passes_before_the_next_is_there() {
    let stage = Stage::start().await;
    let mut caller = stage.begin("POST", "transfer-encoding: chunked").await;
    caller.write_all(b"5\r\nfirst\r\n").await.unwrap();
    let (mut provider, seen) = stage.arrives("first").await;
    assert!(seen.to_lowercase().contains("transfer-encoding: chunked"), "{seen}");
    caller.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
    until(&mut provider, "0\r\n\r\n").await;

    provider.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n").await.unwrap();
    let seen = until(&mut caller, "one").await;
    assert!(seen.starts_with("HTTP/1.1 200") && seen.contains("x-connect-source: provider"), "{seen}");
    provider.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
    until(&mut caller, "two").await;
}

/// What comes after the response has begun is no header that takes too long.
#[tokio::test]
async fn a_provider_may_answer_before_the_request_has_ended() {
    let mut config = Config::default();
    config.limits.header_timeout = 1;
    let stage = Stage::with(config).await;
    let mut caller = stage.begin("POST", "transfer-encoding: chunked").await;
    caller.write_all(b"5\r\nfirst\r\n").await.unwrap();
    let (mut provider, _) = stage.arrives("first").await;
    provider.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n").await.unwrap();
    until(&mut caller, "one").await;
    caller.write_all(b"6\r\nsecond\r\n").await.unwrap();
    until(&mut provider, "second").await;
    // Twice as long as a header may take.
    tokio::time::sleep(Duration::from_secs(2)).await;
    caller.write_all(b"5\r\nthird\r\n0\r\n\r\n").await.unwrap();
    until(&mut provider, "0\r\n\r\n").await;
    provider.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
    until(&mut caller, "two").await;
}

/// What a provider did not read of one customer's request it takes for the beginning of the next on that connection, which
/// must not be another customer's.
#[tokio::test]
async fn no_call_follows_another_on_its_connection() {
    let stage = Stage::start().await;
    let swallowing = "GET /theirs HTTP/1.1\r\nx-swallowed: ";
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut caller = stage.begin("GET", &format!("content-length: {}", swallowing.len())).await;
        caller.write_all(swallowing.as_bytes()).await.unwrap();
        let (mut provider, _) = stage.arrives("\r\n\r\n").await;
        provider.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone").await.unwrap();
        until(&mut caller, "done").await;
        open.push(provider);
    }
}

#[tokio::test]
async fn the_length_of_a_large_body_is_told() {
    let stage = Stage::start().await;
    let mut caller = stage.begin("PUT", "content-length: 2000000\r\nexpect: 100-continue").await;
    until(&mut caller, "100 Continue").await;
    caller.write_all(b"begin").await.unwrap();
    let (_provider, seen) = stage.arrives("begin").await;
    assert!(seen.to_lowercase().contains("content-length: 2000000"), "{seen}");
}

#[tokio::test]
async fn a_caller_that_leaves_ends_the_providers_call() {
    let stage = Stage::start().await;
    // Before there is a response.
    let caller = stage.begin("GET", "accept: a").await;
    let (mut provider, _) = stage.arrives("\r\n\r\n").await;
    drop(caller);
    is_closed(&mut provider).await;
    // In the middle of one.
    let mut caller = stage.begin("GET", "accept: b").await;
    let (mut provider, _) = stage.arrives("\r\n\r\n").await;
    provider.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nbegin").await.unwrap();
    until(&mut caller, "begin").await;
    drop(caller);
    is_closed(&mut provider).await;
    // In the middle of a request.
    let mut caller = stage.begin("POST", "transfer-encoding: chunked").await;
    caller.write_all(b"5\r\nbegin\r\n").await.unwrap();
    let (mut provider, _) = stage.arrives("begin").await;
    drop(caller);
    is_closed(&mut provider).await;
    // And nothing of them is under way any more.
    let mut caller = stage.begin("GET", "accept: c").await;
    let (mut provider, _) = stage.arrives("\r\n\r\n").await;
    provider.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    until(&mut caller, "204").await;
}

/// It is a matter of milliseconds: nothing is waited for, neither a timeout nor the next byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_provider_sees_at_once_that_a_caller_left() {
    const CALLS: usize = 20;
    let stage = Stage::start().await;
    let mut times = Vec::new();
    for call in 0..CALLS {
        let mut caller = stage.begin("GET", "accept: a").await;
        let (mut provider, _) = stage.arrives("\r\n\r\n").await;
        // Half of them in the middle of a response.
        if call % 2 == 1 {
            provider.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nbegin").await.unwrap();
            until(&mut caller, "begin").await;
        }
        let left = Instant::now();
        drop(caller);
        is_closed(&mut provider).await;
        times.push(left.elapsed());
    }
    times.sort();
    let (median, longest) = (times[CALLS / 2], times[CALLS - 1]);
    println!(
        "a cancellation reaches the provider after {median:?} (median), {longest:?} (longest of {CALLS})"
    );
    // Of either half: a busy machine may delay one call, not that many.
    assert!(median < Duration::from_secs(2), "{times:?}");
}

#[tokio::test]
async fn a_response_that_breaks_off_breaks_off_for_the_caller() {
    let stage = Stage::start().await;
    let mut caller = stage.begin("GET", "accept: a").await;
    let (mut provider, _) = stage.arrives("\r\n\r\n").await;
    provider.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nbegin").await.unwrap();
    until(&mut caller, "begin").await;
    drop(provider);
    is_closed(&mut caller).await;
}
