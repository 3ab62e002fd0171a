//! SIGTERM: what is in flight is answered, no connection is refused, then the process ends with success.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use connect_tests::browser::plain_http;
use connect_tests::provider::{Mode, Options};
use connect_tests::service_process::{Home, Service, Settings};
use futures_util::stream::{self, StreamExt as _};
use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::limits::connect;
use crate::support::{OAUTH_APP, Stage, answer, outlive};

#[tokio::test]
async fn a_refresh_in_flight_is_finished_and_saved() {
    let lifetime = Duration::from_secs(4);
    let stage = Stage::with(Options { lifetime, ..Options::default() }).await;
    let id = stage.connected().await;
    outlive(lifetime).await;
    stage.provider.set_mode(Mode::Slow(Duration::from_millis(1500)));
    let raw = stage.raw();
    let in_flight = {
        let id = id.clone();
        tokio::spawn(async move { raw.token(&id).await })
    };
    while stage.provider.counts().refreshes == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    stage.service.ask_to_end().unwrap();
    let answer = in_flight.await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    let Stage { provider, home, service, key } = stage;
    assert!(service.ended().await.unwrap().success());

    provider.set_mode(Mode::Normal);
    let stage = Stage { service: home.start().await.unwrap(), provider, home, key };
    outlive(lifetime).await;
    assert_eq!(stage.raw().token(&id).await.status, 200);
    assert_eq!(stage.provider.counts().reuses, 0, "the rotated token was saved");
}

#[tokio::test]
async fn a_long_poll_does_not_delay_the_end() {
    let stage = Stage::start().await;
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let path = format!("/connections/{}", link.connection_id);
    let poll = stage.raw().request(Method::GET, &path).header("prefer", "wait=60");
    let poll = tokio::spawn(answer(poll));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!poll.is_finished());

    stage.service.ask_to_end().unwrap();
    let answer = poll.await.unwrap();
    assert_eq!((answer.status, answer.data()["status"].as_str()), (200, Some("pending")), "{}", answer.text);
    assert!(stage.service.ended().await.unwrap().success());
}

/// A pipe of 64 KiB takes some 250 lines; whoever writes more would wait for ever.
#[tokio::test]
async fn a_log_that_nobody_reads_stops_nothing() {
    const REQUESTS: usize = 2000;
    let home = Home::new(&Settings::default()).unwrap();
    let service = home.start_with_stalled_log().await.unwrap();
    let http = plain_http().timeout(Duration::from_secs(60)).build().unwrap();
    let apps = format!("{}/apps", service.base_url());
    let statuses = stream::iter(0..REQUESTS)
        .map(|_| async { http.get(&apps).send().await.map(|response| response.status().as_u16()) })
        .buffer_unordered(8);
    let answered = statuses.take_while(|status| std::future::ready(matches!(status, Ok(401))));
    assert_eq!(answered.count().await, REQUESTS);
    service.ask_to_end().unwrap();
    assert!(service.ended().await.unwrap().success());
}

