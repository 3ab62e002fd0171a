//! Root keys: which a database needs, changing them while the service runs, and destroying a tenant's data key.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::Duration;

use connect_service::clock::Clock;
use connect_service::store::{Capability, Owner, RootKeyRemoval, Store, StoreError};
use connect_service::vault::{KeyRing, VaultError};
use serde_json::{Value, json};
use support::{ALICE, Home, KEY, Platform, Provider, text};

const OTHER_KEY: &str = "//////////////////////////////////////////8=";

fn ring_of(keys: &[(&str, &str)]) -> KeyRing {
    keys.iter().fold(KeyRing::default(), |ring, (id, key)| ring.with(id, key, "a test").unwrap())
}

fn both() -> KeyRing {
    ring_of(&[("default", KEY), ("2026-11", OTHER_KEY)])
}

/// Makes a database one of a version without data keys, before anything is sealed in it. Only processes that start
/// afterwards know.
async fn forget_data_keys(platform: &Platform) {
    let earlier = "DELETE FROM data_keys; DELETE FROM marks WHERE name = 'data_keys';
        UPDATE root_keys SET seals_values = 1";
    platform.database.connect().await.execute(earlier).await;
}

/// What begins like a value that a data key sealed.
async fn count_of(platform: &Platform, table: &str, column: &str) -> String {
    let count = format!("SELECT COUNT(*) FROM {table} WHERE {column} LIKE '2.%'");
    platform.database.connect().await.text(&count).await
}

#[tokio::test]
async fn a_root_key_is_replaced_while_the_service_runs() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    for n in 0..250 {
        platform.app.store.create_tenant(&format!("Tenant {n}"), None).await.unwrap();
    }
    let store = platform.database.open_with(both(), &platform.clock).await;

    // Interrupted at any point, it goes on.
    for pause in [1, 5, 20, 60] {
        let rotating = store.rotate_root_key("2026-11");
        let _ = tokio::time::timeout(Duration::from_millis(pause), rotating).await;
        platform.token(&id).await.data();
    }
    store.rotate_root_key("2026-11").await.unwrap();
    let listed = store.root_keys().await.unwrap();
    let of = |id: &str| {
        let key = listed.iter().find(|key| key.id == id).unwrap();
        (key.is_active, key.data_keys, key.values)
    };
    assert_eq!((of("2026-11"), of("default")), ((true, 251, 0), (false, 0, 0)));
    assert_eq!(store.rotate_root_key("2026-11").await.unwrap().data_keys, 0);

    // A process that has been running all the while goes on, also with what it reads anew.
    platform.token(&id).await.data();
    let fresh = store.create_tenant("Later", None).await.unwrap();
    assert_eq!(store.remove_root_key("2026-11").await.unwrap(), RootKeyRemoval::Active);
    assert_eq!(store.remove_root_key("no-such").await.unwrap(), RootKeyRemoval::Unknown);
    assert_eq!(store.remove_root_key("default").await.unwrap(), RootKeyRemoval::Removed);

    let only = platform.database.open_with(ring_of(&[("2026-11", OTHER_KEY)]), &platform.clock).await;
    assert!(only.credential(&platform.owner(), &id).await.unwrap().is_some());
    assert!(only.has_tenant(&fresh).await.unwrap());
    // Customers have the pseudonyms that they had.
    let fingerprint = platform.app.store.fingerprint(&platform.owner(), "a request");
    assert_eq!(only.fingerprint(&platform.owner(), "a request"), fingerprint);
    let refused = Store::open(&platform.database.url, ring_of(&[("default", KEY)]), Clock::default()).await;
    let error = refused.unwrap_err();
    assert!(
        matches!(&error, StoreError::Vault(VaultError::MissingRootKey(id)) if id == "2026-11"),
        "{error}"
    );
}

