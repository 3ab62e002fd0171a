//! Events: what a tenant hears of, written in the transaction of the change itself, so that there is none without the other.
//!
//! An event's position in its tenant's feed is taken by the last statements of that transaction, and the row that counts
//! positions stays locked until the commit. So positions have no gaps, become visible in their order, and of two changes of
//! a connection, which wait for each other, the later has the later event. No event holds a secret.
//!
//! How events are read is in `feed.rs`; those that the clock causes are in `expiry.rs`.

use std::str::FromStr;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::audit::Actor;
use super::database::{Query, Row, Transaction};
use super::details::read_account;
use super::labels::read_metadata;
use super::{ClientPlace, LinkError, ReconnectionReason, Result, Status, Store, StoreError};
use crate::clock::{Millis, rfc3339};
use crate::ids;

/// What an event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// A connection holds a grant that works.
    ConnectionActive,
    /// An attempt to connect failed, and the link stays open.
    ConnectionFailed,
    /// The customer declined.
    ConnectionRejected,
    /// A link ended unused.
    ConnectionExpired,
    /// A grant stopped working.
    ConnectionNeedsReconnection,
    /// A grant ends soon.
    ConnectionExpiring,
    /// What is known of a connection changed.
    ConnectionUpdated,
    /// A connection is gone.
    ConnectionDeleted,
    /// A key was made.
    KeyCreated,
    /// A key got a successor, which is the one that the event names.
    KeyRotated,
    /// A key became the only one of its family.
    KeyPromoted,
    /// A key ended.
    KeyRevoked,
    /// An OAuth client of the tenant or of an organization was entered, changed or removed.
    OAuthClientChanged,
}

/// What an event says of the customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventPayload {
    /// The email, the tenant's labels and metadata, and the account at the provider.
    #[default]
    Full,
    /// Nothing: ids alone.
    Ids,
}

/// Who deleted a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletedBy {
    /// The tenant's backend.
    Tenant,
    /// The service, because nobody ever finished the connection.
    Operator,
    /// A member of the tenant, in the dashboard.
    Dashboard,
    /// The customer, in the dashboard.
    Customer,
}

/// A change of a connection.
#[derive(Debug)]
pub(super) enum ConnectionChange {
    Active,
    /// A grant that had stopped working works again, without any link.
    Repaired,
    Failed(LinkError),
    Rejected(LinkError),
    Expired,
    NeedsReconnection {
        reason: ReconnectionReason,
        since: Millis,
    },
    Expiring {
        expires_at: Millis,
    },
    Updated {
        changed: Vec<&'static str>,
    },
    Deleted(DeletedBy),
}

/// An event to write.
#[derive(Debug)]
pub(super) struct NewEvent {
    pub(super) event_type: EventType,
    /// The connection that it is about.
    pub(super) connection_id: Option<String>,
    /// The customer that it is about.
    pub(super) customer: Option<String>,
    /// Whether it tells what became of an attempt to connect, by the connection's link.
    pub(super) is_of_attempt: bool,
    /// What it says. Never a secret.
    pub(super) data: Map<String, Json>,
}

/// The columns of `connections` whose changes a `connection.updated` names.
const TRACKED: [&str; 8] =
    ["name", "app_id", "customer_id", "customer_name", "metadata", "account", "provider_data", "scopes"];

/// The values of [`TRACKED`], to be compared with those after a change.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tracked([Option<String>; TRACKED.len()]);

const SNAPSHOT: &str =
    "SELECT c.customer, c.name, c.app_id, c.status, c.origin, c.customer_id, c.customer_name,
        c.metadata, c.account, l.operation, l.status AS link_status, l.expires_at
    FROM connections c JOIN links l ON l.id = c.link_id WHERE c.id = $1 AND c.tenant_id = $2";

