//! Forgetting what nobody can ask for any more.

use std::time::Duration;

use super::database::Query;
use super::events::{ConnectionChange, DeletedBy};
use super::{Due, Result, Store};
use crate::clock::{Millis, millis};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// For how long a link that was replaced still answers how it ended.
const REMEMBERED: Duration = DAY;

/// For how long a connection that never had a credential still answers how its last link ended, and an import that was
/// not finished can be repeated.
const UNFINISHED: Duration = DAY.saturating_mul(7);

/// For how long the audit of vending is kept.
const VENDINGS_KEPT: Duration = DAY.saturating_mul(90);

/// For how long events are kept, and what was sent of them.
const EVENTS_KEPT: Duration = DAY.saturating_mul(30);

/// How many connections are removed in one transaction: whoever else writes waits no longer than for these.
const BATCH: usize = 200;

/// How many connections are removed in one clean-up. The next one goes on.
const MAX_REMOVED: i64 = 10_000;

/// A connection that nobody can finish any more, and that nothing uses. `$1` is when its link must have expired.
const IS_ABANDONED: &str = "NOT EXISTS (SELECT 1 FROM credentials k WHERE k.connection_id = connections.id)
    AND NOT EXISTS (SELECT 1 FROM usages u WHERE u.connection_id = connections.id)
    AND EXISTS (SELECT 1 FROM links l WHERE l.id = connections.link_id AND l.expires_at <= $1)";

impl Store {
    /// Removes authorization requests whose link has expired, answers whose key is forgotten, links that a newer one
    /// replaced, lines of the audit of vending after 90 days, events after 30 days, imports and connections that were
    /// never finished. Any other connection, with its latest link, stays until the tenant deletes it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn clean_up(&self) -> Result<()> {
        // What is about to be removed may not have been told yet.
        self.announce(Due::ExpiredLinks).await?;
        let now = self.clock.now();
        let query = Query::new(
            "DELETE FROM authorizations WHERE link_id IN (SELECT id FROM links WHERE expires_at <= $1)",
        )
        .bind(now);
        self.database.execute(query).await?;
        let query = Query::new("DELETE FROM answers WHERE expires_at <= $1").bind(now);
        self.database.execute(query).await?;
        let query = Query::new(
            "DELETE FROM links WHERE expires_at <= $1 AND id NOT IN (SELECT link_id FROM connections)",
        )
        .bind(now - millis(REMEMBERED));
        self.database.execute(query).await?;
        // One that fails keeps none of the others from being done.
        let results = [
            self.remove_budgets().await,
            self.remove_vendings(now - millis(VENDINGS_KEPT)).await,
            self.remove_unused_clients(now).await,
            self.remove_admin_links(now - millis(DAY)).await,
            self.remove_import_tokens(now - millis(UNFINISHED)).await,
            self.remove_sign_ins(now - millis(DAY)).await,
            self.remove_sessions(now).await,
            self.remove_events(now - millis(EVENTS_KEPT)).await,
            self.remove_attempts(now - millis(EVENTS_KEPT)).await,
            self.remove_deliveries().await,
            self.destroy_data_keys().await,
            self.remove_abandoned(now - millis(UNFINISHED)).await,
        ];
        results.into_iter().collect()
    }

    /// Removes connections that were never finished and whose link expired before.
    async fn remove_abandoned(&self, expired_before: Millis) -> Result<()> {
        let find = format!("SELECT id, tenant_id FROM connections WHERE {IS_ABANDONED} LIMIT $2");
        let query = Query::new(&find).bind(expired_before).bind(MAX_REMOVED);
        let found = self.database.scan(query).await?;
        // A new link or usage may have come meanwhile.
        let remove = format!("DELETE FROM connections WHERE id = $2 AND {IS_ABANDONED}");
        let mut removed = 0;
        for batch in found.chunks(BATCH) {
            let mut transaction = self.database.begin().await?;
            let mut events = Vec::new();
            for row in batch {
                let (id, tenant) = (row.get::<&str>("id")?, row.get::<&str>("tenant_id")?);
                let change = ConnectionChange::Deleted(DeletedBy::Operator);
                let event = self.connection_event(&mut transaction, tenant, id, &change).await?;
                let query = Query::new(&remove).bind(expired_before).bind(id);
                if transaction.execute(query).await? == 1 {
                    removed += 1;
                    events.extend(event.map(|event| (tenant, event)));
                }
            }
            // A writer of several tenants' events takes their positions in one order.
            events.sort_by_key(|(tenant, _)| *tenant);
            for (tenant, event) in &events {
                self.record(&mut transaction, tenant, event).await?;
            }
            transaction.commit().await?;
            for (tenant, _) in events {
                self.feeds.tell(tenant);
            }
            self.wake_delivery();
        }
        if removed > 0 {
            tracing::info!(removed, "connections that were never finished are removed");
        }
        Ok(())
    }
}
