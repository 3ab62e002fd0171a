//! OAuth clients that a customer entered for their organization, until the first authorization with one succeeds. Each
//! belongs to the link by which it was entered: nobody else can use it before.

use super::audit::Action;
use super::database::{Query, Transaction};
use super::events::OAuthClientChange;
use super::oauth_clients::{ClientPlace, NewClient, StoredClient};
use super::{Actor, Grant, Link, Result, Store};

/// How many of one link are kept: a customer may go back and begin again, in several windows.
const MAX_OF_A_LINK: i64 = 10;

/// What became of the client that a grant was made with.
enum Promoted {
    /// It is, or was, one of those that are used by all.
    Usable,
    /// Another one, entered at the same time, has the same client id: the grant belongs to that one as well.
    Same(String),
    /// Another one is the organization's now.
    Taken,
}

impl Store {
    /// Keeps a client for the authorization that it was entered for; gives its id.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn hold_client(&self, link: &Link, new: &NewClient<'_>) -> Result<String> {
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, &link.connection_id).await?;
        let query = Query::new(
            "DELETE FROM oauth_clients WHERE link_id = $1 AND state = 'pending' AND id NOT IN (
                SELECT id FROM oauth_clients WHERE link_id = $1 AND state = 'pending' ORDER BY created_at DESC LIMIT $2)
                AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.oauth_client_id = oauth_clients.id)",
        )
        .bind(&link.id)
        .bind(MAX_OF_A_LINK - 1);
        transaction.execute(query).await?;
        let set_by = &link.owner.customer;
        let id = self.insert_client(&mut transaction, new, "pending", Some(&link.id), set_by).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// The client that was last entered by a link for an app, if it waits for its first success.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn held_client(&self, link: &Link, app_id: &str) -> Result<Option<StoredClient>> {
        let columns = super::oauth_clients::COLUMNS;
        let query = format!(
            "SELECT {columns} FROM oauth_clients
             WHERE link_id = $1 AND tenant_id = $2 AND app_id = $3 AND state = 'pending'
             ORDER BY created_at DESC, id DESC LIMIT 1"
        );
        let query = Query::new(&query).bind(&link.id).bind(&link.owner.tenant).bind(app_id);
        let row = self.database.fetch_optional(query).await?;
        row.as_ref().map(StoredClient::read).transpose()
    }

    /// The grant, as one of a client that is used by all: one that waited for its first success becomes its organization's.
    /// `None` where another one is the organization's by now; of two that come at once, the second finds the first.
    pub(super) async fn with_usable_client(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        grant: &Grant,
    ) -> Result<Option<Grant>> {
        Ok(match self.promote_client(transaction, tenant, grant).await? {
            Promoted::Usable => Some(grant.clone()),
            Promoted::Same(id) => Some(Grant { oauth_client: Some(id), ..grant.clone() }),
            Promoted::Taken => None,
        })
    }

    async fn promote_client(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        grant: &Grant,
    ) -> Result<Promoted> {
        let Some(id) = &grant.oauth_client else { return Ok(Promoted::Usable) };
        self.lock_tenant(transaction, tenant).await?;
        let columns = super::oauth_clients::COLUMNS;
        let query = format!("SELECT {columns} FROM oauth_clients WHERE id = $1 AND tenant_id = $2");
        let found = transaction.fetch_optional(Query::new(&query).bind(id).bind(tenant)).await?;
        let Some(found) = found else { return Ok(Promoted::Taken) };
        let found = StoredClient::read(&found)?;
        if !found.is_pending {
            return Ok(Promoted::Usable);
        }
        let place =
            ClientPlace { tenant, app_id: &found.app_id, organization: found.organization.as_deref() };
        let current = super::oauth_clients::current(place);
        match transaction
            .fetch_optional(current.query())
            .await?
            .as_ref()
            .map(StoredClient::read)
            .transpose()?
        {
            None => {
                self.set_client_state(transaction, id, "current").await?;
                self.note(transaction, tenant, None, Action::ClientSet, Actor::Customer).await?;
                let event = self.client_event(place, OAuthClientChange::Created, &found.set_by);
                self.record(transaction, tenant, &event).await?;
                Ok(Promoted::Usable)
            }
            Some(current) => {
                // It is kept until a grant of it is revoked.
                self.set_client_state(transaction, id, "removed").await?;
                let is_same = current.client_id == found.client_id;
                Ok(if is_same { Promoted::Same(current.id) } else { Promoted::Taken })
            }
        }
    }
}
