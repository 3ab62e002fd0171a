//! The README's quickstart: it shows the very code of the example, and that runs against the service.

use std::path::PathBuf;
use std::process::Stdio;

use connect_tests::browser::Browser;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::support::{Stage, approve};

/// `<target>/<profile>/examples/quickstart`, which `cargo build --all-targets` puts beside the tests.
pub(crate) fn quickstart() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples/quickstart")
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let readme = include_str!("../../../README.md");
    let example = include_str!("../../../core/examples/quickstart.rs");
    let code = example.split_once("\n\n").unwrap().1;
    assert!(
        readme.contains(&format!("```rust\n{code}```")),
        "copy core/examples/quickstart.rs, from its first use on, into README.md"
    );
}

#[tokio::test]
async fn the_quickstart_connects_a_customer_and_gets_a_token() {
    let stage = Stage::start().await;
    let mut example = Command::new(quickstart())
        .env("PC_TENANT_KEY", &stage.key)
        .env("PC_BASE_URL", stage.service.base_url())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the example, built by `cargo build --all-targets`");
    let mut lines = BufReader::new(example.stdout.take().unwrap()).lines();

    let first = lines.next_line().await.unwrap().unwrap();
    let address = first.strip_prefix("open ").expect("the link");
    let link = serde_json::from_value(json!({
        "connection_id": "", "request_token": "", "request_link": address, "expires_at": "2026-01-01T00:00:00Z",
    }));
    approve(&Browser::new().unwrap(), &link.unwrap()).await;

    let last = lines.next_line().await.unwrap().unwrap();
    assert!(last.starts_with("an Authorization header of "), "{last}");
    assert!(example.wait().await.unwrap().success());
}
