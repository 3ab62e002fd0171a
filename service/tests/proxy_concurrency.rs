//! A thousand proxied calls at once, over real connections: all are under way before the first gets its response.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::{Duration, Instant};

use connect_service::config::Config;
use connect_service::server;
use support::{Api, Platform, Provider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

const CALLS: usize = 1000;
/// Generous, for a busy machine.
const SOON: Duration = Duration::from_secs(120);

/// Sends a request and reads its response up to the end of the connection.
async fn call(address: String, request: String) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_once_get_their_responses() {
    // Each call takes four: two for the caller's connection, two for the provider's, all in this process.
    server::raise_file_limit();
    let api = Api::start().await;
    api.will(|seen| seen.target.clone());
    let mut config = Config::default();
    config.apps.insert("gmail".into(), Provider::start().await.registration());
    config.budgets.proxy = 10_000;
    config.limits.max_connections = Some(4 * CALLS);
    config.limits.max_proxied_calls_per_connection = CALLS;
    let platform = Platform::with_apis(config, &api.url).await;
    let id = platform.authorised(None, Some(3600)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(server::serve(platform.app.clone(), listener));
    let request = |number: usize| {
        format!(
            "GET /platform/v1/connections/{id}/proxy/call/{number} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             x-user-email: {}\r\nconnection: close\r\n\r\n",
            platform.key,
            support::ALICE
        )
    };

    api.hold();
    let (mut calls, start) = (JoinSet::new(), Instant::now());
    for number in 0..CALLS {
        let (address, request) = (address.clone(), request(number));
        calls.spawn(async move { (number, call(address, request).await) });
        // None of them ends. So many at a time reach the provider in time on a busy machine, too.
        if (number + 1) % 20 == 0 {
            tokio::select! {
                () = api.has_seen(number + 1) => (),
                early = calls.join_next() => panic!("a response before the provider's: {early:?}"),
            }
        }
    }
    let under_way = start.elapsed();

    // One more is too many, and says so instead of waiting.
    let refused = timeout(SOON, call(address.clone(), request(CALLS))).await.unwrap();
    assert!(
        refused.starts_with("HTTP/1.1 429 ") && refused.contains("x-connect-source: platform"),
        "{refused}"
    );

    api.release();
    let mut answered = 0;
    while let Some(done) = timeout(SOON, calls.join_next()).await.expect("all calls are answered") {
        let (number, response) = done.unwrap();
        assert!(response.starts_with("HTTP/1.1 200 "), "{number}: {response}");
        assert!(response.ends_with(&format!("/call/{number}")), "the response of another call: {response}");
        answered += 1;
    }
    println!(
        "{answered} calls at once: all under way after {under_way:?}, answered after {:?}",
        start.elapsed()
    );
    assert_eq!((answered, api.seen().len()), (CALLS, CALLS));
    // Nothing of them is under way any more.
    let after = timeout(SOON, call(address, request(0))).await.unwrap();
    assert!(after.starts_with("HTTP/1.1 200 "), "{after}");
}
