//! A database that cannot be used for a moment: what a caller is told, and when.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::Duration;

use connect_service::clock::Clock;
use connect_service::config::Config;
use connect_service::store::{
    Capability, Details, Mode, Reconnection, ReconnectionReason, Store, StoreError,
};
use connect_service::vault::KeyRing;
use futures_util::future::join_all;
use serde_json::json;
use support::{Answer, Connection, Database, KEY, Platform, text};
use tokio::time::timeout;

/// A database that cannot be used is reported after one second; the rest is for a busy machine. The former limit was
/// 10 s.
const REPORT_TIMEOUT: Duration = Duration::from_secs(7);

/// Another process that writes, for as long as the connection is open.
async fn block_writers(platform: &Platform) -> Connection {
    let other = platform.database.connect().await;
    if platform.database.file().is_some() {
        other.execute("BEGIN IMMEDIATE").await;
    } else {
        let lock = "BEGIN; LOCK TABLE tenants, keys, connections, links, answers IN EXCLUSIVE MODE";
        other.execute(lock).await;
    }
    other
}

async fn make_link(platform: &Platform) -> Answer {
    let call = platform.call("POST", "/connections/request-link");
    call.json(&json!({"app_id": "brevo", "name": "Mail"})).await
}

/// More writers than there are connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_wait_for_a_lock_hold_up_no_reader() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let other = block_writers(&platform).await;

    let writers = join_all((0..16).map(|_| make_link(&platform)));
    let path = format!("/connections/{id}");
    let readers = async {
        // The writers are waiting by then.
        tokio::time::sleep(Duration::from_millis(300)).await;
        for _ in 0..16 {
            platform.call("GET", &path).send().await.data();
            platform.bare("GET", "//livez").send().await.data();
        }
    };
    let both = async { tokio::join!(writers, readers) };
    let (answers, ()) = timeout(REPORT_TIMEOUT, both).await.expect("told in time");
    for answer in answers {
        answer.is_error(503, "upstream_unavailable");
        assert_eq!(answer.header("retry-after"), "1");
    }

    other.execute("ROLLBACK").await;
    make_link(&platform).await.data();
}

#[tokio::test]
async fn readiness_fails_in_time_while_the_database_is_locked() {
    let platform = Platform::start().await;
    platform.app.store.ready().await.unwrap();
    if platform.database.file().is_some() {
        let other = block_writers(&platform).await;
        let ready = timeout(REPORT_TIMEOUT, platform.app.store.ready()).await;
        let error = ready.expect("told in time").unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        other.execute("ROLLBACK").await;
        platform.app.store.ready().await.unwrap();
    }
}

/// A caller who goes away in the middle of a write leaves nothing behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_callers_leave_no_transaction_open() {
    let mut config = Config::default();
    config.budgets.default = 1_000_000;
    let platform = Platform::with(config).await;
    for pause in 0..200 {
        let dropped = timeout(Duration::from_micros(pause * 20), make_link(&platform));
        drop(dropped.await);
    }
    for _ in 0..32 {
        make_link(&platform).await.data();
    }
}

