//! `connect-service dev` as a newcomer uses it: the quickstart unchanged, and consent on the provider's page.

use std::collections::HashMap;
use std::process::Stdio;

use connect_tests::browser::Browser;
use connect_tests::service_process::binary;
use pabbly_connect::{Client, ConnectionStatus};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::quickstart::quickstart;
use crate::support::to_provider;

struct Dev {
    exports: HashMap<String, String>,
    _child: Child,
    _stdout: Lines<BufReader<ChildStdout>>,
    /// Where it keeps what it cannot delete when it is killed.
    _folder: tempfile::TempDir,
}

impl Dev {
    /// Started with nothing of this environment.
    async fn start() -> Dev {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(binary().unwrap())
            .arg("dev")
            .env_clear()
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut exports = HashMap::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            let Some(export) = line.strip_prefix("export ") else {
                break;
            };
            let (name, value) = export.split_once('=').unwrap();
            exports.insert(name.to_owned(), value.to_owned());
        }
        Dev { exports, _child: child, _stdout: lines, _folder: folder }
    }
}

#[tokio::test]
async fn the_quickstart_runs_unchanged_against_dev() {
    let dev = Dev::start().await;
    let mut example = Command::new(quickstart())
        .envs(&dev.exports)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the example, built by `cargo build --all-targets`");
    let mut lines = BufReader::new(example.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    let browser = Browser::new().unwrap();
    let consent = to_provider(&browser, first.strip_prefix("open ").expect("the link")).await;
    assert!(consent.text().contains("Allow access to Gmail?"), "{}", consent.text());
    let done = browser.press(&consent, "Allow", &[]).await.unwrap();
    assert!(done.text().contains("Gmail is connected"), "{}", done.text());

    let last = lines.next_line().await.unwrap().unwrap();
    assert!(last.starts_with("an Authorization header of "), "{last}");
    assert!(example.wait().await.unwrap().success());
}

/// The policy of the provider's page lets its form end at whatever address the product has.
#[tokio::test]
async fn the_customer_of_dev_denies_and_comes_back() {
    let dev = Dev::start().await;
    let client = Client::builder()
        .api_key(&*dev.exports["PC_TENANT_KEY"])
        .base_url(&*dev.exports["PC_BASE_URL"])
        .build()
        .unwrap();
    let alice = client.customer("alice@example.com").unwrap();
    let link =
        alice.create_request_link("slack", "Team").return_url("https://product.example/done").await.unwrap();
    let browser = Browser::new().unwrap();
    let consent = to_provider(&browser, &link.request_link).await;
    let left = browser.press(&consent, "Deny", &[]).await.unwrap();
    assert!(left.left && left.url.as_str().starts_with("https://product.example/done?"), "{}", left.url);
    let connection = alice.get_connection(&link.connection_id).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Rejected);
}
