//! Request links: the customer's way into the hosted page, once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::connections::Status;
use super::database::{Query, Row, Transaction};
use super::events::ConnectionChange;
use super::{Grant, GrantOutcome, LinkError, Owner, Result, Store, StoreError};
use crate::catalogue::{Account, Inputs};
use crate::clock::Millis;
use crate::ids;
use crate::vault::Place;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A new connection.
    Creation,
    /// A new grant for a connection that exists.
    Reauth,
}

/// How far the customer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nobody has opened the link.
    Created,
    /// The hosted page is open, or a custom one.
    Form,
    /// The customer was sent to the provider.
    AtProvider,
    /// The customer came back, or was never sent.
    Returned,
}

/// One of the tenant's customers that has several people, as the tenant says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// The tenant's id for it.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// What the customer is there.
    #[serde(default)]
    pub role: Option<String>,
}

/// What the tenant asked for beyond app and name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkOptions {
    /// The apps to pick from, where the link names none.
    pub allowed_apps: Vec<String>,
    /// Where the customer goes when it is over.
    pub return_url: Option<String>,
    /// The only web origin that may read the public status and submit a form of its own.
    pub allowed_origin: Option<String>,
    /// Whose product this is, on the page; the tenant's name where absent.
    pub display_name: Option<String>,
    /// Instead of the app's own scopes.
    pub scopes: Vec<String>,
    /// Whether the grant waits until the tenant confirms whose it is.
    #[serde(default)]
    pub confirm: bool,
    /// Whether a connection that is authorised again may become one for another account.
    #[serde(default)]
    pub allow_account_change: bool,
    /// The organization that the connection is for.
    #[serde(default)]
    pub organization: Option<Organization>,
    /// The language that the tenant asks for (BCP 47).
    #[serde(default)]
    pub locale: Option<String>,
}

/// A link, as of now.
#[derive(Clone)]
pub struct Link {
    /// Its id, which opens nothing.
    pub id: String,
    /// Whose connection it is for.
    pub owner: Owner,
    /// Which connection it is for.
    pub connection_id: String,
    /// The connection's name.
    pub name: String,
    /// The tenant's name.
    pub tenant_name: String,
    /// The tenant's website, where the operator has entered one.
    pub tenant_website: Option<String>,
    /// What it is for.
    pub operation: Operation,
    /// Its expiry is taken into account. Anything but pending is final.
    pub status: Status,
    /// How far the customer has come.
    pub phase: Phase,
    /// The app, if the tenant named one.
    pub app_id: Option<String>,
    /// The one auth option to offer, if the tenant named one.
    pub auth_option_key: Option<String>,
    /// What the customer entered before they were handed over to the hosted page.
    pub inputs: Option<Inputs>,
    /// What the tenant asked for.
    pub options: LinkOptions,
    /// Why the customer could not finish it so far.
    pub last_error: Option<LinkError>,
    /// The digest of the code with which a grant can be confirmed, once the customer consented to one.
    pub code_digest: Option<String>,
    /// When it lapses.
    pub expires_at: Millis,
    /// When the customer finished or declined it, or it expired; none for links of earlier versions.
    pub ended_at: Option<Millis>,
}

const SELECT: &str =
    "SELECT l.id, l.tenant_id, l.customer, l.connection_id, l.operation, l.status, l.phase, l.app_id,
        l.auth_option_key, l.inputs, l.options, l.expires_at, l.ended_at, c.name, t.name AS tenant_name,
        CASE WHEN c.link_id = l.id THEN c.last_error END AS last_error,
        t.website_url,
        (SELECT u.code_digest FROM unconfirmed u WHERE u.link_id = l.id) AS code_digest
    FROM links l JOIN connections c ON c.id = l.connection_id JOIN tenants t ON t.id = l.tenant_id";

/// A link of a disabled tenant does not exist for anybody.
const IS_ENABLED: &str = "t.disabled_at IS NULL";

/// What a page that watches a pending link is told of, as soon as it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkProgress {
    /// How far the customer has come.
    pub phase: Phase,
    /// Why they could not finish so far.
    pub last_error: Option<LinkError>,
}

impl LinkProgress {
    /// A name for it, which clients give back and do not read.
    pub fn revision(self) -> String {
        let error = self.last_error.map_or("none", LinkError::code);
        format!("{}.{error}", self.phase.as_str())
    }
}

impl LinkOptions {
    /// Whose account the connection is for, where this grant is for another one and the tenant does not want that.
    pub(super) fn refused_change(&self, current: Option<&Grant>, grant: &Grant) -> Option<Account> {
        current.filter(|_| !self.allow_account_change).and_then(|current| grant.changes_account(current))
    }
}

