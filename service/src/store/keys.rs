//! Tenants' keys: what they open, making them, finding who calls, ending them.

use std::fmt;
use std::str::FromStr;

use super::audit::{Action, Actor};
use super::database::{Query, Row, Transaction};
use super::events::NewEvent;
use super::tenants::BUDGET_COLUMNS;
use super::{EventType, Result, Store, StoreError, TenantBudgets};
use crate::clock::Millis;
use crate::ids;

/// Characters of a key's name.
pub const MAX_KEY_NAME: usize = 100;

/// How many keys a tenant can have at once.
pub const MAX_LIVE_KEYS: i64 = 100;

/// How many keys that ended a list shows.
const MAX_ENDED_LISTED: i64 = 100;

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
    /// Manage the tenant's keys.
    Admin,
    /// Make connections of credentials that the tenant has already.
    Import,
    /// Read the feed of events.
    Events,
    /// Call providers through the service, which adds the credential.
    Proxy,
}

/// Who is calling: a tenant, by which key, and what that opens.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The tenant's id.
    pub tenant: String,
    /// The key's id.
    pub key: String,
    /// What the key opens.
    pub capabilities: Vec<Capability>,
    /// The tenant's own budgets.
    pub budgets: TenantBudgets,
}

/// What a list of keys shows. The key itself is stored nowhere.
#[derive(Debug)]
pub struct Key {
    /// Names the key, to rotate or revoke it by.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// The keys that replaced each other have this in common.
    pub family: String,
    /// Its place in the family, from 1.
    pub generation: i64,
    /// What it opens.
    pub capabilities: Vec<Capability>,
    /// Whether it has an MCP URL.
    pub has_mcp_url: bool,
    /// When it was made.
    pub created_at: Millis,
    /// When it was first used.
    pub used_at: Option<Millis>,
    /// When a token was last asked for with it.
    pub last_used_at: Option<Millis>,
    /// Since when it opens nothing.
    pub revoked_at: Option<Millis>,
}

/// A key to make.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    /// Whose.
    pub tenant: &'a str,
    /// What people call it.
    pub name: Option<&'a str>,
    /// What it opens.
    pub capabilities: &'a [Capability],
    /// Who makes it.
    pub actor: Actor<'a>,
}

/// What [`Store::generate_key`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum Generation {
    /// There is a new key.
    Generated {
        /// Its id.
        id: String,
        /// The key itself, given here and never again.
        key: String,
    },
    /// The tenant has [`MAX_LIVE_KEYS`].
    TooMany,
    /// There is no such tenant.
    Unknown,
}

