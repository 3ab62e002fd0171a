//! What the service remembers. One file per kind of thing; one set of queries for SQLite and PostgreSQL.
//!
//! Every query about a customer's things carries the tenant and the customer ([`Owner`]), so that one customer's
//! connection does not exist for another. Every function returns after its change is committed.

mod account;
mod admin_links;
mod app_settings;
mod attempts;
mod audit;
mod authorizations;
mod budget_lots;
mod clean_up;
mod client_sessions;
mod connections;
mod copy;
mod credentials;
mod database;
mod deliveries;
mod details;
mod erasure;
mod events;
mod expiry;
mod feed;
mod grant_record;
mod idempotency;
mod import;
mod import_tokens;
mod inspection;
mod keep_alive;
mod keys;
mod labels;
mod link_error;
mod links;
mod mcp_urls;
mod members;
mod migrations;
mod mode;
mod new_link;
mod oauth_clients;
mod open;
mod origin;
mod overview;
mod pending_clients;
mod presence;
mod reconnection;
mod refresh_history;
mod reseal;
mod revocations;
mod root_keys;
mod rotation;
mod sdk_configs;
mod sealed;
mod sessions;
mod sign_ins;
mod spelling;
mod tenant_connections;
mod tenant_deletion;
mod tenants;
mod unconfirmed;
mod usages;
mod vending;
mod vendings;
mod waiting;
mod webhooks;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::notify::{Changes, Feeds};
use crate::vault::{Vault, VaultError};
use database::{Database, Query, Transaction};
use vendings::Vendings;

pub use account::GrantOutcome;
pub use admin_links::AdminLink;
pub use app_settings::AppSettings;
pub use attempts::{NewAttempt, WebhookAttempt};
pub use audit::{Actor, AuditLine};
pub use authorizations::{Authorization, NewAuthorization, Progress, Taken};
pub use budget_lots::Lot;
pub use connections::{Connection, ConnectionClient, ConnectionFilter, Deletion, Status};
pub use copy::copy;
pub use credentials::{Credential, Grant, Lease, Tokens};
pub(crate) use deliveries::MAX_HOLDING_ATTEMPTS;
pub use deliveries::{ClaimedWebhook, Delivery, Health, Next};
pub use details::Details;
pub use erasure::Erasure;
pub use events::{DeletedBy, EventPayload, EventType};
pub use expiry::{Due, EndingGrants};
pub use feed::{Cursor, Event, Feed, FeedFilter, FeedPage, FeedStart};
pub use idempotency::NewAnswer;
pub use import::NewImport;
pub use import_tokens::{ImportKey, ImportLease, ImportedTokens};
pub use inspection::{Inspection, inspect};
pub use keep_alive::{IdleFilter, IdleGrant};
pub use keys::{Caller, Capability, Generation, Key, MAX_KEY_NAME, MAX_LIVE_KEYS, NewKey, Revocation};
pub use labels::{ConnectionUpdate, Labels};
pub use link_error::{LastError, LinkError};
pub use links::{Link, LinkOptions, LinkProgress, Operation, Organization, Phase};
pub use mcp_urls::Minted;
pub use members::{MAX_ADDED, MAX_MEMBERS, Member, MemberChange, Membership, Role};
pub use mode::Mode;
pub use new_link::{Created, LinkWebhook, NewLink, Target};
pub use oauth_clients::{ClientChange, ClientPlace, ClientSecrets, NewClient, StoredClient};
pub use origin::Origin;
pub use overview::{ConnectionCount, ListedConnection, ListedFilter, OwnedConnection};
use presence::Presence;
pub use reconnection::{Reconnection, ReconnectionReason};
pub use refresh_history::RefreshHistory;
pub use revocations::{MAX_REDEMPTION, MAX_REVOCATION_AGE, PendingRevocation};
pub use root_keys::{ListedRootKey, RootKeyRemoval, RootKeyRotation};
pub use rotation::{Promotion, Rotation};
pub use sdk_configs::{StoredLogo, StoredSdkConfig};
pub use sessions::{FRESH, MAX_AGE, MAX_IDLE, Session};
pub use sign_ins::{Asker, CodeUse, LinkUse, NewSignIn, SIGN_IN_WINDOW, SignIn};
pub use tenant_connections::{
    AccountConnection, ConnectionCursor, ConnectionPage, ConnectionSearch, ConnectionState, MAX_SEARCH,
    OwnedConnections,
};
pub use tenant_deletion::KEPT;
pub use tenants::{MAX_TENANT_NAME, OwnTenant, Tenant, TenantBudgets};
pub use unconfirmed::Confirmation;
pub use usages::{AddedUsage, MAX_USAGES};
pub use vending::{Lifetime, SealedCredential, TokenLookup, VendableConnection, Vended, VendedContent};
pub use vendings::{PROXIED, ProxiedRequest, VENDED, Vending, VendingFilter, VendingLine};
pub use webhooks::{
    CreatedWebhook, DisabledReason, MAX_WEBHOOKS, NewWebhook, SigningSecrets, Webhook, WebhookUpdate,
};

