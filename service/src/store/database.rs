//! The connections to the database, and what holds for every use of them. No other file of the store calls a driver.
//!
//! - Each use has a time limit, so that a database that goes silent stops nobody for long.
//! - A connection that wrote is kept only after success: a commit, or a rollback. Any other end closes it, including a
//!   caller that is dropped in the middle, so that no kept connection is ever inside a transaction.
//! - Reads that look at few rows wait for no write. With SQLite they run in the calling thread (`database/sqlite.rs`),
//!   with PostgreSQL they share connections on which many are under way at once (`database/postgres.rs`).
//!
//! Statements are one text for both: parameters are `$1`, `$2`, …, and every column is TEXT or BIGINT.

mod postgres;
mod sqlite;
mod tls;
mod value;

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::Instant;

pub(super) use self::value::{Row, Value};
use super::{Result, StoreError};
use crate::traces::{self, OpenSpan};
use postgres::Postgres;
use sqlite::Sqlite;

/// Maximum time until a connection is there and its transaction has begun. An unavailable database is reported within
/// a second.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(900);
/// Maximum time to connect. A caller does not wait for so long, but a later one finds the connection made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum duration of one use: a read, or a transaction from its beginning to its commit.
const USE_TIMEOUT: Duration = Duration::from_secs(5);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A statement with its values.
#[derive(Debug)]
pub(super) struct Query<'q> {
    text: &'q str,
    values: Vec<Value<'q>>,
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// A transaction that writes. One that is dropped before its commit is rolled back, and its connection closed.
#[derive(Debug)]
pub(super) enum Transaction {
    Sqlite(sqlite::Transaction),
    Postgres(Box<postgres::Transaction>),
}

impl<'q> Query<'q> {
    pub(super) fn new(text: &'q str) -> Self {
        Self { text, values: Vec::new() }
    }

    /// The value of the next parameter.
    pub(super) fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The values of the next parameters.
    pub(super) fn bind_all(mut self, values: impl IntoIterator<Item = Value<'q>>) -> Self {
        self.values.extend(values);
        self
    }

    /// The statement, for the log and for the request's trace; its values never get there.
    fn begin(&self, name: &'static str) -> OpenSpan {
        tracing::trace!(statement = self.text, "query");
        let mut span = traces::child(name);
        span.set_statement(self.text);
        span
    }

    fn into_owned(self) -> (String, Vec<Value<'static>>) {
        let values = self.values.into_iter().map(Value::into_owned);
        (self.text.to_owned(), values.collect())
    }
}

impl Database {
    /// Connects to nothing yet.
    pub(super) fn new(url: &str) -> Result<Self> {
        Ok(if is_sqlite(url) { Self::Sqlite(Sqlite::new(url)?) } else { Self::Postgres(Postgres::new(url)?) })
    }

    /// Where it is, for messages: the file, or the server and the name of the database. Never a password.
    pub(super) fn location(&self) -> String {
        match self {
            Self::Sqlite(sqlite) => sqlite.path().display().to_string(),
            Self::Postgres(postgres) => postgres.location(),
        }
    }

