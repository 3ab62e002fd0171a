//! Which statements read data keys. A program of its own, since what is logged is decided once for each.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use support::{Log, Platform};

/// The data key is in memory: what a token call asks of the database is one statement.
#[tokio::test]
async fn a_token_call_reads_no_data_key() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let fresh = platform.another().await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let reads = |log: &Log| log.text().matches("FROM data_keys").count();
    fresh.token(&id).await.data();
    assert_eq!(reads(&log), 1);
    let before = log.text().matches("statement=").count();
    fresh.token(&id).await.data();
    assert_eq!(reads(&log), 1);
    assert_eq!(log.text().matches("statement=").count() - before, 1, "{}", log.text());
}
