//! The program itself: what it refuses to start with, what it prints, and what it leaves behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;
use support::Home;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn no_new_key_is_made_for_a_database_that_has_one() {
    let home = Home::new();
    home.print(&["tenant", "create", "Acme"]);
    let key = home.path("connect.key");
    std::fs::rename(&key, home.path("kept.key")).unwrap();
    let error = home.fail(&mut home.command(&["tenant", "list"]));
    assert!(error.contains("connect.key is missing"), "{error}");
    assert!(!key.exists());

    std::fs::rename(home.path("kept.key"), &key).unwrap();
    assert!(home.print(&["tenant", "list"]).contains("Acme"));
}

#[test]
fn a_database_that_others_can_read_is_refused() {
    let home = Home::new();
    let database = home.path("connect.db");
    std::fs::write(&database, "").unwrap();
    std::fs::set_permissions(&database, PermissionsExt::from_mode(0o644)).unwrap();
    let error = home.fail(&mut home.command(&["tenant", "create", "Acme"]));
    assert!(error.contains("chmod 600 connect.db"), "{error}");
    assert_eq!(std::fs::metadata(&database).unwrap().len(), 0);

    std::fs::set_permissions(&database, PermissionsExt::from_mode(0o600)).unwrap();
    home.print(&["tenant", "create", "Acme"]);
    for file in std::fs::read_dir(&home.0).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn an_unknown_variable_is_named_and_its_value_is_not() {
    let home = Home::new();
    let mut command = home.command(&["tenant", "list"]);
    let error = home.fail(command.env("CONNECT_APP_GMAIL_CLIENTSECRET", "canary"));
    assert!(error.contains("CONNECT_APP_GMAIL_CLIENTSECRET") && !error.contains("canary"), "{error}");
    assert_eq!(std::fs::read_dir(&home.0).unwrap().count(), 0);
}

#[test]
fn an_mcp_url_is_an_address_that_works_or_none() {
    let home = Home::new();
    let tenant = home.print(&["tenant", "create", "Acme", "--email", "owner@acme.example"]);
    home.print(&["key", "create", "--tenant", &tenant]);
    let key = || home.json(&["key", "list", "--tenant", &tenant])[0].clone();
    let id = support::text(&key()["id"]);
    let id = id.as_str();
    let has_url = || key()["mcp_url"] == true;

    let error = home.fail(&mut home.command(&["key", "mcp-url", id]));
    assert!(error.contains("public_url"), "{error}");
    assert!(!has_url(), "nothing was minted");
    for (name, value, start) in [
        ("CONNECT_LISTEN", "0.0.0.0:8080", "http://127.0.0.1:8080/platform/v1/mcp/mcp_"),
        ("CONNECT_PUBLIC_URL", "https://a.example/", "https://a.example/platform/v1/mcp/mcp_"),
    ] {
        let output = home.command(&["key", "mcp-url", id]).env(name, value).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.starts_with(start), "{printed}");
    }
    assert!(has_url());
}

/// Linux gives what tells of a process that must not be dumped to root, whoever runs it.
#[cfg(target_os = "linux")]
#[test]
fn the_service_is_kept_out_of_core_dumps() {
    const NOBODY: u32 = 65534;
    let home = Home::new();
    let mut command = home.command(&["serve"]);
    let own = std::fs::metadata("/proc/self").unwrap().uid();
    if own == 0 {
        chown(&home.0, Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut service = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(service.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on "), "{line}");
    let about = std::fs::metadata(format!("/proc/{}/stat", service.0.id())).unwrap();
    assert_eq!(about.uid(), 0);
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_tenants_website_is_an_https_address() {
    let home = Home::new();
    let tenant = home.print(&["tenant", "create", "Acme"]);
    let website = || home.json(&["tenant", "list"])[0]["website_url"].clone();
    assert_eq!(website(), Value::Null);
    home.print(&["tenant", "website", &tenant, "https://app.example.com/start"]);
    assert_eq!(website(), "https://app.example.com/start");
    for url in ["http://app.example.com", "app.example.com", "https://127.0.0.1/", "javascript:alert(1)", ""]
    {
        let error = home.fail(&mut home.command(&["tenant", "website", &tenant, url]));
        assert!(error.contains("an https address"), "{error}");
    }
    let error =
        home.fail(&mut home.command(&["tenant", "website", "ten_unknown", "https://app.example.com"]));
    assert!(error.contains("there is no such tenant"), "{error}");
    assert_eq!(website(), "https://app.example.com/start");
    home.print(&["tenant", "website", &tenant]);
    assert_eq!(website(), Value::Null);
}
