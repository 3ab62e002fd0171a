//! What takes two connections at once, which a scenario does not have.

use std::future::IntoFuture;
use std::time::Duration;

use connect_tests::scripted::http;
use pabbly_connect::{Client, ConnectionStatus};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Generous, for a busy machine.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_cancelled_wait_stops_its_poll_while_another_goes_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, mut told) = mpsc::unbounded_channel();
    let (release, released) = oneshot::channel();

    // A service that holds every answer: that for conn_2 until it is released, the other for ever.
    tokio::spawn(async move {
        let mut released = Some(released);
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = Vec::new();
            let request = http::read_request(&mut stream, &mut buffer)
                .await
                .unwrap()
                .unwrap();
            let id = request.target.rsplit('/').next().unwrap_or_default().to_owned();
            tell.send(format!("{id} came")).unwrap();
            let tell = tell.clone();
            if id == "conn_1" {
                tokio::spawn(async move {
                    let closed = !matches!(stream.read(&mut [0; 1]).await, Ok(1..));
                    tell.send(format!("{id} closed: {closed}")).unwrap();
                });
            } else if let Some(released) = released.take() {
                tokio::spawn(async move {
                    released.await.unwrap();
                    let answer = json!({ "data": { "id": id, "status": "active" } });
                    http::write_json(&mut stream, 200, &answer).await.unwrap();
                });
            }
        }
    });

    let client = Client::builder()
        .api_key("pk_live_test")
        .base_url(base_url)
        .build()
        .unwrap();
    let alice = client.customer("alice@example.com").unwrap();
    let second = tokio::spawn(alice.wait_for_connection("conn_2").into_future());
    assert_eq!(timeout(SOON, told.recv()).await.unwrap().unwrap(), "conn_2 came");
    let first = tokio::spawn(alice.wait_for_connection("conn_1").into_future());
    assert_eq!(timeout(SOON, told.recv()).await.unwrap().unwrap(), "conn_1 came");

    first.abort();
    assert_eq!(
        timeout(SOON, told.recv()).await.unwrap().unwrap(),
        "conn_1 closed: true"
    );
    assert!(!second.is_finished());
    release.send(()).unwrap();
    let connection = timeout(SOON, second).await.unwrap().unwrap().unwrap();
    assert_eq!(connection.status, ConnectionStatus::Active);
    assert!(told.try_recv().is_err(), "nothing more was sent");
}