/// Token calls before, meanwhile and afterwards: none fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_during_a_rotation() {
    let platform = Platform::start().await;
    forget_data_keys(&platform).await;
    // As a second process of the service, with both keys.
    let mut processes = [platform.another().await, platform.another().await];
    let mut ids = Vec::new();
    for process in &processes {
        for _ in 0..40 {
            ids.push(process.connected().await);
        }
    }
    assert_eq!(count_of(&platform, "credentials", "inputs").await, "0", "as an earlier version has it");
    let store = platform.database.open_with(both(), &platform.clock).await;
    let rotation = tokio::spawn(async move {
        let rotation = store.rotate_root_key("default").await.unwrap();
        (rotation, store)
    });
    let mut calls = 0;
    while !rotation.is_finished() {
        let process = &mut processes[calls % 2];
        process.token(&ids[calls % ids.len()]).await.data();
        if calls.is_multiple_of(20) {
            ids.push(process.connected().await);
        }
        calls += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (rotation, store) = rotation.await.unwrap();
    assert!(rotation.values >= 80 && rotation.made == 1 && rotation.unreadable == 0, "{rotation:?}");
    assert_eq!(count_of(&platform, "credentials", "inputs").await, ids.len().to_string());
    for id in &ids {
        processes[0].token(id).await.data();
    }
    let listed = store.root_keys().await.unwrap();
    assert!(listed.iter().all(|key| key.values == 0), "{listed:?}");
}

/// Everything that a root key sealed itself is found, and opens afterwards.
#[tokio::test]
async fn values_of_an_earlier_version_get_a_data_key() {
    let provider = Provider::start().await;
    let first = Platform::with_provider(&provider).await;
    forget_data_keys(&first).await;
    let platform = first.another().await;
    let keyed = platform.connected().await;
    let granted = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    let client = json!({"client_id": "own-1", "client_secret": "canary-own-1"});
    platform.call("PUT", "/apps/slack/oauth-client").json(&client).await.data();
    let webhook = json!({"url": "https://example.com/events"});
    platform.call("POST", "/webhooks").json(&webhook).await.data();
    let request = json!({"app_id": "brevo", "name": "Mail"});
    let again = || {
        let call = platform.call("POST", "/connections/request-link");
        call.header("idempotency-key", "k").json(&request)
    };
    let answer = again().await.data().clone();
    // A deleted connection's grant waits to be revoked.
    let deleted = platform.authorised(Some("canary-refresh-1"), Some(60)).await;
    platform.call("DELETE", &format!("/connections/{deleted}")).send().await.data();

    let store = platform.database.open_with(both(), &platform.clock).await;
    let direct = |listed: Vec<connect_service::store::ListedRootKey>| {
        listed.iter().find(|key| key.id == "default").map(|key| key.values).unwrap()
    };
    let values = direct(store.root_keys().await.unwrap());
    assert_eq!(store.remove_root_key("default").await.unwrap(), RootKeyRemoval::Active);
    // Inputs, tokens, the client, the endpoint's secrets, the kept answer, the revocation.
    assert!(values >= 8, "{values}");
    let broken = "UPDATE revocations SET sealed = 'AQID' || sealed";
    platform.database.connect().await.execute(broken).await;
    let rotation = store.rotate_root_key("default").await.unwrap();
    assert_eq!((rotation.made, rotation.unreadable), (1, 1), "{rotation:?}");
    assert_eq!(i64::try_from(rotation.values).unwrap(), values - 1);
    for id in [&keyed, &granted] {
        platform.token(id).await.data();
    }
    assert_eq!(store.rotate_root_key("2026-11").await.unwrap().data_keys, 1);
    let refused = store.remove_root_key("default").await.unwrap();
    assert_eq!(refused, RootKeyRemoval::InUse { data_keys: 0, values: 1 });
    platform.database.connect().await.execute("DELETE FROM revocations").await;
    store.rotate_root_key("2026-11").await.unwrap();
    assert_eq!(store.remove_root_key("default").await.unwrap(), RootKeyRemoval::Removed);

    for id in [&keyed, &granted] {
        platform.token(id).await.data();
    }
    assert_eq!(again().await.data(), &answer);
    platform.call("GET", "/apps/slack/oauth-client").send().await.data();
    let only = platform.database.open_with(ring_of(&[("2026-11", OTHER_KEY)]), &platform.clock).await;
    for id in [&keyed, &granted] {
        only.credential(&platform.owner(), id).await.unwrap().unwrap();
    }
    let webhook = only.webhooks(&platform.tenant).await.unwrap().remove(0);
    only.webhook_with_secrets(&platform.tenant, &webhook.id).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_second_rotation_ends_the_first() {
    let platform = Platform::start().await;
    let store = platform.database.open_with(both(), &platform.clock).await;
    for n in 0..300 {
        store.create_tenant(&format!("Tenant {n}"), None).await.unwrap();
    }
    let (one, other) = tokio::join!(store.rotate_root_key("2026-11"), store.rotate_root_key("default"));
    for rotation in [&one, &other] {
        assert!(matches!(rotation, Ok(_) | Err(StoreError::OtherRotation(_))), "{rotation:?}");
    }
    assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
}

/// A copy of rows is of no use once the tenant is deleted.
#[tokio::test]
async fn the_rows_of_a_deleted_tenant_are_unreadable() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let (keyed, granted) =
        (platform.connected().await, platform.authorised(Some("canary-refresh-0"), None).await);
    let database = platform.database.connect().await;
    for table in ["tenants", "connections", "links", "credentials"] {
        database.execute(&format!("CREATE TABLE backup_{table} AS SELECT * FROM {table}")).await;
    }
    let store = platform.database.open(&platform.clock).await;
    store.credential(&platform.owner(), &keyed).await.unwrap().unwrap();
    let count = async || {
        let count = format!("SELECT COUNT(*) FROM data_keys WHERE tenant_id = '{}'", platform.tenant);
        database.text(&count).await
    };
    assert!(store.delete_tenant(&platform.tenant).await.unwrap());
    // A grant is still to be revoked, by what sealed it.
    assert_eq!(count().await, "1");
    let revocation = store.take_revocations(Duration::from_secs(60), 10).await.unwrap().remove(0);
    store.finish_revocation(&revocation).await.unwrap();
    store.clean_up().await.unwrap();
    assert_eq!(count().await, "0");

    for table in ["tenants", "connections", "links", "credentials"] {
        database.execute(&format!("INSERT INTO {table} SELECT * FROM backup_{table}")).await;
    }
    let owner = Owner { tenant: platform.tenant.clone(), customer: ALICE.into() };
    let fresh = platform.database.open(&platform.clock).await;
    for id in [&keyed, &granted] {
        let opened = fresh.credential(&owner, id).await;
        assert!(matches!(opened, Err(StoreError::Vault(VaultError::NoDataKey))), "{opened:?}");
    }
    // Nor does another data key for the tenant help.
    fresh.rotate_root_key("default").await.unwrap();
    let opened = fresh.credential(&owner, &keyed).await;
    assert!(matches!(opened, Err(StoreError::Vault(VaultError::Sealed))), "{opened:?}");
}

