//! What the operator does with a tenant: rename, disable, enable, delete.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;
mod webhook_support;

use connect_service::store::{Actor, KEPT, ListedFilter};
use connect_service::theme::Logo;
use serde_json::json;
use support::{Platform, Provider, text};
use webhook_support::{Receiver, deliver, register};

#[tokio::test]
async fn a_disabled_tenants_keys_and_links_open_nothing() {
    let platform = Platform::start().await;
    let store = &platform.app.store;
    let other = platform.another_key(&connect_service::store::Capability::ALL).await;
    let id = platform.connected().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "Mail"})).await;
    let (link_id, request_token) = (text(&link["connection_id"]), text(&link["request_token"]));
    let page = text(&link["request_link"]);
    let (_, page) = page.split_once("/platform/v1").unwrap();
    let key = store.keys(&platform.tenant).await.unwrap().remove(0);
    let connect_service::store::Minted::Minted(mcp) = store.mint_mcp_url(&key.id).await.unwrap() else {
        panic!("no MCP URL");
    };
    let mcp_digest = connect_service::ids::digest(&mcp);

    assert!(store.disable_tenant(&platform.tenant).await.unwrap());
    platform.call("GET", "/connections").send().await.is_error(401, "invalid_api_key");
    platform.token(&id).await.is_error(401, "invalid_api_key");
    let status = platform.public("GET", &format!("/connections/{link_id}/status"), &request_token);
    status.send().await.is_error(404, "connection_deleted");
    assert_eq!(platform.bare("GET", page).send().await.status, 404);
    assert!(store.mcp_caller(&mcp_digest).await.unwrap().is_none());
    platform.call("GET", "/apps").key(&other).send().await.data();

    // What was refused meanwhile is not remembered for longer than it takes to ask again.
    assert!(store.enable_tenant(&platform.tenant).await.unwrap());
    platform.token(&id).await.data();
    assert_eq!(platform.bare("GET", page).send().await.status, 200);
    assert!(store.mcp_caller(&mcp_digest).await.unwrap().is_some());
    for known in [store.disable_tenant("ten_unknown").await, store.enable_tenant("ten_unknown").await] {
        assert!(!known.unwrap());
    }
}

#[tokio::test]
async fn customers_see_a_tenants_new_name() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "Mail"})).await;
    let page = text(&link["request_link"]);
    let (_, page) = page.split_once("/platform/v1").unwrap();
    assert!(platform.app.store.rename_tenant(&platform.tenant, "Renamed Inc").await.unwrap());
    let shown = platform.bare("GET", page).send().await.text;
    assert!(shown.contains("Renamed Inc") && !shown.contains("Acme"), "{shown}");
}

/// Counts the rows that mention a tenant, in all tables.
async fn rows_of(platform: &Platform, tenant: &str) -> Vec<(String, i64)> {
    let connection = platform.database.connect().await;
    let tables = if platform.database.file().is_some() {
        "SELECT group_concat(m.name, ' ') FROM sqlite_master m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND c.name = 'tenant_id'"
    } else {
        "SELECT string_agg(table_name, ' ') FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name = 'tenant_id'"
    };
    let mut rows = Vec::new();
    for table in connection.text(tables).await.split(' ') {
        let count = format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = '{tenant}'");
        rows.push((table.to_owned(), connection.text(&count).await.parse().unwrap()));
    }
    rows.sort();
    rows
}

