//! What clients may use of one process: connections, time and room for headers, memory.

use std::time::Duration;

use connect_tests::provider::Options;
use connect_tests::service_process::{Home, Service, Settings};
use futures_util::future::join_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{OAUTH_APP, Raw, Stage};

fn settings(limits: &[(&'static str, u32)]) -> Settings {
    Settings {
        environment: limits.iter().map(|(name, value)| (*name, value.to_string())).collect(),
        ..Settings::default()
    }
}

async fn started(limits: &[(&'static str, u32)]) -> (Home, Service) {
    let home = Home::new(&settings(limits)).unwrap();
    let service = home.start().await.unwrap();
    (home, service)
}

/// A connection with nothing sent yet.
pub(crate) async fn connect(service: &Service) -> TcpStream {
    let address = service.url().trim_start_matches("http://");
    TcpStream::connect(address).await.unwrap()
}

/// All that comes until the service closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset closes it as well.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

async fn exchange(service: &Service, path: &str) -> String {
    let mut stream = connect(service).await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    // The service may have closed it already.
    let _ = stream.write_all(request.as_bytes()).await;
    rest(&mut stream).await
}

/// The test ends by itself only if the service closes all of them.
#[tokio::test]
async fn half_sent_headers_are_closed_and_idle_ones_stay() {
    let (_home, service) = started(&[("CONNECT_LIMITS_HEADER_TIMEOUT", 1)]).await;
    let mut idle = connect(&service).await;
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut buffer = [0; 4096];
    assert_ne!(idle.read(&mut buffer).await.unwrap(), 0);

    let slow = (0..100).map(|number| {
        let service = &service;
        async move {
            let mut stream = connect(service).await;
            // Some say nothing at all, some a request first, and some never stop sending.
            match number % 4 {
                0 => {}
                1 => stream.write_all(b"GET /livez HTTP/1.1\r\nx-slow: ").await.unwrap(),
                2 => {
                    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
                    let mut buffer = [0; 4096];
                    assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
                    stream.write_all(b"GET").await.unwrap();
                }
                _ => {
                    let (mut reader, mut writer) = stream.into_split();
                    let drip = async {
                        while writer.write_all(b"G").await.is_ok() {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                    };
                    let mut bytes = Vec::new();
                    let read = async {
                        let _ = reader.read_to_end(&mut bytes).await;
                    };
                    tokio::join!(drip, read);
                    return String::from_utf8(bytes).unwrap();
                }
            }
            rest(&mut stream).await
        }
    });
    let closed = tokio::time::timeout(Duration::from_secs(60), join_all(slow)).await;
    for answer in closed.expect("all are closed") {
        assert!(!answer.contains("200"), "{answer}");
    }

    // Between two requests a connection may wait for longer than a header may take.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(rest(&mut idle).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_the_end() {
    let (_home, service) = started(&[("CONNECT_LIMITS_IDLE_TIMEOUT", 1)]).await;
    let mut idle = connect(&service).await;
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(60), rest(&mut idle)).await;
    assert!(closed.unwrap().starts_with("HTTP/1.1 200"));
}

/// A client that goes on asking and never reads: once the buffers between are full, the service cannot write any more.
#[tokio::test]
async fn a_client_that_does_not_read_is_closed() {
    let (_home, service) = started(&[("CONNECT_LIMITS_WRITE_TIMEOUT", 1)]).await;
    let stream = connect(&service).await;
    let (reader, mut writer) = stream.into_split();
    let requests = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    let write = async { while writer.write_all(&requests).await.is_ok() {} };
    let closed = tokio::time::timeout(Duration::from_secs(60), write).await;
    assert!(closed.is_ok(), "the connection is still open");
    drop(reader);
}

#[tokio::test]
async fn a_header_that_is_too_large_is_a_431() {
    let (_home, service) = started(&[]).await;
    let mut stream = connect(&service).await;
    let head = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(16 * 1024));
    // It need not take all of it.
    let _ = stream.write_all(head.as_bytes()).await;
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 431"));
    let fits = format!("/livez?{}", "x".repeat(15 * 1024));
    assert!(exchange(&service, &fits).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_so() {
    let (_home, service) = started(&[("CONNECT_LIMITS_MAX_CONNECTIONS", 20)]).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut stream = connect(&service).await;
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut buffer = [0; 4096];
        assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
        open.push(stream);
    }
    let refused = exchange(&service, "/platform/v1/apps").await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    for part in ["retry-after: 1", "connection: close", "\"code\":\"upstream_unavailable\""] {
        assert!(refused.contains(part), "{refused}");
    }
    // A supervisor must not take it for dead.
    assert!(exchange(&service, "/livez").await.starts_with("HTTP/1.1 200"));

    // There is room again once somebody leaves.
    open.clear();
    while !exchange(&service, "/platform/v1/apps").await.starts_with("HTTP/1.1 401") {}
}

/// Memory that this process has, in KiB.
fn rss(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.id().unwrap())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Sends a long poll on a connection of its own.
async fn long_poll(stage: &Stage, id: &str) -> TcpStream {
    let mut stream = connect(&stage.service).await;
    let head = format!(
        "GET /platform/v1/connections/{id} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         x-user-email: alice@example.com\r\nprefer: wait=600\r\n\r\n",
        stage.key
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Several thousand over real sockets, without a query each: the statements that ran are in the log.
#[tokio::test]
async fn a_long_poll_takes_20_kib_at_most_and_no_query() {
    const POLLS: usize = 3000;
    const WARM_UP: usize = 500;
    // The other ends of the connections are here.
    let files = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: files.maximum, ..files };
    setrlimit(Resource::Nofile, raised).unwrap();
    let mut settings = settings(&[
        ("CONNECT_MAX_LONG_POLL", 600),
        ("CONNECT_LIMITS_MAX_CONNECTIONS", 8000),
        ("CONNECT_LIMITS_MAX_LONG_POLLS_PER_TENANT", 8000),
    ]);
    settings.log = Some("warn,connect_service::store=trace".into());
    let stage = Stage::with_settings(Options::default(), settings).await;
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let queries = || stage.home.logs().unwrap().matches("\"message\":\"query\"").count();

    // What comes with the first requests is not counted.
    let mut polls = Vec::new();
    for _ in 0..WARM_UP {
        polls.push(long_poll(&stage, &link.connection_id).await);
    }
    let reads = |log: &str| log.matches("FROM connections c JOIN links l").count();
    let all_read = async |count| {
        while reads(&stage.home.logs().unwrap()) < count {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    all_read(WARM_UP).await;
    let before = rss(&stage.service);
    for _ in 0..POLLS {
        polls.push(long_poll(&stage, &link.connection_id).await);
    }
    all_read(WARM_UP + POLLS).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let each = (rss(&stage.service) - before) * 1024 / POLLS as u64;
    eprintln!("{each} bytes for each long poll");

    // One look a second for all of them, and not thousands.
    let idle = queries();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(queries() - idle < 500, "{} queries in two seconds", queries() - idle);
    assert!(each <= 20 * 1024, "{each} bytes for each long poll");

    let raw = Raw::new(&stage.service, &stage.key);
    assert_eq!(raw.get("/apps").await.status, 200);
    stage.service.ask_to_end().unwrap();
    for mut poll in polls {
        let response = rest(&mut poll).await;
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    }
    assert!(stage.service.ended().await.unwrap().success());
}

/// The operators' page, as a proxy would read it.
#[test]
fn nginx_takes_the_example_of_the_documentation() {
    let page = include_str!("../../../docs/operators.md");
    let (_, rest) = page.split_once("```nginx\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let key = rcgen::generate_simple_self_signed(["connect.example.com".to_owned()]).unwrap();
    std::fs::write(path("cert.pem"), key.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), key.signing_key.serialize_pem()).unwrap();
    let config = format!(
        "error_log stderr;\npid {};\nevents {{}}\nhttp {{\naccess_log off;\nssl_certificate {};\nssl_certificate_key {};\n{}\n}}\n",
        path("nginx.pid"),
        path("cert.pem"),
        path("key.pem"),
        example.replace("/var/log/nginx/error.log", &path("error.log")),
    );
    std::fs::write(path("nginx.conf"), config).unwrap();
    let mut nginx = std::process::Command::new("nginx");
    nginx.arg("-t").arg("-p").arg(folder.path()).arg("-c").arg(path("nginx.conf"));
    // Debian has it where only root looks.
    let search = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    let output = nginx.env("PATH", search).output();
    let output = output.expect("nginx is installed (scripts/nginx)");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("[warn]"), "{said}");
}