/// Raw bytes on a new connection; gives all that comes back until the service closes it.
async fn exchange(service: &Service, bytes: &str) -> String {
    let mut stream = connect(service).await;
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

const READY: &str = "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n";

/// Reads one response that is not the connection's last.
async fn read_response(stream: &mut TcpStream) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while !text.contains('}') {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

#[tokio::test]
async fn a_service_that_ends_says_so_before_it_closes() {
    let settings = Settings { environment: vec![("CONNECT_DRAIN", "3600".into())], ..Settings::default() };
    let home = Home::new(&settings).unwrap();
    let service = home.start().await.unwrap();
    let (mut idle, mut fresh) = (connect(&service).await, connect(&service).await);
    for _ in 0..2 {
        idle.write_all(READY.as_bytes()).await.unwrap();
        let ready = read_response(&mut idle).await;
        assert!(ready.starts_with("HTTP/1.1 200") && !ready.contains("connection: close"), "{ready}");
    }

    service.ask_to_end().unwrap();
    while !exchange(&service, &READY.replace("host", "connection: close\r\nhost"))
        .await
        .starts_with("HTTP/1.1 503")
    {}
    // Connections that are open are served once more, new ones once.
    for stream in [&mut idle, &mut fresh] {
        stream.write_all(READY.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 503") && text.contains("connection: close"), "{text}");
    }
    let live = exchange(&service, &READY.replace("readyz", "livez")).await;
    assert!(live.starts_with("HTTP/1.1 200") && live.contains("connection: close"), "{live}");

    // Being asked a second time it waits no longer.
    service.ask_to_end().unwrap();
    assert!(service.ended().await.unwrap().success());
}

/// What stands before the processes: it sends new connections to those that say that they are ready.
struct Proxy {
    address: String,
    upstreams: [Upstream; 2],
    refused: AtomicUsize,
}

struct Upstream {
    address: String,
    ready: AtomicBool,
}

impl Proxy {
    async fn start(services: [&Service; 2]) -> Arc<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstreams = services.map(|service| Upstream {
            address: service.url().trim_start_matches("http://").to_owned(),
            ready: AtomicBool::new(true),
        });
        let proxy = Arc::new(Proxy {
            address: listener.local_addr().unwrap().to_string(),
            upstreams,
            refused: AtomicUsize::new(0),
        });
        tokio::spawn(proxy.clone().probe());
        tokio::spawn(proxy.clone().forward(listener));
        proxy
    }

    async fn probe(self: Arc<Self>) {
        let http = plain_http().pool_max_idle_per_host(0).build().unwrap();
        loop {
            for upstream in &self.upstreams {
                let response = http.get(format!("http://{}/readyz", upstream.address)).send().await;
                let ready = response.is_ok_and(|response| response.status().is_success());
                upstream.ready.store(ready, Ordering::SeqCst);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn forward(self: Arc<Self>, listener: TcpListener) {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let proxy = self.clone();
            tokio::spawn(async move {
                let upstream = proxy.upstreams.iter().find(|upstream| upstream.ready.load(Ordering::SeqCst));
                match TcpStream::connect(&upstream.unwrap().address).await {
                    Ok(mut server) => {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                    Err(_) => {
                        proxy.refused.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    }

    async fn until_ready(&self, index: usize, ready: bool) {
        while self.upstreams[index].ready.load(Ordering::SeqCst) != ready {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_rolling_restart_refuses_no_connection() {
    let settings = Settings { environment: vec![("CONNECT_DRAIN", "3600".into())], ..Settings::default() };
    let home = Home::new(&settings).unwrap();
    let other_home = Home::new(&settings).unwrap();
    let mut services = [home.start().await.unwrap(), other_home.start().await.unwrap()];
    let proxy = Proxy::start([&services[0], &services[1]]).await;

    let stopped = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (url, stopped) = (format!("http://{}/livez", proxy.address), stopped.clone());
            tokio::spawn(async move {
                // Some connections are kept, as a backend does, until they are told to close.
                let http = plain_http().build().unwrap();
                let mut answered = 0;
                while !stopped.load(Ordering::SeqCst) {
                    let response = http.get(&url).send().await.unwrap();
                    assert_eq!(response.status(), 200);
                    answered += 1;
                }
                answered
            })
        })
        .collect();

    for (index, home) in [&home, &other_home].into_iter().enumerate() {
        services[index].ask_to_end().unwrap();
        proxy.until_ready(index, false).await;
        // As if `drain` were over.
        services[index].ask_to_end().unwrap();
        let new = loop {
            match home.start().await {
                Ok(service) => break service,
                // Its predecessor still has the address.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        };
        let old = std::mem::replace(&mut services[index], new);
        assert!(old.ended().await.unwrap().success());
        proxy.until_ready(index, true).await;
    }
    stopped.store(true, Ordering::SeqCst);
    for client in clients {
        assert!(client.await.unwrap() > 0);
    }
    assert_eq!(proxy.refused.load(Ordering::SeqCst), 0);
}
