//! Opening the database: its settings, its tables, and whether the encryption key is the right one.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::any::AnyPoolOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyConnection, Connection, Executor};

use super::presence::Presence;
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
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 10000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;";

impl Store {
    /// Opens the database at `url` (`sqlite:` or `postgres:`), makes it if it is a file that does not exist, and brings
    /// its tables up to date.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, is a file that others can read, or was made with another encryption key.
    pub async fn open(url: &str, vault: Vault, clock: Clock) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        let file = if sqlite { sqlite_file(url)? } else { None };
        let presence = match &file {
            Some(file) => {
                make_private_file(file)?;
                let presence = Presence::note(file).await.map_err(sqlx::Error::Io)?;
                Some(Arc::new(presence))
            }
            None => None,
        };
        let pool = AnyPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(10))
            // A server may have closed a connection that lay idle; a file does not, and asking costs as much as a query.
            .test_before_acquire(!sqlite)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    if connection.backend_name() == "SQLite" {
                        connection.execute(SQLITE_SETTINGS).await?;
                    }
                    Ok(())
                })
            })
            .connect(url)
            .await?;
        // A SQLite transaction that reads before it writes fails when another one wrote in between; so it says at once
        // that it will write.
        let begin = if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
        let store = Self {
            pool,
            begin,
            vault,
            clock,
            changes: Arc::new(Changes::default()),
            _presence: presence.clone(),
        };
        store.migrate(sqlite).await?;
        store.check_key().await?;
        store.adopt_spelling().await?;
        if let Some(presence) = presence.filter(|presence| presence.is_only()) {
            store.end_leases().await?;
            presence.let_others_in().await.map_err(sqlx::Error::Io)?;
        }
        Ok(store)
    }

    /// Whether the database at `url` is there and was made with an encryption key, which it needs from then on.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    pub async fn has_encryption_key(url: &str) -> Result<bool> {
        sqlx::any::install_default_drivers();
        let is_table = if url.starts_with("sqlite:") {
            if sqlite_file(url)?.is_none_or(|file| !file.exists()) {
                return Ok(false);
            }
            "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'marks'"
        } else {
            "SELECT COUNT(*) FROM information_schema.tables
             WHERE table_schema = current_schema() AND table_name = 'marks'"
        };
        let mut connection = AnyConnection::connect(url).await?;
        let count = async |connection: &mut AnyConnection, query| -> Result<i64> {
            Ok(sqlx::query_scalar(query).fetch_one(connection).await?)
        };
        let has_key = count(&mut connection, is_table).await? > 0
            && count(
                &mut connection,
                "SELECT COUNT(*) FROM marks WHERE name = 'encryption_key'",
            )
            .await?
                > 0;
        connection.close().await?;
        Ok(has_key)
    }

    /// Ends the leases of processes that are no more, so that nobody waits for them.
    async fn end_leases(&self) -> Result<()> {
        sqlx::query(
            "UPDATE credentials SET lease_owner = NULL, lease_until = NULL WHERE lease_owner IS NOT NULL",
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Of several processes that start at once, one makes the tables and the others find them made. For that PostgreSQL
    /// has a lock that the migrator takes; SQLite's only lock is a transaction.
    async fn migrate(&self, sqlite: bool) -> Result<()> {
        // `Migrator::run` does the same, with a lifetime that a task cannot have.
        let migrator = sqlx::migrate!();
        if sqlite {
            let mut transaction = self.begin().await?;
            migrator.run_direct(&mut *transaction).await?;
            transaction.commit().await?;
        } else {
            migrator.run_direct(&mut *self.pool.acquire().await?).await?;
        }
        Ok(())
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

/// The file of a SQLite database; none where it is in memory.
fn sqlite_file(url: &str) -> Result<Option<PathBuf>> {
    let path = SqliteConnectOptions::from_str(url)?.get_filename().to_owned();
    Ok((!url.contains(":memory:") && !url.contains("mode=memory")).then_some(path))
}

/// SQLite would make a file that everybody can read; its other files take its permissions on. One that is there and that
/// others can read is refused, like a key file.
fn make_private_file(path: &PathBuf) -> Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(sqlx::Error::Io(error).into()),
        Err(_) => {}
    }
    let mode = std::fs::metadata(path)
        .map_err(sqlx::Error::Io)?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(StoreError::ExposedDatabase(path.clone()));
    }
    Ok(())
}