impl Link {
    /// How far it has come.
    pub fn progress(&self) -> LinkProgress {
        LinkProgress { phase: self.phase, last_error: self.last_error }
    }

    /// The organization's id.
    pub fn organization_id(&self) -> Option<&str> {
        self.options.organization.as_ref().map(|organization| organization.id.as_str())
    }

    /// Whether the customer consented and the tenant has yet to confirm it.
    pub fn awaits_confirmation(&self) -> bool {
        self.status == Status::Pending && self.code_digest.is_some()
    }
}

impl Store {
    /// The link with this secret, whatever its status.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn link_by_secret(&self, secret: &str) -> Result<Option<Link>> {
        let query =
            format!("{SELECT} WHERE (l.secret_digest = $1 OR l.handoff_digest = $1) AND {IS_ENABLED}");
        let query = Query::new(&query).bind(ids::digest(secret));
        let row = self.database.fetch_optional(query).await?;
        self.read_link(row).await
    }

    /// The link of this connection that this request token opens, whatever its status.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn link_by_token(&self, connection_id: &str, request_token: &str) -> Result<Option<Link>> {
        let query = format!("{SELECT} WHERE l.connection_id = $1 AND l.token_digest = $2 AND {IS_ENABLED}");
        let query = Query::new(&query).bind(connection_id).bind(ids::digest(request_token));
        let row = self.database.fetch_optional(query).await?;
        self.read_link(row).await
    }

    /// The link with this id, whatever its status.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn link(&self, id: &str) -> Result<Option<Link>> {
        let query = format!("{SELECT} WHERE l.id = $1 AND {IS_ENABLED}");
        let query = Query::new(&query).bind(id);
        let row = self.database.fetch_optional(query).await?;
        self.read_link(row).await
    }

    /// Notes how far the customer has come, while the link is pending.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_phase(&self, link: &Link, phase: Phase) -> Result<()> {
        let query = Query::new("UPDATE links SET phase = $1 WHERE id = $2 AND status = 'pending'")
            .bind(phase.as_str())
            .bind(&link.id);
        self.database.execute(query).await?;
        self.changes.tell(&link.connection_id);
        Ok(())
    }

    /// Keeps what the customer entered, for the hosted page to go on with, and opens a second way to that page, by its
    /// secret, in the place of an earlier one. `false` where the link is not pending any more.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn hand_over(&self, link: &Link, inputs: &Inputs, secret: &str) -> Result<bool> {
        let query = Query::new(
            "UPDATE links SET handoff_digest = $1, inputs = $2
             WHERE id = $3 AND status = 'pending' AND expires_at > $4",
        )
        .bind(ids::digest(secret))
        .bind(self.seal_json(inputs_place(&link.owner, &link.id), inputs).await?)
        .bind(&link.id)
        .bind(self.clock.now());
        Ok(self.database.execute(query).await? == 1)
    }

    /// Counts one more check of what the customer entered. `false`, with nothing counted, where there were `max` before.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn count_verification(&self, link: &Link, max: i64) -> Result<bool> {
        let query = Query::new(
            "UPDATE links SET verifications = verifications + 1 WHERE id = $1 AND verifications < $2",
        )
        .bind(&link.id)
        .bind(max);
        Ok(self.database.execute(query).await? == 1)
    }

    /// Ends a link with success: the connection is active and holds this grant. With any other outcome nothing is changed, and
    /// the grant is revoked.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn finish_link(&self, link: &Link, grant: &Grant) -> Result<GrantOutcome> {
        let (tenant, connection_id) = (&link.owner.tenant, &link.connection_id);
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, connection_id).await?;
        let current = match self.replaceable(&mut transaction, link, grant).await? {
            Ok(current) => current,
            Err(outcome) => {
                transaction.commit().await?;
                return Ok(outcome);
            }
        };
        let Some(usable) = self.with_usable_client(&mut transaction, tenant, grant).await? else {
            self.queue_revocation(&mut transaction, tenant, grant).await?;
            transaction.commit().await?;
            return Ok(GrantOutcome::ClientTaken);
        };
        self.end_link(&mut transaction, link, Status::Active).await?;
        self.activate(&mut transaction, tenant, connection_id, current, &usable).await?;
        self.commit_change(transaction, tenant, connection_id, &ConnectionChange::Active).await?;
        Ok(GrantOutcome::Stored)
    }

    /// Makes a connection active with this grant. What it had is revoked, unless a token of it goes on.
    pub(super) async fn activate(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        connection_id: &str,
        current: Option<Grant>,
        grant: &Grant,
    ) -> Result<()> {
        let grant = grant.clone().continuing(current.as_ref());
        if let Some(current) = current.filter(|current| !current.shares_token(&grant)) {
            self.queue_revocation(transaction, tenant, &current).await?;
        }
        let query = Query::new(
            "UPDATE connections SET status = 'active', broken = 0, last_error = NULL, provider_message = NULL,
                app_id = $1, auth_type = $2, updated_at = $3, origin = $5
             WHERE id = $4",
        )
        .bind(&grant.app_id)
        .bind(grant.auth_type.as_str())
        .bind(self.clock.now())
        .bind(connection_id)
        .bind(grant.origin.as_str());
        transaction.execute(query).await?;
        self.put_grant(transaction, tenant, connection_id, &grant).await
    }

    /// Ends a link because the customer declined. An active connection stays active. `provider_message` is what the
    /// provider said, if it was asked. `false`, with nothing changed, where the link had ended before.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn decline_link(&self, link: &Link, provider_message: Option<&str>) -> Result<bool> {
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, &link.connection_id).await?;
        if !self.end_link(&mut transaction, link, Status::Rejected).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        let query = Query::new(
            "UPDATE connections SET status = 'rejected', updated_at = $1 WHERE id = $2 AND status <> 'active'",
        )
        .bind(self.clock.now())
        .bind(&link.connection_id);
        transaction.execute(query).await?;
        let query = Query::new("UPDATE connections SET last_error = $1, provider_message = $2 WHERE id = $3")
            .bind(LinkError::AccessDenied.code())
            .bind(provider_message)
            .bind(&link.connection_id);
        transaction.execute(query).await?;
        let change = ConnectionChange::Rejected(LinkError::AccessDenied);
        self.commit_change(transaction, &link.owner.tenant, &link.connection_id, &change).await?;
        Ok(true)
    }

    /// Whoever ends it first wins.
    async fn end_link(&self, transaction: &mut Transaction, link: &Link, status: Status) -> Result<bool> {
        let query = Query::new(
            "UPDATE links SET status = $1, phase = 'returned', inputs = NULL, ended_at = $3
             WHERE id = $2 AND status = 'pending' AND expires_at > $3",
        )
        .bind(status.as_str())
        .bind(&link.id)
        .bind(self.clock.now());
        let updated = transaction.execute(query).await?;
        Ok(updated == 1)
    }

    async fn read_link(&self, row: Option<Row>) -> Result<Option<Link>> {
        let Some(row) = row else { return Ok(None) };
        let id: String = row.get("id")?;
        let owner = Owner { tenant: row.get("tenant_id")?, customer: row.get("customer")? };
        let status: Status = row.get::<&str>("status")?.parse()?;
        let expires_at = row.get("expires_at")?;
        let inputs = match row.get::<Option<&str>>("inputs")? {
            Some(sealed) => Some(self.open_json(inputs_place(&owner, &id), sealed).await?),
            None => None,
        };
        Ok(Some(Link {
            connection_id: row.get("connection_id")?,
            name: row.get("name")?,
            tenant_name: row.get("tenant_name")?,
            tenant_website: row.get("website_url")?,
            operation: row.get::<&str>("operation")?.parse()?,
            status: status.of_link(self.clock.now(), expires_at),
            phase: row.get::<&str>("phase")?.parse()?,
            app_id: row.get("app_id")?,
            auth_option_key: row.get("auth_option_key")?,
            inputs,
            last_error: row.get::<Option<&str>>("last_error")?.map(str::parse).transpose()?,
            code_digest: row.get("code_digest")?,
            options: serde_json::from_str(row.get("options")?)
                .map_err(|_| StoreError::Unreadable("options"))?,
            expires_at,
            ended_at: row.get("ended_at")?,
            owner,
            id,
        }))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("id", &self.id)
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

fn inputs_place<'a>(owner: &'a Owner, link_id: &'a str) -> Place<'a> {
    Place { tenant: &owner.tenant, customer: &owner.customer, connection: link_id, field: "inputs" }
}

impl Operation {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creation => "creation",
            Self::Reauth => "reauth",
        }
    }
}

impl FromStr for Operation {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Creation, Self::Reauth]
            .into_iter()
            .find(|operation| operation.as_str() == text)
            .ok_or(StoreError::Unreadable("operation"))
    }
}

impl Phase {
    fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Form => "form",
            Self::AtProvider => "at_provider",
            Self::Returned => "returned",
        }
    }
}

impl FromStr for Phase {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Created, Self::Form, Self::AtProvider, Self::Returned]
            .into_iter()
            .find(|phase| phase.as_str() == text)
            .ok_or(StoreError::Unreadable("phase"))
    }
}
