//! Forgetting what nobody can ask for any more.

use std::time::Duration;

use super::{Result, Store};
use crate::clock::millis;

/// For how long a link that was replaced still answers how it ended.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

impl Store {
    /// Removes authorization requests whose link has expired, answers whose key is forgotten, and links that a newer one replaced. A
    /// connection and its latest link stay until the tenant deletes them.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn clean_up(&self) -> Result<()> {
        let now = self.clock.now();
        sqlx::query(
            "DELETE FROM authorizations WHERE link_id IN (SELECT id FROM links WHERE expires_at <= $1)",
        )
        .bind(now)
        .execute(&self.pool)
        .await?;
        sqlx::query("DELETE FROM answers WHERE expires_at <= $1")
            .bind(now)
            .execute(&self.pool)
            .await?;
        sqlx::query(
            "DELETE FROM links WHERE expires_at <= $1 AND id NOT IN (SELECT link_id FROM connections)",
        )
        .bind(now - millis(REMEMBERED))
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
