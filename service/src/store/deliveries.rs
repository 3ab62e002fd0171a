//! What is on its way to webhook endpoints. An event is queued for each endpoint that wants it in the transaction that
//! writes it; one process at a time sends to an endpoint, under a lease, and what it does not come to stays for the next.

use std::time::{Duration, Instant};

use super::database::{Query, Row, Transaction};
use super::events::NewEvent;
use super::webhooks::{DisabledReason, SigningSecrets};
use super::{Event, NewAttempt, Result, Store, StoreError};
use crate::clock::{CLOCK_TOLERANCE, Millis, millis};

/// How often an event is tried while later ones of its connection wait for it: for five minutes.
pub(crate) const MAX_HOLDING_ATTEMPTS: i64 = 2;

/// No pause of an endpoint is longer. One that is was written by a clock that was wrong.
const MAX_PAUSE: Duration = Duration::from_secs(28 * 60 * 60);

/// How many endpoints with something ready are looked at for those that have a turn.
const MAX_CANDIDATES: i64 = 1000;

/// How many rows are written or removed in one transaction: other writers wait no longer than for these.
const BATCH: i64 = 2000;

/// The latest time that what is one of a connection's first attempts at an address waits for. What was not tried yet waits
/// as long, so that it is not sent before.
const WAITS_FOR: &str = "(SELECT e.next_at FROM webhook_deliveries e
        WHERE e.webhook_id = d.webhook_id AND e.connection_id = d.connection_id AND e.url = d.url AND e.attempts <= 2
        ORDER BY e.next_at DESC LIMIT 1)";