impl EventType {
    /// Every type.
    pub const ALL: [Self; 13] = [
        Self::ConnectionActive,
        Self::ConnectionFailed,
        Self::ConnectionRejected,
        Self::ConnectionExpired,
        Self::ConnectionNeedsReconnection,
        Self::ConnectionExpiring,
        Self::ConnectionUpdated,
        Self::ConnectionDeleted,
        Self::KeyCreated,
        Self::KeyRotated,
        Self::KeyPromoted,
        Self::KeyRevoked,
        Self::OAuthClientChanged,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionActive => "connection.active",
            Self::ConnectionFailed => "connection.failed",
            Self::ConnectionRejected => "connection.rejected",
            Self::ConnectionExpired => "connection.expired",
            Self::ConnectionNeedsReconnection => "connection.needs_reconnection",
            Self::ConnectionExpiring => "connection.expiring",
            Self::ConnectionUpdated => "connection.updated",
            Self::ConnectionDeleted => "connection.deleted",
            Self::KeyCreated => "key.created",
            Self::KeyRotated => "key.rotated",
            Self::KeyPromoted => "key.promoted",
            Self::KeyRevoked => "key.revoked",
            Self::OAuthClientChanged => "oauth_client.changed",
        }
    }
}

impl FromStr for EventType {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|event_type| event_type.as_str() == text).ok_or(StoreError::Unreadable("type"))
    }
}

impl DeletedBy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Operator => "operator",
            Self::Dashboard => "dashboard",
            Self::Customer => "customer",
        }
    }
}

impl ConnectionChange {
    /// Whether it is what became of a customer's attempt to connect.
    fn is_of_attempt(&self) -> bool {
        matches!(self, Self::Active | Self::Failed(_) | Self::Rejected(_) | Self::Expired)
    }

    fn event_type(&self) -> EventType {
        match self {
            Self::Active | Self::Repaired => EventType::ConnectionActive,
            Self::Failed(_) => EventType::ConnectionFailed,
            Self::Rejected(_) => EventType::ConnectionRejected,
            Self::Expired => EventType::ConnectionExpired,
            Self::NeedsReconnection { .. } => EventType::ConnectionNeedsReconnection,
            Self::Expiring { .. } => EventType::ConnectionExpiring,
            Self::Updated { .. } => EventType::ConnectionUpdated,
            Self::Deleted(_) => EventType::ConnectionDeleted,
        }
    }

    /// What the type has beside the connection. `operation` is what the connection's latest link is for.
    fn write(&self, operation: &str, data: &mut Map<String, Json>) {
        let mut set = |name: &str, value: Json| data.insert(name.to_owned(), value);
        match self {
            Self::Active | Self::Repaired | Self::Expired => {
                set("operation", operation.into());
            }
            Self::Failed(error) | Self::Rejected(error) => {
                set("operation", operation.into());
                set("error", json!({ "code": error.code(), "message": error.message() }));
            }
            Self::NeedsReconnection { reason, since } => {
                set("reason", reason.as_str().into());
                set("since", rfc3339(*since).into());
            }
            Self::Expiring { expires_at } => {
                set("expires_at", rfc3339(*expires_at).into());
            }
            Self::Updated { changed } => {
                set("changed", changed.clone().into());
            }
            Self::Deleted(by) => {
                set("by", by.as_str().into());
            }
        }
    }
}

impl NewEvent {
    /// An event of a key with these capabilities, which are separated by commas.
    pub(super) fn of_key(
        event_type: EventType,
        (id, name): (&str, Option<&str>),
        capabilities: &str,
        actor: Actor<'_>,
    ) -> Self {
        let capabilities: Vec<_> = capabilities.split(',').filter(|word| !word.is_empty()).collect();
        let by = match actor {
            Actor::CommandLine => "command_line",
            Actor::Key(_) | Actor::Customer => "api",
            Actor::Account(_) => "dashboard",
        };
        let mut data = Map::new();
        data.insert("key".into(), json!({ "id": id, "name": name, "capabilities": capabilities }));
        data.insert("by".into(), by.into());
        Self { event_type, connection_id: None, customer: None, is_of_attempt: false, data }
    }
}

/// A change of an OAuth client.
#[derive(Debug, Clone, Copy)]
pub(super) enum OAuthClientChange {
    Created,
    Updated,
    Removed,
}

