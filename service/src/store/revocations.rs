//! The queue of grants that are to be ended at their providers. A grant gets here in the transaction in which it loses its
//! place; whether and how it is ended is decided where the catalogue is known (`crate::revocation`).

use std::fmt;
use std::time::Duration;

use super::database::{Query, Row, Transaction};
use super::grant_record::GrantRecord;
use super::{Grant, Origin, Result, Store, StoreError, Tokens};
use crate::catalogue::AuthType;
use crate::clock::{CLOCK_TOLERANCE, Millis, millis};
use crate::ids;
use crate::vault::Place;

/// After so long a grant is given up. None is put off for longer.
pub const MAX_REVOCATION_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// For how long a customer who came back may be without a grant: longer than the calls to a provider can take.
pub const MAX_REDEMPTION: Duration = Duration::from_secs(60);

/// A grant that is to be ended, for whoever took it.
pub struct PendingRevocation {
    /// The tenant whose connection held it.
    pub tenant: String,
    /// What is to be ended.
    pub grant: Grant,
    /// How often it was tried, this time included.
    pub attempts: i64,
    /// Since when it is to be ended.
    pub created_at: Millis,
    id: String,
}

impl Grant {
    /// Whether it is the service's to end: tokens that it got from the provider. What customers copy from a provider, and
    /// what a tenant imports, may be used elsewhere.
    pub(super) fn is_revocable(&self) -> bool {
        self.auth_type == AuthType::OAuth && self.tokens.is_some() && self.origin == Origin::Link
    }
}

impl Store {
    /// Queues a grant, if it is [revocable](Grant::is_revocable).
    pub(super) async fn queue_revocation(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        grant: &Grant,
    ) -> Result<()> {
        if !grant.is_revocable() {
            return Ok(());
        }
        let id = ids::random(24);
        let query = Query::new(
            "INSERT INTO revocations (id, tenant_id, sealed, attempts, next_at, created_at, oauth_client_id)
             VALUES ($1, $2, $3, 0, $4, $4, $5)",
        )
        .bind(&id)
        .bind(tenant)
        .bind(self.seal_json(place(tenant, &id), &GrantRecord::from(grant)).await?)
        .bind(self.clock.now())
        .bind(grant.oauth_client.as_deref());
        transaction.execute(query).await?;
        Ok(())
    }

