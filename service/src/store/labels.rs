//! What a tenant says of a connection: its name, labels for the customer, and metadata. Nothing is authorised by them.

use serde_json::{Map, Value};

use super::database::Query;
use super::{Owner, Result, Store, StoreError};

/// What a tenant keeps with a connection. What is absent of a new one is empty, of an existing one stays as it is.
#[derive(Debug, Default, Clone)]
pub struct Labels {
    /// The tenant's id for the customer.
    pub customer_id: Option<String>,
    /// The tenant's name for the customer.
    pub customer_name: Option<String>,
    /// An object of the tenant's own.
    pub metadata: Option<Map<String, Value>>,
}

/// What is to change of a connection; what is `None` stays as it is.
#[derive(Debug, Default, Clone)]
pub struct ConnectionUpdate {
    /// A new name.
    pub name: Option<String>,
    /// The tenant's id for the customer; `Some(None)` removes it.
    pub customer_id: Option<Option<String>>,
    /// The tenant's name for the customer; `Some(None)` removes it.
    pub customer_name: Option<Option<String>>,
    /// An object in the place of the one that is there.
    pub metadata: Option<Map<String, Value>>,
}

impl ConnectionUpdate {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        let Self { name, customer_id, customer_name, metadata } = self;
        name.is_none() && customer_id.is_none() && customer_name.is_none() && metadata.is_none()
    }
}

impl Store {
    /// Changes what the tenant says of a connection. Without such a connection nothing happens.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn update_connection(&self, owner: &Owner, id: &str, update: &ConnectionUpdate) -> Result<()> {
        // A label is never empty, so an empty text can stand for its removal.
        let label = |label: &Option<Option<String>>| label.clone().map(Option::unwrap_or_default);
        let query = Query::new(
            "UPDATE connections SET name = COALESCE($1, name), metadata = COALESCE($2, metadata),
                customer_id = NULLIF(COALESCE($3, customer_id), ''),
                customer_name = NULLIF(COALESCE($4, customer_name), ''), updated_at = $5
             WHERE id = $6 AND tenant_id = $7 AND customer = $8",
        )
        .bind(update.name.as_deref())
        .bind(update.metadata.as_ref().map(write_metadata).transpose()?)
        .bind(label(&update.customer_id))
        .bind(label(&update.customer_name))
        .bind(self.clock.now())
        .bind(id)
        .bind(&owner.tenant)
        .bind(&owner.customer);
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, id).await?;
        let before = self.tracked(&mut transaction, &owner.tenant, id).await?;
        transaction.execute(query).await?;
        let event = self.update_event(&mut transaction, &owner.tenant, id, before.as_ref()).await?;
        self.commit_with(transaction, &owner.tenant, event.as_slice()).await
    }
}

pub(super) fn write_metadata(metadata: &Map<String, Value>) -> Result<String> {
    serde_json::to_string(metadata).map_err(|_| StoreError::Unreadable("metadata"))
}

pub(super) fn read_metadata(text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable("metadata"))
}
