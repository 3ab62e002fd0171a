//! Deleting a tenant with all that it has. It is done in many small transactions, so that nobody else waits for long, and a
//! deletion that was interrupted is finished by the next one.

use super::audit::{Action, Actor};
use super::database::Query;
use super::{Deletion, Owner, Result, Store, StoreError};

/// Rows that one statement deletes.
const BATCH: i64 = 1000;

/// Connections that are looked up at once.
const CONNECTIONS_AT_ONCE: i64 = 200;

/// The tables with rows of tenants that are emptied by themselves, in this order, each with the column that tells rows
/// apart. The rest goes with the connections, but for the tables of [`KEPT`].
const EMPTIED: [(&str, &str); 14] = [
    ("answers", "key_digest"),
    ("vendings", "id"),
    ("webhook_deliveries", "position"),
    ("webhook_attempts", "id"),
    ("webhooks", "id"),
    ("events", "id"),
    ("event_positions", "tenant_id"),
    ("admin_links", "id"),
    ("app_settings", "app_id"),
    ("import_tokens", "digest"),
    ("members", "email"),
    ("sdk_configs", "tenant_id"),
    ("sdk_logos", "tenant_id"),
    ("keys", "id"),
];

/// The tables with rows of tenants that outlive them: who did what, the grants that are to be ended at providers, and, until
/// that is done, the OAuth clients to end them with and the data key that sealed them.
pub const KEPT: [&str; 4] = ["audit", "data_keys", "oauth_clients", "revocations"];

/// The tables whose rows go with the connections.
const OF_CONNECTIONS: [&str; 4] = ["connections", "links", "credentials", "usages"];

impl Store {
    /// How many rows of a tenant each table has that [`delete_tenant`](Self::delete_tenant) would delete.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tenant_rows(&self, tenant: &str) -> Result<Vec<(&'static str, i64)>> {
        let mut rows = Vec::new();
        for table in OF_CONNECTIONS.into_iter().chain(EMPTIED.map(|(table, _)| table)) {
            let text = format!("SELECT COUNT(*) AS total FROM {table} WHERE tenant_id = $1");
            let found = self.database.scan(Query::new(&text).bind(tenant)).await?;
            rows.push((table, found.first().map_or(Ok(0), |row| row.get("total"))?));
        }
        Ok(rows)
    }

    /// Disables a tenant and deletes all that it has, with its customers' connections, whatever uses them. Grants that can
    /// be ended at their providers are queued for the running service. `false` where there is no such tenant.
    ///
    /// # Errors
    ///
    /// When the database fails. What was deleted until then is gone; the tenant stays disabled.
    pub async fn delete_tenant(&self, tenant: &str) -> Result<bool> {
        if !self.disable_tenant(tenant).await? {
            return Ok(false);
        }
        self.delete_connections(tenant).await?;
        for (table, column) in EMPTIED {
            self.empty(tenant, table, column).await?;
        }
        let mut transaction = self.database.begin().await?;
        // What the connections held is yet to be revoked by them. The clean-up removes them afterwards.
        let query = Query::new(
            "UPDATE oauth_clients SET state = 'removed', set_by = '', updated_at = $2 WHERE tenant_id = $1",
        )
        .bind(tenant)
        .bind(self.clock.now());
        transaction.execute(query).await?;
        let query = Query::new("DELETE FROM tenants WHERE id = $1").bind(tenant);
        transaction.execute(query).await?;
        self.note(&mut transaction, tenant, None, Action::TenantDeleted, Actor::CommandLine).await?;
        transaction.commit().await?;
        self.vault.data_keys().remove(tenant);
        self.destroy_data_keys().await?;
        Ok(true)
    }

    async fn delete_connections(&self, tenant: &str) -> Result<()> {
        let mut stuck = 0;
        loop {
            let query = Query::new("SELECT id, customer FROM connections WHERE tenant_id = $1 LIMIT $2")
                .bind(tenant)
                .bind(CONNECTIONS_AT_ONCE);
            let found = self.database.scan(query).await?;
            if found.is_empty() {
                return Ok(());
            }
            for row in &found {
                let owner = Owner { tenant: tenant.to_owned(), customer: row.get("customer")? };
                let id = row.get("id")?;
                let usages = Query::new("DELETE FROM usages WHERE connection_id = $1 AND tenant_id = $2")
                    .bind(id)
                    .bind(tenant);
                self.database.execute(usages).await?;
                if matches!(self.delete_connection(&owner, id).await?, Deletion::InUse) {
                    // A request that came before the tenant was disabled added a usage meanwhile. There are few of those.
                    stuck += 1;
                }
            }
            if stuck > CONNECTIONS_AT_ONCE {
                return Err(StoreError::Unavailable("connections are still in use".into()));
            }
        }
    }

    async fn empty(&self, tenant: &str, table: &str, column: &str) -> Result<()> {
        let text = format!(
            "DELETE FROM {table} WHERE tenant_id = $1
                AND {column} IN (SELECT {column} FROM {table} WHERE tenant_id = $1 LIMIT $2)"
        );
        while self.database.execute(Query::new(&text).bind(tenant).bind(BATCH)).await? > 0 {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that this file does not know would keep what it has of a tenant, or keep the tenant from being deleted.
    #[tokio::test]
    async fn every_table_with_rows_of_tenants_is_known() {
        let (store, folder) = super::super::tests::store().await;
        let tables = "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
            WHERE m.type = 'table' AND c.name = 'tenant_id' ORDER BY m.name";
        let found = store.database.fetch_all(Query::new(tables)).await.unwrap();
        let found: Vec<&str> = found.iter().map(|row| row.get("name").unwrap()).collect();
        let emptied = EMPTIED.map(|(table, _)| table);
        let mut known: Vec<_> = OF_CONNECTIONS.into_iter().chain(emptied).chain(KEPT).collect();
        known.sort_unstable();
        assert_eq!(found, known);
        store.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
