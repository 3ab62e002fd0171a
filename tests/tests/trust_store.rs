//! The operating system's trust store, in the place of Mozilla's roots. Linux reads it from `/etc/ssl/certs`, over which
//! a process in a mount namespace of its own lays a directory with another authority.

#![cfg(target_os = "linux")]

use std::process::{Command, Output};

use connect_tests::scripted::tls;
use pabbly_connect::{Client, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Where the server is; set in the process that has the other trust store.
const BASE: &str = "TRUST_STORE_BASE";

const APP: &str = r#"{"status":"success","message":"","data":{"id":"gmail","name":"Gmail"}}"#;

async fn call(base: &str, system_trust_store: bool) -> Result<String, pabbly_connect::Error> {
    let client = Client::builder()
        .api_key("pk_live_canary")
        .base_url(base)
        .system_trust_store(system_trust_store)
        .build()?;
    Ok(client.get_app("gmail").await?.id)
}

/// Serves the app to whoever trusts `tls`, until the test ends.
async fn serve(tls: tls::Tls) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("https://localhost:{}", listener.local_addr().expect("an address").port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = tls.acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let length = APP.len();
            let response =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{APP}");
            let _ = stream.write_all(response.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    base
}

/// Runs `name` of this program where `/etc/ssl/certs` is `directory` and nothing else names authorities.
async fn in_namespace(name: &'static str, directory: &std::path::Path, base: &str) -> Output {
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c"])
        .arg("mount --bind \"$0\" /etc/ssl/certs && exec \"$@\"")
        .arg(directory)
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(BASE, base)
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR");
    tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("no panic")
        .expect("unshare of util-linux")
}

#[tokio::test]
async fn the_system_s_trust_store_replaces_the_roots() {
    let tls = tls::make().expect("an authority");
    let directory = tempfile::tempdir().expect("a directory");
    // The name of Debian's bundle, which is looked for first.
    std::fs::write(directory.path().join("ca-certificates.crt"), &tls.ca_pem).expect("a file");
    let base = serve(tls).await;
    let output = in_namespace("in_the_namespace", directory.path(), &base).await;
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
}

#[tokio::test]
#[ignore = "run by the other test, in a mount namespace"]
async fn in_the_namespace() {
    let base = std::env::var(BASE).expect("started by the other test");
    assert_eq!(call(&base, true).await.expect("a trusted server"), "gmail");
    let error = call(&base, false).await.expect_err("Mozilla does not know it");
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
}
