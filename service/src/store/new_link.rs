//! Making a link, and with it the connection if that is new.

use std::fmt;

use super::database::{Query, Transaction};
use super::labels::write_metadata;
use super::{Labels, LinkOptions, NewAnswer, Operation, Organization, Owner, Result, Store, StoreError};
use crate::clock::Millis;
use crate::ids;

/// Which connection a new link is for.
#[derive(Debug)]
pub enum Target<'a> {
    /// One that does not exist yet.
    New {
        /// Its id.
        id: &'a str,
        /// What the tenant calls it.
        name: &'a str,
    },
    /// One that does.
    Existing {
        /// Its id.
        id: &'a str,
        /// A new name for it, if it gets one.
        name: Option<&'a str>,
    },
}

/// A link to make.
pub struct NewLink<'a> {
    /// Whose connection it is for.
    pub owner: &'a Owner,
    /// Which connection it is for.
    pub target: Target<'a>,
    /// The app, if it is known.
    pub app_id: Option<&'a str>,
    /// The one auth option to offer.
    pub auth_option_key: Option<&'a str>,
    /// The secret in the link.
    pub secret: &'a str,
    /// What opens the public status.
    pub request_token: &'a str,
    /// What the tenant keeps with the connection.
    pub labels: &'a Labels,
    /// What the tenant asked for.
    pub options: &'a LinkOptions,
    /// Where events of it go, too.
    pub webhook: Option<&'a LinkWebhook>,
    /// When it lapses.
    pub expires_at: Millis,
}

/// An address at the origin of an endpoint of the tenant, whose secrets sign what goes there.
#[derive(Debug)]
pub struct LinkWebhook {
    /// Scheme, host and port of it.
    pub origin: String,
    /// The address.
    pub url: String,
}

/// What [`Store::create_link`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum Created {
    /// The link is there.
    Created,
    /// The connection that it was for is not.
    UnknownConnection,
    /// The idempotency key was used before; nothing was made.
    KeyUsed,
}

impl fmt::Debug for NewLink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewLink").field("operation", &self.target.operation()).finish_non_exhaustive()
    }
}

impl NewLink<'_> {
    fn organization(&self) -> Option<&Organization> {
        self.options.organization.as_ref()
    }
}

impl Target<'_> {
    /// What a link to it is for.
    pub fn operation(&self) -> Operation {
        match self {
            Self::New { .. } => Operation::Creation,
            Self::Existing { .. } => Operation::Reauth,
        }
    }
}

