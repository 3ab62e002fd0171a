//! The audit: one line for every change to tenants and keys, in the database and in the log. It holds no secret.

use std::fmt;

use super::database::{Query, Transaction};
use super::{Result, Store};
use crate::clock::Millis;
use crate::ids;

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor<'a> {
    /// Whoever runs the service.
    CommandLine,
    /// Whoever holds the key with this id.
    Key(&'a str),
    /// A customer, on a hosted page.
    Customer,
    /// The account with this email, in the dashboard.
    Account(&'a str),
}

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// A tenant was made.
    TenantCreated,
    /// The tenant got another name.
    TenantRenamed,
    /// The tenant got other budgets, or the configured ones again.
    BudgetsChanged,
    /// The tenant's keys and links open nothing any more.
    TenantDisabled,
    /// They open what they did again.
    TenantEnabled,
    /// The tenant and all that it had were deleted.
    TenantDeleted,
    /// The tenant got another account email.
    EmailChanged,
    /// The tenant got another website, or none.
    WebsiteChanged,
    /// A key was made.
    KeyCreated,
    /// A key got a successor; the line names the successor.
    KeyRotated,
    /// A key became the only one of its family.
    KeyPromoted,
    /// A key ended because its successor was promoted.
    KeyRetired,
    /// A key was ended.
    KeyRevoked,
    /// A key got an MCP URL, instead of the one that it may have had.
    McpUrlMinted,
    /// A key lost its MCP URL.
    McpUrlRevoked,
    /// A webhook endpoint was made; the line names it in the place of a key, and so do the next three.
    WebhookCreated,
    /// A webhook endpoint was changed, or switched on or off.
    WebhookChanged,
    /// A webhook endpoint got a new secret.
    WebhookSecretRotated,
    /// A webhook endpoint was removed.
    WebhookDeleted,
    /// An OAuth client was entered, or entered anew.
    ClientSet,
    /// An OAuth client was removed.
    ClientRemoved,
    /// An account became a member; the line names it, by a digest, in the place of a key, and so do the next two.
    MemberAdded,
    /// A member got another role.
    MemberChanged,
    /// A member was removed.
    MemberRemoved,
    /// The hosted page got other colours, texts or languages.
    SdkConfigChanged,
    /// The hosted page got a logo.
    LogoChanged,
    /// The hosted page lost its logo.
    LogoRemoved,
}

/// One line of the audit.
#[derive(Debug)]
pub struct AuditLine {
    /// When.
    pub at: Millis,
    /// What happened.
    pub action: String,
    /// To which key, webhook endpoint or member.
    pub key: Option<String>,
    /// By whom: a key's id, the email of a member, or `command line`.
    pub actor: String,
}

impl fmt::Display for Actor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CommandLine => "command line",
            Self::Key(id) => id,
            Self::Customer => "customer",
            Self::Account(email) => email,
        })
    }
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::TenantCreated => "tenant.created",
            Self::TenantRenamed => "tenant.renamed",
            Self::BudgetsChanged => "tenant.budgets_changed",
            Self::TenantDisabled => "tenant.disabled",
            Self::TenantEnabled => "tenant.enabled",
            Self::TenantDeleted => "tenant.deleted",
            Self::EmailChanged => "tenant.email_changed",
            Self::WebsiteChanged => "tenant.website_changed",
            Self::KeyCreated => "key.created",
            Self::KeyRotated => "key.rotated",
            Self::KeyPromoted => "key.promoted",
            Self::KeyRetired => "key.retired",
            Self::KeyRevoked => "key.revoked",
            Self::McpUrlMinted => "mcp_url.minted",
            Self::McpUrlRevoked => "mcp_url.revoked",
            Self::WebhookCreated => "webhook.created",
            Self::WebhookChanged => "webhook.changed",
            Self::WebhookSecretRotated => "webhook.secret_rotated",
            Self::WebhookDeleted => "webhook.deleted",
            Self::ClientSet => "oauth_client.set",
            Self::ClientRemoved => "oauth_client.removed",
            Self::MemberAdded => "member.added",
            Self::MemberChanged => "member.changed",
            Self::MemberRemoved => "member.removed",
            Self::SdkConfigChanged => "sdk_config.changed",
            Self::LogoChanged => "sdk_config.logo_changed",
            Self::LogoRemoved => "sdk_config.logo_removed",
        }
    }
}

impl Store {
    /// A tenant's audit, the oldest line first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn audit(&self, tenant: &str) -> Result<Vec<AuditLine>> {
        let query =
            Query::new("SELECT at, action, key_id, actor FROM audit WHERE tenant_id = $1 ORDER BY at, id")
                .bind(tenant);
        let rows = self.database.scan(query).await?;
        rows.iter()
            .map(|row| {
                Ok(AuditLine {
                    at: row.get("at")?,
                    action: row.get("action")?,
                    key: row.get("key_id")?,
                    actor: row.get("actor")?,
                })
            })
            .collect()
    }

    /// Writes a line in the transaction of the change itself, so that there is none without the other.
    pub(super) async fn note(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        key: Option<&str>,
        action: Action,
        by: Actor<'_>,
    ) -> Result<()> {
        let (action, actor) = (action.as_str(), by.to_string());
        let query = Query::new(
            "INSERT INTO audit (id, at, tenant_id, key_id, action, actor) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(ids::prefixed("aud_"))
        .bind(self.clock.now())
        .bind(tenant)
        .bind(key)
        .bind(action)
        .bind(&actor);
        transaction.execute(query).await?;
        // The log names no person.
        let logged = if matches!(by, Actor::Account(_)) { "member" } else { actor.as_str() };
        tracing::info!(tenant, key, action, actor = logged, "audit");
        Ok(())
    }
}
