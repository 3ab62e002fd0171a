//! SQLite. A read runs in the calling thread on a connection that cannot write: it takes microseconds, and handing it to
//! another thread would cost several times that. Writes wait for the disk, so they have a thread; there is one writer
//! at a time, and all share one connection in order.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use rusqlite::{Connection, OpenFlags, ffi};
use tokio::sync::OwnedMutexGuard;
use tokio::task::spawn_blocking;
use tokio::time::timeout_at;

use super::value::{Row, Value};
use super::{Query, USE_TIMEOUT, acquire_deadline, bad_url, unavailable};
use crate::store::migrations;
use crate::store::{Result, StoreError};

/// Maximum time to wait for a writer of another process.
const BUSY_TIMEOUT: Duration = Duration::from_millis(750);
const MIGRATION_BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A commit is on the disk before it is acknowledged, and readers do not wait for a writer.
const SETTINGS: &str = "PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;";

/// Finds a table by its name.
pub(super) const SELECT_TABLE: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1";

/// After so many steps of its virtual machine a statement looks at the clock.
const STEPS_PER_LOOK: i32 = 100_000;
/// More than there are statements.
const CACHED_STATEMENTS: usize = 128;
/// Each keeps a cache of up to 2 MiB, so what a burst of scans opened is closed again.
const MAX_IDLE_READERS: usize = 4;

/// A SQLite file. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct Sqlite(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    idle_readers: Mutex<Vec<Handle>>,
    /// The holder of the lock is the writer. Empty until the first write, and after one that failed.
    writer: Arc<tokio::sync::Mutex<Option<Handle>>>,
    is_closed: AtomicBool,
}

/// A connection, and when its use must end.
struct Handle {
    connection: Connection,
    deadline: Arc<Mutex<Instant>>,
}

/// The one writer, in use. Dropping it closes its connection, unless it was released.
#[derive(Debug)]
struct Writer {
    slot: OwnedMutexGuard<Option<Handle>>,
    is_released: bool,
}

#[derive(Debug)]
pub(in crate::store) struct Transaction {
    database: Sqlite,
    /// Present unless a statement did not end.
    writer: Option<Writer>,
    deadline: tokio::time::Instant,
}

