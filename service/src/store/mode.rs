//! Live mode and test mode. A database belongs to one of them for good, and its keys show which: what `connect-service
//! dev` makes is never served, and what is served never meets the provider of `dev`.

use super::database::{Database, Query, Transaction};
use super::{Result, Store, StoreError};
use crate::ids;

/// The mark that names a database's mode.
const MARK: &str = "mode";

/// What a database and its keys are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Customers and providers are real: `connect-service serve`.
    Live,
    /// They are played: `connect-service dev`.
    Test,
}

impl Mode {
    /// How the tenant keys of this mode begin.
    pub fn key_prefix(self) -> &'static str {
        match self {
            Self::Live => "pk_live_",
            Self::Test => "pk_test_",
        }
    }

    /// Whether this is a key of the other mode, by its beginning.
    pub fn is_foreign(self, key: &str) -> bool {
        let other = match self {
            Self::Live => Self::Test,
            Self::Test => Self::Live,
        };
        key.starts_with(other.key_prefix())
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

impl Store {
    /// Which mode the database is in.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// A new tenant key.
    pub(super) fn new_key(&self) -> String {
        ids::tenant_key(self.mode.key_prefix())
    }

    /// Refuses a database of the other mode, before anything in it is changed.
    pub(super) async fn refuse_other_mode(url: &str, mode: Mode) -> Result<()> {
        let found = match Self::read_mark(url, MARK).await?.as_deref() {
            Some("live") => Some(Mode::Live),
            Some("test") => Some(Mode::Test),
            Some(_) => return Err(StoreError::Unreadable(MARK)),
            // Older than test mode, or new.
            None => Self::has_root_key(url).await?.then_some(Mode::Live),
        };
        match found {
            Some(found) if found != mode => Err(StoreError::OtherMode {
                place: Database::new(url)?.location(),
                made_by: match found {
                    Mode::Live => "connect-service serve",
                    Mode::Test => "connect-service dev",
                },
            }),
            _ => Ok(()),
        }
    }

    /// Makes what counts over all tenants wait for each other, to the end of the transaction. Every database has this
    /// row.
    pub(super) async fn lock_all(&self, transaction: &mut Transaction) -> Result<()> {
        let query = Query::new("UPDATE marks SET value = value WHERE name = $1").bind(MARK);
        transaction.execute(query).await?;
        Ok(())
    }

    /// Notes the mode in a new database.
    pub(super) async fn mark_mode(&self) -> Result<()> {
        let query =
            Query::new("INSERT INTO marks (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
                .bind(MARK)
                .bind(self.mode.as_str());
        self.database.execute(query).await?;
        Ok(())
    }
}