/// The database, with the keys to what is sealed in it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    /// Tells this process's leases from those of others.
    process: String,
    vault: Vault,
    clock: Clock,
    mode: Mode,
    changes: Arc<Changes>,
    feeds: Arc<Feeds>,
    event_payload: EventPayload,
    /// Wakes the process's sender of webhooks.
    delivery_wake: Arc<Notify>,
    /// The audit of vending, as far as it is not written yet.
    vendings: Arc<Vendings>,
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
    /// The database is away, busy or full: the same call may succeed in a moment.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The database cannot be opened.
    #[error("cannot open the database {place}: {reason}")]
    Open {
        /// The file, or the server with the name of the database. Never a password.
        place: String,
        /// Why not.
        reason: String,
    },
    /// The database refused.
    #[error("database: {reason}")]
    Database {
        /// Why.
        reason: String,
        /// Whether something refers to what was to be deleted, or nothing is there to refer to.
        is_foreign_key_violation: bool,
    },
    /// The tables could not be brought up to date.
    #[error("migration: {0}")]
    Migration(String),
    /// A sealed value does not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A value that this version cannot read.
    #[error("the database holds a value that this version cannot read: {0}")]
    Unreadable(&'static str),
    /// Others than its owner can read the database file.
    #[error("the database {} can be read by others than its owner; run: chmod 600 {}", .0.display(), .0.display())]
    ExposedDatabase(PathBuf),
    /// The database belongs to the other mode.
    #[error("the database {place} was made by `{made_by}` and works with nothing else; use another one")]
    OtherMode {
        /// The file, or the server with the name of the database.
        place: String,
        /// The command that made it.
        made_by: &'static str,
    },
    /// The root key with this id is not the one that the database knows by it.
    #[error(
        "root key `{0}` is not the one that the database was made with: give back the one that it was made with"
    )]
    WrongKey(String),
    /// Another rotation began, to the root key with this id.
    #[error("a rotation to root key `{0}` has begun meanwhile: run that one to its end first")]
    OtherRotation(String),
}

/// What the store's functions return.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl Store {
    /// Whoever else changes this connection or its links is waited for: PostgreSQL shows each statement what was
    /// committed before it, and transactions that lock in the same order do not block each other for ever.
    async fn lock_connection(&self, transaction: &mut Transaction, connection_id: &str) -> Result<()> {
        let query =
            Query::new("UPDATE connections SET updated_at = updated_at WHERE id = $1").bind(connection_id);
        transaction.execute(query).await?;
        Ok(())
    }

    /// Where the database is: the file, or the server and the name of the database. Never a password.
    pub fn location(&self) -> String {
        self.database.location()
    }

    /// The connections to the database now: which, in what state, and how many.
    pub(crate) fn pool(&self) -> Vec<(&'static str, &'static str, usize)> {
        self.database.pool()
    }

    /// Whether the database can be written to, within a second: begins a transaction that writes, and rolls it back.
    ///
    /// # Errors
    ///
    /// When it cannot.
    pub async fn ready(&self) -> Result<()> {
        self.database.begin().await?.rollback().await
    }
}

impl StoreError {
    /// Whether the same call may succeed in a moment.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    fn is_foreign_key_violation(&self) -> bool {
        matches!(self, Self::Database { is_foreign_key_violation: true, .. })
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use http::header::RETRY_AFTER;

    use super::*;
    use crate::error::ApiError;
    use crate::ids;
    use crate::vault::KeyRing;

    /// An empty store, and its folder, which is the caller's to remove.
    pub(super) async fn store() -> (Store, PathBuf) {
        let folder = std::env::temp_dir().join(format!("connect-store-{}", ids::random(16)));
        std::fs::create_dir_all(&folder).unwrap();
        let url = format!("sqlite://{}", folder.join("test.db").display());
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let ring = KeyRing::from_base64(key, "a test").unwrap();
        (Store::open(&url, ring, Clock::default()).await.unwrap(), folder)
    }

    /// SQLite rolls back by itself when the disk is full, and the driver does not notice.
    #[tokio::test]
    async fn a_full_disk_is_a_503_and_leaves_no_connection_unusable() {
        let (store, folder) = store().await;
        let name = "x".repeat(20_000);
        for _ in 0..32 {
            store.database.limit_pages(1).await;
            let error = store.create_tenant(&name, None).await.unwrap_err();
            let response = ApiError::from(error).into_response();
            assert_eq!(response.status(), 503);
            assert_eq!(response.headers()[RETRY_AFTER], "1");
        }
        store.database.limit_pages(1_000_000).await;
        for _ in 0..32 {
            store.create_tenant(&name, None).await.unwrap();
            store.ready().await.unwrap();
        }
        store.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
