//! Budgets that processes share: each takes calls in lots, so that one statement serves many of them. Windows begin and end
//! by the database's clock, since those of processes may disagree.

use std::time::Duration;

use super::database::{Database, Query};
use super::{Result, Store, StoreError};
use crate::clock::{Millis, millis};

/// Windows of the past that were forgotten are none: this long after its end nobody has a lot of one any more.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// The database's time now, in milliseconds since the Unix epoch. PostgreSQL's own words, since only there are several
/// machines.
const NOW: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// What a process was given of a shared budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// Calls in it; 0 where the budget is used up.
    pub calls: u32,
    /// Calls of this window that were given to anybody, this lot included.
    pub taken: u32,
    /// Until the window ends.
    pub ends_in: Duration,
}

impl Store {
    /// Whether other machines may count against the same budgets.
    pub(crate) fn shares_budgets(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }

    /// Takes at most `size` calls of a budget of `limit` calls a `window`. PostgreSQL only.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn take_lot(
        &self,
        holder: &str,
        limit: u32,
        size: u32,
        window: Duration,
    ) -> Result<Lot> {
        // `excluded.ends_at - $3` is the time at which the statement began.
        let text = format!(
            "INSERT INTO budgets (holder, taken, ends_at) VALUES ($1, $2, {NOW} + $3)
             ON CONFLICT (holder) DO UPDATE SET
                taken = CASE WHEN budgets.ends_at <= excluded.ends_at - $3 THEN excluded.taken
                             ELSE budgets.taken + excluded.taken END,
                ends_at = CASE WHEN budgets.ends_at <= excluded.ends_at - $3 THEN excluded.ends_at
                               ELSE budgets.ends_at END
             RETURNING taken, ends_at - {NOW} AS ends_in"
        );
        let query = Query::new(&text).bind(holder).bind(i64::from(size)).bind(millis(window));
        // On a connection of the reads: those for writes may all wait for a lock, and a read must not wait for them. It is
        // one statement, which commits by itself and holds its row's lock for no longer.
        let row = self.database.fetch_optional(query).await?.ok_or(StoreError::Unreadable("taken"))?;
        let (taken, ends_in): (i64, Millis) = (row.get("taken")?, row.get("ends_in")?);
        let left_before = (i64::from(limit) - (taken - i64::from(size))).max(0);
        Ok(Lot {
            calls: u32::try_from(left_before).unwrap_or(u32::MAX).min(size),
            taken: u32::try_from(taken).unwrap_or(u32::MAX).min(limit),
            ends_in: Duration::from_millis(u64::try_from(ends_in).unwrap_or_default()),
        })
    }

    /// How a shared budget of `limit` calls stands, as a lot without calls; `None` where its window is over. PostgreSQL only.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn look_at_lot(&self, holder: &str, limit: u32) -> Result<Option<Lot>> {
        let text = format!(
            "SELECT taken, ends_at - {NOW} AS ends_in FROM budgets WHERE holder = $1 AND ends_at > {NOW}"
        );
        let Some(row) = self.database.fetch_optional(Query::new(&text).bind(holder)).await? else {
            return Ok(None);
        };
        let (taken, ends_in): (i64, Millis) = (row.get("taken")?, row.get("ends_in")?);
        Ok(Some(Lot {
            calls: 0,
            taken: u32::try_from(taken).unwrap_or(u32::MAX).min(limit),
            ends_in: Duration::from_millis(u64::try_from(ends_in).unwrap_or_default()),
        }))
    }

    /// Forgets windows of the past.
    pub(super) async fn remove_budgets(&self) -> Result<()> {
        if !self.shares_budgets() {
            return Ok(());
        }
        let text = format!("DELETE FROM budgets WHERE ends_at <= {NOW} - $1");
        self.database.execute(Query::new(&text).bind(millis(REMEMBERED))).await?;
        Ok(())
    }
}
