//! What is on its way to webhook endpoints. An event is queued for each endpoint that wants it in the transaction that
//! writes it; one process at a time sends to an endpoint, under a lease, and what it does not come to stays for the next.

use std::time::Duration;

use super::database::{Query, Row, Transaction};
use super::webhooks::{DisabledReason, SigningSecrets};
use super::{Event, EventType, NewAttempt, Result, Store, StoreError};
use crate::clock::{CLOCK_TOLERANCE, Millis, millis};

/// How often an event is tried while later ones of its connection wait for it: for five minutes.
pub(crate) const MAX_HOLDING_ATTEMPTS: i64 = 2;

/// No pause of an endpoint is longer. One that is was written by a clock that was wrong.
const MAX_PAUSE: Duration = Duration::from_secs(28 * 60 * 60);

/// How many rows are written or removed in one transaction: whoever else writes waits no longer than for these.
const BATCH: i64 = 2000;

/// An event that an endpoint can get now: its time has come, and no earlier one of the same connection waits for one of its
/// first attempts ([`MAX_HOLDING_ATTEMPTS`]) to be repeated. `$1` is the time.
const IS_READY: &str = "d.next_at <= $1 AND NOT EXISTS (
        SELECT 1 FROM webhook_deliveries e
        WHERE e.webhook_id = d.webhook_id AND e.connection_id = d.connection_id AND e.attempts > 0
            AND e.attempts <= 2 AND e.position < d.position AND e.url = d.url)";

/// An endpoint that this process sends to for a while, and how it was doing.
#[derive(Debug)]
pub struct ClaimedWebhook {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
    /// Where events are sent.
    pub url: String,
    /// What signs them.
    pub secrets: SigningSecrets,
    /// How many attempts have failed in a row.
    pub failures: i64,
    /// Since when no attempt has succeeded.
    pub failing_since: Option<Millis>,
    updated_at: Millis,
}

/// An event to send.
#[derive(Debug)]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// Its place in the feed.
    pub position: i64,
    /// The connection that it is about.
    pub connection_id: Option<String>,
    /// A link's own address; none for the endpoint's.
    pub link_url: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It was received.
    Received,
    /// It is tried again then.
    RetryAt(Millis),
    /// It is not tried again.
    GivenUp,
}

/// How an endpoint is doing after a turn.
#[derive(Debug)]
pub struct Health {
    /// How many attempts have failed in a row.
    pub failures: i64,
    /// Since when no attempt has succeeded.
    pub failing_since: Option<Millis>,
    /// Nothing is sent before.
    pub paused_until: Millis,
    /// Whether it failed or took long.
    pub is_suspect: bool,
    /// Whether it works again, so that what failed meanwhile is tried at once.
    pub has_recovered: bool,
    /// Why nothing is sent to it any more.
    pub disabled: Option<DisabledReason>,
}

