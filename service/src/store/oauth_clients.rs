//! OAuth clients of tenants and of their organizations. A client id never changes within a row: another one is another row,
//! and grants name the row that they belong to. So a connection is refreshed and revoked by the client that it was made
//! with, whatever took that client's place.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::audit::{Action, Actor};
use super::database::{Query, Row, Transaction};
use super::events::OAuthClientChange;
use super::{Result, Store, StoreError};
use crate::catalogue::Inputs;
use crate::clock::Millis;
use crate::ids;
use crate::vault::{Place, VaultError};

/// Which client is meant: a tenant's own for an app, or one of its organizations'.
#[derive(Debug, Clone, Copy)]
pub struct ClientPlace<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The app.
    pub app_id: &'a str,
    /// The organization; none for the tenant's own.
    pub organization: Option<&'a str>,
}

/// A client to store.
#[derive(Debug)]
pub struct NewClient<'a> {
    /// Whose it is.
    pub place: ClientPlace<'a>,
    /// Its public name at the provider.
    pub client_id: &'a str,
    /// What is sealed of it.
    pub secrets: ClientSecrets,
    /// Instead of the catalogue's scopes.
    pub scopes: Option<Vec<String>>,
    /// Whether it is one of the provider's sandbox.
    pub sandbox: bool,
}

/// What is secret of a client.
#[derive(Debug, Clone, Default)]
pub struct ClientSecrets {
    /// Its password at the provider.
    pub client_secret: SecretString,
    /// What the catalogue's templates call `{app.NAME}`.
    pub params: BTreeMap<String, SecretString>,
}

/// A stored client, its secrets still sealed.
#[derive(Clone)]
pub struct StoredClient {
    /// Names it within the service.
    pub id: String,
    /// The tenant.
    pub tenant: String,
    /// The app.
    pub app_id: String,
    /// The organization; none for the tenant's own.
    pub organization: Option<String>,
    /// Its public name at the provider.
    pub client_id: String,
    /// Instead of the catalogue's scopes.
    pub scopes: Option<Vec<String>>,
    /// Whether it is one of the provider's sandbox.
    pub sandbox: bool,
    /// Who entered it: a key's id, or a customer's email.
    pub set_by: String,
    /// When it was first entered.
    pub created_at: Millis,
    /// When it last changed.
    pub updated_at: Millis,
    /// The link by which a customer entered it.
    pub link_id: Option<String>,
    /// Whether no authorization with it has succeeded yet.
    pub is_pending: bool,
    sealed: String,
}

/// What [`Store::put_client`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientChange {
    /// There was none before.
    Created,
    /// It has the same client id as before; its connections go on.
    Updated,
    /// It has another client id than the one before.
    Replaced,
}

/// The secrets, with all that says where they belong: a row that was put together of several does not open.
#[derive(Serialize, Deserialize)]
struct Sealed {
    app_id: String,
    organization_id: String,
    client_id: String,
    link_id: Option<String>,
    client_secret: String,
    params: BTreeMap<String, String>,
}

pub(super) const COLUMNS: &str =
    "id, tenant_id, app_id, organization_id, client_id, sealed, scopes, sandbox, state, link_id, set_by,
    created_at, updated_at";

