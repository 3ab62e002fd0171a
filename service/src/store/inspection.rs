//! What is known of a database before it is opened: whether it is there, and what opening it would change. Nothing is
//! changed here.

use super::database::{Database, Query};
use super::{Result, StoreError, migrations, open, root_keys};
use crate::clock::{Clock, Millis};
use crate::vault::KeyRing;

/// A database as it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Where it is: the file, or the server and the name of the database. Never a password.
    pub location: String,
    /// Whether it has tables; otherwise it is made at the first start.
    pub is_there: bool,
    /// The steps by which the next start brings the tables up to date.
    pub pending: Vec<i64>,
    /// Which root key is missing or wrong, and what to do about it.
    pub key_problem: Option<String>,
    /// Whether values wait to be sealed with data keys, see [`Store::rotate_root_key`](super::Store::rotate_root_key).
    pub has_direct_values: bool,
    /// By how many milliseconds the server's clock is ahead of this machine's. Nothing for a file.
    pub clock_ahead: Option<Millis>,
}

/// Looks at the database at `url`.
///
/// # Errors
///
/// When it is there and cannot be used: it does not respond, cannot be written to, is a file that others can read, or was
/// used by a newer version.
pub async fn inspect(url: &str, ring: Option<&KeyRing>, clock: &Clock) -> Result<Inspection> {
    let database = Database::new(url)?;
    let inspection = Inspection {
        location: database.location(),
        pending: migrations::missing(&[])?.map(|step| step.version).collect(),
        ..Inspection::default()
    };
    if let Some(file) = database.file() {
        if !file.exists() {
            return Ok(inspection);
        }
        open::refuse_exposed_file(file)?;
    }
    database.connect().await.map_err(|error| open::at_location(&database, error))?;
    let looked = look(&database, ring, clock, inspection).await;
    database.close().await;
    looked
}

async fn look(
    database: &Database,
    ring: Option<&KeyRing>,
    clock: &Clock,
    mut inspection: Inspection,
) -> Result<Inspection> {
    // What is locked, full or a standby cannot be written to.
    database.begin().await?.rollback().await?;
    inspection.clock_ahead = database.clock_ahead(clock).await?;
    inspection.is_there = database.has_table("marks").await?;
    // The steps that a much earlier version noted elsewhere are told at the start.
    if database.has_table("migrations").await? {
        let applied = database.fetch_all(Query::new(migrations::SELECT)).await?;
        inspection.pending = migrations::missing(&applied)?.map(|step| step.version).collect();
    }
    if let Some(ring) = ring {
        match root_keys::open_keys(database, ring).await {
            Ok(keys) => inspection.has_direct_values = keys.is_some_and(|keys| keys.has_direct_values()),
            Err(error @ (StoreError::WrongKey(_) | StoreError::Vault(_))) => {
                inspection.key_problem = Some(error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(inspection)
}

impl Database {
    /// By how many milliseconds the server's clock is ahead of this machine's.
    async fn clock_ahead(&self, clock: &Clock) -> Result<Option<Millis>> {
        if self.file().is_some() {
            return Ok(None);
        }
        let query = Query::new("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now");
        let before = clock.now();
        let row = self.fetch_optional(query).await?.ok_or(StoreError::Unreadable("now"))?;
        // It was read somewhere between the two.
        let middle = before + (clock.now() - before) / 2;
        Ok(Some(row.get::<i64>("now")? - middle))
    }
}
