//! What was sent to webhook endpoints, and what came back: for the tenant to look at, at most so many for each endpoint.

use std::time::Duration;

use super::database::{Query, Row, Transaction};
use super::deliveries::Next;
use super::{Result, Store};
use crate::clock::{Millis, millis};
use crate::ids;

/// How many are kept for each endpoint.
const MAX_ATTEMPTS: i64 = 1000;

/// One attempt to be noted.
#[derive(Debug)]
pub struct NewAttempt {
    /// The event's id.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// Where it was sent.
    pub url: String,
    /// Which attempt it was, from 1.
    pub number: i64,
    /// When it began.
    pub at: Millis,
    /// How long it took.
    pub duration: Duration,
    /// The response's status.
    pub status: Option<u16>,
    /// Why it failed, in a word.
    pub error: Option<&'static str>,
    /// The beginning of the response's body, without control characters.
    pub response: Option<String>,
    /// What becomes of the delivery.
    pub next: Next,
}

/// One attempt as it was noted.
#[derive(Debug, Clone)]
pub struct WebhookAttempt {
    /// Its id.
    pub id: String,
    /// The event's id.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// Where it was sent.
    pub url: String,
    /// Which attempt it was, from 1.
    pub number: i64,
    /// When it began.
    pub at: Millis,
    /// How long it took, in milliseconds.
    pub duration: Millis,
    /// The response's status.
    pub status: Option<i64>,
    /// Why it failed, in a word; none where it succeeded.
    pub error: Option<String>,
    /// The beginning of the response's body.
    pub response: Option<String>,
    /// When it is tried again.
    pub next_at: Option<Millis>,
}

impl Store {
    /// Notes one attempt that no turn made, such as a test; not where the endpoint is gone meanwhile.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn note_attempt(
        &self,
        tenant: &str,
        webhook: &str,
        attempt: &NewAttempt,
    ) -> Result<WebhookAttempt> {
        let mut transaction = self.database.begin().await?;
        let is_there = self.lock_webhook(&mut transaction, tenant, webhook).await?.is_some();
        let noted = self.insert_attempt(&mut transaction, tenant, webhook, attempt).await?;
        if !is_there {
            transaction.rollback().await?;
            return Ok(noted);
        }
        self.trim_attempts(&mut transaction, webhook).await?;
        transaction.commit().await?;
        Ok(noted)
    }

    /// An endpoint's attempts, the latest first, and how many there are in all.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn webhook_attempts(
        &self,
        tenant: &str,
        webhook: &str,
        limit: u32,
        offset: u64,
    ) -> Result<(Vec<WebhookAttempt>, u64)> {
        const OF_WEBHOOK: &str = "FROM webhook_attempts WHERE webhook_id = $1 AND tenant_id = $2";
        let count = format!("SELECT COUNT(*) AS total {OF_WEBHOOK}");
        let row = self.database.fetch_optional(Query::new(&count).bind(webhook).bind(tenant)).await?;
        let total: i64 = row.map_or(Ok(0), |row| row.get("total"))?;
        let page = format!(
            "SELECT id, event_id, event_type, url, number, at, duration, status, error, response, next_at
             {OF_WEBHOOK} ORDER BY at DESC, id DESC LIMIT $3 OFFSET $4"
        );
        let query = Query::new(&page)
            .bind(webhook)
            .bind(tenant)
            .bind(i64::from(limit))
            .bind(i64::try_from(offset).unwrap_or(i64::MAX));
        let rows = self.database.fetch_all(query).await?;
        let attempts = rows.iter().map(WebhookAttempt::read).collect::<Result<_>>()?;
        Ok((attempts, total.try_into().unwrap_or_default()))
    }

    pub(super) async fn insert_attempt(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        webhook: &str,
        attempt: &NewAttempt,
    ) -> Result<WebhookAttempt> {
        let noted = WebhookAttempt {
            id: ids::prefixed("wha_"),
            event_id: attempt.event_id.clone(),
            event_type: attempt.event_type.clone(),
            url: attempt.url.clone(),
            number: attempt.number,
            at: attempt.at,
            duration: millis(attempt.duration),
            status: attempt.status.map(i64::from),
            error: attempt.error.map(str::to_owned),
            response: attempt.response.clone(),
            next_at: match attempt.next {
                Next::RetryAt(at) => Some(at),
                Next::Received | Next::GivenUp => None,
            },
        };
        let query = Query::new(
            "INSERT INTO webhook_attempts (id, webhook_id, tenant_id, event_id, event_type, url, number, at, duration,
                status, error, response, next_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(&noted.id)
        .bind(webhook)
        .bind(tenant)
        .bind(&noted.event_id)
        .bind(&noted.event_type)
        .bind(&noted.url)
        .bind(noted.number)
        .bind(noted.at)
        .bind(noted.duration)
        .bind(noted.status)
        .bind(noted.error.as_deref())
        .bind(noted.response.as_deref())
        .bind(noted.next_at);
        transaction.execute(query).await?;
        Ok(noted)
    }

    /// Forgets the oldest beyond [`MAX_ATTEMPTS`].
    pub(super) async fn trim_attempts(&self, transaction: &mut Transaction, webhook: &str) -> Result<()> {
        let query = Query::new(
            "DELETE FROM webhook_attempts WHERE webhook_id = $1 AND id IN (
                SELECT id FROM webhook_attempts WHERE webhook_id = $1 ORDER BY at DESC, id DESC
                LIMIT 1000000 OFFSET $2)",
        )
        .bind(webhook)
        .bind(MAX_ATTEMPTS);
        transaction.execute(query).await?;
        Ok(())
    }

    /// Forgets all before a time.
    pub(super) async fn remove_attempts(&self, before: Millis) -> Result<()> {
        // In parts, so that other writers do not wait for long.
        const BATCH: i64 = 2000;
        let text = "DELETE FROM webhook_attempts WHERE id IN (
                SELECT id FROM webhook_attempts WHERE at <= $1 ORDER BY at LIMIT $2)";
        while self.database.execute(Query::new(text).bind(before).bind(BATCH)).await? > 0 {}
        Ok(())
    }
}

impl WebhookAttempt {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            event_id: row.get("event_id")?,
            event_type: row.get("event_type")?,
            url: row.get("url")?,
            number: row.get("number")?,
            at: row.get("at")?,
            duration: row.get("duration")?,
            status: row.get("status")?,
            error: row.get("error")?,
            response: row.get("response")?,
            next_at: row.get("next_at")?,
        })
    }
}