impl Store {
    /// The clients that new authorizations can be made with: the tenant's, and this organization's.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn current_clients(
        &self,
        tenant: &str,
        organization: Option<&str>,
    ) -> Result<Vec<StoredClient>> {
        let query = format!(
            "SELECT {COLUMNS} FROM oauth_clients
             WHERE tenant_id = $1 AND organization_id IN ('', $2) AND state = 'current'"
        );
        let query = Query::new(&query).bind(tenant).bind(organization.unwrap_or_default());
        self.database.fetch_all(query).await?.iter().map(StoredClient::read).collect()
    }

    /// The current client of a place.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn current_client(&self, place: ClientPlace<'_>) -> Result<Option<StoredClient>> {
        let query = current(place);
        let row = self.database.fetch_optional(query.query()).await?;
        row.as_ref().map(StoredClient::read).transpose()
    }

    /// The client with this id, current or not.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn client(&self, tenant: &str, id: &str) -> Result<Option<StoredClient>> {
        let query = format!("SELECT {COLUMNS} FROM oauth_clients WHERE id = $1 AND tenant_id = $2");
        let row = self.database.fetch_optional(Query::new(&query).bind(id).bind(tenant)).await?;
        row.as_ref().map(StoredClient::read).transpose()
    }

    /// Opens what is secret of a client.
    ///
    /// # Errors
    ///
    /// When it does not open, or is not of this row.
    pub async fn client_secrets(&self, client: &StoredClient) -> Result<ClientSecrets> {
        let place = seal_place(&client.tenant, &client.id);
        let sealed: Sealed = self.open_json(place, &client.sealed).await?;
        let belongs = sealed.app_id == client.app_id
            && sealed.organization_id == client.organization.as_deref().unwrap_or_default()
            && sealed.client_id == client.client_id
            && sealed.link_id == client.link_id;
        if !belongs {
            return Err(StoreError::Vault(VaultError::Sealed));
        }
        let params = sealed.params.into_iter().map(|(name, value)| (name, value.into()));
        Ok(ClientSecrets { client_secret: sealed.client_secret.into(), params: params.collect() })
    }

    /// Makes this the client of its place. One with the same client id gets the new secrets in place. One with another id
    /// makes room: that of a tenant is retired, so that its connections go on until it is removed; that of an organization
    /// ends with its connections. `set_by` is told to readers.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn put_client(
        &self,
        new: &NewClient<'_>,
        actor: Actor<'_>,
        set_by: &str,
    ) -> Result<ClientChange> {
        let place = new.place;
        let mut transaction = self.database.begin().await?;
        self.lock_tenant(&mut transaction, place.tenant).await?;
        let found = transaction.fetch_optional(current(place).query()).await?;
        let found = found.as_ref().map(StoredClient::read).transpose()?;
        let change = match found {
            Some(found) if found.client_id == new.client_id => {
                self.update_client(&mut transaction, &found, new, set_by).await?;
                ClientChange::Updated
            }
            found => {
                if let Some(found) = &found {
                    let state = if place.organization.is_some() { "removed" } else { "retired" };
                    self.set_client_state(&mut transaction, &found.id, state).await?;
                }
                self.insert_client(&mut transaction, new, "current", None, set_by).await?;
                if found.is_some() { ClientChange::Replaced } else { ClientChange::Created }
            }
        };
        self.note(&mut transaction, place.tenant, None, Action::ClientSet, actor).await?;
        let event = match change {
            ClientChange::Created => OAuthClientChange::Created,
            ClientChange::Updated | ClientChange::Replaced => OAuthClientChange::Updated,
        };
        let event = self.client_event(place, event, set_by);
        self.commit_with(transaction, place.tenant, &[event]).await?;
        Ok(change)
    }

    /// Removes the client of a place, and those that it replaced. `None` where there is none; else how many connections end.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn remove_client(
        &self,
        place: ClientPlace<'_>,
        actor: Actor<'_>,
        removed_by: &str,
    ) -> Result<Option<u64>> {
        let mut transaction = self.database.begin().await?;
        self.lock_tenant(&mut transaction, place.tenant).await?;
        let ended = transaction.fetch_optional(count(place).query()).await?;
        let ended: i64 = ended.map_or(Ok(0), |row| row.get("connections"))?;
        let query = Query::new(
            "UPDATE oauth_clients SET state = 'removed', updated_at = $4
             WHERE tenant_id = $1 AND app_id = $2 AND organization_id = $3 AND state IN ('current', 'retired')",
        )
        .bind(place.tenant)
        .bind(place.app_id)
        .bind(place.organization.unwrap_or_default())
        .bind(self.clock.now());
        if transaction.execute(query).await? == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        self.note(&mut transaction, place.tenant, None, Action::ClientRemoved, actor).await?;
        let event = self.client_event(place, OAuthClientChange::Removed, removed_by);
        self.commit_with(transaction, place.tenant, &[event]).await?;
        Ok(Some(u64::try_from(ended).unwrap_or_default()))
    }

    /// What was entered for one of the connections that a client made; `None` where there is none.
    ///
    /// # Errors
    ///
    /// When the database fails, or what is stored does not open.
    pub async fn inputs_of_client(&self, client: &StoredClient) -> Result<Option<Inputs>> {
        let query = Query::new(
            "SELECT r.connection_id, r.inputs, c.customer
             FROM credentials r JOIN connections c ON c.id = r.connection_id
             WHERE r.oauth_client_id = $1 AND r.tenant_id = $2
             ORDER BY r.obtained_at DESC LIMIT 1",
        )
        .bind(&client.id)
        .bind(&client.tenant);
        let Some(row) = self.database.fetch_optional(query).await? else { return Ok(None) };
        let place = Place {
            tenant: &client.tenant,
            customer: row.get("customer")?,
            connection: row.get("connection_id")?,
            field: "inputs",
        };
        self.open_json(place, row.get("inputs")?).await.map(Some)
    }

    /// How many connections work by the client of a place, or by one that it replaced.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn connections_of_client(&self, place: ClientPlace<'_>) -> Result<u64> {
        let row = self.database.fetch_optional(count(place).query()).await?;
        let connections: i64 = row.map_or(Ok(0), |row| row.get("connections"))?;
        Ok(u64::try_from(connections).unwrap_or_default())
    }

    pub(super) async fn set_client_state(
        &self,
        transaction: &mut Transaction,
        id: &str,
        state: &str,
    ) -> Result<u64> {
        let query = Query::new("UPDATE oauth_clients SET state = $1, updated_at = $2 WHERE id = $3")
            .bind(state)
            .bind(self.clock.now())
            .bind(id);
        transaction.execute(query).await
    }

    /// Gives its id.
    pub(super) async fn insert_client(
        &self,
        transaction: &mut Transaction,
        new: &NewClient<'_>,
        state: &str,
        link_id: Option<&str>,
        set_by: &str,
    ) -> Result<String> {
        let (id, place) = (ids::prefixed("oac_"), new.place);
        let query = Query::new(
            "INSERT INTO oauth_clients (id, tenant_id, app_id, organization_id, client_id, sealed, scopes, sandbox, state,
                link_id, set_by, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
        )
        .bind(&id)
        .bind(place.tenant)
        .bind(place.app_id)
        .bind(place.organization.unwrap_or_default())
        .bind(new.client_id)
        .bind(self.seal_client(&id, new, link_id).await?)
        .bind(write_scopes(new.scopes.as_deref())?)
        .bind(i64::from(new.sandbox))
        .bind(state)
        .bind(link_id)
        .bind(set_by)
        .bind(self.clock.now());
        transaction.execute(query).await?;
        Ok(id)
    }

    async fn update_client(
        &self,
        transaction: &mut Transaction,
        found: &StoredClient,
        new: &NewClient<'_>,
        set_by: &str,
    ) -> Result<()> {
        let query = Query::new(
            "UPDATE oauth_clients SET sealed = $1, scopes = $2, sandbox = $3, set_by = $4, updated_at = $5 WHERE id = $6",
        )
        .bind(self.seal_client(&found.id, new, found.link_id.as_deref()).await?)
        .bind(write_scopes(new.scopes.as_deref())?)
        .bind(i64::from(new.sandbox))
        .bind(set_by)
        .bind(self.clock.now())
        .bind(&found.id);
        transaction.execute(query).await?;
        Ok(())
    }

    async fn seal_client(&self, id: &str, new: &NewClient<'_>, link_id: Option<&str>) -> Result<String> {
        let params = new.secrets.params.iter();
        let params = params.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
        let sealed = Sealed {
            app_id: new.place.app_id.to_owned(),
            organization_id: new.place.organization.unwrap_or_default().to_owned(),
            client_id: new.client_id.to_owned(),
            link_id: link_id.map(str::to_owned),
            client_secret: new.secrets.client_secret.expose_secret().to_owned(),
            params: params.collect(),
        };
        self.seal_json(seal_place(new.place.tenant, id), &sealed).await
    }
}

