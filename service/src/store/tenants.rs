//! Tenants.

use super::audit::{Action, Actor};
use super::database::{Query, Row, Transaction};
use super::{Result, Role, Store, StoreError};
use crate::clock::Millis;
use crate::ids;

/// Characters of a tenant's name.
pub const MAX_TENANT_NAME: usize = 120;

/// What a list of tenants shows.
#[derive(Debug)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// What customers see.
    pub name: String,
    /// Its own account, in lower case.
    pub email: Option<String>,
    /// Its website, an https address.
    pub website_url: Option<String>,
    /// When it was made.
    pub created_at: Millis,
    /// Since when its keys and links open nothing.
    pub disabled_at: Option<Millis>,
    /// Its own budgets.
    pub budgets: TenantBudgets,
}

/// What [`Store::create_own_tenant`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum OwnTenant {
    /// There is a new tenant, with this id.
    Created(String),
    /// The account owns as many as it may.
    TooMany,
    /// Another tenant has the name, or one that differs from it only by case and white space.
    NameTaken,
}

/// Calls a minute that a tenant has in the place of the configured ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenantBudgets {
    /// To the token endpoint.
    pub token: Option<u32>,
    /// To everything else.
    pub default: Option<u32>,
    /// To the feed of events.
    pub events: Option<u32>,
    /// Through the proxy.
    pub proxy: Option<u32>,
}

/// The columns of [`TenantBudgets`], of `tenants t`.
pub(super) const BUDGET_COLUMNS: &str = "t.token_budget, t.default_budget, t.events_budget, t.proxy_budget";

impl TenantBudgets {
    pub(super) fn read(row: &Row) -> Result<Self> {
        let calls = |column| {
            let calls: Option<i64> = row.get(column)?;
            calls.map(|calls| u32::try_from(calls).map_err(|_| StoreError::Unreadable(column))).transpose()
        };
        Ok(Self {
            token: calls("token_budget")?,
            default: calls("default_budget")?,
            events: calls("events_budget")?,
            proxy: calls("proxy_budget")?,
        })
    }
}

