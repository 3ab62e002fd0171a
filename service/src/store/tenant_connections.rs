//! Connections over the borders of customers, for the dashboard: all of a tenant, for its members, and all of an
//! account, whichever tenants made them.

use std::fmt;
use std::str::FromStr;

use super::connections::SELECT;
use super::database::{Query, Row, Value};
use super::{Connection, Event, Owner, Result, Store, StoreError};
use crate::clock::Millis;
use crate::ids;

/// Events of one connection that are shown.
const MAX_EVENTS: i64 = 50;

/// Characters of a text that is searched for.
pub const MAX_SEARCH: usize = 254;

/// Connections of an account that are shown.
const MAX_OF_ACCOUNT: i64 = 500;

/// Which connections of a tenant are wanted; all where nothing is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConnectionSearch<'a> {
    /// A part of the customer's email, of the tenant's id for the customer, or of the account at the provider; in lower
    /// case.
    pub text: Option<&'a str>,
    /// For this app.
    pub app_id: Option<&'a str>,
    /// In this state: a status, or `needs_reconnection`.
    pub state: Option<ConnectionState>,
    /// From here on.
    pub after: Option<&'a ConnectionCursor>,
}

/// How a connection is, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ConnectionState {
    /// It works.
    Active,
    /// The customer has not finished.
    Pending,
    /// The customer declined.
    Rejected,
    /// The link ended unused.
    Expired,
    /// The customer must connect again.
    NeedsReconnection,
}

/// A place in a list of connections: after this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionCursor {
    created_at: Millis,
    id: String,
}

/// Connections with their owners.
pub type OwnedConnections = Vec<(Owner, Connection)>;

/// A part of a list, the newest first.
#[derive(Debug)]
pub struct ConnectionPage {
    /// The connections.
    pub connections: OwnedConnections,
    /// Where the rest begins, if there is one.
    pub next: Option<ConnectionCursor>,
}

/// A connection of an account, with who made it.
#[derive(Debug)]
pub struct AccountConnection {
    /// Whose it is.
    pub owner: Owner,
    /// The tenant's name.
    pub tenant_name: String,
    /// The connection.
    pub connection: Connection,
}

impl ConnectionState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Active, Self::NeedsReconnection, Self::Pending, Self::Rejected, Self::Expired];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::NeedsReconnection => "needs_reconnection",
        }
    }

    /// On `connections c` and their latest link `l`; `$2` is the time.
    fn condition(self) -> &'static str {
        match self {
            Self::Active => "c.status = 'active' AND c.broken = 0",
            Self::NeedsReconnection => "c.broken = 1",
            Self::Pending => {
                "c.status <> 'active' AND c.broken = 0 AND l.status = 'pending' AND l.expires_at > $2"
            }
            Self::Rejected => {
                "c.status = 'rejected' AND c.broken = 0 AND NOT (l.status = 'pending' AND l.expires_at > $2)"
            }
            Self::Expired => {
                "c.status IN ('pending', 'expired') AND c.broken = 0
                 AND NOT (l.status = 'pending' AND l.expires_at > $2)"
            }
        }
    }
}

impl Connection {
    /// How it is, for people.
    pub fn state(&self) -> ConnectionState {
        use super::Status;
        match self.status {
            _ if self.reconnection.is_some() => ConnectionState::NeedsReconnection,
            Status::Active => ConnectionState::Active,
            Status::Pending => ConnectionState::Pending,
            Status::Rejected => ConnectionState::Rejected,
            Status::Expired => ConnectionState::Expired,
        }
    }
}

impl ConnectionSearch<'_> {
    /// One row more than `limit`, which tells whether there are more. What is not asked for is no part of the
    /// statement, so that an index fits what is.
    fn statement<'a>(&'a self, tenant: &'a str, now: Millis, limit: u32) -> (String, Vec<Value<'a>>) {
        // Whatever is asked for, the time is a parameter of the statement.
        let mut text = format!("{SELECT} WHERE c.tenant_id = $1 AND CAST($2 AS BIGINT) > 0");
        let mut values: Vec<Value<'a>> = vec![tenant.into(), now.into()];
        let mut add = |condition: &str, value: Value<'a>| {
            values.push(value);
            text += " AND ";
            text += &condition.replace('?', &format!("${}", values.len()));
        };
        if let Some(app_id) = self.app_id {
            add("c.app_id = ?", app_id.into());
        }
        if let Some(part) = self.text {
            add(
                "(c.customer LIKE ? ESCAPE '\\' OR LOWER(c.customer_id) LIKE ? ESCAPE '\\'
                  OR LOWER(c.account) LIKE ? ESCAPE '\\')",
                contains(part).into(),
            );
        }
        if let Some(after) = self.after {
            // The first condition is one that an index understands.
            add("c.created_at <= ?", after.created_at.into());
            add("(c.created_at < ? OR", after.created_at.into());
            values.push(after.id.as_str().into());
            text += &format!(" c.id > ${})", values.len());
        }
        if let Some(state) = self.state {
            text += " AND ";
            text += state.condition();
        }
        values.push((i64::from(limit) + 1).into());
        text += &format!(" ORDER BY c.created_at DESC, c.id LIMIT ${}", values.len());
        (text, values)
    }
}

impl FromStr for ConnectionState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

impl fmt::Display for ConnectionCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}{}", self.created_at, self.id)
    }
}

impl FromStr for ConnectionCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (time, id) = text.split_at_checked(12).ok_or(())?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !time.bytes().all(is_digit) || !ids::is_connection(id) {
            return Err(());
        }
        let created_at = Millis::from_str_radix(time, 16).map_err(|_| ())?;
        Ok(Self { created_at, id: id.to_owned() })
    }
}

