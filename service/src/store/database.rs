//! The connections to the database, and what holds for every use of them. No other file of the store calls the driver.
//!
//! - Each use has a time limit, so that a database that goes silent stops nobody for long.
//! - A connection goes back to its pool only after success: a read, a commit, or a rollback. Any other end closes it,
//!   including a caller that is dropped in the middle, so that no pooled connection is ever inside a transaction.
//! - With SQLite, which has one writer at a time, all writes share one connection and wait for it in order. Reads have
//!   others and wait for no write.

use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, AnyConnection, Connection, Executor};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Result, StoreError};

/// Maximum number of connections that a process holds, not counting SQLite's writer.
const MAX_CONNECTIONS: usize = 16;
/// Maximum time until a connection is there and its transaction has begun. An unavailable database is reported within
/// a second.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(900);
/// Maximum time to connect. A caller does not wait for so long, but a later one finds the connection in the pool.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum duration of one use: a read, or a transaction from its beginning to its commit.
const USE_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum time for an idle connection to show that it works.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A commit is on the disk before it is acknowledged, and readers do not wait for a writer.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 750;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;";

/// The server ends by itself what this process gave up; otherwise a connection that was lost unnoticed would keep its
/// row locks.
const POSTGRES_SETTINGS: &str = "SET lock_timeout = '750ms';
    SET statement_timeout = '5s';
    SET idle_in_transaction_session_timeout = '5s';";

/// A statement with its values.
pub(super) type Query<'q> = sqlx::query::Query<'q, Any, AnyArguments<'q>>;

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Database {
    readers: Pool<Connector>,
    /// One connection for SQLite; the same pool as the readers' for PostgreSQL.
    writers: Pool<Connector>,
    /// The statement that begins a transaction that writes.
    begin: &'static str,
}

/// Makes connections.
#[derive(Debug, Clone)]
struct Connector {
    url: SecretString,
    is_sqlite: bool,
}

impl Database {
    /// Connects to nothing yet.
    pub(super) fn new(url: &str) -> Result<Self> {
        let connector = Connector {
            url: url.into(),
            is_sqlite: is_sqlite(url),
        };
        let pool = |size| {
            let pool = Pool::builder(connector.clone()).max_size(size).build();
            pool.map_err(|error| StoreError::Unavailable(error.to_string()))
        };
        let readers = pool(MAX_CONNECTIONS)?;
        Ok(if connector.is_sqlite {
            Self {
                readers,
                writers: pool(1)?,
                // A transaction that reads before it writes would fail when another one wrote in between.
                begin: "BEGIN IMMEDIATE",
            }
        } else {
            Self {
                writers: readers.clone(),
                readers,
                // A standby, which cannot write, is told apart at once.
                begin: "BEGIN READ WRITE",
            }
        })
    }

    /// Reads at most one row.
    pub(super) async fn fetch_optional(&self, query: Query<'_>) -> Result<Option<AnyRow>> {
        let mut connection = PooledConnection::from(&self.readers, acquire_deadline()).await?;
        let row = connection.fetch_optional(query).await?;
        connection.release();
        Ok(row)
    }

    /// Reads all rows.
    pub(super) async fn fetch_all(&self, query: Query<'_>) -> Result<Vec<AnyRow>> {
        let mut connection = PooledConnection::from(&self.readers, acquire_deadline()).await?;
        let rows = connection.fetch_all(query).await?;
        connection.release();
        Ok(rows)
    }

    /// Runs one statement that writes, and commits it; returns the number of rows that it affected.
    pub(super) async fn execute(&self, query: Query<'_>) -> Result<u64> {
        let mut connection = PooledConnection::from(&self.writers, acquire_deadline()).await?;
        let rows = connection.execute(query).await?;
        connection.release();
        Ok(rows)
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&self) -> Result<Transaction> {
        let deadline = acquire_deadline();
        let mut connection = PooledConnection::from(&self.writers, deadline).await?;
        connection.deadline = deadline;
        connection
            .execute(sqlx::query(self.begin).persistent(false))
            .await?;
        connection.deadline = Instant::now() + USE_TIMEOUT;
        Ok(Transaction { connection })
    }

    /// Lets the SQLite file grow to so many pages, as if the disk were full then.
    #[cfg(test)]
    pub(super) async fn limit_pages(&self, pages: u32) {
        let mut writer = self.writers.get().await.unwrap();
        let pragma = format!("PRAGMA max_page_count = {pages}");
        writer.execute(&*pragma).await.unwrap();
    }

    /// Closes the connections that nobody uses, and lets no one have another. Those in use close after their use.
    pub(super) async fn close(&self) {
        let pools = [&self.readers, &self.writers];
        let idle = pools.map(|pool| pool.retain(|_, _| false).removed);
        pools.into_iter().for_each(Pool::close);
        let closed = join_all(idle.into_iter().flatten().map(Connection::close));
        if timeout(CLOSE_TIMEOUT, closed).await.is_err() {
            tracing::warn!("the connections to the database did not close in time");
        }
    }
}

/// A transaction that writes. One that is dropped before its commit is rolled back, and its connection closed.
#[derive(Debug)]
pub(super) struct Transaction {
    connection: PooledConnection,
}

impl Transaction {
    /// Runs a statement; returns the number of rows that it affected.
    pub(super) async fn execute(&mut self, query: Query<'_>) -> Result<u64> {
        self.connection.execute(query).await
    }

