//! `connect-service` with one active connection of an OAuth app, whose token is valid for an hour.
//!
//! Its database is a SQLite file, or the PostgreSQL one that `CONNECT_TEST_POSTGRES_URL` names.
//!
//! It prints what a client needs, and the service's process id, as one line of JSON; it ends, and the service with
//! it, when its standard input does.

use std::io::Write as _;

use connect_tests::Error;
use connect_tests::browser::Browser;
use connect_tests::provider::{Options, Provider};
use connect_tests::service_process::{AppSettings, Home, Settings};
use pabbly_connect::Client;
use tokio::io::AsyncReadExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let provider = Provider::start(Options::default()).await?;
    let home = Home::new(&Settings {
        // No call is refused for coming too fast.
        token_budget: u32::MAX,
        database_url: std::env::var("CONNECT_TEST_POSTGRES_URL").ok(),
        apps: vec![AppSettings::local("gmail", &provider)],
        ..Settings::default()
    })?;
    let service = home.start().await?;
    let key = home.tenant_key("Acme").await?;

    let client = Client::builder().api_key(key.as_str()).base_url(service.base_url()).build()?;
    let alice = client.customer("alice@example.com")?;
    let link = alice.create_request_link("gmail", "Work Gmail").await?;
    let browser = Browser::new()?;
    let hosted = browser.open(&link.request_link).await?;
    let consent = browser.press(&hosted, "Connect", &[]).await?;
    browser.press(&consent, "Allow", &[]).await?;
    alice.get_token(&link.connection_id).await?;
    drop(client);

    let stage = serde_json::json!({
        "base_url": service.base_url(),
        "pid": service.id().ok_or("the service has ended")?,
        "key": key,
        "connection": link.connection_id,
    });
    writeln!(std::io::stdout(), "{stage}")?;
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}
