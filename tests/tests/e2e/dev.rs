//! `connect-service dev` as a newcomer uses it: the quickstart unchanged, and consent on the provider's page.

use std::io::Write as _;
use std::process::Stdio;

use connect_tests::browser::Browser;
use connect_tests::service_process::binary;
use pabbly_connect::testing::{Emulator, EmulatorError, EmulatorOptions};
use pabbly_connect::{Client, ConnectionStatus, Error};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::quickstart::quickstart;
use crate::support::to_provider;

fn start(args: &[&str]) -> Result<Emulator, EmulatorError> {
    let args = args.iter().map(|&arg| arg.to_owned()).collect();
    Emulator::start_with(EmulatorOptions { binary: Some(binary().unwrap()), args })
}

#[tokio::test]
async fn the_quickstart_runs_unchanged_against_dev() {
    let dev = start(&[]).unwrap();
    let mut example = Command::new(quickstart())
        .envs(dev.env())
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
    let dev = start(&[]).unwrap();
    let client = Client::builder().api_key(dev.tenant_key()).base_url(dev.base_url()).build().unwrap();
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

#[tokio::test]
async fn the_emulator_is_steered_and_leaves_nothing() {
    let dev = start(&["--seed"]).unwrap();
    let client = Client::builder().api_key(dev.tenant_key()).base_url(dev.base_url()).build().unwrap();
    let alice = client.customer("alice@example.com").unwrap();
    let link = alice.create_request_link("gmail", "Work Gmail").await.unwrap();
    assert_eq!(dev.ctl(&["connect", &link.request_link]).unwrap()["status"], "active");
    dev.ctl(&["revoke", &link.connection_id]).unwrap();
    let revoked = alice.get_token(&link.connection_id).await;
    assert!(matches!(revoked, Err(Error::NeedsReconnection(_))), "{revoked:?}");
    let refused = dev.ctl(&["expire", "conn_unknown"]).unwrap_err();
    assert!(refused.stderr().contains("There is no such connection"), "{refused}");
    assert!(refused.to_string().starts_with("connect-service dev ctl expire failed:\n"), "{refused}");

    let address = dev.base_url().trim_start_matches("http://").split('/').next().unwrap().to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    assert!(!format!("{dev:?}").contains("pk_test_"));
    drop(dev);
    assert!(std::net::TcpStream::connect(&address).is_err());
}

/// The commands of docs/dev.md, as somebody who has the program alone types them in.
#[tokio::test]
async fn the_page_leads_from_nothing_to_a_revoked_grant() {
    let page = include_str!("../../../docs/dev.md");
    let (_, section) = page.split_once("## From nothing to a revoked grant").unwrap();
    let (_, commands) = section.split_once("```sh\n").unwrap();
    let (commands, _) = commands.split_once("kill $!\n```").unwrap();
    let program = binary().unwrap();
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let folder = std::env::temp_dir().join(format!("connect-page-{}", connect_tests::random::text(8)));
    std::fs::create_dir(&folder).unwrap();
    // Waits for a line before the last command.
    let mut shell = std::process::Command::new("sh")
        .args(["-ec", &format!("{commands}read -r _; kill $!")])
        .current_dir(&folder)
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let printed = serde_json::Deserializer::from_reader(shell.stdout.take().unwrap());
    let printed = printed.into_iter::<serde_json::Value>().take(6);
    let printed: Vec<_> = printed.collect::<Result<_, _>>().unwrap();
    let [connected, first, _, second, _, revoked] = &printed[..] else { panic!("{printed:?}") };
    assert_eq!(connected["status"], "active");
    let tokens = [first, second].map(|response| response["data"]["access_token"].as_str().unwrap());
    assert_ne!(tokens[0], tokens[1]);
    assert_eq!(revoked["data"]["code"], "needs_reconnection");

    let exports = std::fs::read_to_string(folder.join("dev.env")).unwrap();
    let export = |name: &str| {
        let mut lines = exports.lines();
        lines.find_map(|line| line.strip_prefix(&format!("export {name}="))).unwrap().to_owned()
    };
    let client = Client::builder().api_key(export("PC_TENANT_KEY")).base_url(export("PC_BASE_URL"));
    let alice = client.build().unwrap().customer("alice@example.com").unwrap();
    let token = alice.get_token(connected["connection_id"].as_str().unwrap()).await;
    assert!(matches!(token, Err(Error::NeedsReconnection(_))), "{token:?}");

    shell.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(shell.wait().unwrap().success());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_emulator_that_does_not_start_says_why() {
    let error = start(&["--prot", "1"]).unwrap_err().to_string();
    assert!(
        error.contains("ended: exit status: 2:\n") && error.contains("unexpected argument '--prot'"),
        "{error}"
    );
    let options = EmulatorOptions { binary: Some("/nowhere/connect-service".into()), args: Vec::new() };
    let error = Emulator::start_with(options).unwrap_err();
    assert!(error.to_string().contains("no program /nowhere/connect-service: build it"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}
