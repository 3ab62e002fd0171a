//! What ends with an OAuth client: the connections that were made with it, and in the end the client itself.
//!
//! Removing a client changes one row. Its connections end one batch after the other, so that nobody waits for thousands of
//! them; a process that dies in between leaves the rest to the next look.

use std::time::Duration;

use super::database::{Query, Transaction};
use super::events::{ConnectionChange, NewEvent};
use super::{ReconnectionReason, Result, Store};
use crate::clock::{Millis, millis};

/// How many connections end in one transaction.
const BATCH: i64 = 50;

/// For how long a client that was replaced or removed stays at least: longer than a grant can wait to be stored or revoked.
const KEPT: Duration = Duration::from_secs(25 * 60 * 60);

/// For how long a client that a customer entered waits for its first success.
const PENDING: Duration = Duration::from_secs(24 * 60 * 60);

impl Store {
    /// Ends connections of removed clients, one batch of them; gives their number. What they held is revoked where possible.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn end_sessions(&self) -> Result<usize> {
        let query = Query::new(
            "SELECT k.connection_id, k.tenant_id, o.id AS client
             FROM oauth_clients o JOIN credentials k ON k.oauth_client_id = o.id
             WHERE o.state = 'removed' AND k.access_token IS NOT NULL ORDER BY k.connection_id LIMIT $1",
        )
        .bind(BATCH);
        let found = self.database.fetch_all(query).await?;
        if found.is_empty() {
            return Ok(0);
        }
        // The events of a transaction are of one tenant.
        let tenant = found[0].get::<&str>("tenant_id")?;
        let mut transaction = self.database.begin().await?;
        let (mut events, mut ended) = (Vec::new(), 0);
        for row in &found {
            if row.get::<&str>("tenant_id")? == tenant {
                let id = row.get("connection_id")?;
                events.extend(self.end_session(&mut transaction, tenant, id, row.get("client")?).await?);
                ended += 1;
            }
        }
        self.commit_with(transaction, tenant, &events).await?;
        Ok(ended)
    }

    /// A refresh that is under way meanwhile finds another version, and saves nothing.
    async fn end_session(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        connection_id: &str,
        client: &str,
    ) -> Result<Option<NewEvent>> {
        self.lock_connection(transaction, connection_id).await?;
        let current = self.current_grant(transaction, tenant, connection_id).await?;
        let query = Query::new(
            "UPDATE credentials SET access_token = NULL, refresh_token = NULL, version = version + 1,
                lease_owner = NULL, lease_until = NULL
             WHERE connection_id = $1 AND oauth_client_id = $2 AND access_token IS NOT NULL",
        )
        .bind(connection_id)
        .bind(client);
        // The customer may have connected again meanwhile.
        if transaction.execute(query).await? == 0 {
            return Ok(None);
        }
        if let Some(current) = current {
            self.queue_revocation(transaction, tenant, &current).await?;
        }
        let (reason, since) = (ReconnectionReason::ClientChanged, self.clock.now());
        let query = Query::new(
            "UPDATE connections SET broken = 1, broken_reason = $1, broken_since = $2, updated_at = $2,
                status = CASE WHEN status = 'active' THEN 'expired' ELSE status END
             WHERE id = $3 AND tenant_id = $4",
        )
        .bind(reason.as_str())
        .bind(since)
        .bind(connection_id)
        .bind(tenant);
        transaction.execute(query).await?;
        let change = ConnectionChange::NeedsReconnection { reason, since };
        self.connection_event(transaction, tenant, connection_id, &change).await
    }

    /// Forgets clients that nothing can be refreshed or revoked by any more, and those that never succeeded.
    pub(super) async fn remove_unused_clients(&self, now: Millis) -> Result<()> {
        let query = Query::new(
            "DELETE FROM oauth_clients WHERE ((state = 'pending' AND created_at <= $1)
                OR (state IN ('retired', 'removed') AND updated_at <= $2))
                AND NOT EXISTS (SELECT 1 FROM credentials k
                    WHERE k.oauth_client_id = oauth_clients.id AND k.access_token IS NOT NULL)
                AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.oauth_client_id = oauth_clients.id)",
        )
        .bind(now - millis(PENDING))
        .bind(now - millis(KEPT));
        self.database.execute(query).await?;
        Ok(())
    }
}
