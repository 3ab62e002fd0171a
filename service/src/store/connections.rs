//! Connections: one app authorisation of one customer.

use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::database::{Query, Row, Transaction, Value};
use super::events::{ConnectionChange, DeletedBy, NewEvent};
use super::labels::read_metadata;
use super::{
    Details, Grant, LastError, Operation, Organization, Origin, Owner, Reconnection, Result, Store,
    StoreError,
};
use crate::catalogue::AuthType;
use crate::clock::Millis;

/// Where a connection or a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The customer has not finished.
    Pending,
    /// A credential is there.
    Active,
    /// The customer declined.
    Rejected,
    /// The link lapsed before it was finished, or the grant stopped working.
    Expired,
}

/// One connection, as of now.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// What the tenant calls it.
    pub name: String,
    /// Which app; none where the customer has a choice and has not made it.
    pub app_id: Option<String>,
    /// What kind of credential; none until there is one.
    pub auth_type: Option<AuthType>,
    /// The auth option by which it was made; none until there is a credential.
    pub auth_option_key: Option<String>,
    /// The stored OAuth client that its credential belongs to; none for the operator's.
    pub oauth_client: Option<ConnectionClient>,
    /// What is known beside the credential; of the values that calls need, the public ones.
    pub details: Details,
    /// What became of its latest link is taken into account.
    pub status: Status,
    /// How it came by its credential; of a pending one, how it will.
    pub origin: Origin,
    /// Why and since when its grant does not work; none where it does, or there never was one.
    pub reconnection: Option<Reconnection>,
    /// Why its latest link could not be finished so far.
    pub last_error: Option<LastError>,
    /// What its latest link was for.
    pub operation: Operation,
    /// When the latest link lapses or lapsed.
    pub link_expires_at: Millis,
    /// When it was made.
    pub created_at: Millis,
    /// When its status, app, credential or what the tenant says of it last changed.
    pub updated_at: Millis,
    /// When its credential was last refreshed.
    pub last_refreshed_at: Option<Millis>,
    /// When its credential was last vended.
    pub last_used_at: Option<Millis>,
    /// The tenant's id for the customer.
    pub customer_id: Option<String>,
    /// The tenant's name for the customer.
    pub customer_name: Option<String>,
    /// The organization that it is for, without a role.
    pub organization: Option<Organization>,
    /// An object of the tenant's own.
    pub metadata: Map<String, Json>,
    /// What of the tenant's own uses it, in the order in which it was added.
    pub usages: Vec<String>,
}

/// What a connection's owner is told of its OAuth client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionClient {
    /// Whether it is an organization's, and not the tenant's own.
    pub is_organizations: bool,
    /// Whether it is one of the provider's sandbox.
    pub sandbox: bool,
}

/// Which of a customer's connections are wanted; all where nothing is set.
#[derive(Debug, Default, Clone)]
pub struct ConnectionFilter<'a> {
    /// Of this app.
    pub app_id: Option<&'a str>,
    /// With this status, as of now.
    pub status: Option<Status>,
    /// With this id for the customer.
    pub customer_id: Option<&'a str>,
    /// Whose grant does not work, or all others.
    pub needs_reconnection: Option<bool>,
}

/// What a list is restricted to, as SQL.
struct Conditions<'a> {
    text: String,
    values: Vec<Value<'a>>,
}

/// What [`Store::delete_connection`] did.
#[derive(Debug, Clone)]
pub enum Deletion {
    /// It is gone, with its credential.
    Deleted {
        /// The grant that is to be revoked, if it had one.
        revoked: Option<Box<Grant>>,
    },
    /// Something still uses it.
    InUse,
    /// There is none with this id.
    Unknown,
}

/// What became of a connection that is to be removed.
pub(super) enum Removal {
    /// It is gone.
    Removed {
        /// The grant that is to be revoked, if it had one.
        revoked: Option<Box<Grant>>,
        /// To be written at the end of the transaction.
        event: Option<NewEvent>,
    },
    /// Something uses it.
    InUse,
    /// There is none.
    Unknown,
}

impl Status {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }

    /// A pending link lapses by itself; nothing has to be written for that.
    pub(super) fn of_link(self, now: Millis, expires_at: Millis) -> Self {
        if self == Self::Pending && expires_at <= now { Self::Expired } else { self }
    }

    /// A connection that works is active whatever becomes of a link to authorise it again. Any other is pending while
    /// its latest link is, and afterwards what it was before, or expired if it was nothing yet.
    /// [`ConnectionFilter::conditions`] says the same in SQL.
    fn of_connection(self, link: Self) -> Self {
        match (self, link) {
            (Self::Active, _) => Self::Active,
            (_, Self::Pending) => Self::Pending,
            (Self::Pending, _) => Self::Expired,
            (settled, _) => settled,
        }
    }
}