impl Sqlite {
    /// `sqlite:PATH` or `sqlite://PATH`, percent-encoded; what follows a question mark is ignored.
    pub(super) fn new(url: &str) -> Result<Self> {
        let path = url.trim_start_matches("sqlite:");
        let path = path.strip_prefix("//").unwrap_or(path);
        let (path, options) = path.split_once('?').unwrap_or((path, ""));
        if path.is_empty() || path == ":memory:" || options.contains("mode=memory") {
            return Err(bad_url("it names no file"));
        }
        let path = percent_decode_str(path).decode_utf8().map_err(bad_url)?;
        Ok(Self(Arc::new(Inner {
            path: path.as_ref().into(),
            idle_readers: Mutex::default(),
            writer: Arc::default(),
            is_closed: AtomicBool::new(false),
        })))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Idle readers, and whether the writer is in use. Readers in use hold up nobody.
    pub(super) fn pool(&self) -> Vec<(&'static str, &'static str, usize)> {
        let idle = self.idle_readers().len();
        let is_writing = self.0.writer.try_lock().is_err();
        vec![("readers", "idle", idle), ("writer", "in_use", usize::from(is_writing))]
    }

    /// Reads in this thread.
    pub(super) fn read(&self, text: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        self.check_open()?;
        let idle = self.idle_readers().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => Handle::open(&self.0.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        };
        reader.use_until(Instant::now() + USE_TIMEOUT);
        // After an error the connection is closed.
        let rows = fetch(&reader.connection, text, values)?;
        let mut idle = self.idle_readers();
        if idle.len() < MAX_IDLE_READERS {
            idle.push(reader);
        }
        Ok(rows)
    }

    /// Reads in a thread where it may take long.
    pub(super) async fn scan(&self, query: Query<'_>) -> Result<Vec<Row>> {
        let (database, (text, values)) = (self.clone(), query.into_owned());
        let rows = spawn_blocking(move || database.read(&text, &values)).await;
        rows.map_err(|_| unavailable("a read did not end"))?
    }

    pub(super) async fn execute(&self, query: Query<'_>) -> Result<u64> {
        let mut transaction = self.writer(acquire_deadline()).await?;
        let rows = transaction.execute(query).await?;
        transaction.release();
        Ok(rows)
    }

    pub(super) async fn begin(&self) -> Result<Transaction> {
        let deadline = acquire_deadline();
        let mut transaction = self.writer(deadline).await?;
        transaction.deadline = deadline;
        // A transaction that reads before it writes would fail when another one wrote in between.
        transaction.run(|connection| Ok(connection.execute_batch("BEGIN IMMEDIATE")?)).await?;
        transaction.deadline = use_deadline();
        Ok(transaction)
    }

    /// The one writer, once all who came before are done.
    async fn writer(&self, deadline: tokio::time::Instant) -> Result<Transaction> {
        self.check_open()?;
        let slot = timeout_at(deadline, self.0.writer.clone().lock_owned()).await;
        let slot = slot.map_err(|_| unavailable("others write"))?;
        Ok(Transaction {
            database: self.clone(),
            writer: Some(Writer { slot, is_released: false }),
            deadline: use_deadline(),
        })
    }

    /// Of several processes that start at once, one makes the tables and the others find them made: SQLite's only lock
    /// is a transaction.
    pub(super) async fn migrate(&self) -> Result<()> {
        let path = self.0.path.clone();
        let migrated = spawn_blocking(move || {
            let handle = Handle::open(&path, writable())?;
            let connection = &handle.connection;
            handle.use_until(Instant::now() + migrations::TIMEOUT);
            connection.busy_timeout(MIGRATION_BUSY_TIMEOUT)?;
            connection.execute_batch(SETTINGS)?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            connection.execute_batch(migrations::CREATE_TABLE)?;
            let table = Value::from(migrations::FORMER_TABLE);
            if !fetch(connection, SELECT_TABLE, &[table])?.is_empty() {
                connection.execute_batch(migrations::ADOPT_FORMER)?;
            }
            let applied = fetch(connection, migrations::SELECT, &[])?;
            for migration in migrations::missing(&applied)? {
                connection.execute_batch(migration.text)?;
                execute(connection, migrations::INSERT, &[migration.version.into()])?;
            }
            Ok(connection.execute_batch("COMMIT")?)
        });
        migrated.await.map_err(|_| unavailable("the migration did not end"))?
    }

    #[cfg(test)]
    pub(super) async fn scan_writer(&self, text: &str) -> Result<Vec<Row>> {
        let mut transaction = self.writer(acquire_deadline()).await?;
        let rows = transaction.fetch(Query::new(text)).await?;
        transaction.release();
        Ok(rows)
    }

    pub(super) async fn close(&self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
        self.idle_readers().clear();
        let mut writer = self.0.writer.clone().lock_owned().await;
        let _ = spawn_blocking(move || drop(writer.take())).await;
    }

    fn check_open(&self) -> Result<()> {
        if self.0.is_closed.load(Ordering::Relaxed) {
            return Err(unavailable("the database is closed"));
        }
        Ok(())
    }

    fn idle_readers(&self) -> MutexGuard<'_, Vec<Handle>> {
        self.0.idle_readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transaction {
    pub(super) async fn execute(&mut self, query: Query<'_>) -> Result<u64> {
        let (text, values) = query.into_owned();
        self.run(move |connection| execute(connection, &text, &values)).await
    }

    pub(super) async fn fetch(&mut self, query: Query<'_>) -> Result<Vec<Row>> {
        let (text, values) = query.into_owned();
        self.run(move |connection| fetch(connection, &text, &values)).await
    }

    pub(super) async fn end(mut self, statement: &'static str) -> Result<()> {
        self.run(move |connection| Ok(connection.execute_batch(statement)?)).await?;
        self.release();
        Ok(())
    }

    /// Works with the connection in a thread where that may take long. Where the caller does not wait until it is done,
    /// the connection is closed then.
    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let writer = self.writer.take();
        let mut writer = writer.ok_or_else(|| unavailable("a statement did not end"))?;
        let (database, deadline) = (self.database.clone(), self.deadline);
        let task = spawn_blocking(move || {
            let result = writer.handle(&database.0.path).and_then(|handle| {
                handle.use_until(deadline.into_std());
                work(&handle.connection)
            });
            (writer, result)
        });
        let done = timeout_at(self.deadline, task).await;
        let done = done.map_err(|_| unavailable("no answer in time"))?;
        let (writer, result) = done.map_err(|_| unavailable("a statement did not end"))?;
        self.writer = Some(writer);
        result
    }

    fn release(self) {
        if let Some(mut writer) = self.writer {
            // SQLite ends some transactions by itself, and begins none.
            writer.is_released = writer.slot.as_ref().is_some_and(|handle| handle.connection.is_autocommit());
        }
    }
}

impl Writer {
    fn handle(&mut self, path: &Path) -> Result<&Handle> {
        let handle = match self.slot.take() {
            Some(handle) => handle,
            None => {
                let handle = Handle::open(path, writable())?;
                handle.connection.execute_batch(SETTINGS)?;
                handle
            }
        };
        Ok(self.slot.insert(handle))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_released {
            drop(self.slot.take());
        }
    }
}

impl Handle {
    fn open(path: &Path, flags: OpenFlags) -> Result<Self> {
        let mut connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        let deadline = Arc::new(Mutex::new(Instant::now() + USE_TIMEOUT));
        let seen = deadline.clone();
        let is_over = move || Instant::now() > *seen.lock().unwrap_or_else(PoisonError::into_inner);
        connection.progress_handler(STEPS_PER_LOOK, Some(is_over))?;
        Ok(Self { connection, deadline })
    }