/// What `doctor` says of one check.
fn check(home: &Home, name: &str) -> (String, String) {
    let output = home.run(&["--json", "doctor"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    let checks: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let check = checks.iter().find(|check| check["check"] == name);
    let check = check.unwrap_or_else(|| panic!("no {name} in {checks:?}"));
    (text(&check["verdict"]), text(&check["detail"]))
}

fn configure(home: &Home, text: &str) {
    std::fs::write(home.path("connect.toml"), text).unwrap();
}

fn with_config(home: &Home, arguments: &[&str]) -> std::process::Command {
    home.command(&[&["--config", "connect.toml"], arguments].concat())
}

#[test]
fn a_missing_or_wrong_root_key_is_told_by_its_id() {
    let home = Home::new();
    let tenant = home.print(&["tenant", "create", "Acme"]);
    std::fs::write(home.path("other.key"), format!("{OTHER_KEY}\n")).unwrap();
    std::fs::set_permissions(home.path("other.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    configure(&home, "[root_keys.kms]\nkey_command = [\"cat\", \"other.key\"]\n");
    let rotated = with_config(&home, &["root-key", "rotate", "kms"]).output().unwrap();
    assert!(rotated.status.success(), "{rotated:?}");

    // Without the configuration it is missing.
    let error = home.fail(&mut home.command(&["tenant", "list"]));
    assert!(error.contains("root key `kms` is needed and not configured"), "{error}");
    let (verdict, detail) = check(&home, "database");
    assert_eq!(verdict, "failed");
    assert!(detail.contains("`kms`"), "{detail}");

    let doctor = |name: &str| {
        let output = with_config(&home, &["--json", "doctor"]).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let line = printed.lines().find(|line| line.contains(&format!("\"check\":\"{name}\""))).unwrap();
        line.to_owned()
    };
    assert!(doctor("root key kms").contains("\"verdict\":\"ok\""));
    assert!(doctor("root key default").contains("\"verdict\":\"ok\""));
    assert!(doctor("database").contains("\"verdict\":\"ok\""), "{}", doctor("database"));
    // Another key by that name.
    configure(&home, "[root_keys.kms]\nkey_file = \"connect.key\"\n");
    let error = home.fail(&mut with_config(&home, &["tenant", "list"]));
    assert!(error.contains("root key `kms` is not the one"), "{error}");
    assert!(doctor("database").contains("root key `kms` is not the one"));
    // One that cannot be had.
    configure(&home, "[root_keys.kms]\nkey_command = [\"false\", \"canary\"]\n");
    let error = home.fail(&mut with_config(&home, &["tenant", "list"]));
    assert!(error.contains("root key `kms`") && !error.contains("canary"), "{error}");
    assert!(doctor("root key kms").contains("\"verdict\":\"failed\""));
    // From the environment, the old one is needed no more.
    std::fs::remove_file(home.path("connect.key")).unwrap();
    let mut list = home.command(&["--json", "root-key", "list"]);
    let listed = list.env("CONNECT_ROOT_KEY_KMS", OTHER_KEY).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("\"id\":\"default\"") && listed.contains("\"configured\":false"), "{listed}");
    assert!(!listed.contains(OTHER_KEY) && !listed.contains(KEY) && !tenant.is_empty());
}

#[test]
fn a_root_key_needs_one_source_and_an_id() {
    let home = Home::new();
    for (config, problem) in [
        ("[root_keys.kms]\n", "either key_file or key_command"),
        ("[root_keys.kms]\nkey_file = \"a\"\nkey_command = [\"b\"]\n", "either key_file or key_command"),
        ("[root_keys.default]\nkey_file = \"a\"\n", "is not `default`"),
        ("[root_keys.KMS]\nkey_file = \"a\"\n", "lower-case"),
        ("[root_keys.kms]\nkey_file = \"/no/such/file\"\n", "cannot use the key file /no/such/file"),
    ] {
        configure(&home, config);
        let error = home.fail(&mut with_config(&home, &["tenant", "list"]));
        assert!(error.contains(problem), "{error}");
        assert!(!home.path("connect.key").exists(), "no key is made beside one that fails");
    }
}

/// The operators' page, word by word.
#[test]
fn a_root_key_is_rotated_as_the_page_says() {
    let page = include_str!("../../docs/operators.md");
    let (_, section) = page.split_once("### Rotate the root key\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let block = |kind: &str, number: usize| {
        let fence = format!("```{kind}\n");
        let rest = section.split(&fence).nth(number + 1).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let home = Home::new();
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_connect-service")).parent().unwrap().to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let run = |script: &str| {
        let mut command = std::process::Command::new("sh");
        command.args(["-euc", script]).current_dir(&home.0).env_clear().env("PATH", &path);
        let output = command.env("CONNECT_CONFIG", "connect.toml").output().unwrap();
        assert!(output.status.success(), "{script}\n{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    configure(&home, "");
    run("connect-service tenant create Acme");
    let [make, rotate, remove] = [0, 1, 2].map(|number| block("sh", number));
    run(&make);
    configure(&home, &block("toml", 0));
    let printed = run(&rotate);
    let row = printed.lines().find(|line| line.starts_with("2026-11")).unwrap();
    assert_eq!(
        row.split_whitespace().take(4).collect::<Vec<_>>(),
        ["2026-11", "yes", "yes", "1"],
        "{printed}"
    );
    run(&remove);
    std::fs::rename(home.path("connect.key"), home.path("elsewhere.key")).unwrap();
    assert!(run("connect-service tenant list").contains("Acme"));
    let listed = run("connect-service --json root-key list");
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

/// A key of a tenant that was made before there were data keys for it still gets one.
#[tokio::test]
async fn new_tenants_have_data_keys_once_there_are_any() {
    let first = Platform::start().await;
    forget_data_keys(&first).await;
    let platform = first.another().await;
    let tenants = async || platform.database.connect().await.text("SELECT COUNT(*) FROM data_keys").await;
    // An older process could not open what it has.
    platform.another_key(&Capability::ALL).await;
    assert_eq!(tenants().await, "0");
    platform.app.store.rotate_root_key("default").await.unwrap();
    assert_eq!(tenants().await, "2");
    platform.another_key(&Capability::ALL).await;
    assert_eq!(tenants().await, "3");
}