impl FromStr for Status {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Pending, Self::Active, Self::Rejected, Self::Expired]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(StoreError::Unreadable("status"))
    }
}

/// Columns of `connections c` and of its latest link `l`, and its usages with when each was added. Their ids
/// hold neither comma nor space.
const SELECT: &str =
    "SELECT c.id, c.name, c.app_id, c.auth_type, c.status, c.broken, c.broken_reason, c.broken_since, c.last_error,
        c.provider_message,
        c.created_at, c.updated_at, c.last_used_at, c.customer_id, c.customer_name, c.metadata, c.provider_data,
        c.account, c.scopes, c.origin, c.organization_id, c.organization_name,
        o.organization_id AS client_organization, o.sandbox AS client_sandbox,
        k.auth_option_key, k.last_refreshed_at, l.operation, l.status AS link_status,
        l.expires_at,
        (SELECT string_agg(u.created_at || ' ' || u.usage_id, ',') FROM usages u
         WHERE u.connection_id = c.id AND u.tenant_id = c.tenant_id AND u.customer = c.customer) AS usages
    FROM connections c JOIN links l ON l.id = c.link_id LEFT JOIN credentials k ON k.connection_id = c.id
    LEFT JOIN oauth_clients o ON o.id = k.oauth_client_id";

impl Store {
    /// One connection, if this customer has it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn connection(&self, owner: &Owner, id: &str) -> Result<Option<Connection>> {
        let query = format!("{SELECT} WHERE c.id = $1 AND c.tenant_id = $2 AND c.customer = $3");
        let query = Query::new(&query).bind(id).bind(&owner.tenant).bind(&owner.customer);
        let row = self.database.fetch_optional(query).await?;
        row.map(|row| self.read_connection(&row)).transpose()
    }

    /// One page of a customer's connections, the newest first, and how many there are on all pages.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn connections(
        &self,
        owner: &Owner,
        filter: &ConnectionFilter<'_>,
        limit: u32,
        offset: u64,
    ) -> Result<(Vec<Connection>, u64)> {
        let Conditions { text: conditions, values } = filter.conditions(owner, self.clock.now());
        let count = format!("SELECT COUNT(*) AS total FROM connections c WHERE {conditions}");
        let (limit_number, offset_number) = (values.len() + 1, values.len() + 2);
        let page = format!(
            "SELECT p.*, t.total FROM ({SELECT} WHERE {conditions}
                ORDER BY c.created_at DESC, c.id LIMIT ${limit_number} OFFSET ${offset_number}) p
             CROSS JOIN ({count}) t ORDER BY p.created_at DESC, p.id"
        );
        let query = Query::new(&page)
            .bind_all(values.clone())
            .bind(i64::from(limit))
            .bind(i64::try_from(offset).unwrap_or(i64::MAX));
        let rows = self.database.fetch_all(query).await?;
        let total: i64 = match rows.first() {
            Some(row) => row.get("total")?,
            None if offset == 0 => 0,
            // A page beyond the last one tells nothing.
            None => {
                let row = self.database.fetch_optional(Query::new(&count).bind_all(values)).await?;
                row.map_or(Ok(0), |row| row.get("total"))?
            }
        };
        let page = rows.iter().map(|row| self.read_connection(row)).collect::<Result<_>>()?;
        Ok((page, total.try_into().unwrap_or_default()))
    }

    /// The ids and apps of this customer's connections for one of these apps that have a credential, working or not; by id,
    /// from this one on. At most `limit`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn connections_from(
        &self,
        owner: &Owner,
        app_ids: &[&str],
        first_id: &str,
        limit: u32,
    ) -> Result<Vec<(String, String)>> {
        let apps: Vec<_> = (5..5 + app_ids.len()).map(|number| format!("${number}")).collect();
        let text = format!(
            "SELECT c.id, c.app_id FROM connections c JOIN credentials k ON k.connection_id = c.id
             WHERE c.tenant_id = $1 AND c.customer = $2 AND c.id >= $3 AND c.app_id IN ({}) ORDER BY c.id LIMIT $4",
            apps.join(", ")
        );
        let query =
            Query::new(&text).bind(&owner.tenant).bind(&owner.customer).bind(first_id).bind(i64::from(limit));
        let query = app_ids.iter().fold(query, |query, app| query.bind(*app));
        let rows = self.database.fetch_all(query).await?;
        rows.iter().map(|row| Ok((row.get("id")?, row.get("app_id")?))).collect()
    }

    /// The newest connection of this customer for an app that has a credential, working or not, and for this organization or
    /// none.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn connection_for_app(
        &self,
        owner: &Owner,
        app_id: &str,
        organization: Option<&str>,
    ) -> Result<Option<Connection>> {
        let query = format!(
            "{SELECT} WHERE c.tenant_id = $1 AND c.customer = $2 AND c.app_id = $3
                AND (c.status = 'active' OR c.broken = 1) AND COALESCE(c.organization_id, '') = $4
             ORDER BY c.created_at DESC, c.id LIMIT 1"
        );
        let query = Query::new(&query)
            .bind(&owner.tenant)
            .bind(&owner.customer)
            .bind(app_id)
            .bind(organization.unwrap_or_default());
        let row = self.database.fetch_optional(query).await?;
        row.map(|row| self.read_connection(&row)).transpose()
    }

    /// Deletes a connection with its links and credential, unless something uses it. What it holds, and what waits for it, is
    /// revoked.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn delete_connection(&self, owner: &Owner, id: &str) -> Result<Deletion> {
        let mut transaction = self.database.begin().await?;
        match self.remove_connection(&mut transaction, owner, id).await? {
            Removal::Removed { revoked, event } => {
                self.commit_with(transaction, &owner.tenant, event.as_slice()).await?;
                Ok(Deletion::Deleted { revoked })
            }
            Removal::InUse => {
                transaction.rollback().await?;
                Ok(Deletion::InUse)
            }
            Removal::Unknown => {
                transaction.rollback().await?;
                Ok(Deletion::Unknown)
            }
        }
    }

    /// Removes a connection, unless something uses it. After anything but success the transaction has to be rolled back.
    pub(super) async fn remove_connection(
        &self,
        transaction: &mut Transaction,
        owner: &Owner,
        id: &str,
    ) -> Result<Removal> {
        self.lock_connection(transaction, id).await?;
        let current = self.current_grant(transaction, &owner.tenant, id).await?;
        self.drop_waiting(transaction, id).await?;
        let change = ConnectionChange::Deleted(DeletedBy::Tenant);
        let event = self.connection_event(transaction, &owner.tenant, id, &change).await?;
        let query = Query::new("DELETE FROM connections WHERE id = $1 AND tenant_id = $2 AND customer = $3")
            .bind(id)
            .bind(&owner.tenant)
            .bind(&owner.customer);
        match transaction.execute(query).await {
            // Usages refer to it, and what else does goes with it. Unlike a look before, this leaves no gap.
            Err(error) if error.is_foreign_key_violation() => return Ok(Removal::InUse),
            deleted => {
                if deleted? == 0 {
                    return Ok(Removal::Unknown);
                }
            }
        }
        let current = current.filter(Grant::is_revocable);
        if let Some(current) = &current {
            self.queue_revocation(transaction, &owner.tenant, current).await?;
        }
        Ok(Removal::Removed { revoked: current.map(Box::new), event })
    }

    fn read_connection(&self, row: &Row) -> Result<Connection> {
        Ok(Connection {
            id: row.get("id")?,
            name: row.get("name")?,
            app_id: row.get("app_id")?,
            auth_type: row.get::<Option<&str>>("auth_type")?.map(read_auth_type).transpose()?,
            auth_option_key: row.get("auth_option_key")?,
            oauth_client: ConnectionClient::read(row)?,
            details: Details::read(row)?,
            status: self.read_status(row, "expires_at")?,
            origin: row.get::<&str>("origin")?.parse()?,
            reconnection: Reconnection::read(row)?,
            last_error: LastError::read(row)?,
            operation: row.get::<&str>("operation")?.parse()?,
            link_expires_at: row.get("expires_at")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            last_refreshed_at: row.get("last_refreshed_at")?,
            last_used_at: row.get("last_used_at")?,
            customer_id: row.get("customer_id")?,
            customer_name: row.get("customer_name")?,
            organization: read_organization(row)?,
            metadata: read_metadata(row.get("metadata")?)?,
            usages: read_usages(row.get::<Option<&str>>("usages")?.unwrap_or_default())?,
        })
    }

    /// The status of a connection as it is now, of its own and of its latest link.
    pub(super) fn read_status(&self, row: &Row, link_expires_at: &'static str) -> Result<Status> {
        let status: Status = row.get::<&str>("status")?.parse()?;
        let link: Status = row.get::<&str>("link_status")?.parse()?;
        let link = link.of_link(self.clock.now(), row.get(link_expires_at)?);
        Ok(status.of_connection(link))
    }
}

