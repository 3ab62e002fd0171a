//! `connect-service events tail` and `connect-service listen`, as a developer runs them beside `connect-service dev`.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use sha2::Sha256;
use support::{folder, text};

/// A program of the command line, which ends with the test.
struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(home: &Path, arguments: &[&str], environment: &[(String, String)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_connect-service"))
            .args(arguments)
            .current_dir(home)
            .env_clear()
            .env("TMPDIR", home)
            .envs(environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `connect-service dev`, with the folder that holds it.
struct Dev {
    home: PathBuf,
    environment: Vec<(String, String)>,
    _program: Program,
}

impl Dev {
    fn start() -> Self {
        let home = folder();
        let mut program = Program::start(&home, &["dev", "--watch-stdin"], &[]);
        let mut environment = Vec::new();
        while environment.len() < 3 {
            let line = program.line();
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            environment.push((name.to_owned(), value.to_owned()));
        }
        Self { home, environment, _program: program }
    }

    fn run(&self, arguments: &[&str]) -> Program {
        Program::start(&self.home, arguments, &self.environment)
    }

    /// Gives its key a successor.
    async fn rotate_key(&self) {
        let value = |name: &str| &self.environment.iter().find(|(known, _)| known == name).unwrap().1;
        let url = format!("{}/keys/rotate", value("PC_BASE_URL"));
        let authorization = format!("Bearer {}", value("PC_TENANT_KEY"));
        let answer = http().post(url).header("authorization", authorization).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

fn http() -> reqwest::Client {
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}

/// What a program under development received.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<(HeaderMap, String)>>>);

impl Receiver {
    /// Starts it; gives its address. Every other request fails.
    async fn start(&self) -> String {
        async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
            let mut seen = receiver.0.lock().unwrap();
            seen.push((headers, body));
            if seen.len() % 2 == 1 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::NO_CONTENT }
        }
        let router = Router::new().route("/hook", post(receive)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}/hook")
    }
}

/// The signature that Standard Webhooks asks for.
fn signature(secret: &str, headers: &HeaderMap, body: &str) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    let code = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(signed).finalize();
    format!("v1,{}", STANDARD.encode(code.into_bytes()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listen_forwards_what_tail_prints_signed_and_until_it_is_taken() {
    let dev = Dev::start();
    dev.rotate_key().await;
    let mut tail = dev.run(&["events", "tail", "--after", "oldest"]);
    let printed = [tail.line(), tail.line()];
    let types: Vec<Value> =
        printed.iter().map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone()).collect();
    assert_eq!(types, ["key.created", "key.rotated"]);

    let receiver = Receiver::default();
    let hook = receiver.start().await;
    let mut listen = dev.run(&["listen", "--forward", &hook, "--after", "oldest"]);
    let secret = listen.line().strip_prefix("export PC_WEBHOOK_SECRET=").unwrap().to_owned();
    assert!(listen.line().contains(&hook));
    let said = [listen.line(), listen.line(), listen.line(), listen.line()];
    for (said, end) in said.iter().zip(["500, again in 1 s", "204", "500, again in 1 s", "204"]) {
        assert!(said.ends_with(end), "{said}");
    }
    let seen = receiver.0.lock().unwrap().clone();
    let bodies: Vec<&str> = seen.iter().map(|(_, body)| body.as_str()).collect();
    assert_eq!(bodies, [&printed[0], &printed[0], &printed[1], &printed[1]]);
    for (headers, body) in &seen {
        let event: Value = serde_json::from_str(body).unwrap();
        assert_eq!(headers["webhook-id"], text(&event["id"]));
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["webhook-signature"], signature(&secret, headers, body));
    }

    // What comes later is printed as it comes; a cursor and types choose.
    let cursor = text(&serde_json::from_str::<Value>(&printed[0]).unwrap()["cursor"]);
    let mut later = dev.run(&["events", "tail", "--after", &cursor, "--types", "key.revoked"]);
    dev.rotate_key().await;
    for tail in [&mut tail, &mut later] {
        let event: Value = serde_json::from_str(&tail.line()).unwrap();
        assert_eq!(event["type"], "key.revoked", "the successor that nobody used");
    }
}

#[test]
fn what_the_service_refuses_ends_the_command() {
    let dev = Dev::start();
    for arguments in [
        &["events", "tail", "--key", "pk_test_wrong"][..],
        &["events", "tail", "--types", "connection.exploded"],
        &["events", "tail", "--after", "cur_00000000000000ff"],
        &["listen", "--forward", "http://127.0.0.1:1/", "--secret", "whsec_%"],
        &["listen", "--forward", "http://127.0.0.1:1/", "--secret", "whsec_Y2hhbmdlbWU="],
    ] {
        let mut program = dev.run(arguments);
        assert!(program.lines.next().is_none(), "{arguments:?}");
        assert!(!program.child.wait().unwrap().success(), "{arguments:?}");
    }
}