impl Store {
    /// Queues an event for the tenant's endpoints that want it, and for the address of its own that the link of its
    /// connection has, where the event is of an attempt to connect.
    pub(super) async fn queue_deliveries(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        position: i64,
        event_type: EventType,
        connection_id: Option<&str>,
    ) -> Result<()> {
        let now = self.clock.now();
        let query = Query::new(
            "INSERT INTO webhook_deliveries (webhook_id, tenant_id, position, url, connection_id, attempts, next_at,
                created_at)
             SELECT w.id, w.tenant_id, CAST($1 AS BIGINT), '', CAST($2 AS TEXT), 0, CAST($3 AS BIGINT),
                CAST($3 AS BIGINT)
             FROM webhooks w
             WHERE w.tenant_id = $4 AND w.disabled_at IS NULL AND (w.types = '' OR w.types LIKE $5)",
        )
        .bind(position)
        .bind(connection_id)
        .bind(now)
        .bind(tenant)
        .bind(format!("%,{},%", event_type.as_str()));
        transaction.execute(query).await?;
        let Some(connection_id) = connection_id.filter(|_| event_type.is_of_attempt()) else {
            return Ok(());
        };
        let query = Query::new(
            "INSERT INTO webhook_deliveries (webhook_id, tenant_id, position, url, connection_id, attempts, next_at,
                created_at)
             SELECT w.id, w.tenant_id, CAST($1 AS BIGINT), CASE WHEN l.webhook_url = w.url THEN '' ELSE l.webhook_url END,
                c.id, 0, CAST($2 AS BIGINT), CAST($2 AS BIGINT)
             FROM connections c
             JOIN links l ON l.id = c.link_id
             JOIN webhooks w ON w.id = l.webhook_id AND w.tenant_id = c.tenant_id
             WHERE c.id = $3 AND c.tenant_id = $4 AND l.webhook_url IS NOT NULL AND w.disabled_at IS NULL
             ON CONFLICT DO NOTHING",
        )
        .bind(position)
        .bind(now)
        .bind(connection_id)
        .bind(tenant);
        transaction.execute(query).await?;
        Ok(())
    }

    /// Takes at most `limit` endpoints for which something is ready, those first that waited for longest. Nobody else sends
    /// to them until [`Store::finish_turn`], or for as long as `lease`. `suspects`: also those that failed or took long.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn claim_webhooks(
        &self,
        limit: usize,
        suspects: bool,
        lease: Duration,
    ) -> Result<Vec<ClaimedWebhook>> {
        let now = self.clock.now();
        // Mostly there is nothing, however many endpoints there are.
        let any = Query::new("SELECT 1 AS one FROM webhook_deliveries LIMIT 1");
        if limit == 0 || self.database.fetch_optional(any).await?.is_none() {
            return Ok(Vec::new());
        }
        let find = format!(
            "SELECT w.id FROM webhooks w
             WHERE w.disabled_at IS NULL AND w.is_suspect <= $2 AND (w.paused_until <= $1 OR w.paused_until > $3)
                AND (w.lease_until <= $1 OR w.lease_until > $4)
                AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND {IS_READY})
             ORDER BY w.lease_until, w.id LIMIT $5"
        );
        let too_late = now + millis(lease) + CLOCK_TOLERANCE;
        let query = Query::new(&find)
            .bind(now)
            .bind(i64::from(suspects))
            .bind(now + millis(MAX_PAUSE) + CLOCK_TOLERANCE)
            .bind(too_late)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let found = self.database.scan(query).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mut claimed = Vec::with_capacity(found.len());
        let mut transaction = self.database.begin().await?;
        for row in &found {
            // Another process may have taken it meanwhile.
            let query = Query::new(
                "UPDATE webhooks SET lease_owner = $1, lease_until = $2
                 WHERE id = $3 AND disabled_at IS NULL AND (lease_until <= $4 OR lease_until > $5)
                 RETURNING id, tenant_id, url, secrets, failures, failing_since, updated_at",
            )
            .bind(&self.process)
            .bind(now + millis(lease))
            .bind(row.get::<&str>("id")?)
            .bind(now)
            .bind(too_late);
            if let Some(row) = transaction.fetch_optional(query).await? {
                claimed.push(self.read_claimed(&row)?);
            }
        }
        transaction.commit().await?;
        Ok(claimed)
    }

    fn read_claimed(&self, row: &Row) -> Result<ClaimedWebhook> {
        let (id, tenant): (String, String) = (row.get("id")?, row.get("tenant_id")?);
        Ok(ClaimedWebhook {
            url: row.get("url")?,
            secrets: self.open_secrets(&tenant, &id, row.get("secrets")?)?,
            failures: row.get("failures")?,
            failing_since: row.get("failing_since")?,
            updated_at: row.get("updated_at")?,
            id,
            tenant,
        })
    }

    /// What is ready for an endpoint: what waits for longest, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn ready_deliveries(&self, webhook: &ClaimedWebhook, limit: usize) -> Result<Vec<Delivery>> {
        let query = format!(
            "SELECT d.url, d.attempts, e.position, e.id, e.type, e.connection_id, e.created_at, e.payload
             FROM webhook_deliveries d JOIN events e ON e.tenant_id = d.tenant_id AND e.position = d.position
             WHERE d.webhook_id = $2 AND d.tenant_id = $3 AND {IS_READY}
             ORDER BY d.next_at, d.position LIMIT $4"
        );
        let query = Query::new(&query)
            .bind(self.clock.now())
            .bind(&webhook.id)
            .bind(&webhook.tenant)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.database.scan(query).await?;
        rows.iter()
            .map(|row| {
                let url: String = row.get("url")?;
                Ok(Delivery {
                    event: Event::read(row)?,
                    position: row.get("position")?,
                    connection_id: row.get("connection_id")?,
                    link_url: (!url.is_empty()).then_some(url),
                    attempts: row.get("attempts")?,
                })
            })
            .collect()
    }

    /// Notes what became of a turn, all or nothing, and ends the lease.
    ///
    /// # Errors
    ///
    /// When the database fails. The lease then ends by itself, and what was sent is sent again.
    pub async fn finish_turn(
        &self,
        webhook: &ClaimedWebhook,
        results: &[(Delivery, NewAttempt)],
        health: &Health,
    ) -> Result<()> {
        let now = self.clock.now();
        let mut transaction = self.database.begin().await?;
        // The row is locked first, as by all who change an endpoint and what waits for it. Another process may have the lease.
        let query = Query::new(
            "UPDATE webhooks SET lease_until = CASE WHEN lease_owner = $1 THEN $2 ELSE lease_until END,
                lease_owner = CASE WHEN lease_owner = $1 THEN NULL ELSE lease_owner END
             WHERE id = $3",
        )
        .bind(&self.process)
        .bind(now)
        .bind(&webhook.id);
        if transaction.execute(query).await? == 0 {
            return transaction.rollback().await;
        }
        for (delivery, attempt) in results {
            self.finish_delivery(&mut transaction, webhook, delivery, attempt.next).await?;
            self.insert_attempt(&mut transaction, &webhook.tenant, &webhook.id, attempt).await?;
        }
        if !results.is_empty() {
            self.trim_attempts(&mut transaction, &webhook.id).await?;
        }
        // What the tenant did to it meanwhile counts for more.
        let query = Query::new(
            "UPDATE webhooks SET failures = $1, failing_since = $2, paused_until = $3, is_suspect = $4,
                disabled_at = CASE WHEN CAST($5 AS TEXT) IS NULL THEN disabled_at ELSE CAST($6 AS BIGINT) END,
                disabled_reason = COALESCE($5, disabled_reason)
             WHERE id = $7 AND updated_at = $8 AND disabled_at IS NULL",
        )
        .bind(health.failures)
        .bind(health.failing_since)
        .bind(health.paused_until)
        .bind(i64::from(health.is_suspect))
        .bind(health.disabled.map(DisabledReason::as_str))
        .bind(now)
        .bind(&webhook.id)
        .bind(webhook.updated_at);
        transaction.execute(query).await?;
        if health.has_recovered {
            self.retry_at_once(&mut transaction, &webhook.id).await?;
        }
        transaction.commit().await
    }

    /// A delivery that was asked for again meanwhile has no attempts, and stays.
    async fn finish_delivery(
        &self,
        transaction: &mut Transaction,
        webhook: &ClaimedWebhook,
        delivery: &Delivery,
        next: Next,
    ) -> Result<()> {
        let text = match next {
            Next::Received | Next::GivenUp => {
                "DELETE FROM webhook_deliveries
                 WHERE webhook_id = $1 AND position = $2 AND url = $3 AND attempts = $4"
            }
            Next::RetryAt(_) => {
                "UPDATE webhook_deliveries SET attempts = attempts + 1, next_at = $5
                 WHERE webhook_id = $1 AND position = $2 AND url = $3 AND attempts = $4"
            }
        };
        let query = Query::new(text)
            .bind(&webhook.id)
            .bind(delivery.position)
            .bind(delivery.link_url.as_deref().unwrap_or_default())
            .bind(delivery.attempts);
        let query = match next {
            Next::RetryAt(at) => query.bind(at),
            Next::Received | Next::GivenUp => query,
        };
        transaction.execute(query).await?;
        Ok(())
    }

    /// Lets what failed be tried at once, in the order in which it happened.
    pub(super) async fn retry_at_once(&self, transaction: &mut Transaction, webhook: &str) -> Result<()> {
        let query = Query::new(
            "UPDATE webhook_deliveries SET next_at = created_at
             WHERE webhook_id = $1 AND attempts > 0 AND next_at > created_at",
        );
        transaction.execute(query.bind(webhook)).await?;
        Ok(())
    }

    /// Ends the leases of processes that are no more.
    pub(super) async fn end_turns(&self) -> Result<()> {
        let query = Query::new(
            "UPDATE webhooks SET lease_owner = NULL, lease_until = 0 WHERE lease_owner IS NOT NULL",
        );
        self.database.execute(query).await?;
        Ok(())
    }

    /// Removes all that waits for an endpoint that is gone.
    pub(super) async fn drop_deliveries(&self, webhook: &str) -> Result<()> {
        let text = "DELETE FROM webhook_deliveries WHERE webhook_id = $1 AND position IN (
                SELECT position FROM webhook_deliveries WHERE webhook_id = $1 LIMIT $2)";
        while self.database.execute(Query::new(text).bind(webhook).bind(BATCH)).await? > 0 {}
        Ok(())
    }

    /// Removes what was never received and is older, with its event.
    pub(super) async fn remove_deliveries(&self, created_before: Millis) -> Result<()> {
        let text = "DELETE FROM webhook_deliveries WHERE (webhook_id, position, url) IN (
                SELECT webhook_id, position, url FROM webhook_deliveries WHERE created_at <= $1 LIMIT $2)";
        while self.database.execute(Query::new(text).bind(created_before).bind(BATCH)).await? > 0 {}
        Ok(())
    }

    /// Queues an event for an endpoint once more, or for the first time, whatever types it wants. `false` where the tenant
    /// has no such event.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn redeliver_event(&self, tenant: &str, webhook: &str, event_id: &str) -> Result<bool> {
        let text = format!("{REDELIVER} WHERE e.tenant_id = $3 AND e.id = $4 {ON_CONFLICT}");
        let query = Query::new(&text).bind(webhook).bind(self.clock.now()).bind(tenant).bind(event_id);
        let queued = self.queue_again(tenant, webhook, query).await?;
        self.wake_delivery();
        Ok(queued > 0)
    }

    /// Queues all events since a time once more, of those types that the endpoint wants; gives their number.
    ///
    /// # Errors
    ///
    /// When the database fails; some may be queued then.
    pub async fn redeliver_since(&self, tenant: &str, webhook: &str, since: Millis) -> Result<u64> {
        let now = self.clock.now();
        let text = "SELECT MIN(position) AS first, MAX(position) AS last FROM events
                    WHERE tenant_id = $1 AND created_at >= $2";
        let row = self.database.scan(Query::new(text).bind(tenant).bind(since)).await?;
        let row = row.first().ok_or(StoreError::Unreadable("position"))?;
        let (Some(mut from), Some(last)) =
            (row.get::<Option<i64>>("first")?, row.get::<Option<i64>>("last")?)
        else {
            return Ok(0);
        };
        let text = format!(
            "{REDELIVER} JOIN webhooks w ON w.id = $1 AND w.tenant_id = e.tenant_id
             WHERE e.tenant_id = $3 AND e.created_at >= $4 AND e.position >= $5 AND e.position < $6
                AND (w.types = '' OR w.types LIKE '%,' || e.type || ',%') {ON_CONFLICT}"
        );
        let mut queued = 0;
        while from <= last {
            let query = Query::new(&text)
                .bind(webhook)
                .bind(now)
                .bind(tenant)
                .bind(since)
                .bind(from)
                .bind((from + BATCH).min(last + 1));
            queued += self.queue_again(tenant, webhook, query).await?;
            from += BATCH;
        }
        self.wake_delivery();
        Ok(queued)
    }

    /// Nobody else changes what waits for the endpoint meanwhile.
    async fn queue_again(&self, tenant: &str, webhook: &str, query: Query<'_>) -> Result<u64> {
        let mut transaction = self.database.begin().await?;
        if self.lock_webhook(&mut transaction, tenant, webhook).await?.is_none() {
            transaction.rollback().await?;
            return Ok(0);
        }
        let queued = transaction.execute(query).await?;
        transaction.commit().await?;
        Ok(queued)
    }

    /// A tenant's latest events, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn latest_events(&self, tenant: &str, limit: u32) -> Result<Vec<Event>> {
        let text = "SELECT position, id, type, created_at, payload FROM events WHERE tenant_id = $1
                    ORDER BY position DESC LIMIT $2";
        let rows = self.database.fetch_all(Query::new(text).bind(tenant).bind(i64::from(limit))).await?;
        rows.iter().rev().map(Event::read).collect()
    }

    /// Lets the sender of this process look at once.
    pub(crate) fn wake_delivery(&self) {
        self.delivery_wake.notify_one();
    }

    /// Completes when this process has queued something since the last time.
    pub(crate) async fn delivery_queued(&self) {
        self.delivery_wake.notified().await;
    }
}

const REDELIVER: &str =
    "INSERT INTO webhook_deliveries (webhook_id, tenant_id, position, url, connection_id, attempts,
        next_at, created_at)
    SELECT CAST($1 AS TEXT), e.tenant_id, e.position, '', e.connection_id, 0, CAST($2 AS BIGINT), e.created_at
    FROM events e";

const ON_CONFLICT: &str =
    "ON CONFLICT (webhook_id, position, url) DO UPDATE SET attempts = 0, next_at = excluded.next_at";
