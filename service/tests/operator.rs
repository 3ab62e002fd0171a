//! The commands that tell the operator how things are, and how all of them print.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::net::TcpListener;

use serde_json::{Value, json};
use support::{Home, text};

/// What `doctor` says about each check; it may fail as a whole.
fn doctor(home: &Home, environment: &[(&str, &str)]) -> Vec<Value> {
    let mut command = home.command(&["--json", "doctor"]);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let checks: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed = checks.iter().any(|check| check["verdict"] == "failed");
    assert_eq!(output.status.success(), !failed, "{checks:?}");
    checks
}

fn verdict(checks: &[Value], name: &str) -> String {
    let check = checks.iter().find(|check| check["check"] == name);
    text(&check.unwrap_or_else(|| panic!("no {name} in {checks:?}"))["verdict"])
}

#[test]
fn the_doctor_changes_nothing() {
    let home = Home::new();
    let checks = doctor(&home, &[]);
    for (name, expected) in
        [("public_url", "warning"), ("root key default", "warning"), ("database", "ok"), ("apps", "ok")]
    {
        assert_eq!(verdict(&checks, name), expected, "{checks:?}");
    }
    assert_eq!(std::fs::read_dir(&home.0).unwrap().count(), 0);

    home.print(&["tenant", "create", "Acme"]);
    let checks = doctor(&home, &[("CONNECT_PUBLIC_URL", "https://connect.example.com")]);
    for name in ["public_url", "root key default", "database", "apps"] {
        assert_eq!(verdict(&checks, name), "ok", "{checks:?}");
    }
}

#[test]
fn the_doctor_finds_what_keeps_the_service_from_starting() {
    let home = Home::new();
    home.print(&["tenant", "create", "Acme"]);
    std::fs::rename(home.path("connect.key"), home.path("kept.key")).unwrap();
    assert_eq!(verdict(&doctor(&home, &[]), "database"), "failed");
    let other = "//////////////////////////////////////////8=";
    assert_eq!(verdict(&doctor(&home, &[("CONNECT_ENCRYPTION_KEY", other)]), "database"), "failed");
    assert_eq!(verdict(&doctor(&home, &[("CONNECT_ENCRYPTION_KEY", "AAEC")]), "root key default"), "failed");
    std::fs::rename(home.path("kept.key"), home.path("connect.key")).unwrap();
    let nowhere = "postgres://connect:canary-password@127.0.0.1:1/connect";
    let checks = doctor(&home, &[("CONNECT_DATABASE_URL", nowhere)]);
    assert_eq!(verdict(&checks, "database"), "failed");
    assert!(!format!("{checks:?}").contains("canary-password"), "{checks:?}");
    let client = [("CONNECT_APP_NOSUCH_CLIENT_ID", "a"), ("CONNECT_APP_NOSUCH_CLIENT_SECRET", "canary")];
    assert_eq!(verdict(&doctor(&home, &client), "apps"), "failed");
}

#[test]
fn the_doctor_asks_the_providers_that_are_configured() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let read = stream.read(&mut [0; 4096]).unwrap();
        assert!(read > 0);
        let old =
            "HTTP/1.1 404 Not Found\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(old.as_bytes()).unwrap();
    });
    let app = |id: &str, host: &str| {
        format!(
            "[apps.{id}]\nclient_id = \"a\"\nclient_secret = \"canary\"\n\
             authorization_url = \"http://{host}/a\"\ntoken_url = \"http://{host}/t\"\n"
        )
    };
    let config = format!(
        "allow_private_networks = true\n{}{}",
        app("gmail", &address.to_string()),
        app("slack", &closed.to_string())
    );
    std::fs::write(home.path("connect.toml"), config).unwrap();
    let checks = doctor(&home, &[("CONNECT_CONFIG", "connect.toml")]);
    assert_eq!(verdict(&checks, "provider of gmail"), "ok");
    assert_eq!(verdict(&checks, "provider of slack"), "failed");
    // Its clock is not ours.
    assert_eq!(verdict(&checks, "clock, by 127.0.0.1"), "failed");
    assert!(!format!("{checks:?}").contains("canary"), "{checks:?}");
}

