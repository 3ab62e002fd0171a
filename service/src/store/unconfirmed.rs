//! Grants that wait for the tenant's confirmation: those of links with `confirm`.
//!
//! A customer can send a link of their own to somebody else, who consents in good faith; the account would then belong to
//! the wrong customer. So the grant of such a link is kept apart, sealed, and the browser that consented carries a code to
//! the tenant, whose backend compares its own session with the connection's owner and sends the code back. Nobody else is
//! given the code, and without it nothing becomes active.

use std::time::Duration;

use super::database::{Query, Row, Transaction};
use super::events::ConnectionChange;
use super::grant_record::GrantRecord;
use super::{Grant, GrantOutcome, Link, LinkOptions, Owner, Result, Status, Store, StoreError};
use crate::clock::{CLOCK_TOLERANCE, Millis, millis};
use crate::ids;
use crate::vault::Place;

/// For how long a grant waits.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// After so many wrong codes the grant is dropped.
const MAX_WRONG_CODES: i64 = 5;

/// What [`Store::revoke_waiting`] reads, of `unconfirmed`.
const WAITING: &str =
    "link_id, sealed, (SELECT tenant_id FROM links WHERE links.id = unconfirmed.link_id) AS tenant_id,
    (SELECT customer FROM links WHERE links.id = unconfirmed.link_id) AS customer";

/// What [`Store::confirm`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The connection is active, since now or since an earlier call with the same code.
    Confirmed,
    /// The code is not the one of the browser that consented.
    WrongCode,
    /// Nothing waits: nobody has consented yet, or it was too long ago, or there were too many wrong codes.
    NothingWaits,
    /// This customer has no such connection.
    Unknown,
}

