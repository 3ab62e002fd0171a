//! Values that a root key sealed itself, which versions without data keys wrote: counting them, and sealing them with the
//! data keys of their tenants.

use secrecy::ExposeSecret;

use super::database::{Query, Row};
use super::{Result, Store, StoreError};
use crate::vault::{DATA_KEY_PREFIX, Place, VaultError};

/// Values that are read at once.
const PAGE: i64 = 100;

/// A column of sealed values.
struct SealedColumn {
    table: &'static str,
    /// The column that tells the rows of a tenant apart, which values are bound to.
    id: &'static str,
    column: &'static str,
    /// What values are bound to as their field.
    field: &'static str,
    /// The tenant and the customer, as SQL.
    holder: [&'static str; 2],
}

const OF_CONNECTION: [&str; 2] =
    ["tenant_id", "(SELECT c.customer FROM connections c WHERE c.id = credentials.connection_id)"];
const OF_TENANT: [&str; 2] = ["tenant_id", "''"];

/// Every column of sealed values.
const SEALED: [SealedColumn; 12] = [
    sealed("credentials", "connection_id", "inputs", "inputs", OF_CONNECTION),
    sealed("credentials", "connection_id", "access_token", "access_token", OF_CONNECTION),
    sealed("credentials", "connection_id", "refresh_token", "refresh_token", OF_CONNECTION),
    sealed("credentials", "connection_id", "secret_data", "secret_data", OF_CONNECTION),
    sealed("links", "id", "inputs", "inputs", ["tenant_id", "customer"]),
    sealed(
        "authorizations",
        "state_digest",
        "sealed",
        "authorization",
        [
            "(SELECT l.tenant_id FROM links l WHERE l.id = authorizations.link_id)",
            "(SELECT l.customer FROM links l WHERE l.id = authorizations.link_id)",
        ],
    ),
    sealed(
        "unconfirmed",
        "link_id",
        "sealed",
        "unconfirmed",
        [
            "(SELECT l.tenant_id FROM links l WHERE l.id = unconfirmed.link_id)",
            "(SELECT l.customer FROM links l WHERE l.id = unconfirmed.link_id)",
        ],
    ),
    sealed("import_tokens", "digest", "sealed", "import_tokens", ["tenant_id", "customer"]),
    sealed("answers", "key_digest", "sealed", "answer", OF_TENANT),
    sealed("revocations", "id", "sealed", "revocation", OF_TENANT),
    sealed("oauth_clients", "id", "sealed", "oauth_client", OF_TENANT),
    sealed("webhooks", "id", "secrets", "secrets", OF_TENANT),
];

const fn sealed(
    table: &'static str,
    id: &'static str,
    column: &'static str,
    field: &'static str,
    holder: [&'static str; 2],
) -> SealedColumn {
    SealedColumn { table, id, column, field, holder }
}

/// What became of values.
#[derive(Debug, Default)]
pub(super) struct Resealed {
    /// How many were sealed anew.
    pub(super) values: u64,
    /// How many do not open.
    pub(super) unreadable: u64,
}

impl SealedColumn {
    /// Which rows have a value that no data key sealed. What was erased is empty.
    fn condition(&self) -> String {
        let column = self.column;
        format!("{column} IS NOT NULL AND {column} <> '' AND {column} NOT LIKE '{DATA_KEY_PREFIX}%'")
    }
}

impl Store {
    /// How many values a root key sealed itself.
    pub(super) async fn direct_values(&self) -> Result<i64> {
        let mut values = 0;
        for column in &SEALED {
            let text = format!("SELECT COUNT(*) AS total FROM {} WHERE {}", column.table, column.condition());
            let rows = self.database.scan(Query::new(&text)).await?;
            values += rows.first().map_or(Ok(0), |row| row.get::<i64>("total"))?;
        }
        Ok(values)
    }

    /// Seals each of them with its tenant's data key, unless somebody else writes another one meanwhile.
    pub(super) async fn reseal_values(&self) -> Result<Resealed> {
        let mut resealed = Resealed::default();
        for column in &SEALED {
            self.reseal_column(column, &mut resealed).await?;
        }
        Ok(resealed)
    }

    async fn reseal_column(&self, column: &SealedColumn, resealed: &mut Resealed) -> Result<()> {
        let SealedColumn { table, id, column: name, holder: [tenant, customer], .. } = column;
        let select = format!(
            "SELECT {id} AS id, {name} AS value, {tenant} AS tenant, {customer} AS customer FROM {table}
             WHERE {id} > $1 AND {} ORDER BY {id} LIMIT $2",
            column.condition()
        );
        // Nobody has the same nonce twice: it is this value and no other.
        let update = format!("UPDATE {table} SET {name} = $1 WHERE {id} = $2 AND {name} = $3");
        let mut last = String::new();
        loop {
            let query = Query::new(&select).bind(&last).bind(PAGE);
            let rows = self.database.scan(query).await?;
            let Some(row) = rows.last() else { return Ok(()) };
            let next = row.get("id")?;
            for row in &rows {
                match self.resealed(column, row).await {
                    Ok(value) => {
                        let query = Query::new(&update)
                            .bind(value)
                            .bind(row.get::<&str>("id")?)
                            .bind(row.get::<&str>("value")?);
                        resealed.values += self.database.execute(query).await?;
                    }
                    Err(StoreError::Vault(VaultError::Sealed) | StoreError::Unreadable(_)) => {
                        resealed.unreadable += 1;
                        let id = row.get::<&str>("id")?;
                        tracing::warn!(table, column = name, id, "a value does not open and stays as it is");
                    }
                    Err(error) => return Err(error),
                }
            }
            last = next;
        }
    }

    async fn resealed(&self, column: &SealedColumn, row: &Row) -> Result<String> {
        let text = |name| row.get::<Option<&str>>(name)?.ok_or(StoreError::Unreadable("a holder"));
        let place = Place {
            tenant: text("tenant")?,
            customer: text("customer")?,
            connection: row.get("id")?,
            field: column.field,
        };
        let value = self.open_text(place, row.get("value")?).await?;
        self.seal_text(place, value.expose_secret()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that is not named here would keep its root key from being removed, or be lost with it.
    #[tokio::test]
    async fn every_column_called_sealed_is_known() {
        let (store, folder) = super::super::tests::store().await;
        let columns = "SELECT m.name AS table_name FROM sqlite_master m JOIN pragma_table_info(m.name) c
            WHERE m.type = 'table' AND c.name = 'sealed' AND m.name <> 'data_keys' ORDER BY m.name";
        let found = store.database.fetch_all(Query::new(columns)).await.unwrap();
        let found: Vec<&str> = found.iter().map(|row| row.get("table_name").unwrap()).collect();
        let mut known: Vec<_> =
            SEALED.iter().filter(|known| known.column == "sealed").map(|known| known.table).collect();
        known.sort_unstable();
        assert_eq!(found, known);
        assert_eq!(store.direct_values().await.unwrap(), 0, "each is a column of its table");
        store.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