#[test]
fn apps_tell_which_lack_a_client() {
    let home = Home::new();
    let client = [("CONNECT_APP_GMAIL_CLIENT_ID", "a"), ("CONNECT_APP_GMAIL_CLIENT_SECRET", "canary")];
    let list = |arguments: &[&str]| -> Vec<Value> {
        let mut command = home.command(arguments);
        command.envs(client).env("CONNECT_PUBLIC_URL", "https://connect.example.com");
        let output = command.output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (all, missing) = (list(&["--json", "apps"]), list(&["--json", "apps", "--missing"]));
    let of = |id: &str| all.iter().find(|app| app["id"] == id).unwrap();
    assert_eq!(of("gmail")["client"], "configured");
    let redirect = "https://connect.example.com/platform/v1/oauth/callback/gmail";
    assert_eq!(of("gmail")["redirect_uri"], redirect);
    assert_eq!((&of("brevo")["client"], &of("brevo")["redirect_uri"]), (&json!("not needed"), &Value::Null));
    assert!(missing.iter().all(|app| app["client"] == "missing") && missing.len() > 5);
    assert!(missing.len() < all.len() && !missing.iter().any(|app| app["id"] == "gmail"));
    assert!(!format!("{all:?}").contains("canary"));
    assert_eq!(std::fs::read_dir(&home.0).unwrap().count(), 0, "it needs no database");
}

#[test]
fn tables_have_heads_and_json_has_one_object_a_line() {
    let home = Home::new();
    let tenant = home.json(&["tenant", "create", "Acme Inc", "--email", "owner@acme.example"]);
    let tenant = text(&tenant[0]["id"]);
    let key =
        text(&home.json(&["key", "create", "--tenant", &tenant, "--capabilities", "apps,token"])[0]["key"]);
    assert!(key.starts_with("pk_live_"));
    let listed = home.print(&["tenant", "list"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    let (head, row) = (lines[0], lines[1]);
    assert!(head.starts_with("ID") && head.ends_with("PROXY BUDGET"), "{listed}");
    assert_eq!(head.find("NAME"), row.find("Acme Inc"), "{listed}");
    assert_eq!(head.find("EMAIL"), row.find("owner@acme.example"), "{listed}");
    let keys = home.json(&["key", "list", "--tenant", &tenant]);
    assert_eq!(keys[0]["capabilities"], json!(["apps", "token"]));
    assert_eq!((&keys[0]["used_at"], &keys[0]["mcp_url"]), (&Value::Null, &json!(false)));
    let audit = home.json(&["key", "audit", "--tenant", &tenant]);
    assert_eq!(audit[0]["action"], "tenant.created");
}

#[test]
fn an_unknown_tenant_is_an_error_everywhere() {
    let home = Home::new();
    for arguments in [
        &["tenant", "rename", "ten_x", "Acme"][..],
        &["tenant", "budgets", "ten_x", "--token", "1"],
        &["tenant", "disable", "ten_x"],
        &["tenant", "enable", "ten_x"],
        &["tenant", "delete", "ten_x", "--yes"],
        &["key", "list", "--tenant", "ten_x"],
        &["key", "create", "--tenant", "ten_x"],
        &["key", "audit", "--tenant", "ten_x"],
        &["connection", "list", "--tenant", "ten_x"],
        &["connection", "count", "--tenant", "ten_x"],
        &["audit", "--tenant", "ten_x"],
    ] {
        let error = home.fail(&mut home.command(arguments));
        assert!(error.contains("there is no such tenant"), "{arguments:?}: {error}");
    }
}

#[test]
fn a_tenant_is_deleted_only_when_that_is_meant() {
    let home = Home::new();
    let tenant = home.print(&["tenant", "create", "Acme"]);
    home.print(&["key", "create", "--tenant", &tenant]);
    let output = home.run(&["--json", "tenant", "delete", &tenant]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && told.contains("{\"rows\":1,\"table\":\"keys\"}"), "{told}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("--yes"));
    assert_eq!(home.json(&["tenant", "list"]).len(), 1);
    home.print(&["tenant", "delete", &tenant, "--yes"]);
    assert!(home.json(&["tenant", "list"]).is_empty());
    let audit = home.json(&["key", "audit", "--tenant", &tenant]);
    assert_eq!(audit.last().unwrap()["action"], "tenant.deleted");
}

#[test]
fn migrations_are_checked_without_being_made() {
    let home = Home::new();
    assert!(!home.run(&["migrate", "--check"]).status.success());
    assert_eq!(std::fs::read_dir(&home.0).unwrap().count(), 0);
    home.print(&["migrate"]);
    assert!(home.json(&["migrate", "--check"]).is_empty());
    let database = rusqlite::Connection::open(home.path("connect.db")).unwrap();
    let undo = "DROP TABLE budgets; ALTER TABLE tenants DROP COLUMN token_budget;
        ALTER TABLE tenants DROP COLUMN default_budget; DELETE FROM migrations WHERE version = 29";
    database.execute_batch(undo).unwrap();
    let output = home.run(&["--json", "migrate", "--check"]);
    assert!(!output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "{\"step\":29}\n");
    home.print(&["migrate"]);
    home.print(&["migrate", "--check"]);
}

#[test]
fn the_log_is_json_unless_text_is_asked_for() {
    let home = Home::new();
    let serve = || {
        let mut command = home.command(&["serve"]);
        command.env("CONNECT_LISTEN", "nowhere");
        command
    };
    let error = home.fail(&mut serve());
    let line: Value = serde_json::from_str(&error).unwrap();
    assert_eq!(line["level"], "ERROR");
    let text = home.fail(serve().env("CONNECT_LOG_FORMAT", "text"));
    assert!(serde_json::from_str::<Value>(&text).is_err() && text.contains("ERROR"), "{text}");
    // People read what the others say.
    let error = home.fail(&mut home.command(&["key", "list", "--tenant", "ten_x"]));
    assert_eq!(error.trim(), "error: there is no such tenant");
}