    fn use_until(&self, deadline: Instant) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }
}

fn writable() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE
}

fn use_deadline() -> tokio::time::Instant {
    tokio::time::Instant::now() + USE_TIMEOUT
}

fn fetch(connection: &Connection, text: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(text)?;
    bind(&mut statement, values)?;
    let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values = (0..columns.len()).map(|index| row.get(index));
        rows.push(Row::Sqlite { values: values.collect::<Result<_, _>>()?, columns: columns.clone() });
    }
    Ok(rows)
}

fn execute(connection: &Connection, text: &str, values: &[Value<'_>]) -> Result<u64> {
    let mut statement = connection.prepare_cached(text)?;
    bind(&mut statement, values)?;
    Ok(statement.raw_execute()? as u64)
}

/// SQLite counts `$2`, `$1` in the order in which they come; here the number is what counts, as in PostgreSQL.
fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value<'_>]) -> Result<()> {
    for index in 1..=statement.parameter_count() {
        let number = statement.parameter_name(index).and_then(|name| name[1..].parse().ok());
        let value = number.and_then(|number: usize| values.get(number - 1));
        let value = value.ok_or(StoreError::Unreadable("a statement's parameters"))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let Some(known) = error.sqlite_error() else {
            return Self::Database { reason: error.to_string(), is_foreign_key_violation: false };
        };
        // The last byte is the kind.
        match known.extended_code & 0xff {
            ffi::SQLITE_BUSY
            | ffi::SQLITE_LOCKED
            | ffi::SQLITE_NOMEM
            | ffi::SQLITE_INTERRUPT
            | ffi::SQLITE_IOERR
            | ffi::SQLITE_FULL
            | ffi::SQLITE_CANTOPEN
            | ffi::SQLITE_PROTOCOL => Self::Unavailable(error.to_string()),
            _ => Self::Database {
                is_foreign_key_violation: known.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY,
                reason: error.to_string(),
            },
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle() -> Handle {
        Handle::open(Path::new(":memory:"), writable()).unwrap()
    }

    #[test]
    fn parameters_are_taken_by_their_number() {
        let text = "SELECT $2 AS second, $1 AS first, $2 AS again, $3 AS none";
        let values = ["a".into(), 7.into(), Value::Null];
        let rows = fetch(&handle().connection, text, &values).unwrap();
        let row = &rows[0];
        assert_eq!(row.get::<i64>("second").unwrap(), 7);
        assert_eq!(row.get::<&str>("first").unwrap(), "a");
        assert_eq!(row.get::<i64>("again").unwrap(), 7);
        assert_eq!(row.get::<Option<&str>>("none").unwrap(), None);
        assert!(row.get::<&str>("second").is_err() && row.get::<i64>("absent").is_err());
        let missing = fetch(&handle().connection, text, &values[..1]);
        assert!(missing.is_err());
    }

    /// It would hold up its thread otherwise.
    #[test]
    fn a_statement_ends_at_its_deadline() {
        let endless =
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) AS i FROM n";
        let handle = handle();
        handle.use_until(Instant::now());
        let error = fetch(&handle.connection, endless, &[]).unwrap_err();
        assert!(error.is_unavailable(), "{error}");
    }

    #[test]
    fn a_url_names_a_file() {
        let path = |url| Sqlite::new(url).unwrap().path().to_owned();
        assert_eq!(path("sqlite://connect.db"), Path::new("connect.db"));
        assert_eq!(path("sqlite:connect.db"), Path::new("connect.db"));
        assert_eq!(path("sqlite:///var/lib/connect.db?mode=rwc"), Path::new("/var/lib/connect.db"));
        assert_eq!(path("sqlite://my%20data/50%25%3F.db?mode=rwc"), Path::new("my data/50%?.db"));
        for url in ["sqlite:", "sqlite::memory:", "sqlite://x?mode=memory", "sqlite://%ff.db"] {
            assert!(Sqlite::new(url).is_err(), "{url}");
        }
    }
}
