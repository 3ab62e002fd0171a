//! Tenants.

use super::audit::{Action, Actor};
use super::database::{Query, Row};
use super::{Result, Store};
use crate::clock::Millis;
use crate::ids;

/// What a list of tenants shows.
#[derive(Debug)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// What customers see.
    pub name: String,
    /// Its own account, in lower case.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: Millis,
}

impl Store {
    /// A new tenant; gives its id. `email` is its own account, in lower case, which only MCP URLs need.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_tenant(&self, name: &str, email: Option<&str>) -> Result<String> {
        let id = ids::prefixed("ten_");
        let mut transaction = self.database.begin().await?;
        let query = Query::new("INSERT INTO tenants (id, name, email, created_at) VALUES ($1, $2, $3, $4)")
            .bind(&id)
            .bind(name)
            .bind(email)
            .bind(self.clock.now());
        transaction.execute(query).await?;
        self.note(&mut transaction, &id, None, Action::TenantCreated, Actor::CommandLine).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Gives a tenant another account. `false` where there is no such tenant.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_tenant_email(&self, tenant: &str, email: &str) -> Result<bool> {
        let mut transaction = self.database.begin().await?;
        let query = Query::new("UPDATE tenants SET email = $1 WHERE id = $2").bind(email).bind(tenant);
        let updated = transaction.execute(query).await?;
        if updated == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        self.note(&mut transaction, tenant, None, Action::EmailChanged, Actor::CommandLine).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// All tenants, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        let query = Query::new("SELECT id, name, email, created_at FROM tenants ORDER BY created_at, id");
        let rows = self.database.scan(query).await?;
        let tenant = |row: &Row| {
            Ok(Tenant {
                id: row.get("id")?,
                name: row.get("name")?,
                email: row.get("email")?,
                created_at: row.get("created_at")?,
            })
        };
        rows.iter().map(tenant).collect()
    }
}