/// A database of an earlier version, which noted its steps in another table, is taken over as it is.
#[tokio::test]
async fn the_tables_of_an_earlier_version_are_taken_over() {
    let platform = Platform::start().await;
    let (id, broken) = (platform.connected().await, platform.connected().await);
    platform.app.store.close().await;
    let earlier = format!(
        "UPDATE connections SET broken = 1, status = 'expired', updated_at = 1000 WHERE id = '{broken}';
        DROP TABLE webhooks;
        DROP TABLE webhook_deliveries;
        DROP TABLE webhook_attempts;
        ALTER TABLE links DROP COLUMN webhook_origin;
        ALTER TABLE links DROP COLUMN webhook_url;
        DROP TABLE events;
        DROP TABLE event_positions;
        DROP INDEX links_to_expire;
        DROP INDEX credentials_to_end;
        ALTER TABLE credentials DROP COLUMN announced_end;
        DROP INDEX connections_by_customer_id;
        DROP INDEX connections_broken;
        ALTER TABLE connections DROP COLUMN metadata;
        ALTER TABLE connections DROP COLUMN customer_id;
        ALTER TABLE connections DROP COLUMN customer_name;
        ALTER TABLE connections DROP COLUMN broken_reason;
        ALTER TABLE connections DROP COLUMN broken_since;
        ALTER TABLE connections DROP COLUMN last_used_at;
        ALTER TABLE credentials DROP COLUMN last_refreshed_at;
        CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY);
        INSERT INTO _sqlx_migrations SELECT version FROM migrations WHERE version < 13;
        DROP TABLE migrations;
        DROP TABLE vendings;
        ALTER TABLE keys DROP COLUMN last_used_at;
        ALTER TABLE connections DROP COLUMN provider_data;
        ALTER TABLE connections DROP COLUMN account;
        ALTER TABLE connections DROP COLUMN scopes;
        ALTER TABLE credentials DROP COLUMN secret_data;
        ALTER TABLE credentials DROP COLUMN refresh_failures;
        ALTER TABLE credentials DROP COLUMN refresh_retry_at;
        ALTER TABLE credentials DROP COLUMN refusals;
        ALTER TABLE credentials DROP COLUMN refused_since;
        ALTER TABLE credentials DROP COLUMN forced_at;
        ALTER TABLE links DROP COLUMN verifications;
        ALTER TABLE connections DROP COLUMN provider_message;
        ALTER TABLE links DROP COLUMN ended_at;
        ALTER TABLE tenants DROP COLUMN website_url;
        DROP TABLE oauth_clients;
        DROP TABLE app_settings;
        DROP TABLE sdk_configs;
        DROP TABLE sdk_logos;
        DROP TABLE admin_links;
        DROP INDEX connections_by_organization;
        ALTER TABLE connections DROP COLUMN organization_id;
        ALTER TABLE connections DROP COLUMN organization_name;
        DROP INDEX credentials_by_oauth_client;
        ALTER TABLE credentials DROP COLUMN oauth_client_id;
        ALTER TABLE tenants DROP COLUMN disabled_at;
        ALTER TABLE tenants DROP COLUMN token_budget;
        ALTER TABLE tenants DROP COLUMN default_budget;
        ALTER TABLE tenants DROP COLUMN events_budget;
        ALTER TABLE tenants DROP COLUMN proxy_budget;
        DROP TABLE budgets;
        DROP TABLE data_keys;
        DROP TABLE root_keys;
        DELETE FROM marks WHERE name = 'data_keys';
        INSERT INTO marks (name, value) VALUES ('encryption_key', '{}');
        DROP TABLE import_tokens;
        DROP TABLE members;
        DROP TABLE sign_ins;
        DROP TABLE sessions;
        ALTER TABLE keys DROP COLUMN name;
        DROP INDEX connections_by_time;
        DROP INDEX connections_by_app;
        DROP INDEX connections_by_account;
        DROP TABLE revocations;
        DROP INDEX credentials_by_account;
        DROP INDEX credentials_without_account;
        ALTER TABLE credentials DROP COLUMN account_digest;
        ALTER TABLE unconfirmed DROP COLUMN account_digest;
        ALTER TABLE authorizations DROP COLUMN account;
        ALTER TABLE connections DROP COLUMN origin;",
        include_str!("direct_values/mark").trim()
    );
    platform.database.connect().await.execute(&earlier).await;
    let store = platform.database.open(&platform.clock).await;
    let connection = store.connection(&platform.owner(), &id).await.unwrap().unwrap();
    assert!(connection.metadata.is_empty() && connection.reconnection.is_none());
    assert_eq!(connection.details, Details::default());
    // One that needed reconnection before there were reasons.
    let connection = store.connection(&platform.owner(), &broken).await.unwrap().unwrap();
    let expected = Reconnection { reason: ReconnectionReason::GrantRefused, since: 1000 };
    assert_eq!(connection.reconnection, Some(expected));
    store.write_vendings().await.unwrap();
    assert_eq!(store.keys(&platform.owner().tenant).await.unwrap().len(), 1);
    // And again.
    platform.database.open(&platform.clock).await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let database = support::Database::new().await;
    let clock = connect_service::clock::Clock::default();
    database.open(&clock).await.close().await;
    let newer = "INSERT INTO migrations (version) VALUES (999999)";
    database.connect().await.execute(newer).await;
    let ring = KeyRing::from_base64(support::KEY, "a test").unwrap();
    let error = Store::open(&database.url, ring, clock).await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("999999") && message.contains("newer"), "{message}");
}

/// The customer's browser is told to come back, as a backend is.
#[tokio::test]
async fn the_hosted_page_is_a_503_without_the_database() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "Mail"})).await;
    let address = text(&link["request_link"]);
    let (_, path) = address.split_once("/platform/v1").unwrap();
    assert_eq!(platform.bare("GET", path).send().await.status, 200);
    platform.app.store.close().await;
    let page = platform.bare("GET", path).send().await;
    assert_eq!(page.status, 503, "{}", page.text);
    assert_eq!(page.header("retry-after"), "1");
    assert!(page.text.contains("Please try again in a moment"), "{}", page.text);
}

async fn open_in(mode: Mode, database: &Database) -> Result<Store, StoreError> {
    let ring = KeyRing::from_base64(KEY, "a test").unwrap();
    Store::open_in(mode, &database.url, ring, Clock::default()).await
}

#[tokio::test]
async fn a_database_belongs_to_one_mode() {
    let (live, test) = (Database::new().await, Database::new().await);
    for (mode, database, prefix, made_by) in [
        (Mode::Live, &live, "pk_live_", "`connect-service serve`"),
        (Mode::Test, &test, "pk_test_", "`connect-service dev`"),
    ] {
        let store = open_in(mode, database).await.unwrap();
        let tenant = store.create_tenant("Acme", None).await.unwrap();
        let key = store.create_key(&tenant, &Capability::ALL).await.unwrap().unwrap();
        assert!(key.starts_with(prefix));
        store.close().await;
        open_in(mode, database).await.unwrap().close().await;

        let other = if mode == Mode::Live { Mode::Test } else { Mode::Live };
        let refused = open_in(other, database).await.unwrap_err();
        assert!(matches!(refused, StoreError::OtherMode { .. }), "{refused}");
        assert!(refused.to_string().contains(made_by), "{refused}");
    }

    // One that is older than the modes has no mark, and is live.
    let connection = live.connect().await;
    connection.execute("DELETE FROM marks WHERE name = 'mode'").await;
    let refused = open_in(Mode::Test, &live).await.unwrap_err();
    assert!(matches!(refused, StoreError::OtherMode { .. }), "{refused}");
    open_in(Mode::Live, &live).await.unwrap().close().await;
}
