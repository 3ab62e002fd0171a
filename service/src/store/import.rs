//! Connections of credentials that a tenant brings.

use super::database::Query;
use super::events::ConnectionChange;
use super::labels::write_metadata;
use super::{
    Grant, ImportKey, Labels, LinkOptions, NewAnswer, Organization, Owner, Result, Store, StoreError,
};
use crate::clock::Millis;
use crate::ids;

/// A connection to import.
#[derive(Debug)]
pub struct NewImport<'a> {
    /// Whose it is to be.
    pub owner: &'a Owner,
    /// Its id.
    pub id: &'a str,
    /// What the tenant calls it.
    pub name: &'a str,
    /// What the tenant keeps with it.
    pub labels: &'a Labels,
    /// The organization that it is for.
    pub organization: Option<&'a Organization>,
    /// What it holds.
    pub grant: &'a Grant,
    /// Where its tokens were kept so far, if they were.
    pub kept: Option<&'a ImportKey>,
    /// The time.
    pub at: Millis,
}

impl Store {
    /// Makes an active connection. `false`, with nothing made, where the answer's idempotency key was used before.
    ///
    /// # Errors
    ///
    /// When the database fails, or another import made a connection of the same tokens meanwhile.
    pub async fn import_connection(
        &self,
        new: &NewImport<'_>,
        answer: Option<&NewAnswer<'_>>,
    ) -> Result<bool> {
        let mut transaction = self.database.begin().await?;
        if let Some(answer) = answer
            && !self.keep_answer(&mut transaction, &new.owner.tenant, answer).await?
        {
            transaction.rollback().await?;
            return Ok(false);
        }
        if let Some(kept) = new.kept
            && !self.take_import_tokens(&mut transaction, kept).await?
        {
            transaction.rollback().await?;
            return Err(StoreError::Unavailable("the same refresh token was imported meanwhile".into()));
        }
        let link_id = ids::prefixed("link_");
        let query = Query::new(
            "INSERT INTO connections (id, tenant_id, customer, app_id, auth_type, name, status, broken, origin, link_id,
                customer_id, customer_name, metadata, created_at, updated_at, organization_id, organization_name)
             VALUES ($1, $2, $3, $4, $5, $6, 'active', 0, 'import', $7, $8, $9, COALESCE($10, '{}'), $11, $11, $12, $13)",
        )
        .bind(new.id)
        .bind(&new.owner.tenant)
        .bind(&new.owner.customer)
        .bind(&new.grant.app_id)
        .bind(new.grant.auth_type.as_str())
        .bind(new.name)
        .bind(&link_id)
        .bind(new.labels.customer_id.as_deref())
        .bind(new.labels.customer_name.as_deref())
        .bind(new.labels.metadata.as_ref().map(write_metadata).transpose()?)
        .bind(new.at)
        .bind(new.organization.map(|organization| organization.id.as_str()))
        .bind(new.organization.map(|organization| organization.name.as_str()));
        transaction.execute(query).await?;
        // Every connection has a latest link. This one is over, and its secrets are nobody's.
        let query = Query::new(
            "INSERT INTO links (id, tenant_id, customer, connection_id, secret_digest, token_digest, operation, status,
                phase, options, created_at, expires_at, ended_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'creation', 'active', 'returned', $7, $8, $8, $8)",
        )
        .bind(&link_id)
        .bind(&new.owner.tenant)
        .bind(&new.owner.customer)
        .bind(new.id)
        .bind(ids::digest(&ids::secret()))
        .bind(ids::digest(&ids::request_token()))
        .bind(serde_json::to_string(&LinkOptions::default()).map_err(|_| StoreError::Unreadable("options"))?)
        .bind(new.at);
        transaction.execute(query).await?;
        self.put_grant(&mut transaction, &new.owner.tenant, new.id, new.grant).await?;
        self.commit_change(transaction, &new.owner.tenant, new.id, &ConnectionChange::Active).await?;
        Ok(true)
    }

    /// Tells a request of a customer from others, by what it holds. Without a root key nobody can try what that is.
    pub fn fingerprint(&self, owner: &Owner, request: &str) -> String {
        self.vault.pseudonym(&owner.tenant, &format!("{}\n{request}", owner.customer))
    }
}
