//! The audit of vending: what is written, when, for whom to read, and for how long.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::config::{AuditMode, Config};
use connect_service::server;
use connect_service::store::{Capability, Store, VendingFilter, VendingLine};
use support::{Platform, Provider};
use tokio::net::TcpListener;

const DAY: u64 = 24 * 60 * 60;

async fn lines(store: &Store, tenant: &str) -> Vec<VendingLine> {
    let filter = VendingFilter::default();
    store.vendings(tenant, &filter, 1000).await.unwrap()
}

#[tokio::test]
async fn a_token_call_leaves_who_what_for_whom_and_the_outcome() {
    let platform = Platform::start().await;
    let (store, tenant) = (&platform.app.store, platform.owner().tenant);
    let (id, started) = (platform.connected().await, platform.clock.now());
    platform.token(&id).await.data();
    platform.token(&id).await.data();
    let unknown = format!("conn_{}", "x".repeat(24));
    platform.token(&unknown).await.is_error(404, "connection_deleted");
    // Whoever is not let in leaves nothing.
    let key = platform.another_key(&[Capability::Apps]).await;
    let call = platform.call("POST", &format!("/connections/{id}/token"));
    call.key(&key).send().await.is_error(403, "capability_disabled");
    assert!(lines(store, &tenant).await.is_empty(), "nothing is written yet");

    store.write_vendings().await.unwrap();
    let mut seen = lines(store, &tenant).await;
    seen.sort_by_key(|seen| std::cmp::Reverse(seen.calls));
    let brief: Vec<_> =
        seen.iter().map(|line| (line.connection.as_str(), line.outcome.as_str(), line.calls)).collect();
    assert_eq!(brief, [(id.as_str(), "vended", 2), (unknown.as_str(), "connection_deleted", 1)]);
    let keys = store.keys(&tenant).await.unwrap();
    let used = keys.iter().find(|key| key.id == seen[0].key).unwrap();
    assert!(used.last_used_at.is_some_and(|at| at >= started));
    assert!(keys.iter().all(|key| key.id == used.id || key.last_used_at.is_none()));
    assert!(seen.iter().all(|line| line.at >= started));

    // What is written is written once.
    store.write_vendings().await.unwrap();
    assert_eq!(lines(store, &tenant).await.len(), 2);
}

#[tokio::test]
async fn the_audit_is_read_by_tenant_connection_customer_and_time() {
    let platform = Platform::start().await;
    let (store, owner) = (&platform.app.store, platform.owner());
    let ids = [platform.connected().await, platform.connected().await];
    for id in &ids {
        platform.token(id).await.data();
        store.write_vendings().await.unwrap();
        platform.advance(60);
    }
    let found = async |filter: VendingFilter<'_>| {
        let lines = store.vendings(&owner.tenant, &filter, 1000).await.unwrap();
        lines.into_iter().map(|line| line.connection).collect::<Vec<_>>()
    };
    assert_eq!(found(VendingFilter::default()).await, ids, "the oldest first");
    let one = VendingFilter { connection: Some(&ids[1]), ..VendingFilter::default() };
    assert_eq!(found(one).await, [ids[1].clone()]);
    let later = VendingFilter { since: platform.clock.now() - 90_000, ..VendingFilter::default() };
    assert_eq!(found(later).await, [ids[1].clone()]);
    let of = |customer| VendingFilter { customer: Some(customer), ..VendingFilter::default() };
    assert_eq!(found(of(&owner.customer)).await, ids);
    assert!(found(of("nobody@example.com")).await.is_empty());
    let latest = store.vendings(&owner.tenant, &VendingFilter::default(), 1).await;
    assert_eq!(latest.unwrap()[0].connection, ids[1]);
    // Another tenant finds nothing, whatever it asks for.
    let other = store.create_tenant("Other", None).await.unwrap();
    let filter = VendingFilter { connection: Some(&ids[0]), ..VendingFilter::default() };
    assert!(store.vendings(&other, &filter, 1000).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_audit_holds_no_email() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    platform.token(&id).await.data();
    platform.app.store.write_vendings().await.unwrap();
    let stored = "SELECT id || key_id || connection_id || customer || outcome FROM vendings";
    let stored = platform.database.connect().await.text(stored).await;
    assert!(stored.contains(&id), "{stored}");
    let customer = platform.owner().customer;
    assert!(!stored.contains('@') && !stored.contains(&customer), "{stored}");
}

#[tokio::test]
async fn a_synchronous_audit_is_there_before_the_response() {
    let platform = Platform::with(Config { audit: AuditMode::Sync, ..Config::default() }).await;
    let (id, tenant) = (platform.connected().await, platform.owner().tenant);
    platform.token(&id).await.data();
    let other = platform.database.open(&platform.clock).await;
    assert_eq!(lines(&other, &tenant).await.len(), 1);

    // Without its line there is no token.
    platform.database.connect().await.execute("DROP TABLE vendings").await;
    platform.token(&id).await.is_error(500, "internal_error");
}

#[tokio::test]
async fn what_is_collected_is_written_when_the_service_ends() {
    let platform = Platform::start().await;
    let (id, tenant) = (platform.connected().await, platform.owner().tenant);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    platform.token(&id).await.data();
    platform.app.ending.cancel();
    platform.app.closing.cancel();
    server::serve(platform.app.clone(), listener).await;
    let other = platform.database.open(&platform.clock).await;
    assert_eq!(lines(&other, &tenant).await.len(), 1);
}

/// What could not be written is kept and written later.
#[tokio::test]
async fn the_audit_outlives_a_database_that_fails() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(None, Some(3600)).await;
    let (store, tenant) = (&platform.app.store, platform.owner().tenant);
    let other = platform.database.connect().await;
    platform.token(&id).await.data();
    other.execute("ALTER TABLE vendings RENAME TO away").await;
    assert!(store.write_vendings().await.is_err());
    platform.token(&id).await.data();
    other.execute("ALTER TABLE away RENAME TO vendings").await;
    store.write_vendings().await.unwrap();
    let seen = lines(store, &tenant).await;
    assert_eq!((seen.len(), seen[0].calls), (1, 2));
}

#[tokio::test]
async fn the_audit_is_kept_for_90_days() {
    let platform = Platform::start().await;
    let (store, tenant) = (&platform.app.store, platform.owner().tenant);
    let id = platform.connected().await;
    platform.token(&id).await.data();
    store.write_vendings().await.unwrap();
    platform.advance(90 * DAY - 60);
    store.clean_up().await.unwrap();
    assert_eq!(lines(store, &tenant).await.len(), 1);
    platform.advance(120);
    store.clean_up().await.unwrap();
    assert!(lines(store, &tenant).await.is_empty());
}
