//! Sealing and opening values, each with the data key of its tenant; and cursors, which are given away sealed.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::database::{Query, Transaction};
use super::{Owner, Result, Store, StoreError};
use crate::vault::{DataKey, Place, RootKey, VaultError, is_of_data_key};

impl Store {
    /// Seals a text.
    pub(super) async fn seal_text(&self, place: Place<'_>, value: &str) -> Result<String> {
        Ok(match self.data_key(place.tenant).await? {
            Some(key) => key.seal(place, value)?,
            None => self.vault.seal_directly(place, value)?,
        })
    }

    /// Opens what [`Store::seal_text`] made for the same place, or an earlier version.
    pub(super) async fn open_text(&self, place: Place<'_>, sealed: &str) -> Result<SecretString> {
        if !is_of_data_key(sealed) {
            return Ok(self.vault.open_directly(place, sealed)?);
        }
        let key = self.data_key(place.tenant).await?.ok_or(VaultError::NoDataKey)?;
        Ok(key.open(place, sealed)?)
    }

    /// Seals a value of several parts as JSON.
    pub(super) async fn seal_json(&self, place: Place<'_>, value: &impl Serialize) -> Result<String> {
        let text = serde_json::to_string(value).map_err(|_| StoreError::Unreadable("a sealed value"))?;
        self.seal_text(place, &Zeroizing::new(text)).await
    }

    /// Opens what [`Store::seal_json`] made for the same place.
    pub(super) async fn open_json<T: DeserializeOwned>(&self, place: Place<'_>, sealed: &str) -> Result<T> {
        let text = self.open_text(place, sealed).await?;
        let value = serde_json::from_str(text.expose_secret());
        value.map_err(|_| StoreError::Unreadable("a sealed value"))
    }

    /// A tenant's data key: that in memory, or else the stored one. `None` where it has none, because its database is from
    /// a version without data keys, or because it was deleted.
    async fn data_key(&self, tenant: &str) -> Result<Option<Arc<DataKey>>> {
        if let Some(key) = self.vault.data_keys().get(tenant) {
            return Ok(Some(key));
        }
        let query = Query::new("SELECT root_key_id, sealed FROM data_keys WHERE tenant_id = $1").bind(tenant);
        let Some(row) = self.database.fetch_optional(query).await? else {
            return Ok(None);
        };
        let root_key = self.vault.ring().get(row.get("root_key_id")?)?;
        let key = Arc::new(root_key.open_data_key(tenant, row.get("sealed")?)?);
        self.vault.data_keys().put(tenant, key.clone());
        Ok(Some(key))
    }

    /// Makes a new tenant's data key, unless older processes may run on the same database, which know none.
    pub(super) async fn make_data_key(&self, transaction: &mut Transaction, tenant: &str) -> Result<()> {
        let query = Query::new(
            "SELECT id FROM root_keys WHERE is_active = 1 AND EXISTS (SELECT 1 FROM marks WHERE name = 'data_keys')",
        );
        let Some(row) = transaction.fetch_optional(query).await? else {
            return Ok(());
        };
        let root_key = self.vault.ring().get(row.get("id")?)?;
        let sealed = root_key.new_data_key(tenant)?;
        transaction.execute(insert_data_key(tenant, root_key, &sealed)).await?;
        Ok(())
    }

    /// Destroys the data keys of deleted tenants, but for those whose grants are still to be revoked.
    pub(super) async fn destroy_data_keys(&self) -> Result<()> {
        let query = Query::new(
            "DELETE FROM data_keys WHERE NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = data_keys.tenant_id)
                AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.tenant_id = data_keys.tenant_id)",
        );
        self.database.execute(query).await?;
        Ok(())
    }

    /// Seals what a cursor says, as text that can stand in a query. It opens for this owner and this query alone.
    ///
    /// # Errors
    ///
    /// When the database fails, or there is no randomness.
    pub(crate) async fn seal_cursor(
        &self,
        owner: &Owner,
        query: &str,
        value: &impl Serialize,
    ) -> Result<String> {
        let sealed = self.seal_json(cursor_place(owner, query), value).await?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what [`Store::seal_cursor`] made for the same owner and query; `None` for anything else.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn open_cursor<T: DeserializeOwned>(
        &self,
        owner: &Owner,
        query: &str,
        text: &str,
    ) -> Result<Option<T>> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(sealed) = sealed else { return Ok(None) };
        match self.open_json(cursor_place(owner, query), &sealed).await {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Vault(_) | StoreError::Unreadable(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A row for a tenant that has none.
pub(super) fn insert_data_key<'a>(tenant: &'a str, root_key: &'a RootKey, sealed: &'a str) -> Query<'a> {
    Query::new(
        "INSERT INTO data_keys (tenant_id, root_key_id, sealed) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id) DO NOTHING",
    )
    .bind(tenant)
    .bind(root_key.id())
    .bind(sealed)
}

/// No connection and no column is called so.
fn cursor_place<'a>(owner: &'a Owner, query: &'a str) -> Place<'a> {
    Place { tenant: &owner.tenant, customer: &owner.customer, connection: "cursor", field: query }
}