impl Store {
    /// A new tenant, by the operator; gives its id. `email` is its own account, in lower case: its first owner, for whom its
    /// MCP URLs act.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_tenant(&self, name: &str, email: Option<&str>) -> Result<String> {
        let mut transaction = self.database.begin().await?;
        let id = self.insert_tenant(&mut transaction, name, email, Actor::CommandLine).await?;
        transaction.commit().await?;
        Ok(id)
    }

    async fn insert_tenant(
        &self,
        transaction: &mut Transaction,
        name: &str,
        email: Option<&str>,
        actor: Actor<'_>,
    ) -> Result<String> {
        let id = ids::prefixed("ten_");
        let query = Query::new("INSERT INTO tenants (id, name, email, created_at) VALUES ($1, $2, $3, $4)")
            .bind(&id)
            .bind(name)
            .bind(email)
            .bind(self.clock.now());
        transaction.execute(query).await?;
        self.make_data_key(transaction, &id).await?;
        if let Some(email) = email {
            self.insert_member(transaction, &id, email, Role::Owner).await?;
        }
        self.note(transaction, &id, None, Action::TenantCreated, actor).await?;
        Ok(id)
    }

    /// A new tenant of an account that makes its own, unless the account owns `max` already, or the name is taken.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_own_tenant(&self, name: &str, email: &str, max: i64) -> Result<OwnTenant> {
        let mut transaction = self.database.begin().await?;
        self.lock_all(&mut transaction).await?;
        let count = Query::new("SELECT COUNT(*) AS owned FROM members WHERE email = $1 AND role = 'owner'");
        let owned = transaction.fetch_optional(count.bind(email)).await?;
        let owned: i64 = owned.map(|row| row.get("owned")).transpose()?.unwrap_or_default();
        if owned >= max {
            transaction.rollback().await?;
            return Ok(OwnTenant::TooMany);
        }
        let comparable_name = comparable(name);
        for row in transaction.fetch_all(Query::new("SELECT name FROM tenants")).await? {
            if comparable(row.get("name")?) == comparable_name {
                transaction.rollback().await?;
                return Ok(OwnTenant::NameTaken);
            }
        }
        let id = self.insert_tenant(&mut transaction, name, Some(email), Actor::Account(email)).await?;
        // The account that makes it is signed in.
        self.join(&mut transaction, email).await?;
        transaction.commit().await?;
        Ok(OwnTenant::Created(id))
    }

    /// Whether there is this tenant, disabled or not.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn has_tenant(&self, tenant: &str) -> Result<bool> {
        let query = Query::new("SELECT id FROM tenants WHERE id = $1").bind(tenant);
        Ok(self.database.fetch_optional(query).await?.is_some())
    }

    /// Gives a tenant another name, which customers see. `false` where there is no such tenant.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn rename_tenant(&self, tenant: &str, name: &str) -> Result<bool> {
        let query = Query::new("UPDATE tenants SET name = $1 WHERE id = $2").bind(name).bind(tenant);
        self.change_tenant(tenant, query, Action::TenantRenamed).await
    }

    /// Gives a tenant these budgets; where there is none, the configured one. `false` where there is no such tenant.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_tenant_budgets(&self, tenant: &str, budgets: TenantBudgets) -> Result<bool> {
        let query = Query::new(
            "UPDATE tenants SET token_budget = $1, default_budget = $2, events_budget = $3, proxy_budget = $4
             WHERE id = $5",
        )
        .bind(budgets.token.map(i64::from))
        .bind(budgets.default.map(i64::from))
        .bind(budgets.events.map(i64::from))
        .bind(budgets.proxy.map(i64::from))
        .bind(tenant);
        self.change_tenant(tenant, query, Action::BudgetsChanged).await
    }

    /// From the next request on, the tenant's keys, MCP URLs and links open nothing, as if they were unknown. Its grants are
    /// kept alive. `false` where there is no such tenant.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn disable_tenant(&self, tenant: &str) -> Result<bool> {
        let query = Query::new("UPDATE tenants SET disabled_at = COALESCE(disabled_at, $1) WHERE id = $2")
            .bind(self.clock.now())
            .bind(tenant);
        self.change_tenant(tenant, query, Action::TenantDisabled).await
    }

    /// Undoes [`disable_tenant`](Self::disable_tenant). `false` where there is no such tenant.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn enable_tenant(&self, tenant: &str) -> Result<bool> {
        let query = Query::new("UPDATE tenants SET disabled_at = NULL WHERE id = $1").bind(tenant);
        self.change_tenant(tenant, query, Action::TenantEnabled).await
    }

    /// Gives a tenant another account. `false` where there is no such tenant.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_tenant_email(&self, tenant: &str, email: &str) -> Result<bool> {
        let query = Query::new("UPDATE tenants SET email = $1 WHERE id = $2").bind(email).bind(tenant);
        self.change_tenant(tenant, query, Action::EmailChanged).await
    }

    /// Gives a tenant another website, an https address, or none. `false` where there is no such tenant.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_tenant_website(&self, tenant: &str, url: Option<&str>) -> Result<bool> {
        let query = Query::new("UPDATE tenants SET website_url = $1 WHERE id = $2").bind(url).bind(tenant);
        self.change_tenant(tenant, query, Action::WebsiteChanged).await
    }

    async fn change_tenant(&self, tenant: &str, update: Query<'_>, action: Action) -> Result<bool> {
        let mut transaction = self.database.begin().await?;
        if transaction.execute(update).await? == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        self.note(&mut transaction, tenant, None, action, Actor::CommandLine).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The name that customers see, where there is the tenant.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tenant_name(&self, tenant: &str) -> Result<Option<String>> {
        let query = Query::new("SELECT name FROM tenants WHERE id = $1").bind(tenant);
        let row = self.database.fetch_optional(query).await?;
        row.map(|row| row.get("name")).transpose()
    }

    /// The tenant's website, if there is the tenant and it has one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tenant_website(&self, tenant: &str) -> Result<Option<String>> {
        let query = Query::new("SELECT website_url FROM tenants WHERE id = $1").bind(tenant);
        let row = self.database.fetch_optional(query).await?;
        Ok(row.map(|row| row.get("website_url")).transpose()?.flatten())
    }

    /// All tenants, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        let query = format!(
            "SELECT t.id, t.name, t.email, t.website_url, t.created_at, t.disabled_at, {BUDGET_COLUMNS}
             FROM tenants t ORDER BY t.created_at, t.id"
        );
        let rows = self.database.scan(Query::new(&query)).await?;
        let tenant = |row: &Row| {
            Ok(Tenant {
                id: row.get("id")?,
                name: row.get("name")?,
                email: row.get("email")?,
                website_url: row.get("website_url")?,
                created_at: row.get("created_at")?,
                disabled_at: row.get("disabled_at")?,
                budgets: TenantBudgets::read(row)?,
            })
        };
        rows.iter().map(tenant).collect()
    }
}

/// A name without what few readers tell apart: case and white space. Letters that look alike stay different.
fn comparable(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}