impl OAuthClientChange {
    fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Removed => "removed",
        }
    }
}

impl Tracked {
    fn read(row: &Row) -> Result<Self> {
        let mut values: [Option<String>; TRACKED.len()] = Default::default();
        for (value, column) in values.iter_mut().zip(TRACKED) {
            *value = row.get(column)?;
        }
        Ok(Self(values))
    }

    /// The names of what differs.
    fn changed(&self, after: &Self) -> Vec<&'static str> {
        let pairs = TRACKED.into_iter().zip(self.0.iter().zip(&after.0));
        pairs.filter(|(_, (before, after))| before != after).map(|(name, _)| name).collect()
    }
}

/// What an event says with ids alone.
fn without_customer(payload: &str) -> Result<String> {
    let unreadable = || StoreError::Unreadable("payload");
    let mut data: Map<String, Json> = serde_json::from_str(payload).map_err(|_| unreadable())?;
    if let Some(Json::Object(connection)) = data.get_mut("connection") {
        connection.retain(|name, _| ["id", "status", "app_id", "origin"].contains(&name.as_str()));
    }
    if let Some(by) = data.get_mut("by")
        && by.as_str().is_some_and(|by| by.contains('@'))
    {
        *by = Json::Null;
    }
    serde_json::to_string(&data).map_err(|_| unreadable())
}

impl Store {
    /// What events say of customers from now on.
    #[must_use]
    pub fn with_event_payload(mut self, payload: EventPayload) -> Self {
        self.event_payload = payload;
        self
    }

