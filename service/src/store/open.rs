//! Opening the database: its settings, its tables, and whether the encryption key is the right one.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyConnection, Connection, Executor, Row};
use tokio::time::timeout;

use super::database::{self, CONNECT_TIMEOUT, Database};
use super::presence::Presence;
use super::{Result, Store, StoreError};
use crate::clock::Clock;
use crate::ids;
use crate::notify::Changes;
use crate::vault::{self, Vault};

/// Sealed into every database, to tell at the start that the key is the one it was made with.
const MARK: &str = "connect-service";

const MARK_PLACE: vault::Place<'static> = vault::Place {
    tenant: "",
    connection: "",
    field: MARK,
};

/// Maximum time to bring the tables up to date, or to wait until another process has.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(10 * 60);

impl Store {
    /// Opens the database at `url` (`sqlite:` or `postgres:`), makes it if it is a file that does not exist, and brings
    /// its tables up to date.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, is a file that others can read, or was made with another encryption key.
    pub async fn open(url: &str, vault: Vault, clock: Clock) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let (location, database) = (Location::of(url)?, Database::new(url)?);
        let file = if database::is_sqlite(url) {
            sqlite_file(url)?
        } else {
            None
        };
        let presence = match &file {
            Some(file) => {
                make_private_file(file, &location)?;
                let presence = Presence::note(file).await;
                Some(Arc::new(presence.map_err(|error| location.cannot_open(error))?))
            }
            None => None,
        };
        migrate(url, &location).await?;
        let store = Self {
            database,
            process: ids::random(16),
            vault,
            clock,
            changes: Arc::new(Changes::default()),
            _presence: presence.clone(),
        };
        store.check_key().await?;
        store.adopt_spelling().await?;
        if let Some(presence) = presence.filter(|presence| presence.is_only()) {
            store.end_leases().await?;
            let let_in = presence.let_others_in().await;
            let_in.map_err(|error| location.cannot_open(error))?;
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
        let is_table = if database::is_sqlite(url) {
            if sqlite_file(url)?.is_none_or(|file| !file.exists()) {
                return Ok(false);
            }
            "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'marks'"
        } else {
            "SELECT COUNT(*) FROM information_schema.tables
             WHERE table_schema = current_schema() AND table_name = 'marks'"
        };
        let mut connection = connect(url, &Location::of(url)?).await?;
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
        let query = sqlx::query(
            "UPDATE credentials SET lease_owner = NULL, lease_until = NULL WHERE lease_owner IS NOT NULL",
        );
        self.database.execute(query).await?;
        Ok(())
    }

    /// Ends all connections to the database.
    pub async fn close(&self) {
        self.database.close().await;
    }

    async fn check_key(&self) -> Result<()> {
        let mark = self.vault.seal(MARK_PLACE, MARK)?;
        let insert =
            "INSERT INTO marks (name, value) VALUES ('encryption_key', $1) ON CONFLICT (name) DO NOTHING";
        let query = sqlx::query(insert).bind(mark);
        self.database.execute(query).await?;
        let select = "SELECT value FROM marks WHERE name = 'encryption_key'";
        let query = sqlx::query(select);
        let row = self.database.fetch_optional(query).await?;
        let row = row.ok_or(StoreError::WrongKey)?;
        match self.vault.open(MARK_PLACE, row.try_get(0)?) {
            Ok(text) if text.expose_secret() == MARK => Ok(()),
            _ => Err(StoreError::WrongKey),
        }
    }
}

async fn connect(url: &str, location: &Location) -> Result<AnyConnection> {
    let connected = timeout(CONNECT_TIMEOUT, AnyConnection::connect(url)).await;
    let connected = connected.map_err(|_| location.cannot_open("no response in time"))?;
    connected.map_err(|error| location.cannot_open(error))
}

/// Brings the tables up to date, on a connection of its own without the usual time limits. Of several processes that
/// start at once, one makes the tables and the others find them made. For that PostgreSQL has a lock that the migrator
/// takes; SQLite's only lock is a transaction.
async fn migrate(url: &str, location: &Location) -> Result<()> {
    let mut connection = connect(url, location).await?;
    // `Migrator::run` does the same, with a lifetime that a task cannot have.
    let migrator = sqlx::migrate!();
    let migrated = async {
        if database::is_sqlite(url) {
            connection
                .execute("PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;")
                .await?;
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            migrator.run_direct(&mut *transaction).await?;
            transaction.commit().await?;
        } else {
            migrator.run_direct(&mut connection).await?;
        }
        Ok::<(), StoreError>(())
    };
    let migrated = timeout(MIGRATION_TIMEOUT, migrated).await;
    migrated.map_err(|_| location.cannot_open("the migration takes too long"))??;
    let _ = timeout(CONNECT_TIMEOUT, connection.close()).await;
    Ok(())
}

/// Where the database is, for messages.
struct Location(String);

impl Location {
    fn of(url: &str) -> Result<Self> {
        let wrong = |error: sqlx::Error| StoreError::Open {
            place: "of database_url".to_owned(),
            reason: error.to_string(),
        };
        Ok(Self(if database::is_sqlite(url) {
            let options = SqliteConnectOptions::from_str(url).map_err(wrong)?;
            options.get_filename().display().to_string()
        } else {
            let options = PgConnectOptions::from_str(url).map_err(wrong)?;
            let name = options.get_database().unwrap_or_default();
            match options.get_socket() {
                Some(socket) => format!("{name} at {}", socket.display()),
                None => format!("{name} at {}:{}", options.get_host(), options.get_port()),
            }
        }))
    }

    fn cannot_open(&self, reason: impl ToString) -> StoreError {
        StoreError::Open {
            place: self.0.clone(),
            reason: reason.to_string(),
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
fn make_private_file(path: &Path, location: &Location) -> Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(location.cannot_open(error)),
        Err(_) => {}
    }
    let metadata = std::fs::metadata(path).map_err(|error| location.cannot_open(error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(StoreError::ExposedDatabase(path.to_owned()));
    }
    Ok(())
}
