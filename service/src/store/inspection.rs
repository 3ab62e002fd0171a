//! What is known of a database before it is opened: whether it is there, and what opening it would change. Nothing is
//! changed here.

use secrecy::ExposeSecret;

use super::database::{Database, Query};
use super::open::{self, MARK, MARK_PLACE, SELECT_MARK};
use super::{Result, StoreError, migrations};
use crate::clock::{Clock, Millis};
use crate::vault::Vault;

/// A database as it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Where it is: the file, or the server and the name of the database. Never a password.
    pub location: String,
    /// Whether it has tables; otherwise it is made at the first start.
    pub is_there: bool,
    /// The steps by which the next start brings the tables up to date.
    pub pending: Vec<i64>,
    /// Whether the key opens it, where both are there.
    pub key_fits: Option<bool>,
    /// By how many milliseconds the server's clock is ahead of this machine's. Nothing for a file.
    pub clock_ahead: Option<Millis>,
}

/// Looks at the database at `url`.
///
/// # Errors
///
/// When it is there and cannot be used: it does not respond, cannot be written to, is a file that others can read, or was
/// used by a newer version.
pub async fn inspect(url: &str, vault: Option<&Vault>, clock: &Clock) -> Result<Inspection> {
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
    let looked = look(&database, vault, clock, inspection).await;
    database.close().await;
    looked
}

async fn look(
    database: &Database,
    vault: Option<&Vault>,
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
    if let (Some(vault), true) = (vault, inspection.is_there)
        && let Some(row) = database.fetch_optional(Query::new(SELECT_MARK)).await?
    {
        let opened = vault.open(MARK_PLACE, row.get("value")?);
        inspection.key_fits = Some(opened.is_ok_and(|text| text.expose_secret() == MARK));
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
