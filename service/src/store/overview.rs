//! Connections of all customers, for the control page of `connect-service dev`. No request of a tenant comes here.

use super::database::{Query, Row};
use super::{Connection, Link, Owner, Result, Store};

/// A connection with its owner and its latest link.
#[derive(Debug)]
pub struct OwnedConnection {
    /// Whose it is.
    pub owner: Owner,
    /// The connection.
    pub connection: Connection,
    /// The latest link.
    pub link: Link,
}

impl Store {
    /// Whose connection this is.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn owner_of(&self, connection_id: &str) -> Result<Option<Owner>> {
        let query =
            Query::new("SELECT tenant_id, customer FROM connections WHERE id = $1").bind(connection_id);
        let row = self.database.fetch_optional(query).await?;
        row.as_ref().map(read_owner).transpose()
    }

    /// The newest connections of all customers, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn newest_connections(&self, limit: u32) -> Result<Vec<OwnedConnection>> {
        let query = Query::new(
            "SELECT id, link_id, tenant_id, customer FROM connections ORDER BY created_at DESC, id LIMIT $1",
        )
        .bind(i64::from(limit));
        let mut found = Vec::new();
        for row in self.database.fetch_all(query).await? {
            let owner = read_owner(&row)?;
            let connection = self.connection(&owner, row.get("id")?).await?;
            let link = self.link(row.get("link_id")?).await?;
            // What was deleted meanwhile is left out.
            if let (Some(connection), Some(link)) = (connection, link) {
                found.push(OwnedConnection { owner, connection, link });
            }
        }
        Ok(found)
    }
}

fn read_owner(row: &Row) -> Result<Owner> {
    Ok(Owner { tenant: row.get("tenant_id")?, customer: row.get("customer")? })
}
