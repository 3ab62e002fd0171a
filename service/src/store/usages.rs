//! Usages: what of the tenant's own depends on a connection, and keeps it from being deleted.

use std::collections::HashMap;

use sqlx::Row;

use super::{Owner, Result, Store};

impl Store {
    /// Marks a connection as in use; doing so twice is the same as once. `false` where there is no such connection.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn add_usage(&self, owner: &Owner, connection_id: &str, usage_id: &str) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let added = sqlx::query(
            "INSERT INTO usages (connection_id, usage_id, tenant_id, customer, created_at)
             SELECT id, $1, tenant_id, customer, $2 FROM connections
             WHERE id = $3 AND tenant_id = $4 AND customer = $5
             ON CONFLICT (connection_id, usage_id) DO NOTHING",
        )
        .bind(usage_id)
        .bind(self.clock.now())
        .bind(connection_id)
        .bind(&owner.tenant)
        .bind(&owner.customer)
        .execute(&mut *transaction)
        .await;
        match added {
            // It was deleted at this very moment.
            Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => return Ok(false),
            added => added?,
        };
        let known = sqlx::query(
            "SELECT 1 FROM usages WHERE connection_id = $1 AND usage_id = $2 AND tenant_id = $3 AND customer = $4",
        )
        .bind(connection_id)
        .bind(usage_id)
        .bind(&owner.tenant)
        .bind(&owner.customer)
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(known.is_some())
    }

    /// Takes the mark away; it need not be there. `false` where there is no such connection.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn remove_usage(&self, owner: &Owner, connection_id: &str, usage_id: &str) -> Result<bool> {
        sqlx::query(
            "DELETE FROM usages WHERE connection_id = $1 AND usage_id = $2 AND tenant_id = $3 AND customer = $4",
        )
        .bind(connection_id)
        .bind(usage_id)
        .bind(&owner.tenant)
        .bind(&owner.customer)
        .execute(&self.pool)
        .await?;
        Ok(self.connection(owner, connection_id).await?.is_some())
    }

    /// The usages of one connection, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn usages(&self, owner: &Owner, connection_id: &str) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(
            "SELECT usage_id FROM usages WHERE connection_id = $1 AND tenant_id = $2 AND customer = $3
             ORDER BY created_at, usage_id",
        )
        .bind(connection_id)
        .bind(&owner.tenant)
        .bind(&owner.customer)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The usages of all of a customer's connections, by connection.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn all_usages(&self, owner: &Owner) -> Result<HashMap<String, Vec<String>>> {
        let rows = sqlx::query(
            "SELECT connection_id, usage_id FROM usages WHERE tenant_id = $1 AND customer = $2
             ORDER BY created_at, usage_id",
        )
        .bind(&owner.tenant)
        .bind(&owner.customer)
        .fetch_all(&self.pool)
        .await?;
        let mut usages: HashMap<String, Vec<String>> = HashMap::new();
        for row in rows {
            usages
                .entry(row.try_get("connection_id")?)
                .or_default()
                .push(row.try_get("usage_id")?);
        }
        Ok(usages)
    }
}