impl Store {
    /// Makes a link, and with it the connection if that is new. Earlier links to the same connection end.
    ///
    /// With an `answer`, that is stored in the same transaction: either both are there or neither is.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_link(&self, new: &NewLink<'_>, answer: Option<&NewAnswer<'_>>) -> Result<Created> {
        let mut transaction = self.database.begin().await?;
        if let Some(answer) = answer
            && !self.keep_answer(&mut transaction, &new.owner.tenant, answer).await?
        {
            transaction.rollback().await?;
            return Ok(Created::KeyUsed);
        }
        let link_id = ids::prefixed("link_");
        let (connection_id, before) = match new.target {
            Target::New { id, name } => {
                self.insert_connection(&mut transaction, new, id, name, &link_id).await?;
                (id, None)
            }
            Target::Existing { id, name } => {
                self.lock_connection(&mut transaction, id).await?;
                let before = self.tracked(&mut transaction, &new.owner.tenant, id).await?;
                if !self.reopen_connection(&mut transaction, new, id, name, &link_id).await? {
                    transaction.rollback().await?;
                    return Ok(Created::UnknownConnection);
                }
                (id, before)
            }
        };
        let query = Query::new(
            "INSERT INTO links (id, tenant_id, customer, connection_id, secret_digest, token_digest, operation, status,
                phase, app_id, auth_option_key, options, created_at, expires_at, webhook_origin,
                webhook_url)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', 'created', $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(&link_id)
        .bind(&new.owner.tenant)
        .bind(&new.owner.customer)
        .bind(connection_id)
        .bind(ids::digest(new.secret))
        .bind(ids::digest(new.request_token))
        .bind(new.target.operation().as_str())
        .bind(new.app_id)
        .bind(new.auth_option_key)
        .bind(serde_json::to_string(new.options).map_err(|_| StoreError::Unreadable("options"))?)
        .bind(self.clock.now())
        .bind(new.expires_at)
        .bind(new.webhook.map(|webhook| webhook.origin.as_str()))
        .bind(new.webhook.map(|webhook| webhook.url.as_str()));
        transaction.execute(query).await?;
        let tenant = &new.owner.tenant;
        let event = self.update_event(&mut transaction, tenant, connection_id, before.as_ref()).await?;
        self.commit_with(transaction, tenant, event.as_slice()).await?;
        self.changes.tell(connection_id);
        Ok(Created::Created)
    }

    async fn insert_connection(
        &self,
        transaction: &mut Transaction,
        new: &NewLink<'_>,
        id: &str,
        name: &str,
        link_id: &str,
    ) -> Result<()> {
        let query = Query::new(
            "INSERT INTO connections (id, tenant_id, customer, app_id, name, status, broken, link_id, customer_id,
                customer_name, metadata, created_at, updated_at, organization_id, organization_name)
             VALUES ($1, $2, $3, $4, $5, 'pending', 0, $6, $7, $8, COALESCE($9, '{}'), $10, $10, $11, $12)",
        )
        .bind(id)
        .bind(&new.owner.tenant)
        .bind(&new.owner.customer)
        .bind(new.app_id)
        .bind(name)
        .bind(link_id)
        .bind(new.labels.customer_id.as_deref())
        .bind(new.labels.customer_name.as_deref())
        .bind(new.labels.metadata.as_ref().map(write_metadata).transpose()?)
        .bind(self.clock.now())
        .bind(new.organization().map(|organization| organization.id.as_str()))
        .bind(new.organization().map(|organization| organization.name.as_str()));
        transaction.execute(query).await?;
        Ok(())
    }

    /// The connection keeps its organization, and its status, which a pending link overrides unless it is active.
    async fn reopen_connection(
        &self,
        transaction: &mut Transaction,
        new: &NewLink<'_>,
        id: &str,
        name: Option<&str>,
        link_id: &str,
    ) -> Result<bool> {
        let query = Query::new(
            "UPDATE connections SET link_id = $1, name = COALESCE($2, name), app_id = COALESCE(app_id, $3),
                customer_id = COALESCE($4, customer_id), customer_name = COALESCE($5, customer_name),
                metadata = COALESCE($6, metadata), last_error = NULL, provider_message = NULL,
                updated_at = $7, organization_name = COALESCE($11, organization_name)
             WHERE id = $8 AND tenant_id = $9 AND customer = $10
                AND COALESCE(organization_id, '') = COALESCE($12, '')",
        )
        .bind(link_id)
        .bind(name)
        .bind(new.app_id)
        .bind(new.labels.customer_id.as_deref())
        .bind(new.labels.customer_name.as_deref())
        .bind(new.labels.metadata.as_ref().map(write_metadata).transpose()?)
        .bind(self.clock.now())
        .bind(id)
        .bind(&new.owner.tenant)
        .bind(&new.owner.customer)
        .bind(new.organization().map(|organization| organization.name.as_str()))
        .bind(new.organization().map(|organization| organization.id.as_str()));
        let updated = transaction.execute(query).await?;
        let end_earlier_links =
            "UPDATE links SET status = 'expired' WHERE connection_id = $1 AND status = 'pending'";
        transaction.execute(Query::new(end_earlier_links).bind(id)).await?;
        self.drop_waiting(transaction, id).await?;
        Ok(updated == 1)
    }
}
