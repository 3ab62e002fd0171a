//! Copying a database into another one, such as a SQLite file into PostgreSQL: every row of every table, each compared
//! afterwards. The rows stay sealed with the same keys.

use std::fmt::Write as _;

use super::database::{Database, Query, Row, Value};
use super::open::at_location;
use super::presence::Presence;
use super::{Result, StoreError, migrations};

/// Rows that are written by one statement.
const PAGE: i64 = 100;

/// The tables, each after those that it refers to, with the columns that tell their rows apart. What is used up of budgets
/// in this minute is not copied.
const TABLES: [(&str, &[&str]); 29] = [
    ("marks", &["name"]),
    ("root_keys", &["id"]),
    ("data_keys", &["tenant_id"]),
    ("tenants", &["id"]),
    ("keys", &["id"]),
    ("connections", &["id"]),
    ("links", &["id"]),
    ("authorizations", &["state_digest"]),
    ("credentials", &["connection_id"]),
    ("unconfirmed", &["link_id"]),
    ("usages", &["connection_id", "usage_id"]),
    ("answers", &["tenant_id", "key_digest"]),
    ("audit", &["id"]),
    ("vendings", &["id"]),
    ("revocations", &["id"]),
    ("events", &["tenant_id", "position"]),
    ("event_positions", &["tenant_id"]),
    ("webhooks", &["id"]),
    ("webhook_deliveries", &["webhook_id", "position", "url"]),
    ("webhook_attempts", &["id"]),
    ("oauth_clients", &["id"]),
    ("app_settings", &["tenant_id", "app_id"]),
    ("admin_links", &["id"]),
    ("import_tokens", &["tenant_id", "digest"]),
    ("members", &["tenant_id", "email"]),
    ("sign_ins", &["id"]),
    ("sessions", &["id"]),
    ("sdk_configs", &["tenant_id"]),
    ("sdk_logos", &["tenant_id"]),
];

/// Copies all rows of the database at `from` into the empty one at `to`, whose tables are made; gives the number of rows of
/// each table. The service must not run on either meanwhile.
///
/// # Errors
///
/// When one of them fails or is of another version, the source is a file that another process uses, the target is not
/// empty, or a row is not the same afterwards. Then the target is to be emptied before another try.
pub async fn copy(from: &str, to: &str) -> Result<Vec<(&'static str, u64)>> {
    let (source, target) = (Database::new(from)?, Database::new(to)?);
    let _presence = match source.file() {
        Some(file) if !file.exists() => return Err(refusal(&source, "there is no such file")),
        Some(file) => {
            let presence =
                Presence::note(file).await.map_err(|error| refusal(&source, &error.to_string()))?;
            if !presence.is_only() {
                return Err(refusal(&source, "another process uses it: stop the service first"));
            }
            Some(presence)
        }
        None => None,
    };
    source.connect().await.map_err(|error| at_location(&source, error))?;
    let applied = source.fetch_all(Query::new(migrations::SELECT)).await?;
    if migrations::missing(&applied)?.next().is_some() {
        return Err(refusal(&source, "its tables are not up to date: run `migrate` first"));
    }
    super::open::make_private(&target)?;
    target.migrate().await.map_err(|error| at_location(&target, error))?;
    for (table, _) in TABLES {
        if count(&target, table).await? > 0 {
            return Err(refusal(&target, "it is not empty"));
        }
    }
    let mut copied = Vec::new();
    for (table, key) in TABLES {
        copied.push((table, copy_table(&source, &target, table, key).await?));
    }
    source.close().await;
    target.close().await;
    Ok(copied)
}

async fn copy_table(source: &Database, target: &Database, table: &str, key: &[&str]) -> Result<u64> {
    let columns = key.join(", ");
    let numbers = |from: usize, count: usize| {
        (from..from + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
    };
    let first = format!("SELECT * FROM {table} ORDER BY {columns} LIMIT $1");
    let next = format!(
        "SELECT * FROM {table} WHERE ({columns}) > ({}) ORDER BY {columns} LIMIT $1",
        numbers(2, key.len())
    );
    let one = format!("SELECT * FROM {table} WHERE ({columns}) = ({})", numbers(1, key.len()));
    let mut copied = 0;
    let mut last: Option<Vec<Value<'static>>> = None;
    loop {
        let query = match last.take() {
            None => Query::new(&first).bind(PAGE),
            Some(last) => Query::new(&next).bind(PAGE).bind_all(last),
        };
        let rows = source.scan(query).await?;
        let Some(row) = rows.last() else {
            break;
        };
        last = Some(key_of(row, key)?);
        insert(target, table, &rows).await?;
        for row in &rows {
            let found = target.fetch_optional(Query::new(&one).bind_all(key_of(row, key)?)).await?;
            if found.as_ref().map(Row::cells).transpose()? != Some(row.cells()?) {
                return Err(refusal(target, &format!("a row of {table} is not the one that was copied")));
            }
        }
        copied += rows.len() as u64;
    }
    let (there, here) = (count(target, table).await?, count(source, table).await?);
    if there != here || there != i64::try_from(copied).unwrap_or(i64::MAX) {
        return Err(refusal(target, &format!("{there} rows of {table} were copied, and there are {here}")));
    }
    Ok(copied)
}

async fn insert(target: &Database, table: &str, rows: &[Row]) -> Result<()> {
    let cells = rows.iter().map(Row::cells).collect::<Result<Vec<_>>>()?;
    let names: Vec<_> = cells[0].keys().map(String::as_str).collect();
    let mut text = format!("INSERT INTO {table} ({}) VALUES ", names.join(", "));
    let mut number = 0;
    for (index, row) in cells.iter().enumerate() {
        text += if index == 0 { "(" } else { ", (" };
        for place in 0..row.len() {
            number += 1;
            let _ = write!(text, "{}${number}", if place == 0 { "" } else { ", " });
        }
        text += ")";
    }
    let values = cells.into_iter().flat_map(|row| row.into_values());
    target.execute(Query::new(&text).bind_all(values)).await?;
    Ok(())
}

fn key_of(row: &Row, key: &[&str]) -> Result<Vec<Value<'static>>> {
    let mut cells = row.cells()?;
    let values = key.iter().map(|column| cells.remove(*column).ok_or(StoreError::Unreadable("a key")));
    values.collect()
}

async fn count(database: &Database, table: &str) -> Result<i64> {
    let text = format!("SELECT COUNT(*) AS total FROM {table}");
    let row = database.scan(Query::new(&text)).await?.into_iter().next();
    row.map_or(Ok(0), |row| row.get("total"))
}

fn refusal(database: &Database, reason: &str) -> StoreError {
    StoreError::Open { place: database.location(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that is not named here would be left behind.
    #[tokio::test]
    async fn every_table_is_copied_but_two() {
        let (store, folder) = super::super::tests::store().await;
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
        let found = store.database.fetch_all(Query::new(tables)).await.unwrap();
        let found: Vec<&str> = found.iter().map(|row| row.get("name").unwrap()).collect();
        let mut known: Vec<_> =
            TABLES.iter().map(|(table, _)| *table).chain(["budgets", "migrations"]).collect();
        known.sort_unstable();
        assert_eq!(found, known);
        store.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
