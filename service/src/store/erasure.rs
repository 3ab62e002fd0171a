//! Removing all that belongs together: a customer of a tenant, or an app of an organization.

use super::connections::Removal;
use super::database::{Query, Value};
use super::events::DeletedBy;
use super::{Owner, Result, Store, StoreError};

/// How many connections are removed in one transaction: other writers wait no longer than for these.
const BATCH: i64 = 50;

/// What is removed.
#[derive(Debug, Clone, Copy)]
pub enum Erasure<'a> {
    /// A customer of a tenant.
    Customer(&'a Owner),
    /// An organization's connections of an app, and OAuth clients for it that nobody has authorised with yet.
    OrganizationApp {
        /// The tenant.
        tenant: &'a str,
        /// The organization.
        organization: &'a str,
        /// The app.
        app_id: &'a str,
    },
}

impl<'a> Erasure<'a> {
    fn tenant(self) -> &'a str {
        match self {
            Self::Customer(owner) => &owner.tenant,
            Self::OrganizationApp { tenant, .. } => tenant,
        }
    }

    /// On `connections c`.
    fn condition(self) -> &'static str {
        match self {
            Self::Customer(_) => "c.tenant_id = $1 AND c.customer = $2",
            Self::OrganizationApp { .. } => "c.tenant_id = $1 AND c.organization_id = $2 AND c.app_id = $3",
        }
    }

    fn values(self) -> Vec<Value<'a>> {
        match self {
            Self::Customer(owner) => vec![(&owner.tenant).into(), (&owner.customer).into()],
            Self::OrganizationApp { tenant, organization, app_id } => {
                vec![tenant.into(), organization.into(), app_id.into()]
            }
        }
    }
}

impl Store {
    /// Removes connections with all that belongs to them, a batch at a time, and revokes what they held; gives their number.
    /// `None`, with nothing removed, where something uses one of them and that is not to be ended by `force`.
    ///
    /// # Errors
    ///
    /// When the database fails. Then a part may be removed; the same call removes the rest.
    pub async fn erase(&self, erasure: Erasure<'_>, force: bool) -> Result<Option<u64>> {
        let condition = erasure.condition();
        if !force {
            let used = format!(
                "SELECT u.usage_id FROM usages u JOIN connections c ON c.id = u.connection_id WHERE {condition} LIMIT 1"
            );
            if self.database.fetch_optional(Query::new(&used).bind_all(erasure.values())).await?.is_some() {
                return Ok(None);
            }
        }
        let find = format!(
            "SELECT c.id, c.customer FROM connections c WHERE {condition} ORDER BY c.id LIMIT {BATCH}"
        );
        let mut removed = 0;
        loop {
            let found = self.database.fetch_all(Query::new(&find).bind_all(erasure.values())).await?;
            if found.is_empty() {
                break;
            }
            let mut transaction = self.database.begin().await?;
            let mut events = Vec::new();
            for row in &found {
                let id = row.get::<&str>("id")?;
                let owner = Owner { tenant: erasure.tenant().to_owned(), customer: row.get("customer")? };
                if force {
                    let query = Query::new("DELETE FROM usages WHERE connection_id = $1").bind(id);
                    transaction.execute(query).await?;
                }
                match self.remove_connection(&mut transaction, &owner, id, DeletedBy::Tenant).await? {
                    Removal::Removed { revoked: _, event } => {
                        events.extend(event);
                        removed += 1;
                    }
                    Removal::Unknown => {}
                    // A usage came at this very moment.
                    Removal::InUse => {
                        transaction.rollback().await?;
                        return Ok(None);
                    }
                }
            }
            self.commit_with(transaction, erasure.tenant(), &events).await?;
        }
        self.erase_clients(erasure).await?;
        if let Erasure::Customer(owner) = erasure {
            self.forget_customer_of_events(&owner.tenant, &owner.customer).await?;
        }
        Ok(Some(removed))
    }

    /// What waited for its first success ends, as if it had been removed: a grant may be revoked by it yet.
    async fn erase_clients(&self, erasure: Erasure<'_>) -> Result<(), StoreError> {
        let (condition, values) = match erasure {
            Erasure::Customer(_) => ("set_by = $2", erasure.values()),
            // The one in use is removed by itself, with an event.
            Erasure::OrganizationApp { .. } => ("organization_id = $2 AND app_id = $3", erasure.values()),
        };
        let now = values.len() + 1;
        let pending = format!(
            "UPDATE oauth_clients SET state = 'removed', set_by = '', updated_at = ${now}
             WHERE tenant_id = $1 AND {condition} AND state = 'pending'"
        );
        self.database.execute(Query::new(&pending).bind_all(values).bind(self.clock.now())).await?;
        if let Erasure::Customer(_) = erasure {
            // A client goes on: it is the organization's. Who entered it is forgotten.
            for statement in [
                "UPDATE oauth_clients SET set_by = '' WHERE tenant_id = $1 AND set_by = $2",
                "DELETE FROM admin_links WHERE tenant_id = $1 AND customer = $2",
                "DELETE FROM import_tokens WHERE tenant_id = $1 AND customer = $2",
            ] {
                self.database.execute(Query::new(statement).bind_all(erasure.values())).await?;
            }
        }
        Ok(())
    }
}
