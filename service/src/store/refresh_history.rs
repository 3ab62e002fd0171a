//! What is remembered of a credential's refreshes, so that a provider that fails is left alone for a while, by all
//! processes, and one that refuses for days ends the grant. What follows from it is in `vending/pause.rs`.

use super::database::{Query, Row};
use super::{Lease, Result, Store};
use crate::clock::Millis;

/// What is remembered of a credential's refreshes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefreshHistory {
    /// Failures since the latest success.
    pub failures: i64,
    /// The provider is not asked before this.
    pub retry_at: Option<Millis>,
    /// Refusals by a 4xx in an unbroken run.
    pub refusals: i64,
    /// When that run began.
    pub refused_since: Option<Millis>,
    /// When the provider was last asked because a backend named the token as rejected.
    pub forced_at: Option<Millis>,
}

impl RefreshHistory {
    /// Of the columns of `credentials`.
    pub(super) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            failures: row.get("refresh_failures")?,
            retry_at: row.get("refresh_retry_at")?,
            refusals: row.get("refusals")?,
            refused_since: row.get("refused_since")?,
            forced_at: row.get("forced_at")?,
        })
    }
}

impl Store {
    /// Remembers how a refresh of this version of a credential failed.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn note_refresh_failure(
        &self,
        lease: &Lease,
        version: i64,
        history: &RefreshHistory,
    ) -> Result<()> {
        let query = Query::new(
            "UPDATE credentials SET refresh_failures = $1, refresh_retry_at = $2, refusals = $3, refused_since = $4
             WHERE connection_id = $5 AND version = $6",
        )
        .bind(history.failures)
        .bind(history.retry_at)
        .bind(history.refusals)
        .bind(history.refused_since)
        .bind(lease.connection_id())
        .bind(version);
        self.database.execute(query).await?;
        Ok(())
    }

    /// Remembers that the provider is asked at this time because a backend named the token as rejected. A token that comes of
    /// it is of the same time.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn note_forced_refresh(&self, lease: &Lease, at: Millis) -> Result<()> {
        let query = Query::new("UPDATE credentials SET forced_at = $1 WHERE connection_id = $2")
            .bind(at)
            .bind(lease.connection_id());
        self.database.execute(query).await?;
        Ok(())
    }

    /// Forgets all failures, so that the next token call of each connection asks its provider.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn forget_refresh_failures(&self) -> Result<()> {
        let query = Query::new(
            "UPDATE credentials SET refresh_failures = 0, refresh_retry_at = NULL, refusals = 0, refused_since = NULL
             WHERE refresh_failures > 0",
        );
        self.database.execute(query).await?;
        Ok(())
    }
}
