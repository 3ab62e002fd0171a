//! Opening the database: its settings, its tables, and whether the encryption key is the right one.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::Executor;
use sqlx::any::AnyPoolOptions;

use super::{Result, Store, StoreError};
use crate::clock::Clock;
use crate::notify::Changes;
use crate::vault::{Place, Vault};

/// Sealed into every database, to tell at the start that the key is the one it was made with.
const MARK: &str = "connect-service";

const MARK_PLACE: Place<'static> = Place {
    tenant: "",
    connection: "",
    field: MARK,
};

/// A commit is on the disk before it is acknowledged, and readers do not wait for a writer.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA busy_timeout = 10000;
    PRAGMA foreign_keys = ON;";

impl Store {
    /// Opens the database at `url` (`sqlite:` or `postgres:`), makes it if it is a file that does not exist, and brings
    /// its tables up to date.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or was made with another encryption key.
    pub async fn open(url: &str, vault: Vault, clock: Clock) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        let pool = AnyPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    if connection.backend_name() == "SQLite" {
                        connection.execute(SQLITE_SETTINGS).await?;
                    }
                    Ok(())
                })
            })
            .connect(&if sqlite {
                created_if_missing(url)
            } else {
                url.to_owned()
            })
            .await?;
        let mut migrator = sqlx::migrate!();
        // SQLite has no locks across connections to take; its transactions serve.
        migrator.set_locking(!sqlite);
        migrator.run(&pool).await?;
        // A SQLite transaction that reads before it writes fails when another one wrote in between; so it says at once
        // that it will write.
        let begin = if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
        let store = Self {
            pool,
            begin,
            vault,
            clock,
            changes: Arc::new(Changes::default()),
        };
        store.check_key().await?;
        Ok(store)
    }

    /// Ends all connections to the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn check_key(&self) -> Result<()> {
        let mark = self.vault.seal(MARK_PLACE, MARK)?;
        sqlx::query(
            "INSERT INTO marks (name, value) VALUES ('encryption_key', $1) ON CONFLICT (name) DO NOTHING",
        )
        .bind(mark)
        .execute(&self.pool)
        .await?;
        let mark: String = sqlx::query_scalar("SELECT value FROM marks WHERE name = 'encryption_key'")
            .fetch_one(&self.pool)
            .await?;
        match self.vault.open(MARK_PLACE, &mark) {
            Ok(text) if text.expose_secret() == MARK => Ok(()),
            _ => Err(StoreError::WrongKey),
        }
    }
}

/// SQLite opens only files that exist, unless told.
fn created_if_missing(url: &str) -> String {
    match url.contains("mode=") {
        true => url.to_owned(),
        false => format!("{url}{}mode=rwc", if url.contains('?') { '&' } else { '?' }),
    }
}