#[tokio::test]
async fn a_deleted_tenant_leaves_its_audit_and_what_is_to_be_revoked() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let store = &platform.app.store;
    let other = platform.another_key(&connect_service::store::Capability::ALL).await;
    let kept = platform.call("POST", "/connections/request-link").key(&other);
    let kept = kept.json(&json!({"app_id": "brevo", "name": "Mail"})).await.data().clone();
    let client = json!({"client_id": "own-1", "client_secret": "canary-own-1"});
    platform.call("PUT", "/apps/gmail/oauth-client").json(&client).await.data();
    let settings = json!({"managed_by": "organization", "instructions": ""});
    platform.call("PUT", "/apps/slack/settings").json(&settings).await.data();
    platform.call("POST", "/organizations/north/admin-link").json(&json!({})).await.data();
    platform.call("PUT", "/tenant/sdk-config").json(&json!({"accent_color": "#196ae6"})).await.data();
    let logo = Logo { digest: "0".repeat(64), width: 1, height: 1, png: String::new() };
    store.set_logo(&platform.tenant, &logo, Actor::CommandLine).await.unwrap();
    let imported = store.import_key(&platform.owner(), "gmail", None, "canary-refresh");
    store.lease_import(&imported).await.unwrap().unwrap();
    let receiver = Receiver::start().await;
    register(&platform, json!({"url": receiver.url("/")})).await;
    platform.connected().await;
    deliver(&platform).await;
    // One that is used, one that is not, one that never came to be.
    let (used, granted) =
        (platform.connected().await, platform.authorised(Some("canary-refresh-0"), None).await);
    platform.link(json!({"app_id": "brevo", "name": "Mail"})).await;
    platform.call("PUT", &format!("/connections/{used}/usages/flow-1")).send().await.data();
    let idempotent =
        platform.call("POST", "/connections/request-link").header("idempotency-key", "canary-key");
    idempotent.json(&json!({"app_id": "brevo", "name": "Mail"})).await.data();
    platform.token(&granted).await.data();
    store.write_vendings().await.unwrap();

    let told = store.tenant_rows(&platform.tenant).await.unwrap();
    for (table, rows) in &told {
        assert!(*rows > 0, "nothing in {table}: {told:?}");
    }
    assert!(store.delete_tenant(&platform.tenant).await.unwrap());
    for (table, rows) in rows_of(&platform, &platform.tenant).await {
        let expected = KEPT.contains(&table.as_str());
        assert_eq!(rows > 0, expected, "{rows} rows of {table}");
    }
    assert!(!store.has_tenant(&platform.tenant).await.unwrap());
    platform.call("GET", "/apps").send().await.is_error(401, "invalid_api_key");
    // Nobody else's things are touched, and it is not there to be deleted again.
    let path = format!("/connections/{}", text(&kept["connection_id"]));
    platform.call("GET", &path).key(&other).send().await.data();
    assert!(!store.delete_tenant(&platform.tenant).await.unwrap());
    let audit = store.audit(&platform.tenant).await.unwrap();
    assert_eq!(audit.last().unwrap().action, "tenant.deleted");
}

#[tokio::test]
async fn the_operator_counts_and_lists_connections() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let store = &platform.app.store;
    let active = platform.connected().await;
    let pending = platform.link(json!({"app_id": "gmail", "name": "Mail"})).await;
    let bob = platform.call("POST", "/connections/request-link").customer("bob@example.com");
    bob.json(&json!({"app_id": "gmail", "name": "Mail"})).await.data();
    let other = platform.another_key(&connect_service::store::Capability::ALL).await;
    let link = platform.call("POST", "/connections/request-link").key(&other);
    link.json(&json!({"app_id": "brevo", "name": "Mail"})).await.data();

    let counts = store.count_connections(Some(&platform.tenant)).await.unwrap();
    let counts: Vec<_> =
        counts.iter().map(|count| (count.app_id.as_deref(), &*count.state, count.connections)).collect();
    assert_eq!(counts, [(Some("brevo"), "active", 1), (Some("gmail"), "pending", 2)]);
    let all = store.count_connections(None).await.unwrap();
    assert_eq!(all.iter().map(|count| count.connections).sum::<i64>(), 4);

    let ids = async |filter: ListedFilter<'_>| -> Vec<String> {
        let listed = store.list_connections(&platform.tenant, &filter, 10).await.unwrap();
        listed.into_iter().map(|connection| connection.id).collect()
    };
    assert_eq!(ids(ListedFilter::default()).await.len(), 3);
    assert_eq!(ids(ListedFilter { state: Some("active"), ..Default::default() }).await, [active]);
    let alices = ListedFilter { customer: Some(support::ALICE), app_id: Some("gmail"), ..Default::default() };
    assert_eq!(ids(alices).await, [text(&pending["connection_id"])]);
    assert_eq!(store.list_connections(&platform.tenant, &ListedFilter::default(), 1).await.unwrap().len(), 1);
    // A link that expired is no pending connection any more.
    platform.advance(3600);
    assert_eq!(ids(ListedFilter { state: Some("expired"), ..Default::default() }).await.len(), 2);
}