impl ConnectionClient {
    fn read(row: &Row) -> Result<Option<Self>> {
        let Some(organization) = row.get::<Option<&str>>("client_organization")? else {
            return Ok(None);
        };
        let sandbox = row.get::<i64>("client_sandbox")? != 0;
        Ok(Some(Self { is_organizations: !organization.is_empty(), sandbox }))
    }
}

impl<'a> ConnectionFilter<'a> {
    /// On `connections c`, for this customer alone. What is not asked for is no part of the statement, so that an index
    /// fits what is.
    fn conditions(&self, owner: &'a Owner, now: Millis) -> Conditions<'a> {
        const IS_LINK_OPEN: &str = "EXISTS (SELECT 1 FROM links o
            WHERE o.id = c.link_id AND o.status = 'pending' AND o.expires_at > ?)";
        let mut conditions =
            Conditions { text: "c.tenant_id = $1".to_owned(), values: vec![(&owner.tenant).into()] };
        conditions.and("c.customer = ?", &owner.customer);
        if let Some(app_id) = self.app_id {
            conditions.and("c.app_id = ?", app_id);
        }
        if let Some(customer_id) = self.customer_id {
            conditions.and("c.customer_id = ?", customer_id);
        }
        match self.needs_reconnection {
            Some(true) => conditions.text += " AND c.broken = 1",
            Some(false) => conditions.text += " AND c.broken = 0",
            None => {}
        }
        match self.status {
            Some(Status::Active) => conditions.text += " AND c.status = 'active'",
            Some(Status::Pending) => {
                conditions.and(&format!("c.status <> 'active' AND {IS_LINK_OPEN}"), now);
            }
            Some(Status::Rejected) => {
                conditions.and(&format!("c.status = 'rejected' AND NOT {IS_LINK_OPEN}"), now);
            }
            Some(Status::Expired) => {
                conditions.and(&format!("c.status IN ('pending', 'expired') AND NOT {IS_LINK_OPEN}"), now);
            }
            None => {}
        }
        conditions
    }
}