impl Store {
    /// A tenant's connections, the newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn search_connections(
        &self,
        tenant: &str,
        search: &ConnectionSearch<'_>,
        limit: u32,
    ) -> Result<ConnectionPage> {
        let (text, values) = search.statement(tenant, self.clock.now(), limit);
        let rows = self.database.scan(Query::new(&text).bind_all(values)).await?;
        let page = rows.iter().take(limit as usize).map(|row| self.read_owned(row));
        let connections: OwnedConnections = page.collect::<Result<_>>()?;
        let next = match connections.last() {
            Some((_, last)) if rows.len() > connections.len() => {
                Some(ConnectionCursor { created_at: last.created_at, id: last.id.clone() })
            }
            _ => None,
        };
        Ok(ConnectionPage { connections, next })
    }

    /// One connection of a tenant, whichever customer has it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tenant_connection(&self, tenant: &str, id: &str) -> Result<Option<(Owner, Connection)>> {
        let text = format!("{SELECT} WHERE c.id = $1 AND c.tenant_id = $2");
        let row = self.database.fetch_optional(Query::new(&text).bind(id).bind(tenant)).await?;
        row.as_ref().map(|row| self.read_owned(row)).transpose()
    }

    /// The apps of which a tenant has connections.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn connected_apps(&self, tenant: &str) -> Result<Vec<String>> {
        // Jumps from app to app in the index, where DISTINCT would read all of it.
        let query = Query::new(
            "WITH RECURSIVE apps (app_id) AS (
                SELECT MIN(app_id) FROM connections WHERE tenant_id = $1
                UNION ALL
                SELECT (SELECT MIN(c.app_id) FROM connections c WHERE c.tenant_id = $1 AND c.app_id > apps.app_id)
                FROM apps WHERE apps.app_id IS NOT NULL
             ) SELECT app_id FROM apps WHERE app_id IS NOT NULL",
        )
        .bind(tenant);
        self.database.scan(query).await?.iter().map(|row| row.get("app_id")).collect()
    }

    /// The latest events of a connection, the newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn connection_events(&self, tenant: &str, id: &str) -> Result<Vec<Event>> {
        let query = Query::new(
            "SELECT id, type, position, created_at, payload FROM events
             WHERE tenant_id = $1 AND connection_id = $2 ORDER BY position DESC LIMIT $3",
        )
        .bind(tenant)
        .bind(id)
        .bind(MAX_EVENTS);
        self.database.fetch_all(query).await?.iter().map(Event::read).collect()
    }

    /// What is or was connected for an account, whichever tenant asked for it, the newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn account_connections(&self, email: &str) -> Result<Vec<AccountConnection>> {
        let text = format!(
            "SELECT f.*, t.name AS tenant_name FROM ({SELECT} WHERE c.customer = $1 AND k.connection_id IS NOT NULL
                ORDER BY c.created_at DESC, c.id LIMIT $2) f
             JOIN tenants t ON t.id = f.tenant_id ORDER BY f.created_at DESC, f.id"
        );
        let rows = self.database.scan(Query::new(&text).bind(email).bind(MAX_OF_ACCOUNT)).await?;
        rows.iter().map(|row| self.read_of_account(row)).collect()
    }

    /// Whose a connection is, where it is one that [`account_connections`](Self::account_connections) gives.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn account_connection(&self, email: &str, id: &str) -> Result<Option<AccountConnection>> {
        let text = format!(
            "SELECT f.*, t.name AS tenant_name FROM ({SELECT} WHERE c.id = $1 AND c.customer = $2
                AND k.connection_id IS NOT NULL) f
             JOIN tenants t ON t.id = f.tenant_id"
        );
        let row = self.database.fetch_optional(Query::new(&text).bind(id).bind(email)).await?;
        row.as_ref().map(|row| self.read_of_account(row)).transpose()
    }

    fn read_of_account(&self, row: &Row) -> Result<AccountConnection> {
        let (owner, connection) = self.read_owned(row)?;
        Ok(AccountConnection { owner, tenant_name: row.get("tenant_name")?, connection })
    }

    fn read_owned(&self, row: &Row) -> Result<(Owner, Connection), StoreError> {
        let owner = Owner { tenant: row.get("tenant_id")?, customer: row.get("customer")? };
        Ok((owner, self.read_connection(row)?))
    }
}

/// A pattern for what contains a text.
fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tenant may have a hundred thousand connections; a page is read without a look at, or sorting, all of them.
    #[tokio::test]
    async fn lists_are_read_in_the_order_of_an_index() {
        let (store, folder) = super::super::tests::store().await;
        let after = ConnectionCursor { created_at: 1, id: "conn_1".into() };
        let by_app = ConnectionSearch { app_id: Some("gmail"), ..ConnectionSearch::default() };
        let later = ConnectionSearch { after: Some(&after), ..ConnectionSearch::default() };
        for (search, index) in [
            (ConnectionSearch::default(), "connections_by_time"),
            (later, "connections_by_time"),
            (by_app, "connections_by_app"),
        ] {
            let (text, values) = search.statement("ten_1", 1, 50);
            let plan = format!("EXPLAIN QUERY PLAN {text}");
            let rows = store.database.fetch_all(Query::new(&plan).bind_all(values)).await.unwrap();
            let steps: Vec<&str> = rows.iter().map(|row| row.get("detail").unwrap()).collect();
            assert!(steps[0].contains(index), "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("FOR ORDER BY")), "{steps:?}");
        }
        store.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let cursor = ConnectionCursor { created_at: 1_795_255_200_999, id: ids::connection() };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "x", "000000000001conn_x", "00000000000gconn_7Hq2mZk9Xb4TfW1sLd8Rv3Jc", "ééééééé"]
        {
            assert_eq!(text.parse::<ConnectionCursor>(), Err(()), "{text}");
        }
    }
}
