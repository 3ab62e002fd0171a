//! The tables, and bringing those of an earlier version up to date. Each step is a file in `migrations/`, applied once, in
//! order, all that are missing in one transaction.

use std::time::Duration;

use super::database::Row;
use super::{Result, StoreError};

/// Maximum time to bring the tables up to date, or to wait until another process has.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// One step.
#[derive(Debug)]
pub(super) struct Migration {
    pub(super) version: i64,
    pub(super) text: &'static str,
}

const ALL: &[Migration] = &[
    migration(1, include_str!("../../migrations/0001_start.sql")),
    migration(2, include_str!("../../migrations/0002_rotation_and_mcp.sql")),
    migration(3, include_str!("../../migrations/0003_journeys.sql")),
    migration(11, include_str!("../../migrations/0011_results.sql")),
    migration(12, include_str!("../../migrations/0012_confirmation.sql")),
    migration(13, include_str!("../../migrations/0013_vendings.sql")),
    migration(14, include_str!("../../migrations/0014_details.sql")),
    migration(15, include_str!("../../migrations/0015_labels.sql")),
    migration(18, include_str!("../../migrations/0018_custom_ui.sql")),
    migration(19, include_str!("../../migrations/0019_refresh_history.sql")),
    migration(20, include_str!("../../migrations/0020_revocation.sql")),
    migration(21, include_str!("../../migrations/0021_import.sql")),
    migration(22, include_str!("../../migrations/0022_reasons.sql")),
    migration(23, include_str!("../../migrations/0023_events.sql")),
    migration(24, include_str!("../../migrations/0024_webhooks.sql")),
    migration(25, include_str!("../../migrations/0025_oauth_clients.sql")),
    migration(26, include_str!("../../migrations/0026_organizations.sql")),
    migration(27, include_str!("../../migrations/0027_proxy.sql")),
    migration(28, include_str!("../../migrations/0028_tenants.sql")),
    migration(29, include_str!("../../migrations/0029_budgets.sql")),
    migration(40, include_str!("../../migrations/0040_sdk_configs.sql")),
];

/// Which steps were applied.
pub(super) const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY)";
pub(super) const SELECT: &str = "SELECT version FROM migrations ORDER BY version";
pub(super) const INSERT: &str = "INSERT INTO migrations (version) VALUES ($1)";

/// Where earlier versions of the service noted the same.
pub(super) const FORMER_TABLE: &str = "_sqlx_migrations";
pub(super) const ADOPT_FORMER: &str =
    "INSERT INTO migrations (version) SELECT version FROM _sqlx_migrations WHERE true ON CONFLICT DO NOTHING";

const fn migration(version: i64, text: &'static str) -> Migration {
    Migration { version, text }
}

/// The steps that were not applied yet.
///
/// # Errors
///
/// When a step was applied that this version does not have.
pub(super) fn missing(applied: &[Row]) -> Result<impl Iterator<Item = &'static Migration>> {
    let applied = applied.iter().map(|row| row.get("version"));
    let applied: Vec<i64> = applied.collect::<Result<_>>()?;
    let is_known = |version: &i64| ALL.iter().any(|known| known.version == *version);
    if let Some(unknown) = applied.iter().find(|version| !is_known(version)) {
        return Err(StoreError::Migration(format!(
            "step {unknown} was applied by a newer version of the service"
        )));
    }
    Ok(ALL.iter().filter(move |step| !applied.contains(&step.version)))
}
