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
    migration(30, include_str!("../../migrations/0030_import_tokens.sql")),
    migration(33, include_str!("../../migrations/0033_key_ring.sql")),
    migration(34, include_str!("../../migrations/0034_budgets.sql")),
    migration(36, include_str!("../../migrations/0036_accounts.sql")),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps with a statement that the version before does not get along with, and why that is all right.
    const EXCEPTIONS: [(i64, &str); 4] = [
        // Nothing was released yet when these came.
        (2, "UPDATE keys"),
        (2, "CREATE UNIQUE INDEX keys_by_mcp"),
        (15, "UPDATE connections"),
        (23, "UPDATE links"),
    ];

    /// The statements of a step, each on one line, without comments.
    fn statements(text: &str) -> Vec<String> {
        let lines = text.lines().map(|line| line.split("--").next().unwrap_or_default());
        let text = lines.collect::<Vec<_>>().join(" ");
        let words = |statement: &str| statement.split_whitespace().collect::<Vec<_>>().join(" ");
        text.split(';').map(words).filter(|statement| !statement.is_empty()).collect()
    }

    /// Whether processes of the version before can go on, that read and write the tables as they knew them: nothing
    /// that they name may go, and no row that they write may be refused.
    fn is_additive(statement: &str, new_tables: &[String]) -> bool {
        let upper = statement.to_uppercase();
        let table = |after: &str| {
            let (_, rest) = statement.split_once(after)?;
            rest.split(|char: char| !char.is_alphanumeric() && char != '_').next()
        };
        let is_new =
            |table: Option<&str>| table.is_some_and(|table| new_tables.iter().any(|new| new == table));
        if upper.starts_with("CREATE TABLE ") || upper.starts_with("CREATE INDEX ") {
            return true;
        }
        if upper.starts_with("CREATE UNIQUE INDEX ") {
            return is_new(table(" ON "));
        }
        if upper.starts_with("ALTER TABLE ") {
            let may_be_left_out = !upper.contains(" NOT NULL") || upper.contains(" DEFAULT ");
            let is_bound =
                [" UNIQUE", " REFERENCES ", " CHECK", " PRIMARY KEY"].iter().any(|word| upper.contains(word));
            return is_new(table("ALTER TABLE "))
                || (upper.contains(" ADD COLUMN ") && may_be_left_out && !is_bound);
        }
        // Rows of tables that the version before does not know.
        upper.starts_with("INSERT INTO ") && is_new(table("INSERT INTO "))
    }

    fn violations(step: &Migration) -> Vec<String> {
        let statements = statements(step.text);
        let new_tables: Vec<_> = statements
            .iter()
            .filter_map(|statement| statement.strip_prefix("CREATE TABLE "))
            .filter_map(|rest| Some(rest.split([' ', '(']).next()?.to_owned()))
            .collect();
        statements.into_iter().filter(|statement| !is_additive(statement, &new_tables)).collect()
    }

    /// Versions run side by side in a rolling upgrade: first a step adds, and only a later release takes away what no
    /// version that may still run uses.
    #[test]
    fn the_version_before_can_use_the_tables_of_each_step() {
        let found = ALL.iter().flat_map(|step| violations(step).into_iter().map(|text| (step.version, text)));
        let found: Vec<_> = found.collect();
        let is_exception = |(version, text): &(i64, String)| {
            EXCEPTIONS.iter().any(|(of, begins)| of == version && text.starts_with(begins))
        };
        let unexpected: Vec<_> = found.iter().filter(|violation| !is_exception(violation)).collect();
        assert!(unexpected.is_empty(), "not additive: {unexpected:#?}");
        let unused = EXCEPTIONS.iter().filter(|(version, begins)| {
            !found.iter().any(|(of, text)| of == version && text.starts_with(begins))
        });
        assert_eq!(unused.count(), 0, "an exception without a statement");
    }

    #[test]
    fn what_takes_away_or_refuses_is_not_additive() {
        let violations = |text| violations(&Migration { version: 0, text }).len();
        for text in [
            "DROP TABLE tenants;",
            "ALTER TABLE tenants DROP COLUMN name",
            "ALTER TABLE tenants RENAME COLUMN name TO title",
            "ALTER TABLE tenants ADD COLUMN email TEXT NOT NULL",
            "ALTER TABLE tenants ADD COLUMN email TEXT UNIQUE",
            "CREATE UNIQUE INDEX tenants_by_name ON tenants (name)",
            "UPDATE tenants SET name = ''",
            "DELETE FROM tenants",
            "INSERT INTO tenants (id) VALUES ('one')",
        ] {
            assert_eq!(violations(text), 1, "{text}");
        }
        let text = "-- DROP TABLE tenants;
            CREATE TABLE teams (id TEXT PRIMARY KEY, name TEXT NOT NULL);
            CREATE UNIQUE INDEX teams_by_name ON teams (name);
            INSERT INTO teams (id, name) VALUES ('one', 'One');
            CREATE INDEX tenants_by_name ON tenants (name);
            ALTER TABLE tenants ADD COLUMN team TEXT;
            ALTER TABLE tenants ADD COLUMN size BIGINT NOT NULL DEFAULT 0;";
        assert_eq!(violations(text), 0);
    }
}
