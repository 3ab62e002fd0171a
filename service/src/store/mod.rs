//! What the service remembers. One file per kind of thing; one set of queries for SQLite and PostgreSQL.
//!
//! Every query about a customer's things carries the tenant and the customer ([`Owner`]), so that one customer's
//! connection does not exist for another. Every function returns after its change is committed.

mod answers;
mod audit;
mod authorizations;
mod clean_up;
mod connections;
mod credentials;
mod keys;
mod link_error;
mod links;
mod mcp_urls;
mod new_link;
mod open;
mod presence;
mod rotation;
mod sealed;
mod spelling;
mod tenants;
mod unconfirmed;
mod usages;
mod waiting;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Any, AnyPool, Transaction};

use crate::clock::Clock;
use crate::notify::Changes;
use crate::vault::{Vault, VaultError};

pub use answers::NewAnswer;
pub use audit::{Actor, AuditLine};
pub use authorizations::{Authorization, NewAuthorization, Progress, Taken};
pub use connections::{Connection, Deletion, Status};
pub use credentials::{Credential, Grant, Lease, Tokens};
pub use keys::{Caller, Capability, Key, Revocation};
pub use link_error::LinkError;
pub use links::{Link, LinkOptions, Operation, Phase};
pub use mcp_urls::Minted;
pub use new_link::{Created, NewLink, Target};
use presence::Presence;
pub use rotation::{Promotion, Rotation};
pub use tenants::Tenant;
pub use unconfirmed::Confirmation;
pub use usages::{AddedUsage, MAX_USAGES};

/// A database that takes longer to begin a transaction is not ready.
const READY_TIMEOUT: Duration = Duration::from_secs(1);

/// The database, with the key to what is sealed in it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    /// How a transaction that writes begins; the only difference between the two databases.
    begin: &'static str,
    vault: Vault,
    clock: Clock,
    changes: Arc<Changes>,
    /// Tells other processes that this one is alive; none on PostgreSQL.
    _presence: Option<Arc<Presence>>,
}

/// Whose things a query is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The tenant's id.
    pub tenant: String,
    /// The customer's email, in lower case.
    pub customer: String,
}

/// Why the store could not answer. Holds no stored value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused, or is not there.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A sealed value does not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A value that this version cannot read.
    #[error("the database holds a value that this version cannot read: {0}")]
    Unreadable(&'static str),
    /// Others than its owner can read the database file.
    #[error("the database {} can be read by others than its owner; run: chmod 600 {}", .0.display(), .0.display())]
    ExposedDatabase(PathBuf),
    /// The database was made with another encryption key.
    #[error("the database was made with another encryption key; give back the one that it was made with")]
    WrongKey,
}

/// What the store's functions return.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl Store {
    /// Begins in a task of its own, which ends whatever becomes of the caller: a request is dropped when its client goes
    /// away, and SQLx, dropped between SQLite's `BEGIN` and its own note of it, would give the connection back to the
    /// pool with the transaction open.
    async fn begin(&self) -> Result<Transaction<'static, Any>> {
        let (pool, begin) = (self.pool.clone(), self.begin);
        let begun = tokio::spawn(async move { pool.begin_with(begin).await });
        Ok(begun.await.map_err(|error| sqlx::Error::Io(error.into()))??)
    }

    /// Whoever else changes this connection or its links is waited for: PostgreSQL shows each statement what was
    /// committed before it, and transactions that lock in the same order do not block each other for ever.
    async fn lock_connection(
        &self,
        transaction: &mut Transaction<'_, Any>,
        connection_id: &str,
    ) -> Result<()> {
        sqlx::query("UPDATE connections SET updated_at = updated_at WHERE id = $1")
            .bind(connection_id)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// Whether the database lets a transaction begin and end, within a second.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn ready(&self) -> Result<()> {
        let transaction = async { Ok(self.begin().await?.rollback().await?) };
        tokio::time::timeout(READY_TIMEOUT, transaction)
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut.into()))
    }
}