    /// The file, for SQLite.
    pub(super) fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::Sqlite(sqlite) => Some(sqlite.path()),
            Self::Postgres(_) => None,
        }
    }

    /// The connections now: which, in what state, and how many.
    pub(super) fn pool(&self) -> Vec<(&'static str, &'static str, usize)> {
        match self {
            Self::Sqlite(sqlite) => sqlite.pool(),
            Self::Postgres(postgres) => postgres.pool(),
        }
    }

    /// Connects, for the first use: it may take longer than a caller waits later.
    pub(super) async fn connect(&self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(postgres) => postgres.connect().await,
        }
    }

    /// Brings the tables up to date.
    pub(super) async fn migrate(&self) -> Result<()> {
        match self {
            Self::Sqlite(sqlite) => sqlite.migrate().await,
            Self::Postgres(postgres) => postgres.migrate().await,
        }
    }

    /// Whether there is a table with this name.
    pub(super) async fn has_table(&self, name: &str) -> Result<bool> {
        let text = match self {
            Self::Sqlite(_) => sqlite::SELECT_TABLE,
            Self::Postgres(_) => postgres::SELECT_TABLE,
        };
        Ok(self.fetch_optional(Query::new(text).bind(name)).await?.is_some())
    }

    /// Reads at most one row.
    pub(super) async fn fetch_optional(&self, query: Query<'_>) -> Result<Option<Row>> {
        Ok(self.fetch_all(query).await?.into_iter().next())
    }

    /// Reads all rows. The statement must be one that looks at few rows, see [`Database::scan`].
    pub(super) async fn fetch_all(&self, query: Query<'_>) -> Result<Vec<Row>> {
        let span = query.begin("store.read");
        let result = match self {
            Self::Sqlite(sqlite) => sqlite.read(query.text, &query.values),
            // Boxed, since thousands of long polls have room for a read in them, and few are reading.
            Self::Postgres(postgres) => Box::pin(postgres.read(query.text, &query.values)).await,
        };
        ended(span, result)
    }

    /// Reads all rows with a statement that may have to look at many.
    pub(super) async fn scan(&self, query: Query<'_>) -> Result<Vec<Row>> {
        let span = query.begin("store.scan");
        let result = match self {
            Self::Sqlite(sqlite) => sqlite.scan(query).await,
            Self::Postgres(postgres) => postgres.scan(query.text, &query.values).await,
        };
        ended(span, result)
    }

    /// Runs one statement that writes, and commits it; returns the number of rows that it affected.
    pub(super) async fn execute(&self, query: Query<'_>) -> Result<u64> {
        let span = query.begin("store.write");
        let result = match self {
            Self::Sqlite(sqlite) => Box::pin(sqlite.execute(query)).await,
            Self::Postgres(postgres) => Box::pin(postgres.execute(query.text, &query.values)).await,
        };
        ended(span, result)
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&self) -> Result<Transaction> {
        Ok(match self {
            Self::Sqlite(sqlite) => Transaction::Sqlite(sqlite.begin().await?),
            Self::Postgres(postgres) => Transaction::Postgres(Box::new(postgres.begin().await?)),
        })
    }

    /// Lets the SQLite file grow to so many pages, as if the disk were full then.
    #[cfg(test)]
    pub(super) async fn limit_pages(&self, pages: u32) {
        let Self::Sqlite(sqlite) = self else { return };
        let pragma = format!("PRAGMA max_page_count = {pages}");
        sqlite.scan_writer(&pragma).await.unwrap();
    }

    /// Closes the connections that nobody uses, and lets no one have another. Those in use close after their use.
    pub(super) async fn close(&self) {
        let closed = async {
            match self {
                Self::Sqlite(sqlite) => sqlite.close().await,
                Self::Postgres(postgres) => postgres.close().await,
            }
        };
        if tokio::time::timeout(CLOSE_TIMEOUT, closed).await.is_err() {
            tracing::warn!("the connections to the database did not close in time");
        }
    }
}

impl Transaction {
    /// Runs a statement; returns the number of rows that it affected.
    pub(super) async fn execute(&mut self, query: Query<'_>) -> Result<u64> {
        let span = query.begin("store.write");
        let result = match self {
            Self::Sqlite(transaction) => transaction.execute(query).await,
            Self::Postgres(transaction) => transaction.execute(query.text, &query.values).await,
        };
        ended(span, result)
    }

    /// Reads at most one row.
    pub(super) async fn fetch_optional(&mut self, query: Query<'_>) -> Result<Option<Row>> {
        Ok(self.fetch_all(query).await?.into_iter().next())
    }

    /// Reads all rows.
    pub(super) async fn fetch_all(&mut self, query: Query<'_>) -> Result<Vec<Row>> {
        let span = query.begin("store.read");
        let result = match self {
            Self::Sqlite(transaction) => transaction.fetch(query).await,
            Self::Postgres(transaction) => transaction.fetch(query.text, &query.values).await,
        };
        ended(span, result)
    }

    /// Commits. After an error it is not known whether the changes were made.
    pub(super) async fn commit(self) -> Result<()> {
        self.end("COMMIT").await
    }

    /// Undoes everything, and keeps the connection.
    pub(super) async fn rollback(self) -> Result<()> {
        self.end("ROLLBACK").await
    }

    async fn end(self, statement: &'static str) -> Result<()> {
        let mut span = traces::child("store.end");
        span.set_statement(statement);
        let result = match self {
            Self::Sqlite(transaction) => transaction.end(statement).await,
            Self::Postgres(transaction) => transaction.end(statement).await,
        };
        ended(span, result)
    }
}

fn ended<T>(mut span: OpenSpan, result: Result<T>) -> Result<T> {
    if result.is_err() {
        span.fail();
    }
    result
}

/// Whether a URL names a SQLite file.
fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

fn acquire_deadline() -> Instant {
    Instant::now() + ACQUIRE_TIMEOUT
}

fn unavailable(reason: impl Into<Cow<'static, str>>) -> StoreError {
    StoreError::Unavailable(reason.into().into_owned())
}

/// An address of a database that cannot be used.
fn bad_url(reason: impl ToString) -> StoreError {
    StoreError::Open { place: "of database_url".to_owned(), reason: reason.to_string() }
}