impl<'a> Conditions<'a> {
    /// One more; `?` stands for the value.
    fn and(&mut self, condition: &str, value: impl Into<Value<'a>>) {
        self.values.push(value.into());
        self.text += " AND ";
        self.text += &condition.replace('?', &format!("${}", self.values.len()));
    }
}

fn read_organization(row: &Row) -> Result<Option<Organization>> {
    let Some(id) = row.get::<Option<String>>("organization_id")? else {
        return Ok(None);
    };
    let name = row.get::<Option<String>>("organization_name")?.unwrap_or_else(|| id.clone());
    Ok(Some(Organization { id, name, role: None }))
}

/// Sorted here: SQLite would make a table of its own for that, for each connection of a list.
fn read_usages(text: &str) -> Result<Vec<String>> {
    let words = text.split(',').filter(|word| !word.is_empty());
    let usages = words.map(|word| {
        let (added_at, id) = word.split_once(' ')?;
        Some((added_at.parse::<Millis>().ok()?, id))
    });
    let usages: Option<Vec<_>> = usages.collect();
    let mut usages = usages.ok_or(StoreError::Unreadable("usages"))?;
    usages.sort_unstable();
    Ok(usages.into_iter().map(|(_, id)| id.to_owned()).collect())
}

pub(super) fn read_auth_type(text: &str) -> Result<AuthType> {
    [
        AuthType::OAuth,
        AuthType::ApiKey,
        AuthType::Basic,
        AuthType::Header,
        AuthType::ClientCredentials,
        AuthType::TokenExchange,
        AuthType::JwtBearer,
    ]
    .into_iter()
    .find(|auth_type| auth_type.as_str() == text)
    .ok_or(StoreError::Unreadable("auth_type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some tenants keep all their customers' connections under one email.
    #[tokio::test]
    async fn filters_for_what_is_rare_use_an_index() {
        let (store, folder) = super::super::tests::store().await;
        let owner = Owner { tenant: "ten_1".into(), customer: "alice@example.com".into() };
        for (filter, index) in [
            (
                ConnectionFilter { customer_id: Some("cus_1"), ..Default::default() },
                "connections_by_customer_id",
            ),
            (ConnectionFilter { needs_reconnection: Some(true), ..Default::default() }, "connections_broken"),
        ] {
            let Conditions { text, values } = filter.conditions(&owner, 1);
            let plan = format!("EXPLAIN QUERY PLAN SELECT COUNT(*) FROM connections c WHERE {text}");
            let rows = store.database.fetch_all(Query::new(&plan).bind_all(values)).await.unwrap();
            let detail: &str = rows[0].get("detail").unwrap();
            assert!(detail.contains(index), "{detail}");
        }
        store.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