impl Store {
    /// Keeps a grant until it is confirmed with this code. The link and with it a connection that is not active yet stay
    /// pending, until the grant is dropped. With any other outcome nothing is changed, and the grant is revoked; one that
    /// waits already ends a link for others.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn hold_grant(&self, link: &Link, grant: &Grant, code: &str) -> Result<GrantOutcome> {
        let now = self.clock.now();
        // Whole seconds, so that what is told is exactly what holds.
        let expires_at = (now + millis(LIFETIME)) / 1000 * 1000;
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, &link.connection_id).await?;
        if let Err(outcome) = self.replaceable(&mut transaction, link, grant).await? {
            transaction.commit().await?;
            return Ok(outcome);
        }
        let query =
            Query::new("UPDATE links SET phase = 'returned', inputs = NULL, expires_at = $1 WHERE id = $2")
                .bind(expires_at)
                .bind(&link.id);
        transaction.execute(query).await?;
        let query = Query::new(
            "INSERT INTO unconfirmed (link_id, code_digest, wrong_codes, sealed, expires_at, account_digest)
             VALUES ($1, $2, 0, $3, $4, $5)",
        )
        .bind(&link.id)
        .bind(ids::digest(code))
        .bind(self.seal_json(place(&link.owner, &link.id), &GrantRecord::from(grant)).await?)
        .bind(expires_at)
        .bind(grant.account_digest.as_deref());
        transaction.execute(query).await?;
        // What failed before has succeeded now.
        let query = Query::new(
            "UPDATE connections SET last_error = NULL, provider_message = NULL WHERE id = $1 AND link_id = $2",
        )
        .bind(&link.connection_id)
        .bind(&link.id);
        transaction.execute(query).await?;
        transaction.commit().await?;
        self.changes.tell(&link.connection_id);
        Ok(GrantOutcome::Stored)
    }

    /// Makes a connection active with the grant that waits, if this is its code.
    ///
    /// The right code in the session of another customer of the tenant shows that somebody else's link was finished: the
    /// grant is erased, since the code may reach the link's maker yet.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn confirm(&self, owner: &Owner, connection_id: &str, code: &str) -> Result<Confirmation> {
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, connection_id).await?;
        let query = Query::new(
            "SELECT c.customer, c.link_id, l.status, l.options, u.code_digest, u.sealed, u.expires_at
             FROM connections c JOIN links l ON l.id = c.link_id LEFT JOIN unconfirmed u ON u.link_id = l.id
             WHERE c.id = $1 AND c.tenant_id = $2",
        )
        .bind(connection_id)
        .bind(&owner.tenant);
        let Some(row) = transaction.fetch_optional(query).await? else {
            transaction.rollback().await?;
            return Ok(Confirmation::Unknown);
        };
        let link_id: String = row.get("link_id")?;
        let status: Status = row.get::<&str>("status")?.parse()?;
        let is_owner = row.get::<&str>("customer")? == owner.customer;
        let Some(expected) = row.get::<Option<String>>("code_digest")? else {
            transaction.rollback().await?;
            return Ok(if is_owner { Confirmation::NothingWaits } else { Confirmation::Unknown });
        };
        // Digests are compared, so that the time that it takes tells nothing about the code.
        let fits = ids::digest(code) == expected;
        let is_open = status == Status::Pending && self.is_waiting(row.get("expires_at")?);
        let (confirmation, change) = match (is_open, fits) {
            _ if !is_owner && is_open && fits => {
                self.end_waiting(&mut transaction, &link_id, Status::Expired).await?;
                (Confirmation::Unknown, Some(ConnectionChange::Expired))
            }
            _ if !is_owner => (Confirmation::Unknown, None),
            (true, true) => {
                let waiting: GrantRecord = self.open_json(place(owner, &link_id), row.get("sealed")?).await?;
                let options: LinkOptions = serde_json::from_str(row.get("options")?)
                    .map_err(|_| StoreError::Unreadable("options"))?;
                let grant = waiting.try_into()?;
                let current = self.current_grant(&mut transaction, &owner.tenant, connection_id).await?;
                // The account may have become known while the grant waited.
                if options.refused_change(current.as_ref(), &grant).is_some() {
                    self.end_waiting(&mut transaction, &link_id, Status::Expired).await?;
                    (Confirmation::NothingWaits, Some(ConnectionChange::Expired))
                } else if let Some(grant) =
                    self.with_usable_client(&mut transaction, &owner.tenant, &grant).await?
                {
                    self.activate(&mut transaction, &owner.tenant, connection_id, current, &grant).await?;
                    self.end_waiting(&mut transaction, &link_id, Status::Active).await?;
                    (Confirmation::Confirmed, Some(ConnectionChange::Active))
                } else {
                    self.end_waiting(&mut transaction, &link_id, Status::Expired).await?;
                    (Confirmation::NothingWaits, Some(ConnectionChange::Expired))
                }
            }
            (true, false) => {
                let is_over = self.count_wrong_code(&mut transaction, &link_id).await?;
                (Confirmation::WrongCode, is_over.then_some(ConnectionChange::Expired))
            }
            // A backend may have missed the response to its first call.
            (false, true) if status == Status::Active => (Confirmation::Confirmed, None),
            (false, _) => (Confirmation::NothingWaits, None),
        };
        match change {
            Some(change) => {
                self.commit_change(transaction, &owner.tenant, connection_id, &change).await?;
            }
            None => transaction.commit().await?,
        }
        Ok(confirmation)
    }

    /// Erases grants that were not confirmed in time, and has them revoked. What is left of confirmed ones, whose grant is
    /// erased already, stays with their link, to know a repeated call by.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn drop_unconfirmed(&self) -> Result<()> {
        let now = self.clock.now();
        let query = format!(
            "DELETE FROM unconfirmed WHERE (expires_at <= $1 OR expires_at > $2) AND sealed <> '' RETURNING {WAITING}"
        );
        let query = Query::new(&query).bind(now).bind(now + millis(LIFETIME) + CLOCK_TOLERANCE);
        let mut transaction = self.database.begin().await?;
        let rows = transaction.fetch_all(query).await?;
        self.revoke_waiting(&mut transaction, &rows).await?;
        transaction.commit().await
    }

    /// Erases what waits for any link of a connection, and has it revoked.
    pub(super) async fn drop_waiting(
        &self,
        transaction: &mut Transaction,
        connection_id: &str,
    ) -> Result<()> {
        let query = format!(
            "DELETE FROM unconfirmed WHERE link_id IN (SELECT id FROM links WHERE connection_id = $1)
             RETURNING {WAITING}"
        );
        let rows = transaction.fetch_all(Query::new(&query).bind(connection_id)).await?;
        self.revoke_waiting(transaction, &rows).await
    }

    /// Has grants revoked that waited. One that does not open is dropped: nobody can use it any more.
    async fn revoke_waiting(&self, transaction: &mut Transaction, rows: &[Row]) -> Result<()> {
        for row in rows {
            let owner = Owner { tenant: row.get("tenant_id")?, customer: row.get("customer")? };
            let link_id = row.get::<&str>("link_id")?;
            let sealed = row.get::<&str>("sealed")?;
            if sealed.is_empty() {
                continue;
            }
            let opened = self.open_json::<GrantRecord>(place(&owner, link_id), sealed).await;
            match opened.and_then(Grant::try_from) {
                Ok(grant) => self.queue_revocation(transaction, &owner.tenant, &grant).await?,
                Err(error) => tracing::warn!(%error, "an unconfirmed grant cannot be revoked"),
            }
        }
        Ok(())
    }

    /// A grant that would wait for longer than any is from a clock that was wrong.
    fn is_waiting(&self, expires_at: Millis) -> bool {
        let now = self.clock.now();
        expires_at > now && expires_at <= now + millis(LIFETIME) + CLOCK_TOLERANCE
    }

    /// Whether it was one too many.
    async fn count_wrong_code(&self, transaction: &mut Transaction, link_id: &str) -> Result<bool> {
        let query = Query::new(
            "UPDATE unconfirmed SET wrong_codes = wrong_codes + 1 WHERE link_id = $1 RETURNING wrong_codes",
        )
        .bind(link_id);
        let row = transaction.fetch_optional(query).await?;
        let wrong_codes = row.map(|row| row.get::<i64>("wrong_codes")).transpose()?;
        let is_over = wrong_codes.is_some_and(|wrong_codes| wrong_codes >= MAX_WRONG_CODES);
        if is_over {
            self.end_waiting(transaction, link_id, Status::Expired).await?;
        }
        Ok(is_over)
    }

    /// Ends a link whose grant waited. The grant is erased, and revoked unless the link succeeded; the code's digest stays to
    /// know a repeated call by.
    async fn end_waiting(&self, transaction: &mut Transaction, link_id: &str, status: Status) -> Result<()> {
        if status != Status::Active {
            let query = format!("SELECT {WAITING} FROM unconfirmed WHERE link_id = $1");
            let rows = transaction.fetch_all(Query::new(&query).bind(link_id)).await?;
            self.revoke_waiting(transaction, &rows).await?;
        }
        let query = Query::new("UPDATE links SET status = $1, ended_at = $2 WHERE id = $3")
            .bind(status.as_str())
            .bind(self.clock.now())
            .bind(link_id);
        transaction.execute(query).await?;
        let query = Query::new("UPDATE unconfirmed SET sealed = '' WHERE link_id = $1").bind(link_id);
        transaction.execute(query).await?;
        Ok(())
    }
}

fn place<'a>(owner: &'a Owner, link_id: &'a str) -> Place<'a> {
    Place { tenant: &owner.tenant, customer: &owner.customer, connection: link_id, field: "unconfirmed" }
}
