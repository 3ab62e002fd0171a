//! Grants that would die unused: their refresh token is good for so many days after each refresh.

use super::database::{Query, Row};
use super::{Owner, Result, Store};
use crate::clock::Millis;

/// How many are read at once.
const PAGE: i64 = 500;

/// Which grants to look for.
#[derive(Debug)]
pub struct IdleFilter<'a> {
    /// Of this app.
    pub app_id: &'a str,
    /// Made by this option of it.
    pub auth_option_key: &'a str,
    /// Neither granted nor refreshed since.
    pub obtained_before: Millis,
    /// Whose connection was used since, or made.
    pub used_after: Millis,
}

/// A grant that was not refreshed for a while.
#[derive(Debug)]
pub struct IdleGrant {
    /// Its connection.
    pub connection_id: String,
    /// Whose it is.
    pub owner: Owner,
    /// When it was granted or refreshed.
    pub obtained_at: Millis,
}

impl Store {
    /// The grants that the filter finds, by their connections' ids, from the one after `after`; a page of them.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn idle_grants(&self, filter: &IdleFilter<'_>, after: &str) -> Result<Vec<IdleGrant>> {
        let query = Query::new(
            "SELECT c.id, c.tenant_id, c.customer, k.obtained_at
             FROM credentials k JOIN connections c ON c.id = k.connection_id
             WHERE c.id > $1 AND c.app_id = $2 AND k.auth_option_key = $3 AND k.refresh_token IS NOT NULL
                AND k.obtained_at <= $4 AND COALESCE(c.last_used_at, c.created_at) > $5
                AND c.broken = 0 AND c.status = 'active'
             ORDER BY c.id LIMIT $6",
        )
        .bind(after)
        .bind(filter.app_id)
        .bind(filter.auth_option_key)
        .bind(filter.obtained_before)
        .bind(filter.used_after)
        .bind(PAGE);
        self.database.scan(query).await?.iter().map(IdleGrant::read).collect()
    }
}

impl IdleGrant {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            connection_id: row.get("id")?,
            owner: Owner { tenant: row.get("tenant_id")?, customer: row.get("customer")? },
            obtained_at: row.get("obtained_at")?,
        })
    }
}
