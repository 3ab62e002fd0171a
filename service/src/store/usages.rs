//! Usages: what of the tenant's own depends on a connection, and keeps it from being deleted.

use super::database::Query;
use super::{Owner, Result, Store};

/// How many usages a connection can have.
pub const MAX_USAGES: i64 = 1000;

/// What [`Store::add_usage`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddedUsage {
    /// The usage is there, now or from before.
    Added,
    /// The connection has [`MAX_USAGES`] others.
    TooMany,
    /// There is no such connection.
    Unknown,
}

impl Store {
    /// Marks a connection as in use; doing so twice is the same as once.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn add_usage(&self, owner: &Owner, connection_id: &str, usage_id: &str) -> Result<AddedUsage> {
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, connection_id).await?;
        let query = Query::new(
            "INSERT INTO usages (connection_id, usage_id, tenant_id, customer, created_at)
             SELECT id, $1, tenant_id, customer, $2 FROM connections
             WHERE id = $3 AND tenant_id = $4 AND customer = $5
                AND (SELECT COUNT(*) FROM usages WHERE connection_id = $3) < $6
             ON CONFLICT (connection_id, usage_id) DO NOTHING",
        )
        .bind(usage_id)
        .bind(self.clock.now())
        .bind(connection_id)
        .bind(&owner.tenant)
        .bind(&owner.customer)
        .bind(MAX_USAGES);
        let added = transaction.execute(query).await;
        match added {
            Ok(1) => {
                transaction.commit().await?;
                return Ok(AddedUsage::Added);
            }
            // It was deleted at this very moment.
            Err(error) if error.is_foreign_key_violation() => {
                transaction.rollback().await?;
                return Ok(AddedUsage::Unknown);
            }
            added => added?,
        };
        let query = Query::new(
            "SELECT (SELECT COUNT(*) FROM usages WHERE connection_id = $1 AND usage_id = $2) AS known
             FROM connections WHERE id = $1 AND tenant_id = $3 AND customer = $4",
        )
        .bind(connection_id)
        .bind(usage_id)
        .bind(&owner.tenant)
        .bind(&owner.customer);
        let row = transaction.fetch_optional(query).await?;
        transaction.rollback().await?;
        Ok(match row {
            None => AddedUsage::Unknown,
            Some(row) if row.get::<i64>("known")? == 1 => AddedUsage::Added,
            Some(_) => AddedUsage::TooMany,
        })
    }

    /// Takes the mark away; it need not be there. `false` where there is no such connection.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn remove_usage(&self, owner: &Owner, connection_id: &str, usage_id: &str) -> Result<bool> {
        let query = Query::new(
            "DELETE FROM usages WHERE connection_id = $1 AND usage_id = $2 AND tenant_id = $3 AND customer = $4",
        )
        .bind(connection_id)
        .bind(usage_id)
        .bind(&owner.tenant)
        .bind(&owner.customer);
        self.database.execute(query).await?;
        Ok(self.connection(owner, connection_id).await?.is_some())
    }
}
