//! This project's own crate.

use std::time::Duration;

use pabbly_connect::{Client, ConnectionStatus, Customer, ExposeSecret};

use crate::answers::check;
use crate::job::{self, Outcome, POLL_INTERVAL, Settings};

#[derive(Clone)]
pub(crate) struct Peer {
    client: Client,
    alice: Customer,
    connection: String,
}

impl job::Peer for Peer {
    fn new(settings: &Settings) -> Outcome<Self> {
        let client = Client::builder()
            .api_key(settings.key.clone())
            .base_url(&settings.base_url)
            .ca_certificates(settings.ca_pem.clone())
            // The waits shall cost work and not time.
            .requests_per_minute(100_000_000)
            .build()?;
        Ok(Self {
            alice: client.customer("alice@example.com")?,
            client,
            connection: settings.connection.clone(),
        })
    }

    async fn share(&self) -> Outcome<Self> {
        Ok(self.clone())
    }

    async fn token(&mut self) -> Outcome<()> {
        let token = self.alice.get_token(&self.connection).await?;
        let token = token.access_token.as_ref();
        check(token.is_some_and(|token| token.expose_secret().starts_with("ya29.")))
    }

    async fn list(&mut self) -> Outcome<()> {
        let apps = self.client.list_apps().limit(50).await?.items;
        check(apps.len() == 50 && apps[49].id == "app_50")
    }

    async fn wait(&mut self, number: u64) -> Outcome<()> {
        let customer = self.client.customer(&format!("customer-{number}@example.com"))?;
        let connection = customer
            .wait_for_connection(&format!("conn_{number}"))
            .interval(POLL_INTERVAL)
            .timeout(Duration::from_secs(60))
            .await?;
        check(connection.status == ConnectionStatus::Active)
    }
}