    /// Writes an event. The statements that make the change come before it: from here on, another writer of an event of this
    /// tenant waits for the end of the transaction.
    pub(super) async fn record(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        event: &NewEvent,
    ) -> Result<()> {
        let query = Query::new(
            "INSERT INTO event_positions (tenant_id, last) VALUES ($1, 1)
             ON CONFLICT (tenant_id) DO UPDATE SET last = event_positions.last + 1 RETURNING last",
        )
        .bind(tenant);
        let row = transaction.fetch_optional(query).await?;
        let position: i64 = row.ok_or(StoreError::Unreadable("last"))?.get("last")?;
        let payload = serde_json::to_string(&event.data).map_err(|_| StoreError::Unreadable("payload"))?;
        let query = Query::new(
            "INSERT INTO events (tenant_id, position, id, type, connection_id, customer, created_at, payload)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(tenant)
        .bind(position)
        .bind(ids::prefixed("evt_"))
        .bind(event.event_type.as_str())
        .bind(event.connection_id.as_deref())
        .bind(event.customer.as_deref())
        .bind(self.clock.now())
        .bind(payload);
        transaction.execute(query).await?;
        self.queue_deliveries(transaction, tenant, position, event).await
    }

    /// The event of a change of an OAuth client, by a key or a customer.
    pub(super) fn client_event(
        &self,
        place: ClientPlace<'_>,
        change: OAuthClientChange,
        by: &str,
    ) -> NewEvent {
        let customer = by.contains('@').then(|| by.to_owned());
        let is_told = customer.is_none() || self.event_payload == EventPayload::Full;
        let mut data = Map::new();
        data.insert("app_id".into(), place.app_id.into());
        data.insert("organization_id".into(), place.organization.into());
        data.insert("change".into(), change.as_str().into());
        data.insert("by".into(), Some(by).filter(|by| is_told && !by.is_empty()).into());
        NewEvent {
            event_type: EventType::OAuthClientChanged,
            connection_id: None,
            customer,
            is_of_attempt: false,
            data,
        }
    }

    /// Takes out of a customer's events who that is.
    pub(super) async fn forget_customer_of_events(&self, tenant: &str, customer: &str) -> Result<()> {
        loop {
            let query = Query::new(
                "SELECT position, payload FROM events WHERE tenant_id = $1 AND customer = $2 ORDER BY position LIMIT 100",
            )
            .bind(tenant)
            .bind(customer);
            let rows = self.database.scan(query).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut transaction = self.database.begin().await?;
            for row in &rows {
                let query = Query::new(
                    "UPDATE events SET payload = $1, customer = NULL WHERE tenant_id = $2 AND position = $3",
                )
                .bind(without_customer(row.get("payload")?)?)
                .bind(tenant)
                .bind(row.get::<i64>("position")?);
                transaction.execute(query).await?;
            }
            transaction.commit().await?;
        }
    }

    /// Commits a change with its events, and wakes who waits for either.
    pub(super) async fn commit_with(
        &self,
        mut transaction: Transaction,
        tenant: &str,
        events: &[NewEvent],
    ) -> Result<()> {
        for event in events {
            self.record(&mut transaction, tenant, event).await?;
        }
        transaction.commit().await?;
        for connection_id in events.iter().filter_map(|event| event.connection_id.as_deref()) {
            self.changes.tell(connection_id);
        }
        if !events.is_empty() {
            self.feeds.tell(tenant);
            self.wake_delivery();
        }
        Ok(())
    }

    /// Commits a change of a connection with the event of it.
    pub(super) async fn commit_change(
        &self,
        mut transaction: Transaction,
        tenant: &str,
        connection_id: &str,
        change: &ConnectionChange,
    ) -> Result<()> {
        let event = self.connection_event(&mut transaction, tenant, connection_id, change).await?;
        self.commit_with(transaction, tenant, event.as_slice()).await
    }

    /// The event of a change, with the connection as the transaction sees it; none where there is no such connection.
    pub(super) async fn connection_event(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        connection_id: &str,
        change: &ConnectionChange,
    ) -> Result<Option<NewEvent>> {
        let query = Query::new(SNAPSHOT).bind(connection_id).bind(tenant);
        let Some(row) = transaction.fetch_optional(query).await? else {
            return Ok(None);
        };
        let mut data = Map::new();
        data.insert("connection".into(), self.snapshot(connection_id, &row)?);
        change.write(row.get("operation")?, &mut data);
        Ok(Some(NewEvent {
            event_type: change.event_type(),
            connection_id: Some(connection_id.to_owned()),
            customer: Some(row.get("customer")?),
            is_of_attempt: change.is_of_attempt(),
            data,
        }))
    }

    fn snapshot(&self, connection_id: &str, row: &Row) -> Result<Json> {
        let status: Status = self.read_status(row, "expires_at")?;
        let text = |column| row.get::<Option<&str>>(column);
        let mut connection = json!({
            "id": connection_id,
            "status": status,
            "app_id": text("app_id")?,
            "origin": text("origin")?,
        });
        if self.event_payload == EventPayload::Full {
            connection["name"] = text("name")?.into();
            connection["user_email"] = text("customer")?.into();
            connection["customer_id"] = text("customer_id")?.into();
            connection["customer_name"] = text("customer_name")?.into();
            connection["account"] = json!(read_account(row)?);
            connection["metadata"] = read_metadata(row.get("metadata")?)?.into();
        }
        Ok(connection)
    }

    /// What of a connection is [`TRACKED`], as the transaction sees it; none where there is no such connection.
    pub(super) async fn tracked(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        connection_id: &str,
    ) -> Result<Option<Tracked>> {
        let query =
            format!("SELECT {} FROM connections WHERE id = $1 AND tenant_id = $2", TRACKED.join(", "));
        let row = transaction.fetch_optional(Query::new(&query).bind(connection_id).bind(tenant)).await?;
        row.map(|row| Tracked::read(&row)).transpose()
    }

    /// The event of what has changed since `before` was read; none where nothing has.
    pub(super) async fn update_event(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        connection_id: &str,
        before: Option<&Tracked>,
    ) -> Result<Option<NewEvent>> {
        let Some(before) = before else { return Ok(None) };
        let Some(after) = self.tracked(transaction, tenant, connection_id).await? else {
            return Ok(None);
        };
        let changed = before.changed(&after);
        if changed.is_empty() {
            return Ok(None);
        }
        let change = ConnectionChange::Updated { changed };
        self.connection_event(transaction, tenant, connection_id, &change).await
    }
}