/// A statement about one place, whose text outlives it.
pub(super) struct PlaceQuery<'a> {
    text: String,
    place: ClientPlace<'a>,
}

impl PlaceQuery<'_> {
    pub(super) fn query(&self) -> Query<'_> {
        Query::new(&self.text)
            .bind(self.place.tenant)
            .bind(self.place.app_id)
            .bind(self.place.organization.unwrap_or_default())
    }
}

pub(super) fn current(place: ClientPlace<'_>) -> PlaceQuery<'_> {
    let text = format!(
        "SELECT {COLUMNS} FROM oauth_clients
         WHERE tenant_id = $1 AND app_id = $2 AND organization_id = $3 AND state = 'current'"
    );
    PlaceQuery { text, place }
}

fn count(place: ClientPlace<'_>) -> PlaceQuery<'_> {
    let text =
        "SELECT COUNT(*) AS connections FROM credentials k JOIN connections c ON c.id = k.connection_id
        WHERE c.broken = 0 AND k.oauth_client_id IN (
            SELECT id FROM oauth_clients WHERE tenant_id = $1 AND app_id = $2 AND organization_id = $3
                AND state IN ('current', 'retired'))";
    PlaceQuery { text: text.to_owned(), place }
}

fn seal_place<'a>(tenant: &'a str, id: &'a str) -> Place<'a> {
    Place { tenant, customer: "", connection: id, field: "oauth_client" }
}

fn write_scopes(scopes: Option<&[String]>) -> Result<Option<String>> {
    let text =
        scopes.map(|scopes| serde_json::to_string(scopes).map_err(|_| StoreError::Unreadable("scopes")));
    text.transpose()
}

impl StoredClient {
    pub(super) fn read(row: &Row) -> Result<Self> {
        let scopes = row.get::<Option<&str>>("scopes")?;
        let scopes =
            scopes.map(|text| serde_json::from_str(text).map_err(|_| StoreError::Unreadable("scopes")));
        Ok(Self {
            id: row.get("id")?,
            tenant: row.get("tenant_id")?,
            app_id: row.get("app_id")?,
            organization: Some(row.get::<String>("organization_id")?).filter(|id| !id.is_empty()),
            client_id: row.get("client_id")?,
            scopes: scopes.transpose()?,
            sandbox: row.get::<i64>("sandbox")? != 0,
            set_by: row.get("set_by")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            link_id: row.get("link_id")?,
            is_pending: row.get::<&str>("state")? == "pending",
            sealed: row.get("sealed")?,
        })
    }
}

impl fmt::Debug for StoredClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredClient")
            .field("id", &self.id)
            .field("app_id", &self.app_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