    /// Queues a grant that no connection ever held.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn revoke_later(&self, tenant: &str, grant: &Grant) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        self.queue_revocation(&mut transaction, tenant, grant).await?;
        transaction.commit().await
    }

    /// Takes at most `limit` grants whose time has come. Unless they are [finished](Store::finish_revocation) or
    /// [postponed](Store::postpone_revocation), others take them after `lease`. A time that is further away than any is from a
    /// clock that was wrong, and is not believed.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn take_revocations(&self, lease: Duration, limit: u32) -> Result<Vec<PendingRevocation>> {
        let now = self.clock.now();
        // Mostly there is nothing, and a look takes no lock.
        let too_late = now + millis(MAX_REVOCATION_AGE) + CLOCK_TOLERANCE;
        let due = "SELECT id FROM revocations WHERE next_at <= $1 OR next_at > $2 LIMIT 1";
        let due = Query::new(due).bind(now).bind(too_late);
        if self.database.fetch_optional(due).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut transaction = self.database.begin().await?;
        // The condition stands twice: of two who found the same rows, the second sees that they are taken.
        let query = Query::new(
            "UPDATE revocations SET next_at = $1, attempts = attempts + 1
             WHERE (next_at <= $2 OR next_at > $4) AND id IN (
                SELECT id FROM revocations WHERE next_at <= $2 OR next_at > $4 ORDER BY next_at LIMIT $3)
             RETURNING id, tenant_id, sealed, attempts, created_at",
        )
        .bind(now + millis(lease))
        .bind(now)
        .bind(i64::from(limit))
        .bind(too_late);
        let rows = transaction.fetch_all(query).await?;
        let mut taken = Vec::with_capacity(rows.len());
        for row in &rows {
            match self.read_revocation(row).await {
                Ok(revocation) => taken.push(revocation),
                Err(error @ (StoreError::Vault(_) | StoreError::Unreadable(_))) => {
                    tracing::warn!(%error, "a grant cannot be revoked");
                    let query =
                        Query::new("DELETE FROM revocations WHERE id = $1").bind(row.get::<&str>("id")?);
                    transaction.execute(query).await?;
                }
                Err(error) => return Err(error),
            }
        }
        transaction.commit().await?;
        Ok(taken)
    }

    /// Forgets a grant that was ended, or cannot be.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn finish_revocation(&self, revocation: &PendingRevocation) -> Result<()> {
        let query = Query::new("DELETE FROM revocations WHERE id = $1").bind(&revocation.id);
        self.database.execute(query).await?;
        Ok(())
    }

    /// Keeps the tokens that took the place of a grant's own, before they are used: the provider may honour no others.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn renew_revocation(&self, revocation: &PendingRevocation, tokens: &Tokens) -> Result<()> {
        let PendingRevocation { id, tenant, grant, .. } = revocation;
        let grant = Grant { tokens: Some(tokens.clone()), ..grant.clone() };
        let query = Query::new("UPDATE revocations SET sealed = $1 WHERE id = $2")
            .bind(self.seal_json(place(tenant, id), &GrantRecord::from(&grant)).await?)
            .bind(id);
        self.database.execute(query).await?;
        Ok(())
    }

    /// Puts a grant off, unless somebody else took it meanwhile.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn postpone_revocation(&self, revocation: &PendingRevocation, until: Millis) -> Result<()> {
        let query = Query::new("UPDATE revocations SET next_at = $1 WHERE id = $2 AND attempts = $3")
            .bind(until)
            .bind(&revocation.id)
            .bind(revocation.attempts);
        self.database.execute(query).await?;
        Ok(())
    }

    /// Whether a grant of an account with one of these digests works for any connection of any tenant, or waits to be
    /// confirmed. A connection of the app without a digest, which an earlier version made, may be of that account, too.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn is_account_connected(&self, app_id: &str, account_digests: [&str; 2]) -> Result<bool> {
        let query = Query::new(
            "SELECT k.connection_id AS holder FROM credentials k JOIN connections c ON c.id = k.connection_id
             WHERE k.account_digest IN ($1, $2) AND c.broken = 0
             UNION ALL SELECT k.connection_id AS holder FROM credentials k JOIN connections c ON c.id = k.connection_id
             WHERE k.account_digest IS NULL AND k.auth_type = 'o_auth' AND c.app_id = $3 AND c.broken = 0
             UNION ALL SELECT link_id AS holder FROM unconfirmed WHERE account_digest IN ($1, $2) AND sealed <> '' LIMIT 1",
        )
        .bind(account_digests[0])
        .bind(account_digests[1])
        .bind(app_id);
        Ok(self.database.fetch_optional(query).await?.is_some())
    }

    /// Whether a customer of the tenant has just come back from the app's provider, with a grant that is not stored yet.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn is_redeeming(&self, tenant: &str, app_id: &str) -> Result<bool> {
        let query = Query::new(
            "SELECT a.link_id AS holder FROM authorizations a JOIN links l ON l.id = a.link_id
             WHERE l.tenant_id = $1 AND a.app_id = $2 AND a.taken_at > $3 AND a.error IS NULL AND l.status = 'pending' LIMIT 1",
        )
        .bind(tenant)
        .bind(app_id)
        .bind(self.clock.now() - millis(MAX_REDEMPTION));
        Ok(self.database.fetch_optional(query).await?.is_some())
    }

    /// Tells an account at a provider, by its host, for one OAuth client there. Connections of different tenants are known by
    /// it to share the account, and it reveals nothing else.
    pub fn account_digest(&self, provider: &str, client_id: &str, account: &str) -> String {
        self.vault.account_digest(provider, client_id, account)
    }

    async fn read_revocation(&self, row: &Row) -> Result<PendingRevocation> {
        let (id, tenant): (String, String) = (row.get("id")?, row.get("tenant_id")?);
        let record: GrantRecord = self.open_json(place(&tenant, &id), row.get("sealed")?).await?;
        Ok(PendingRevocation {
            grant: record.try_into()?,
            attempts: row.get("attempts")?,
            created_at: row.get("created_at")?,
            tenant,
            id,
        })
    }
}

fn place<'a>(tenant: &'a str, id: &'a str) -> Place<'a> {
    Place { tenant, customer: "", connection: id, field: "revocation" }
}

impl fmt::Debug for PendingRevocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingRevocation").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}