/// What [`Store::revoke_key`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// It opens nothing any more.
    Revoked,
    /// There is no such key, or it has ended already.
    Unknown,
    /// It is the last one that the tenant has, and goes on.
    Last,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 8] = [
        Self::Apps,
        Self::Connections,
        Self::Token,
        Self::Delete,
        Self::Admin,
        Self::Import,
        Self::Events,
        Self::Proxy,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apps => "apps",
            Self::Connections => "connections",
            Self::Token => "token",
            Self::Delete => "delete",
            Self::Admin => "admin",
            Self::Import => "import",
            Self::Events => "events",
            Self::Proxy => "proxy",
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
            .ok_or_else(|| format!("`{text}` is none of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// The row of a new key, with the key itself.
pub(super) struct InsertedKey<'a> {
    pub(super) tenant: &'a str,
    pub(super) id: &'a str,
    pub(super) key: &'a str,
    pub(super) family: &'a str,
    pub(super) generation: i64,
    pub(super) name: Option<&'a str>,
    pub(super) capabilities: &'a str,
}

const SELECT: &str =
    "SELECT id, name, family, generation, capabilities, mcp_digest, created_at, used_at, last_used_at, revoked_at
    FROM keys";

impl Store {
    /// A new key for a tenant, by the operator. It is given here and never again. `None` where there is no such
    /// tenant, or it has [`MAX_LIVE_KEYS`].
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_key(&self, tenant: &str, capabilities: &[Capability]) -> Result<Option<String>> {
        let new = NewKey { tenant, name: None, capabilities, actor: Actor::CommandLine };
        match self.generate_key(&new).await? {
            Generation::Generated { key, .. } => Ok(Some(key)),
            Generation::TooMany | Generation::Unknown => Ok(None),
        }
    }

    /// Makes a key.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn generate_key(&self, new: &NewKey<'_>) -> Result<Generation> {
        let (id, key) = (ids::prefixed("key_"), self.new_key());
        let mut transaction = self.database.begin().await?;
        if !self.lock_tenant(&mut transaction, new.tenant).await? {
            transaction.rollback().await?;
            return Ok(Generation::Unknown);
        }
        if self.live_keys(&mut transaction, new.tenant).await? >= MAX_LIVE_KEYS {
            transaction.rollback().await?;
            return Ok(Generation::TooMany);
        }
        let capabilities = write_capabilities(new.capabilities);
        let insert = InsertedKey {
            tenant: new.tenant,
            id: &id,
            key: &key,
            family: &id,
            generation: 1,
            name: new.name,
            capabilities: &capabilities,
        };
        self.insert_key(&mut transaction, &insert).await?;
        self.note(&mut transaction, new.tenant, Some(&id), Action::KeyCreated, new.actor).await?;
        let event = NewEvent::of_key(EventType::KeyCreated, (&id, new.name), &capabilities, new.actor);
        self.commit_with(transaction, new.tenant, &[event]).await?;
        Ok(Generation::Generated { id, key })
    }

    /// What a live key of this tenant opens; `None` where there is no such key.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn key_capabilities(&self, tenant: &str, id: &str) -> Result<Option<Vec<Capability>>> {
        let query = Query::new(
            "SELECT capabilities FROM keys WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
        )
        .bind(tenant)
        .bind(id);
        let row = self.database.fetch_optional(query).await?;
        row.map(|row| read_capabilities(row.get("capabilities")?)).transpose()
    }

    /// A tenant's keys: live ones first, then newer ones. All live ones, and the latest of those that ended.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn keys(&self, tenant: &str) -> Result<Vec<Key>> {
        let query = format!(
            "{SELECT} WHERE tenant_id = $1 AND (revoked_at IS NULL OR id IN
                (SELECT id FROM keys WHERE tenant_id = $1 AND revoked_at IS NOT NULL
                 ORDER BY revoked_at DESC, id LIMIT $2))
             ORDER BY CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END, created_at DESC, generation DESC, id"
        );
        let query = Query::new(&query).bind(tenant).bind(MAX_ENDED_LISTED);
        let rows = self.database.fetch_all(query).await?;
        rows.iter().map(read_key).collect()
    }

    /// The tenant whose key this id names.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tenant_of_key(&self, id: &str) -> Result<Option<String>> {
        let query = Query::new("SELECT tenant_id FROM keys WHERE id = $1").bind(id);
        let row = self.database.fetch_optional(query).await?;
        row.map(|row| row.get("tenant_id")).transpose()
    }

    /// Ends a key, and its MCP URL with it, from the next request on. The tenant's last key ends only if `even_last`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn revoke_key(&self, id: &str, even_last: bool) -> Result<Revocation> {
        match self.tenant_of_key(id).await? {
            Some(tenant) => self.revoke_tenant_key(&tenant, id, even_last, Actor::CommandLine).await,
            None => Ok(Revocation::Unknown),
        }
    }

    /// The same for a key of this tenant alone.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn revoke_tenant_key(
        &self,
        tenant: &str,
        id: &str,
        even_last: bool,
        actor: Actor<'_>,
    ) -> Result<Revocation> {
        let mut transaction = self.database.begin().await?;
        self.lock_tenant(&mut transaction, tenant).await?;
        let query =
            Query::new("SELECT id, name, capabilities FROM keys WHERE tenant_id = $1 AND revoked_at IS NULL")
                .bind(tenant);
        let rows = transaction.fetch_all(query).await?;
        let live = rows.iter().map(|row| Ok((row.get("id")?, row.get("name")?, row.get("capabilities")?)));
        let live: Vec<(&str, Option<&str>, &str)> = live.collect::<Result<_>>()?;
        let Some((_, name, capabilities)) = live.iter().find(|(live, ..)| *live == id) else {
            transaction.rollback().await?;
            return Ok(Revocation::Unknown);
        };
        if live.len() == 1 && !even_last {
            transaction.rollback().await?;
            return Ok(Revocation::Last);
        }
        self.end_key(&mut transaction, id).await?;
        self.note(&mut transaction, tenant, Some(id), Action::KeyRevoked, actor).await?;
        let event = NewEvent::of_key(EventType::KeyRevoked, (id, *name), capabilities, actor);
        self.commit_with(transaction, tenant, &[event]).await?;
        Ok(Revocation::Revoked)
    }

    /// Whose key has this digest, unless it is unknown or revoked, or the tenant disabled. Its first use is noted.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn caller(&self, key_digest: &str) -> Result<Option<Caller>> {
        let query = format!(
            "SELECT k.id, k.tenant_id, k.capabilities, k.used_at, {BUDGET_COLUMNS}
             FROM keys k JOIN tenants t ON t.id = k.tenant_id
             WHERE k.digest = $1 AND k.revoked_at IS NULL AND t.disabled_at IS NULL"
        );
        let query = Query::new(&query).bind(key_digest);
        let row = self.database.fetch_optional(query).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let caller = read_caller(&row)?;
        self.note_first_use(&caller, row.get("used_at")?).await?;
        Ok(Some(caller))
    }

    /// A key that has a successor may end once that one was used.
    pub(super) async fn note_first_use(&self, caller: &Caller, used_at: Option<Millis>) -> Result<()> {
        if used_at.is_none() {
            let query = Query::new("UPDATE keys SET used_at = $1 WHERE id = $2 AND used_at IS NULL")
                .bind(self.clock.now())
                .bind(&caller.key);
            self.database.execute(query).await?;
        }
        Ok(())
    }

    /// Makes what changes a tenant's keys or OAuth clients wait for each other, to the end of the transaction. `false` where there is no
    /// such tenant.
    pub(super) async fn lock_tenant(&self, transaction: &mut Transaction, tenant: &str) -> Result<bool> {
        let query = Query::new("UPDATE tenants SET name = name WHERE id = $1").bind(tenant);
        let locked = transaction.execute(query).await?;
        Ok(locked == 1)
    }

    /// How many live keys a tenant has, which stays so while its lock is held.
    pub(super) async fn live_keys(&self, transaction: &mut Transaction, tenant: &str) -> Result<i64> {
        let query =
            Query::new("SELECT COUNT(*) AS live FROM keys WHERE tenant_id = $1 AND revoked_at IS NULL")
                .bind(tenant);
        match transaction.fetch_optional(query).await? {
            Some(row) => row.get("live"),
            None => Ok(0),
        }
    }

    pub(super) async fn insert_key(
        &self,
        transaction: &mut Transaction,
        new: &InsertedKey<'_>,
    ) -> Result<()> {
        let query = Query::new(
            "INSERT INTO keys (id, tenant_id, digest, family, generation, name, capabilities, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(new.id)
        .bind(new.tenant)
        .bind(ids::digest(new.key))
        .bind(new.family)
        .bind(new.generation)
        .bind(new.name)
        .bind(new.capabilities)
        .bind(self.clock.now());
        transaction.execute(query).await?;
        Ok(())
    }

    pub(super) async fn end_key(&self, transaction: &mut Transaction, id: &str) -> Result<()> {
        let query = Query::new("UPDATE keys SET revoked_at = $1, mcp_digest = NULL WHERE id = $2")
            .bind(self.clock.now())
            .bind(id);
        transaction.execute(query).await?;
        Ok(())
    }
}

fn read_key(row: &Row) -> Result<Key> {
    Ok(Key {
        id: row.get("id")?,
        name: row.get("name")?,
        family: row.get("family")?,
        generation: row.get("generation")?,
        capabilities: read_capabilities(row.get("capabilities")?)?,
        has_mcp_url: row.get::<Option<&str>>("mcp_digest")?.is_some(),
        created_at: row.get("created_at")?,
        used_at: row.get("used_at")?,
        last_used_at: row.get("last_used_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}

pub(super) fn read_caller(row: &Row) -> Result<Caller> {
    Ok(Caller {
        tenant: row.get("tenant_id")?,
        key: row.get("id")?,
        capabilities: read_capabilities(row.get("capabilities")?)?,
        budgets: TenantBudgets::read(row)?,
    })
}

fn write_capabilities(capabilities: &[Capability]) -> String {
    capabilities.iter().map(|capability| capability.as_str()).collect::<Vec<_>>().join(",")
}

fn read_capabilities(text: &str) -> Result<Vec<Capability>> {
    let words = text.split(',').filter(|word| !word.is_empty());
    words.map(str::parse).collect::<Result<_, _>>().map_err(|_| StoreError::Unreadable("capabilities"))
}
