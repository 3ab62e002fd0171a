//! Moving from one database to another.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::os::unix::fs::PermissionsExt;

use connect_service::clock::Clock;
use connect_service::store;
use serde_json::json;
use support::{Database, Platform, Provider};

/// A new SQLite file of its own beside the database of a test.
fn file(database: &Database, name: &str) -> String {
    format!("sqlite://{}", database.folder().join(name).display())
}

/// On PostgreSQL this goes there and back again: what was sealed in a file opens there, and the other way round.
#[tokio::test]
async fn a_copy_serves_what_the_original_did() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let (keyed, granted) =
        (platform.connected().await, platform.authorised(Some("canary-refresh-0"), None).await);
    platform.link(json!({"app_id": "brevo", "name": "É ✓ ' \" \\ Mail"})).await;
    platform.call("PUT", &format!("/connections/{keyed}/usages/flow-1")).send().await.data();
    let link = platform.call("POST", "/connections/request-link").header("idempotency-key", "canary-key");
    link.json(&json!({"app_id": "brevo", "name": "Mail"})).await.data();
    // More than a page of rows.
    for n in 0..150 {
        platform.app.store.create_tenant(&format!("Tenant {n}"), None).await.unwrap();
    }
    platform.token(&granted).await.data();
    platform.app.store.write_vendings().await.unwrap();
    let (before, database) = (platform.app.store.tenants().await.unwrap().len(), platform.database.clone());
    let owner = platform.owner();
    // A process that ends lets go of its file only once its last task has ended.
    platform.app.ending.cancel();
    platform.app.tasks.close();
    platform.app.tasks.wait().await;
    platform.app.store.close().await;
    drop(platform);

    let there = file(&database, "there.db");
    let copied = store::copy(&database.url, &there).await.unwrap();
    let rows = |name| copied.iter().find(|(table, _)| *table == name).unwrap().1;
    assert_eq!((rows("tenants"), rows("credentials"), rows("usages")), (151, 2, 1));
    let mode = std::fs::metadata(database.folder().join("there.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let back = Database::new().await;
    assert_eq!(store::copy(&there, &back.url).await.unwrap(), copied);

    let store = back.open(&Clock::default()).await;
    assert_eq!(store.tenants().await.unwrap().len(), before);
    for id in [&keyed, &granted] {
        let credential = store.credential(&owner, id).await.unwrap().unwrap();
        assert!(!credential.grant.inputs.is_empty() || credential.grant.tokens.is_some());
    }
    let names: Vec<_> = {
        let (listed, _) = store.connections(&owner, &Default::default(), 100, 0).await.unwrap();
        listed.into_iter().map(|connection| connection.name).collect()
    };
    assert!(names.contains(&"É ✓ ' \" \\ Mail".to_owned()), "{names:?}");
    store.close().await;

    let error = store::copy(&there, &back.url).await.unwrap_err().to_string();
    assert!(error.contains("it is not empty"), "{error}");
}

#[tokio::test]
async fn no_database_in_use_and_none_that_is_missing_is_copied() {
    let database = Database::new().await;
    let (from, to) = (file(&database, "from.db"), file(&database, "to.db"));
    let error = store::copy(&from, &to).await.unwrap_err().to_string();
    assert!(error.contains("there is no such file"), "{error}");
    let ring = connect_service::vault::KeyRing::from_base64(support::KEY, "a test").unwrap();
    let open = store::Store::open(&from, ring, Clock::default()).await.unwrap();
    let error = store::copy(&from, &to).await.unwrap_err().to_string();
    assert!(error.contains("stop the service"), "{error}");
    assert!(!database.folder().join("to.db").exists());
    drop(open);
    store::copy(&from, &to).await.unwrap();
}
