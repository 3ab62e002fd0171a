//! Tenants and their keys.

use std::fmt;
use std::str::FromStr;

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Result, Store, StoreError};
use crate::clock::Millis;
use crate::ids;

/// A group of endpoints that a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Browse the catalogue.
    Apps,
    /// Create, list and read connections.
    Connections,
    /// Vend tokens.
    Token,
    /// Delete connections.
    Delete,
}

/// Who is calling: a tenant, and what its key opens.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The tenant's id.
    pub tenant: String,
    /// What the key opens.
    pub capabilities: Vec<Capability>,
}

/// What a list of tenants shows.
#[derive(Debug)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// What customers see.
    pub name: String,
    /// When it was made.
    pub created_at: Millis,
}

/// What a list of keys shows. The key itself is stored nowhere.
#[derive(Debug)]
pub struct Key {
    /// Names the key, to revoke it by.
    pub id: String,
    /// What it opens.
    pub capabilities: Vec<Capability>,
    /// When it was made.
    pub created_at: Millis,
    /// Since when it opens nothing.
    pub revoked_at: Option<Millis>,
}

impl Capability {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Apps, Self::Connections, Self::Token, Self::Delete];

    /// The guide's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apps => "apps",
            Self::Connections => "connections",
            Self::Token => "token",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Capability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|capability| capability.as_str() == text)
            .ok_or_else(|| format!("`{text}` is none of apps, connections, token, delete"))
    }
}

impl Store {
    /// A new tenant; gives its id.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_tenant(&self, name: &str) -> Result<String> {
        let id = ids::prefixed("ten_");
        sqlx::query("INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(&id)
            .bind(name)
            .bind(self.clock.now())
            .execute(&self.pool)
            .await?;
        Ok(id)
    }

    /// All tenants, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        let rows = sqlx::query("SELECT id, name, created_at FROM tenants ORDER BY created_at, id")
            .fetch_all(&self.pool)
            .await?;
        let tenant = |row: &AnyRow| {
            Ok(Tenant {
                id: row.try_get("id")?,
                name: row.try_get("name")?,
                created_at: row.try_get("created_at")?,
            })
        };
        rows.iter().map(tenant).collect()
    }

    /// A new key for a tenant. It is given here and never again. `None` where there is no such tenant.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_key(&self, tenant: &str, capabilities: &[Capability]) -> Result<Option<String>> {
        let key = ids::tenant_key();
        let inserted = sqlx::query(
            "INSERT INTO keys (id, tenant_id, digest, capabilities, created_at)
             SELECT $1, id, $2, $3, $4 FROM tenants WHERE id = $5",
        )
        .bind(ids::prefixed("key_"))
        .bind(ids::digest(&key))
        .bind(write_capabilities(capabilities))
        .bind(self.clock.now())
        .bind(tenant)
        .execute(&self.pool)
        .await?;
        Ok((inserted.rows_affected() == 1).then_some(key))
    }

    /// A tenant's keys, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn keys(&self, tenant: &str) -> Result<Vec<Key>> {
        let rows = sqlx::query(
            "SELECT id, capabilities, created_at, revoked_at FROM keys WHERE tenant_id = $1 ORDER BY created_at, id",
        )
        .bind(tenant)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Key {
                    id: row.try_get("id")?,
                    capabilities: read_capabilities(row.try_get("capabilities")?)?,
                    created_at: row.try_get("created_at")?,
                    revoked_at: row.try_get("revoked_at")?,
                })
            })
            .collect()
    }

    /// Ends a key, from its next request on. `false` where there is no such key, or it has ended already.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn revoke_key(&self, id: &str) -> Result<bool> {
        let updated = sqlx::query("UPDATE keys SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
            .bind(self.clock.now())
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(updated.rows_affected() == 1)
    }

    /// Whose key this is, unless it is unknown or revoked.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn caller(&self, key: &str) -> Result<Option<Caller>> {
        let row =
            sqlx::query("SELECT tenant_id, capabilities FROM keys WHERE digest = $1 AND revoked_at IS NULL")
                .bind(ids::digest(key))
                .fetch_optional(&self.pool)
                .await?;
        row.map(|row| {
            let capabilities = read_capabilities(row.try_get("capabilities")?)?;
            Ok(Caller {
                tenant: row.try_get("tenant_id")?,
                capabilities,
            })
        })
        .transpose()
    }
}

fn write_capabilities(capabilities: &[Capability]) -> String {
    capabilities
        .iter()
        .map(|capability| capability.as_str())
        .collect::<Vec<_>>()
        .join(",")
}

fn read_capabilities(text: &str) -> Result<Vec<Capability>> {
    let words = text.split(',').filter(|word| !word.is_empty());
    words
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| StoreError::Unreadable("capabilities"))
}
