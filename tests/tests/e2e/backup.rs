//! The operators' page on backups, word by word, on SQLite.

use connect_tests::service_process::binary;
use std::path::Path;
use tokio::process::Command;

use crate::support::{Raw, Stage};

const PAGE: &str = include_str!("../../../docs/operators.md");

/// The commands of the section, one text for each block.
fn blocks() -> Vec<&'static str> {
    let (_, section) = PAGE.split_once("## Back up\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    blocks.collect()
}

/// Runs a block as the page has it, in the installation's folder.
async fn run(block: &str, folder: &Path, elsewhere: &Path) {
    let programs =
        format!("{}:{}", binary().unwrap().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-euc", &block.replace("/somewhere/else/", &elsewhere.display().to_string())])
        .current_dir(folder)
        .env("PATH", programs)
        .env("CONNECT_CONFIG", "connect.toml")
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{block}\n{output:?}");
}

/// What was there when the backup was made works again, and what came later is gone.
#[tokio::test]
async fn a_backup_is_made_and_restored_as_the_page_says() {
    let stage = Stage::start().await;
    let (folder, elsewhere) = (stage.home.path(""), tempfile::tempdir().unwrap());
    let [backup, restore] = blocks().try_into().unwrap();
    let before = stage.connected().await;
    run(backup, &folder, elsewhere.path()).await;
    let after = stage.connected().await;
    assert_eq!(stage.raw().token(&after).await.status, 200);

    // The machine is lost: all that is left is the backup, and the key in its other place.
    let Stage { provider: _provider, home, service, key } = stage;
    service.kill().await.unwrap();
    std::fs::remove_file(home.path("connect.key")).unwrap();
    std::fs::copy(elsewhere.path().join("connect.key"), home.path("connect.key")).unwrap();
    std::fs::write(home.path("connect.db"), "").unwrap();
    run(restore, &folder, elsewhere.path()).await;
    let service = home.start().await.unwrap();
    let raw = Raw::new(&service, &key);
    assert_eq!(raw.token(&before).await.status, 200);
    raw.token(&after).await.assert_error(404, "connection_deleted");
}
