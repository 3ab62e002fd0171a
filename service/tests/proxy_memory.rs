//! A large body passes in constant memory. A program of its own, since it measures the whole process.
//! `PROXY_MEGABYTES=1024` makes it as large as that.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::config::Config;
use connect_service::server;
use support::{Platform, Provider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const MEGABYTE: usize = 1 << 20;

/// The most memory that this process has had, in megabytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

async fn write(stream: &mut TcpStream, megabytes: usize) {
    let chunk = vec![b'x'; MEGABYTE];
    for _ in 0..megabytes {
        stream.write_all(&chunk).await.unwrap();
    }
}

async fn read(stream: &mut TcpStream, megabytes: usize) {
    let (mut left, mut buffer) = (megabytes * MEGABYTE, vec![0; MEGABYTE]);
    while left > 0 {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "{left} bytes are missing");
        left -= read;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_passes_in_constant_memory() {
    let megabytes = std::env::var("PROXY_MEGABYTES").map_or(256, |text| text.parse().unwrap());
    let length = megabytes * MEGABYTE;
    let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config::default();
    config.apps.insert("gmail".into(), Provider::start().await.registration());
    let url = format!("http://{}", api.local_addr().unwrap());
    let platform = Platform::with_apis(config, &url).await;
    let id = platform.authorised(None, Some(3600)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    tokio::spawn(server::serve(platform.app.clone(), listener));
    let provider = tokio::spawn(async move {
        let (mut stream, _) = api.accept().await.unwrap();
        read_head(&mut stream).await;
        read(&mut stream, megabytes).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        write(&mut stream, megabytes).await;
        stream
    });

    let before = peak();
    let head = format!(
        "POST /platform/v1/connections/{id}/proxy/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         x-user-email: {}\r\ncontent-length: {length}\r\n\r\n",
        platform.key,
        support::ALICE
    );
    caller.write_all(head.as_bytes()).await.unwrap();
    write(&mut caller, megabytes).await;
    read_head(&mut caller).await;
    read(&mut caller, megabytes).await;
    provider.await.unwrap();
    let grown = peak() - before;
    println!("{megabytes} MB up and down: {grown} MB more than before");
    assert!(grown < 48, "{grown} MB");
}