/// How often one turn sets aside what has to wait, [`BATCH`] rows at a time.
const MAX_ROUNDS: usize = 10;

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
    /// Requests at once.
    pub concurrency: usize,
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
    /// When it was tried first.
    pub tried_at: Option<Millis>,
    next_at: Millis,
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
    /// Requests at once in the next turn.
    pub concurrency: usize,
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
        event: &NewEvent,
    ) -> Result<()> {
        let connection_id = event.connection_id.as_deref();
        let query = Query::new(
            "INSERT INTO webhook_deliveries (webhook_id, tenant_id, position, url, connection_id)
             SELECT w.id, w.tenant_id, CAST($1 AS BIGINT), '', CAST($2 AS TEXT)
             FROM webhooks w
             WHERE w.tenant_id = $3 AND w.disabled_at IS NULL AND (w.types = '' OR w.types LIKE $4)",
        )
        .bind(position)
        .bind(connection_id)
        .bind(tenant)
        .bind(format!("%,{},%", event.event_type.as_str()));
        transaction.execute(query).await?;
        let Some(connection_id) = connection_id.filter(|_| event.is_of_attempt) else {
            return Ok(());
        };
        // The endpoint with this very address, whose secret its receiver has; or else any at its origin that is on.
        let query = Query::new(
            "INSERT INTO webhook_deliveries (webhook_id, tenant_id, position, url, connection_id)
             SELECT w.id, w.tenant_id, CAST($1 AS BIGINT), CASE WHEN l.webhook_url = w.url THEN '' ELSE l.webhook_url END,
                c.id
             FROM connections c
             JOIN links l ON l.id = c.link_id
             JOIN webhooks w ON w.id = (
                SELECT o.id FROM webhooks o WHERE o.tenant_id = c.tenant_id AND o.origin = l.webhook_origin
                ORDER BY CASE WHEN o.url = l.webhook_url THEN 0 ELSE 1 END,
                    CASE WHEN o.disabled_at IS NULL THEN 0 ELSE 1 END, o.created_at, o.id
                LIMIT 1)
             WHERE c.id = $2 AND c.tenant_id = $3 AND w.disabled_at IS NULL
             ON CONFLICT DO NOTHING",
        )
        .bind(position)
        .bind(connection_id)
        .bind(tenant);
        transaction.execute(query).await?;
        Ok(())
    }

    /// Takes at most `limit` endpoints for which something is ready, those first that waited for longest. Nobody else sends
    /// to them until [`Store::finish_turn`], or for as long as `lease`. `suspects`: also those that failed or took long.
    /// `has_room`: whether a tenant gets one more turn.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn claim_webhooks(
        &self,
        limit: usize,
        suspects: bool,
        lease: Duration,
        mut has_room: impl FnMut(&str) -> bool,
    ) -> Result<Vec<ClaimedWebhook>> {
        let now = self.clock.now();
        // Mostly there is nothing, however many endpoints there are.
        let any = Query::new("SELECT 1 AS one FROM webhook_deliveries LIMIT 1");
        if limit == 0 || self.database.fetch_optional(any).await?.is_none() {
            return Ok(Vec::new());
        }
        // Of each endpoint the first row and the last one by time are looked at, however many there are.
        let find = "SELECT w.id, w.tenant_id FROM webhooks w JOIN tenants t ON t.id = w.tenant_id
             WHERE t.disabled_at IS NULL AND w.disabled_at IS NULL AND w.is_suspect <= $2 AND (w.paused_until <= $1 OR w.paused_until > $3)
                AND (w.lease_until <= $1 OR w.lease_until > $4)
                AND (EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.next_at <= $1)
                    OR EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.next_at > $3))
             ORDER BY w.lease_until, w.id LIMIT $5";
        let too_late = now + millis(lease) + CLOCK_TOLERANCE;
        let query = Query::new(find)
            .bind(now)
            .bind(i64::from(suspects))
            .bind(too_far(now))
            .bind(too_late)
            .bind(MAX_CANDIDATES);
        let found = self.database.scan(query).await?;
        let mut ids = Vec::new();
        for row in &found {
            if ids.len() < limit && has_room(row.get("tenant_id")?) {
                ids.push(row.get::<&str>("id")?);
            }
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // Several are locked in one order.
        ids.sort_unstable();
        let mut claimed = Vec::with_capacity(ids.len());
        let mut transaction = self.database.begin().await?;
        for id in ids {
            // Another process may have taken it meanwhile.
            let query = Query::new(
                "UPDATE webhooks SET lease_owner = $1, lease_until = $2
                 WHERE id = $3 AND disabled_at IS NULL AND (lease_until <= $4 OR lease_until > $5)
                 RETURNING id, tenant_id, url, secrets, failures, failing_since, concurrency, updated_at",
            )
            .bind(&self.process)
            .bind(now + millis(lease))
            .bind(id)
            .bind(now)
            .bind(too_late);
            if let Some(row) = transaction.fetch_optional(query).await? {
                match self.read_claimed(&row).await {
                    Ok(webhook) => claimed.push(webhook),
                    // The lease keeps it from being looked at again at once.
                    Err(error) => tracing::error!(%error, webhook = id, "a webhook endpoint cannot be read"),
                }
            }
        }
        transaction.commit().await?;
        Ok(claimed)
    }

    /// For how long the delivery has been due that has waited for longest, over all tenants. What is set aside or paused, as
    /// after a failure, and what is of a disabled tenant, is not due.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn webhook_lag(&self) -> Result<Duration> {
        let any = Query::new("SELECT 1 AS one FROM webhook_deliveries LIMIT 1");
        if self.database.fetch_optional(any).await?.is_none() {
            return Ok(Duration::ZERO);
        }
        let now = self.clock.now();
        // Of each endpoint two rows are looked at, however many there are: the first new one, and the first of the others.
        let first = |times: &str| {
            format!(
                "(SELECT d.position FROM webhook_deliveries d WHERE d.webhook_id = w.id AND {times}
                  ORDER BY d.next_at, d.position LIMIT 1)"
            )
        };
        let text = format!(
            "SELECT MIN(CASE WHEN d.next_at = 0 THEN e.created_at ELSE d.next_at END) AS since
             FROM webhooks w JOIN tenants t ON t.id = w.tenant_id
             JOIN webhook_deliveries d ON d.webhook_id = w.id AND d.position IN ({}, {})
             JOIN events e ON e.tenant_id = d.tenant_id AND e.position = d.position
             WHERE t.disabled_at IS NULL AND w.disabled_at IS NULL AND w.paused_until <= $1 AND d.next_at <= $1",
            first("d.next_at = 0"),
            first("d.next_at > 0"),
        );
        let rows = self.database.scan(Query::new(&text).bind(now)).await?;
        let since = rows.first().map(|row| row.get::<Option<Millis>>("since")).transpose()?.flatten();
        let waited = since.map_or(0, |since| now - since);
        Ok(Duration::from_millis(u64::try_from(waited).unwrap_or_default()))
    }

    async fn read_claimed(&self, row: &Row) -> Result<ClaimedWebhook> {
        let (id, tenant): (String, String) = (row.get("id")?, row.get("tenant_id")?);
        Ok(ClaimedWebhook {
            url: row.get("url")?,
            secrets: self.open_secrets(&tenant, &id, row.get("secrets")?).await?,
            failures: row.get("failures")?,
            failing_since: row.get("failing_since")?,
            concurrency: usize::try_from(row.get::<i64>("concurrency")?).unwrap_or(1).max(1),
            updated_at: row.get("updated_at")?,
            id,
            tenant,
        })
    }

    /// What is ready for an endpoint, at most `limit`: what is to be tried again, up to half of it, and what is new. What
    /// has to wait for an earlier event is set aside, and what cannot be sent is dropped.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn ready_deliveries(&self, webhook: &ClaimedWebhook, limit: usize) -> Result<Vec<Delivery>> {
        let now = self.clock.now();
        let mut ready = self.ready_between(webhook, (1, now), limit.div_ceil(2)).await?;
        ready.extend(self.ready_between(webhook, (0, 0), limit - ready.len()).await?);
        if ready.is_empty() {
            // A clock that was wrong has set it.
            let query = Query::new(
                "UPDATE webhook_deliveries SET next_at = 1 WHERE (webhook_id, position, url) IN (
                    SELECT webhook_id, position, url FROM webhook_deliveries
                    WHERE webhook_id = $1 AND next_at > $2 LIMIT $3)",
            );
            let query = query.bind(&webhook.id).bind(too_far(now)).bind(BATCH);
            self.change_deliveries(webhook, query).await?;
        }
        Ok(ready)
    }

    /// What is ready and has a time in this range.
    async fn ready_between(
        &self,
        webhook: &ClaimedWebhook,
        (first, last): (Millis, Millis),
        limit: usize,
    ) -> Result<Vec<Delivery>> {
        let find = format!(
            "SELECT d.position AS queued, d.url, d.attempts, d.tried_at, d.next_at, e.position, e.id, e.type,
                e.connection_id, e.created_at, e.payload,
                CAST(CASE WHEN d.attempts = 0 AND {WAITS_FOR} > d.next_at THEN 1 ELSE 0 END AS BIGINT) AS waits
             FROM webhook_deliveries d
             LEFT JOIN events e ON e.tenant_id = d.tenant_id AND e.position = d.position
             WHERE d.webhook_id = $1 AND d.tenant_id = $2 AND d.next_at >= $3 AND d.next_at <= $4
             ORDER BY d.next_at, d.position LIMIT $5"
        );
        let set_aside = format!(
            "UPDATE webhook_deliveries AS d SET next_at = {WAITS_FOR}
             WHERE d.attempts = 0 AND {WAITS_FOR} > d.next_at AND (d.webhook_id, d.position, d.url) IN (
                SELECT webhook_id, position, url FROM webhook_deliveries
                WHERE webhook_id = $1 AND next_at >= $2 AND next_at <= $3 ORDER BY next_at, position LIMIT $4)"
        );
        for round in 0..=MAX_ROUNDS {
            let query = Query::new(&find)
                .bind(&webhook.id)
                .bind(&webhook.tenant)
                .bind(first)
                .bind(last)
                .bind(i64::try_from(limit).unwrap_or(i64::MAX));
            let rows = self.database.scan(query).await?;
            let (mut ready, mut waits) = (Vec::with_capacity(rows.len()), false);
            for row in &rows {
                if row.get::<i64>("waits")? == 1 {
                    waits = true;
                } else if let Some(delivery) = self.read_delivery(webhook, row).await? {
                    ready.push(delivery);
                }
            }
            if !waits || round == MAX_ROUNDS {
                return Ok(ready);
            }
            let query = Query::new(&set_aside).bind(&webhook.id).bind(first).bind(last).bind(BATCH);
            self.change_deliveries(webhook, query).await?;
        }
        Ok(Vec::new())
    }

    /// None, and the row is gone, where there is no such event any more, or none that can be read.
    async fn read_delivery(&self, webhook: &ClaimedWebhook, row: &Row) -> Result<Option<Delivery>> {
        let (position, url) = (row.get::<i64>("queued")?, row.get::<String>("url")?);
        let event = match row.get::<Option<&str>>("id")? {
            Some(_) => Event::read(row),
            None => Err(StoreError::Unreadable("event")),
        };
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(%error, webhook = webhook.id, position, "an event cannot be sent");
                let query = Query::new(
                    "DELETE FROM webhook_deliveries WHERE webhook_id = $1 AND position = $2 AND url = $3",
                );
                self.change_deliveries(webhook, query.bind(&webhook.id).bind(position).bind(&url)).await?;
                return Ok(None);
            }
        };
        Ok(Some(Delivery {
            event,
            position,
            connection_id: row.get("connection_id")?,
            link_url: (!url.is_empty()).then_some(url),
            attempts: row.get("attempts")?,
            tried_at: row.get("tried_at")?,
            next_at: row.get("next_at")?,
        }))
    }

    /// Changes what waits for an endpoint while nobody else does.
    async fn change_deliveries(&self, webhook: &ClaimedWebhook, query: Query<'_>) -> Result<u64> {
        self.change_queue(&webhook.tenant, &webhook.id, query).await
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
            self.finish_delivery(&mut transaction, webhook, delivery, attempt).await?;
            self.insert_attempt(&mut transaction, &webhook.tenant, &webhook.id, attempt).await?;
        }
        if !results.is_empty() {
            self.trim_attempts(&mut transaction, &webhook.id).await?;
        }
        // What the tenant did to it meanwhile counts for more.
        let query = Query::new(
            "UPDATE webhooks SET failures = $1, failing_since = $2, paused_until = $3, is_suspect = $4,
                disabled_at = CASE WHEN CAST($5 AS TEXT) IS NULL THEN disabled_at ELSE CAST($6 AS BIGINT) END,
                disabled_reason = COALESCE($5, disabled_reason), concurrency = $7
             WHERE id = $8 AND updated_at = $9 AND disabled_at IS NULL",
        )
        .bind(health.failures)
        .bind(health.failing_since)
        .bind(health.paused_until)
        .bind(i64::from(health.is_suspect))
        .bind(health.disabled.map(DisabledReason::as_str))
        .bind(now)
        .bind(i64::try_from(health.concurrency).unwrap_or(1))
        .bind(&webhook.id)
        .bind(webhook.updated_at);
        transaction.execute(query).await?;
        if health.has_recovered {
            self.retry_at_once(&mut transaction, &webhook.id).await?;
        }
        transaction.commit().await
    }

    /// Ends the lease of a turn that found nothing to send.
    ///
    /// # Errors
    ///
    /// When the database fails. The lease then ends by itself.
    pub async fn end_turn(&self, webhook: &ClaimedWebhook) -> Result<()> {
        let query = Query::new(
            "UPDATE webhooks SET lease_until = $1, lease_owner = NULL WHERE id = $2 AND lease_owner = $3",
        );
        self.database.execute(query.bind(self.clock.now()).bind(&webhook.id).bind(&self.process)).await?;
        Ok(())
    }

    /// A delivery that was asked for again meanwhile has another time, and stays.
    async fn finish_delivery(
        &self,
        transaction: &mut Transaction,
        webhook: &ClaimedWebhook,
        delivery: &Delivery,
        attempt: &NewAttempt,
    ) -> Result<()> {
        const OF_DELIVERY: &str = "WHERE webhook_id = $1 AND position = $2 AND url = $3 AND next_at = $4";
        let text = match attempt.next {
            Next::Received | Next::GivenUp => format!("DELETE FROM webhook_deliveries {OF_DELIVERY}"),
            Next::RetryAt(_) => format!(
                "UPDATE webhook_deliveries SET attempts = attempts + 1, next_at = $5, tried_at = COALESCE(tried_at, $6)
                 {OF_DELIVERY}"
            ),
        };
        let query = Query::new(&text)
            .bind(&webhook.id)
            .bind(delivery.position)
            .bind(delivery.link_url.as_deref().unwrap_or_default())
            .bind(delivery.next_at);
        let query = match attempt.next {
            Next::RetryAt(at) => query.bind(at).bind(attempt.at),
            Next::Received | Next::GivenUp => query,
        };
        transaction.execute(query).await?;
        Ok(())
    }

    /// Lets what failed be tried at once, in the order in which it would have been, before what is new. What there is beyond
    /// [`BATCH`] keeps its time.
    pub(super) async fn retry_at_once(&self, transaction: &mut Transaction, webhook: &str) -> Result<()> {
        let query = Query::new(
            "UPDATE webhook_deliveries SET next_at = 1 WHERE (webhook_id, position, url) IN (
                SELECT webhook_id, position, url FROM webhook_deliveries
                WHERE webhook_id = $1 AND next_at > $2 ORDER BY next_at, position LIMIT $3)",
        );
        transaction.execute(query.bind(webhook).bind(self.clock.now()).bind(BATCH)).await?;
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

    /// Removes what was never received and whose event is not kept any more, and what waits for endpoints that are gone.
    pub(super) async fn remove_deliveries(&self) -> Result<()> {
        const NEXT_ENDPOINT: &str = "SELECT d.webhook_id, d.tenant_id, w.id FROM webhook_deliveries d
            LEFT JOIN webhooks w ON w.id = d.webhook_id
            WHERE d.webhook_id > $1 ORDER BY d.webhook_id LIMIT 1";
        const WITHOUT_EVENT: &str = "DELETE FROM webhook_deliveries WHERE (webhook_id, position, url) IN (
            SELECT webhook_id, position, url FROM webhook_deliveries
            WHERE webhook_id = $1 AND position < COALESCE(
                (SELECT MIN(e.position) FROM events e WHERE e.tenant_id = $2),
                (SELECT p.last + 1 FROM event_positions p WHERE p.tenant_id = $2))
            LIMIT $3)";
        let mut last = String::new();
        while let Some(row) = self.database.fetch_optional(Query::new(NEXT_ENDPOINT).bind(&last)).await? {
            last = row.get("webhook_id")?;
            let tenant: &str = row.get("tenant_id")?;
            if row.get::<Option<&str>>("id")?.is_none() {
                self.drop_deliveries(&last).await?;
                continue;
            }
            loop {
                let query = Query::new(WITHOUT_EVENT).bind(&last).bind(tenant).bind(BATCH);
                if self.change_queue(tenant, &last, query).await? == 0 {
                    break;
                }
            }
        }
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
        let queued = self.change_queue(tenant, webhook, query).await?;
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
            let begun = Instant::now();
            queued += self.change_queue(tenant, webhook, query).await?;
            from += BATCH;
            // Other writers have half of the time.
            tokio::time::sleep(begun.elapsed()).await;
        }
        self.wake_delivery();
        Ok(queued)
    }

    /// Nobody else changes what waits for the endpoint meanwhile.
    async fn change_queue(&self, tenant: &str, webhook: &str, query: Query<'_>) -> Result<u64> {
        let mut transaction = self.database.begin().await?;
        if self.lock_webhook(&mut transaction, tenant, webhook).await?.is_none() {
            transaction.rollback().await?;
            return Ok(0);
        }
        let changed = transaction.execute(query).await?;
        transaction.commit().await?;
        Ok(changed)
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

/// Times beyond it were written by a clock that was wrong.
fn too_far(now: Millis) -> Millis {
    now + millis(MAX_PAUSE) + CLOCK_TOLERANCE
}

/// Their time tells them from those that are being sent at the moment.
const REDELIVER: &str =
    "INSERT INTO webhook_deliveries (webhook_id, tenant_id, position, url, connection_id, next_at)
    SELECT CAST($1 AS TEXT), e.tenant_id, e.position, '', e.connection_id, CAST($2 AS BIGINT)
    FROM events e";

const ON_CONFLICT: &str = "ON CONFLICT (webhook_id, position, url)
    DO UPDATE SET attempts = 0, tried_at = NULL, next_at = excluded.next_at";