    /// Reads at most one row.
    pub(super) async fn fetch_optional(&mut self, query: Query<'_>) -> Result<Option<AnyRow>> {
        self.connection.fetch_optional(query).await
    }

    /// Reads all rows.
    pub(super) async fn fetch_all(&mut self, query: Query<'_>) -> Result<Vec<AnyRow>> {
        self.connection.fetch_all(query).await
    }

    /// Commits. After an error it is not known whether the changes were made.
    pub(super) async fn commit(self) -> Result<()> {
        self.end("COMMIT").await
    }

    /// Undoes everything, and keeps the connection.
    pub(super) async fn rollback(self) -> Result<()> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, statement: &'static str) -> Result<()> {
        self.connection
            .execute(sqlx::query(statement).persistent(false))
            .await?;
        self.connection.release();
        Ok(())
    }
}

/// A connection in use. `release` returns it to its pool; dropping it closes it.
#[derive(Debug)]
struct PooledConnection {
    /// Present until the release.
    object: Option<Object<Connector>>,
    pool: Pool<Connector>,
    deadline: Instant,
}

impl PooledConnection {
    async fn from(pool: &Pool<Connector>, deadline: Instant) -> Result<Self> {
        let get = {
            let pool = pool.clone();
            async move { pool.get().await }
        };
        let mut get = Box::pin(get);
        let Ok(object) = timeout_at(deadline, &mut get).await else {
            pool.retain(|_, _| false);
            // A server that is slow to accept connections would otherwise never get one done.
            tokio::spawn(timeout(CONNECT_TIMEOUT, get));
            return Err(unavailable("no connection in time"));
        };
        let object = object.map_err(|error| match error {
            PoolError::Backend(error) => StoreError::Unavailable(error.to_string()),
            error => StoreError::Unavailable(error.to_string()),
        })?;
        Ok(Self {
            object: Some(object),
            pool: pool.clone(),
            deadline: Instant::now() + USE_TIMEOUT,
        })
    }

    async fn execute(&mut self, query: Query<'_>) -> Result<u64> {
        let (connection, limit) = self.parts()?;
        let done = limit.apply(connection.execute(query)).await?;
        Ok(done.rows_affected())
    }

    async fn fetch_optional(&mut self, query: Query<'_>) -> Result<Option<AnyRow>> {
        let (connection, limit) = self.parts()?;
        limit.apply(connection.fetch_optional(query)).await
    }

    async fn fetch_all(&mut self, query: Query<'_>) -> Result<Vec<AnyRow>> {
        let (connection, limit) = self.parts()?;
        limit.apply(connection.fetch_all(query)).await
    }

    fn parts(&mut self) -> Result<(&mut AnyConnection, Limit<'_>)> {
        let limit = Limit {
            pool: &self.pool,
            deadline: self.deadline,
        };
        let object = self.object.as_mut();
        let object = object.ok_or_else(|| unavailable("the connection was released"))?;
        Ok((&mut **object, limit))
    }

    fn release(&mut self) {
        self.object = None;
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

struct Limit<'a> {
    pool: &'a Pool<Connector>,
    deadline: Instant,
}

impl Limit<'_> {
    async fn apply<T>(&self, work: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
        match timeout_at(self.deadline, work).await {
            Ok(result) => Ok(result?),
            Err(_) => {
                // Idle connections to the same server are as silent; each would cost a caller its time.
                self.pool.retain(|_, _| false);
                Err(unavailable("no answer in time"))
            }
        }
    }
}

impl Manager for Connector {
    type Type = AnyConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<AnyConnection, sqlx::Error> {
        let mut connection = AnyConnection::connect(self.url.expose_secret()).await?;
        let settings = if self.is_sqlite {
            SQLITE_SETTINGS
        } else {
            POSTGRES_SETTINGS
        };
        connection.execute(settings).await?;
        Ok(connection)
    }

    /// A server may have closed a connection that lay idle; a file does not, and asking costs as much as a query.
    async fn recycle(&self, connection: &mut AnyConnection, _: &Metrics) -> RecycleResult<sqlx::Error> {
        if !self.is_sqlite {
            // A server that went silent must not keep the place of a connection that could be made anew.
            let pinged = timeout(PING_TIMEOUT, connection.ping()).await;
            pinged.map_err(|_| RecycleError::message("no response in time"))??;
        }
        Ok(())
    }
}

/// Whether a URL names a SQLite file.
pub(super) fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

fn acquire_deadline() -> Instant {
    Instant::now() + ACQUIRE_TIMEOUT
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable(reason.to_owned())
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::Database(error)
        }
    }
}

/// Whether the same call may succeed in a moment: the database is away, busy or full.
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            true
        }
        sqlx::Error::Database(error) => error.code().is_some_and(|code| match code.parse::<u32>() {
            // SQLite's result codes, whose last byte is the kind: BUSY, LOCKED, NOMEM, IOERR, FULL, CANTOPEN, PROTOCOL.
            Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 7 | 10 | 13 | 14 | 15),
            // SQLSTATE: connection exceptions, insufficient resources, operator intervention, system errors, a standby,
            // a transaction ended by the server, a serialization failure, a deadlock, a lock that was not available.
            _ => {
                ["08", "53", "57", "58"].contains(&code.get(..2).unwrap_or_default())
                    || ["25006", "25P03", "40001", "40P01", "55P03"].contains(&&*code)
            }
        }),
        _ => false,
    }
}
