//! MCP URLs: a key's second form, for clients that can send no headers. They act for the tenant's own account alone.

use super::audit::{Action, Actor};
use super::database::Query;
use super::keys::read_caller;
use super::{Caller, Owner, Result, Store};
use crate::ids;

/// What [`Store::mint_mcp_url`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum Minted {
    /// The secret part of the URL, given here and never again. An earlier one opens nothing any more.
    Minted(String),
    /// The tenant has no account email, so there is nobody whom the URL could act for.
    NoEmail,
    /// There is no such key, or it has ended.
    Unknown,
}

impl Store {
    /// Gives a key an MCP URL, which ends with the key. By the operator.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn mint_mcp_url(&self, key: &str) -> Result<Minted> {
        match self.tenant_of_key(key).await? {
            Some(tenant) => self.mint_tenant_mcp_url(&tenant, key, Actor::CommandLine).await,
            None => Ok(Minted::Unknown),
        }
    }

    /// The same for a key of this tenant alone.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn mint_tenant_mcp_url(&self, tenant: &str, key: &str, actor: Actor<'_>) -> Result<Minted> {
        let token = ids::mcp_token();
        let mut transaction = self.database.begin().await?;
        let query = Query::new("SELECT 1 FROM tenants WHERE id = $1 AND email IS NOT NULL").bind(tenant);
        let row = transaction.fetch_optional(query).await?;
        if row.is_none() {
            transaction.rollback().await?;
            return Ok(Minted::NoEmail);
        }
        let query = Query::new(
            "UPDATE keys SET mcp_digest = $1 WHERE id = $2 AND tenant_id = $3 AND revoked_at IS NULL",
        )
        .bind(ids::digest(&token))
        .bind(key)
        .bind(tenant);
        let updated = transaction.execute(query).await?;
        if updated == 0 {
            transaction.rollback().await?;
            return Ok(Minted::Unknown);
        }
        self.note(&mut transaction, tenant, Some(key), Action::McpUrlMinted, actor).await?;
        transaction.commit().await?;
        Ok(Minted::Minted(token))
    }

    /// Ends a key's MCP URL and leaves the key. `false` where there is none.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn revoke_mcp_url(&self, key: &str) -> Result<bool> {
        match self.tenant_of_key(key).await? {
            Some(tenant) => self.revoke_tenant_mcp_url(&tenant, key, Actor::CommandLine).await,
            None => Ok(false),
        }
    }

    /// The same for a key of this tenant alone.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn revoke_tenant_mcp_url(&self, tenant: &str, key: &str, actor: Actor<'_>) -> Result<bool> {
        let mut transaction = self.database.begin().await?;
        let query = Query::new(
            "UPDATE keys SET mcp_digest = NULL WHERE id = $1 AND tenant_id = $2 AND mcp_digest IS NOT NULL",
        )
        .bind(key)
        .bind(tenant);
        let updated = transaction.execute(query).await?;
        if updated == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        self.note(&mut transaction, tenant, Some(key), Action::McpUrlRevoked, actor).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Whose MCP URL has this secret part, and the account that it acts for.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn mcp_caller(&self, token_digest: &str) -> Result<Option<(Caller, Owner)>> {
        let query = Query::new(
            "SELECT k.id, k.tenant_id, k.capabilities, t.email, t.token_budget, t.default_budget, t.events_budget, t.proxy_budget FROM keys k JOIN tenants t ON t.id = k.tenant_id
             WHERE k.mcp_digest = $1 AND k.revoked_at IS NULL AND t.email IS NOT NULL
                AND t.disabled_at IS NULL",
        )
        .bind(token_digest);
        let row = self.database.fetch_optional(query).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let caller = read_caller(&row)?;
        let owner = Owner { tenant: caller.tenant.clone(), customer: row.get("email")? };
        Ok(Some((caller, owner)))
    }
}
