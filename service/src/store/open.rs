//! Opening the database: its settings, its tables, and whether the root keys are the right ones.

use std::fs::{Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use super::database::{Database, Query};
use super::presence::Presence;
use super::{EventPayload, Mode, Result, Store, StoreError, root_keys};
use crate::clock::Clock;
use crate::ids;
use crate::notify::{Changes, Feeds};
use crate::vault::KeyRing;

impl Store {
    /// Opens the live database at `url` (`sqlite:` or `postgres:`), makes it if it is a file that does not exist, and
    /// brings its tables up to date.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, is a file that others can read, or was made with other root keys or in test mode.
    pub async fn open(url: &str, ring: KeyRing, clock: Clock) -> Result<Self> {
        Self::open_in(Mode::Live, url, ring, clock).await
    }

    /// Opens a database like [`open`](Self::open), in either mode.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub async fn open_in(mode: Mode, url: &str, ring: KeyRing, clock: Clock) -> Result<Self> {
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
        let vault = root_keys::open_vault(&database, ring, &clock).await?;
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

    /// Whether the database at `url` is there and was made with a root key, which it needs from then on.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    pub async fn has_root_key(url: &str) -> Result<bool> {
        // The mode is noted after the root key; a database that is older than modes has the mark of its only key.
        for name in ["data_keys", "encryption_key"] {
            if Self::read_mark(url, name).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
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
