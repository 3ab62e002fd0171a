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
use super::{Mode, Result, Store, StoreError};
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
    /// Opens the live database at `url` (`sqlite:` or `postgres:`), makes it if it is a file that does not exist, and
    /// brings its tables up to date.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, is a file that others can read, or was made with another encryption key or in test mode.
    pub async fn open(url: &str, vault: Vault, clock: Clock) -> Result<Self> {
        Self::open_in(Mode::Live, url, vault, clock).await
    }

    /// Opens a database like [`open`](Self::open), in either mode.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub async fn open_in(mode: Mode, url: &str, vault: Vault, clock: Clock) -> Result<Self> {
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
        Self::refuse_other_mode(url, &location.0, mode).await?;
        migrate(url, &location).await?;
        let store = Self {
            database,
            process: ids::random(16),
            vault,
            clock,
            mode,
            changes: Arc::new(Changes::default()),
            _presence: presence.clone(),
        };
        store.check_key().await?;
        store.mark_mode().await?;
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
        Ok(Self::read_mark(url, "encryption_key").await?.is_some())
    }

    /// A mark of the database at `url`; none where the database is not there or has no such mark.
    pub(super) async fn read_mark(url: &str, name: &str) -> Result<Option<String>> {
        sqlx::any::install_default_drivers();
        let is_table = if database::is_sqlite(url) {
            if sqlite_file(url)?.is_none_or(|file| !file.exists()) {
                return Ok(None);
            }
            "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'marks'"
        } else {
            "SELECT COUNT(*) FROM information_schema.tables
             WHERE table_schema = current_schema() AND table_name = 'marks'"
        };
        let mut connection = connect(url, &Location::of(url)?).await?;
        let is_table: i64 = sqlx::query_scalar(is_table).fetch_one(&mut connection).await?;
        let mark = if is_table > 0 {
            let query = sqlx::query_scalar("SELECT value FROM marks WHERE name = $1").bind(name);
            query.fetch_optional(&mut connection).await?
        } else {
            None
        };
        connection.close().await?;
        Ok(mark)
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
