//! Connections of all customers, for the operator's command line and the control page of `connect-service dev`. No request
//! of a tenant comes here.

use super::database::{Query, Row};
use super::{Connection, Link, Owner, Result, Store};
use crate::clock::Millis;

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

/// Connections that have an app and a state in common.
#[derive(Debug, PartialEq, Eq)]
pub struct ConnectionCount {
    /// Whose customers' they are.
    pub tenant: String,
    /// The app; none before the customer chose one.
    pub app_id: Option<String>,
    /// The status, or `needs_reconnection`.
    pub state: String,
    /// How many there are.
    pub connections: i64,
}

/// A connection in the operator's list.
#[derive(Debug)]
pub struct ListedConnection {
    /// Its id.
    pub id: String,
    /// The customer's email.
    pub customer: String,
    /// The app; none before the customer chose one.
    pub app_id: Option<String>,
    /// The status, or `needs_reconnection`.
    pub state: String,
    /// When it was made.
    pub created_at: Millis,
    /// When its credential was last refreshed.
    pub last_refreshed_at: Option<Millis>,
    /// When its credential was last vended, to a second.
    pub last_used_at: Option<Millis>,
}

/// Which connections of a tenant the operator's list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListedFilter<'a> {
    /// Of this customer alone.
    pub customer: Option<&'a str>,
    /// For this app alone.
    pub app_id: Option<&'a str>,
    /// In this state alone.
    pub state: Option<&'a str>,
}

/// How a connection is now. `$1` is the time.
const STATE: &str = "CASE WHEN c.broken = 1 THEN 'needs_reconnection' WHEN c.status = 'active' THEN 'active'
    WHEN l.status = 'pending' AND l.expires_at > $1 THEN 'pending' WHEN c.status = 'rejected' THEN 'rejected'
    ELSE 'expired' END";

impl Store {
    /// How many connections there are, by tenant, app and state; of one tenant, if it is named.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn count_connections(&self, tenant: Option<&str>) -> Result<Vec<ConnectionCount>> {
        let text = format!(
            "SELECT f.tenant_id, f.app_id, f.state, COUNT(*) AS connections
             FROM (SELECT c.tenant_id, c.app_id, {STATE} AS state FROM connections c JOIN links l ON l.id = c.link_id
                   WHERE CAST($2 AS TEXT) IS NULL OR c.tenant_id = $2) f
             GROUP BY f.tenant_id, f.app_id, f.state ORDER BY f.tenant_id, f.app_id, f.state"
        );
        let query = Query::new(&text).bind(self.clock.now()).bind(tenant);
        let count = |row: &Row| {
            Ok(ConnectionCount {
                tenant: row.get("tenant_id")?,
                app_id: row.get("app_id")?,
                state: row.get("state")?,
                connections: row.get("connections")?,
            })
        };
        self.database.scan(query).await?.iter().map(count).collect()
    }

    /// A tenant's connections, the newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn list_connections(
        &self,
        tenant: &str,
        filter: &ListedFilter<'_>,
        limit: u32,
    ) -> Result<Vec<ListedConnection>> {
        let text = format!(
            "SELECT f.* FROM (SELECT c.id, c.customer, c.app_id, {STATE} AS state, c.created_at, c.last_used_at,
                    k.last_refreshed_at
                FROM connections c JOIN links l ON l.id = c.link_id LEFT JOIN credentials k ON k.connection_id = c.id
                WHERE c.tenant_id = $2 AND (CAST($3 AS TEXT) IS NULL OR c.customer = $3)
                    AND (CAST($4 AS TEXT) IS NULL OR c.app_id = $4)) f
             WHERE CAST($5 AS TEXT) IS NULL OR f.state = $5
             ORDER BY f.created_at DESC, f.id LIMIT $6"
        );
        let query = Query::new(&text)
            .bind(self.clock.now())
            .bind(tenant)
            .bind(filter.customer)
            .bind(filter.app_id)
            .bind(filter.state)
            .bind(i64::from(limit));
        let listed = |row: &Row| {
            Ok(ListedConnection {
                id: row.get("id")?,
                customer: row.get("customer")?,
                app_id: row.get("app_id")?,
                state: row.get("state")?,
                created_at: row.get("created_at")?,
                last_refreshed_at: row.get("last_refreshed_at")?,
                last_used_at: row.get("last_used_at")?,
            })
        };
        self.database.scan(query).await?.iter().map(listed).collect()
    }

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
