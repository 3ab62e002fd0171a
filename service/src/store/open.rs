//! Opening the database: its settings, its tables, and whether the encryption key is the right one.

use std::fs::{Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::database::{Database, Query};
use super::presence::Presence;
use super::{EventPayload, Mode, Result, Store, StoreError};
use crate::clock::Clock;
use crate::ids;
use crate::notify::{Changes, Feeds};
use crate::vault::{self, Vault};

/// Sealed into every database, to tell at the start that the key is the one it was made with.
pub(super) const MARK: &str = "connect-service";

pub(super) const MARK_PLACE: vault::Place<'static> = vault::Place { tenant: "", connection: "", field: MARK };

pub(super) const SELECT_MARK: &str = "SELECT value FROM marks WHERE name = 'encryption_key'";

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
        let database = Database::new(url)?;
        let cannot_open = |reason| cannot_open(&database, reason);
        let presence = match database.file() {
            Some(file) => {
                make_private(&database)?;
                refuse_exposed_file(file)?;
                let presence = Presence::note(file).await;
                Some(Arc::new(presence.map_err(|error| cannot_open(error.to_string()))?))
            }
            None => None,
        };
        Self::refuse_other_mode(url, mode).await?;
        database.migrate().await.map_err(|error| at_location(&database, error))?;
        let store = Self {
            database: database.clone(),
            process: ids::random(16),
            vault,
            clock,
            mode,
            changes: Arc::new(Changes::default()),
            feeds: Arc::new(Feeds::default()),
            delivery_wake: Arc::default(),
            event_payload: EventPayload::default(),
            vendings: Arc::default(),
            _presence: presence.clone(),
        };
        store.check_key().await?;
        store.mark_mode().await?;
        store.adopt_spelling().await?;
        if let Some(presence) = presence.filter(|presence| presence.is_only()) {
            store.end_leases().await?;
            store.end_turns().await?;
            let let_in = presence.let_others_in().await;
            let_in.map_err(|error| cannot_open(error.to_string()))?;
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
        let database = Database::new(url)?;
        if database.file().is_some_and(|file| !file.exists()) {
            return Ok(None);
        }
        database.connect().await.map_err(|error| at_location(&database, error))?;
        let query = Query::new("SELECT value FROM marks WHERE name = $1").bind(name);
        let mark =
            if database.has_table("marks").await? { database.fetch_optional(query).await? } else { None };
        database.close().await;
        mark.map(|row| row.get("value")).transpose()
    }

    /// Ends the leases of processes that are no more, so that nobody waits for them.
    async fn end_leases(&self) -> Result<()> {
        let query = Query::new(
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
        let query = Query::new(insert).bind(mark);
        self.database.execute(query).await?;
        let row = self.database.fetch_optional(Query::new(SELECT_MARK)).await?;
        let row = row.ok_or(StoreError::WrongKey)?;
        match self.vault.open(MARK_PLACE, row.get("value")?) {
            Ok(text) if text.expose_secret() == MARK => Ok(()),
            _ => Err(StoreError::WrongKey),
        }
    }
}

fn cannot_open(database: &Database, reason: String) -> StoreError {
    StoreError::Open { place: database.location(), reason }
}

/// Names the database in an error that says only what went wrong.
pub(super) fn at_location(database: &Database, error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(reason) | StoreError::Database { reason, .. } => {
            cannot_open(database, reason)
        }
        error => error,
    }
}

/// Makes a SQLite file that does not exist, for its owner alone. There is nothing to do for PostgreSQL.
pub(super) fn make_private(database: &Database) -> Result<()> {
    let made = database.file().map_or(Ok(()), make_private_file);
    made.map_err(|error| cannot_open(database, error.to_string()))
}

/// SQLite would make a file that everybody can read; its other files take its permissions on.
fn make_private_file(path: &Path) -> std::io::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A file that others can read is refused, like a key file.
pub(super) fn refuse_exposed_file(path: &Path) -> Result<()> {
    let is_exposed = |metadata: Metadata| metadata.permissions().mode() & 0o077 != 0;
    if std::fs::metadata(path).is_ok_and(is_exposed) {
        return Err(StoreError::ExposedDatabase(path.to_owned()));
    }
    Ok(())
}
