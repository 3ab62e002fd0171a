//! PostgreSQL. Reads that look at few rows share a few connections and are pipelined on them: each is one round trip, and
//! many are under way at once. Whatever else needs a connection to itself takes one from a pool.

use std::collections::HashMap;
use std::error::Error as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::config::Host;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

use super::value::{Row, Value};
use super::{CONNECT_TIMEOUT, USE_TIMEOUT, acquire_deadline, bad_url, tls, unavailable};
use crate::store::migrations;
use crate::store::{Result, StoreError};

/// Connections that are shared by reads.
const MAX_READERS: usize = 4;
/// Reads on one of them before the next one is used.
const READS_PER_CONNECTION: usize = 32;
/// Connections that are used by one at a time.
const MAX_EXCLUSIVE: usize = 12;
/// A connection that has not answered for so long is asked first whether it works. It may have been lost unnoticed.
const PING_AFTER: Duration = Duration::from_millis(100);
/// Maximum time for a connection to show that it works.
const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// The server ends by itself what this process gave up; otherwise a connection that was lost unnoticed would keep its
/// row locks.
const SETTINGS: &str = "SET lock_timeout = '750ms';
    SET statement_timeout = '5s';
    SET idle_in_transaction_session_timeout = '5s';";

/// A standby, which cannot write, is told apart at once.
const BEGIN: &str = "BEGIN READ WRITE";

/// Of several processes that start at once, one makes the tables, under this lock, and the others find them made.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(6021785041226)";

/// Finds a table by its name.
pub(super) const SELECT_TABLE: &str = "SELECT table_name FROM information_schema.tables
    WHERE table_schema = current_schema() AND table_name = $1";

/// What times are counted from.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A PostgreSQL database. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct Postgres {
    connector: Arc<Connector>,
    readers: Arc<[Arc<Reader>; MAX_READERS]>,
    exclusive: Pool<PoolManager>,
}

/// Makes connections.
struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    is_closed: AtomicBool,
}

#[derive(Debug)]
struct PoolManager(Arc<Connector>);

/// A place for a connection that reads share.
#[derive(Debug, Default)]
struct Reader {
    current: Mutex<Option<Arc<Connection>>>,
    /// The holder of the lock asks the connection whether it works, or makes another one.
    repair: Arc<tokio::sync::Mutex<()>>,
    in_flight: AtomicUsize,
}

#[derive(Debug)]
struct Connection {
    client: Client,
    statements: Mutex<HashMap<String, Statement>>,
    /// Milliseconds from [`START`] to the latest response.
    heard_at: AtomicU64,
    io: Io,
}

/// Moves bytes between a client and the server, until this is dropped: a server that went silent would keep it for ever.
#[derive(Debug)]
struct Io(JoinHandle<()>);

#[derive(Debug)]
pub(in crate::store) struct Transaction(Exclusive);

/// A connection in use. `release` returns it to its pool; dropping it closes it.
#[derive(Debug)]
struct Exclusive {
    /// Present until the release.
    object: Option<Object<PoolManager>>,
    pool: Pool<PoolManager>,
    deadline: Instant,
}

impl Postgres {
    pub(super) fn new(url: &str) -> Result<Self> {
        let mut url = Url::parse(url).map_err(bad_url)?;
        let (mut mode, mut authorities) = (None, None);
        let options = url.query_pairs().into_owned().collect::<Vec<_>>();
        url.set_query(None);
        for (name, value) in options {
            match &*name {
                "sslmode" => mode = Some(value),
                "sslrootcert" => authorities = Some(PathBuf::from(value)),
                _ => {
                    url.query_pairs_mut().append_pair(&name, &value);
                }
            }
        }
        let (ssl_mode, tls) = tls::config(mode.as_deref(), authorities.as_deref())?;
        // A driver's message could quote the password.
        let config = url.as_str().parse::<Config>();
        let mut config = config.map_err(|_| bad_url("it is no address of a PostgreSQL server"))?;
        config.ssl_mode(ssl_mode).connect_timeout(CONNECT_TIMEOUT);
        let connector = Arc::new(Connector {
            config,
            tls: MakeRustlsConnect::new(tls),
            is_closed: AtomicBool::new(false),
        });
        let pool = Pool::builder(PoolManager(connector.clone())).max_size(MAX_EXCLUSIVE).build();
        Ok(Self {
            exclusive: pool.map_err(|error| unavailable(error.to_string()))?,
            connector,
            readers: Arc::default(),
        })
    }

    pub(super) fn location(&self) -> String {
        let config = &self.connector.config;
        let name = config.get_dbname().unwrap_or_default();
        let port = config.get_ports().first().unwrap_or(&5432);
        match config.get_hosts().first() {
            Some(Host::Tcp(host)) => format!("{name} at {host}:{port}"),
            #[cfg(unix)]
            Some(Host::Unix(path)) => format!("{name} at {}", path.display()),
            None => name.to_owned(),
        }
    }

    /// Reads under way on the shared connections, and the pool of the others with those who wait for one.
    pub(super) fn pool(&self) -> Vec<(&'static str, &'static str, usize)> {
        let reads = self.readers.iter().map(|reader| reader.in_flight.load(Ordering::Relaxed)).sum();
        let status = self.exclusive.status();
        vec![
            ("shared", "reads", reads),
            ("exclusive", "in_use", status.size.saturating_sub(status.available)),
            ("exclusive", "idle", status.available),
            ("exclusive", "waiting", status.waiting),
            ("exclusive", "limit", status.max_size),
        ]
    }

    pub(super) async fn connect(&self) -> Result<()> {
        let connected = self.readers[0].clone().repair(self.connector.clone());
        let connected = timeout(CONNECT_TIMEOUT, connected).await;
        connected.map_err(|_| unavailable("no response in time"))??;
        Ok(())
    }

    /// Reads on a connection that others share.
    pub(super) async fn read(&self, text: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let reader = self.reader();
        let _counted = InFlight::count(&reader.in_flight);
        let connection = self.connection_of(reader).await?;
        let rows = match timeout(USE_TIMEOUT, connection.fetch(text, values)).await {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(unavailable("no answer in time")),
        };
        // Whatever it was, the next read does not meet it again; those under way go on.
        reader.forget(&connection);
        rows
    }

    /// The first connection that is not busy, so that few of them do more at once; or the least busy one.
    fn reader(&self) -> &Arc<Reader> {
        let busy = |reader: &Arc<Reader>| reader.in_flight.load(Ordering::Relaxed);
        let free = self.readers.iter().find(|reader| busy(reader) < READS_PER_CONNECTION);
        free.or_else(|| self.readers.iter().min_by_key(|reader| busy(reader))).unwrap_or(&self.readers[0])
    }

    async fn connection_of(&self, reader: &Arc<Reader>) -> Result<Arc<Connection>> {
        if let Some(connection) = reader.current().as_ref().filter(|current| current.is_fresh()) {
            return Ok(connection.clone());
        }
        // In a task of its own: a server that is slow to accept connections would otherwise never get one done.
        let repaired = tokio::spawn(reader.clone().repair(self.connector.clone()));
        let repaired = timeout_at(acquire_deadline(), repaired).await;
        let repaired = repaired.map_err(|_| unavailable("no connection in time"))?;
        repaired.map_err(|_| unavailable("no connection"))?
    }

    pub(super) async fn scan(&self, text: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let mut connection = self.exclusive(acquire_deadline()).await?;
        let rows = connection.run(async |used| used.fetch(text, values).await).await?;
        connection.release();
        Ok(rows)
    }

    pub(super) async fn execute(&self, text: &str, values: &[Value<'_>]) -> Result<u64> {
        let mut connection = self.exclusive(acquire_deadline()).await?;
        let rows = connection.run(async |used| used.execute(text, values).await).await?;
        connection.release();
        Ok(rows)
    }

    pub(super) async fn begin(&self) -> Result<Transaction> {
        let deadline = acquire_deadline();
        let mut connection = self.exclusive(deadline).await?;
        connection.deadline = deadline;
        connection.run(async |used| used.batch(BEGIN).await).await?;
        connection.deadline = Instant::now() + USE_TIMEOUT;
        Ok(Transaction(connection))
    }

    async fn exclusive(&self, deadline: Instant) -> Result<Exclusive> {
        let get = {
            let pool = self.exclusive.clone();
            async move { pool.get().await }
        };
        let mut get = Box::pin(get);
        let Ok(object) = timeout_at(deadline, &mut get).await else {
            self.exclusive.retain(|_, _| false);
            // A server that is slow to accept connections would otherwise never get one done.
            tokio::spawn(timeout(CONNECT_TIMEOUT, get));
            return Err(unavailable("no connection in time"));
        };
        let object = object.map_err(|error| match error {
            PoolError::Backend(error) => error,
            error => unavailable(error.to_string()),
        })?;
        Ok(Exclusive {
            object: Some(object),
            pool: self.exclusive.clone(),
            deadline: Instant::now() + USE_TIMEOUT,
        })
    }

    /// On a connection of its own, without the usual time limits.
    pub(super) async fn migrate(&self) -> Result<()> {
        let connection = timeout(CONNECT_TIMEOUT, self.connector.connect()).await;
        let connection = connection.map_err(|_| unavailable("no response in time"))??;
        let migrated = async {
            connection.batch("BEGIN READ WRITE").await?;
            connection.batch(MIGRATION_LOCK).await?;
            connection.batch(migrations::CREATE_TABLE).await?;
            let table = Value::from(migrations::FORMER_TABLE);
            if !connection.fetch(SELECT_TABLE, &[table]).await?.is_empty() {
                connection.batch(migrations::ADOPT_FORMER).await?;
            }
            let applied = connection.fetch(migrations::SELECT, &[]).await?;
            for migration in migrations::missing(&applied)? {
                connection.batch(migration.text).await?;
                connection.execute(migrations::INSERT, &[migration.version.into()]).await?;
            }
            connection.batch("COMMIT").await
        };
        let migrated = timeout(migrations::TIMEOUT, migrated).await;
        migrated.map_err(|_| unavailable("the migration takes too long"))??;
        let _ = timeout(CONNECT_TIMEOUT, connection.close()).await;
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.connector.is_closed.store(true, Ordering::Relaxed);
        let idle = self.exclusive.retain(|_, _| false).removed;
        self.exclusive.close();
        let readers = self.readers.iter().filter_map(|reader| reader.current().take());
        let readers = readers.filter_map(Arc::into_inner);
        join_all(idle.into_iter().chain(readers).map(Connection::close)).await;
    }
}

impl Transaction {
    pub(super) async fn execute(&mut self, text: &str, values: &[Value<'_>]) -> Result<u64> {
        self.0.run(async |used| used.execute(text, values).await).await
    }

    pub(super) async fn fetch(&mut self, text: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        self.0.run(async |used| used.fetch(text, values).await).await
    }

    pub(super) async fn end(mut self, statement: &'static str) -> Result<()> {
        self.0.run(async |used| used.batch(statement).await).await?;
        self.0.release();
        Ok(())
    }
}

impl Exclusive {
    async fn run<T>(&mut self, work: impl AsyncFnOnce(&Connection) -> Result<T>) -> Result<T> {
        let connection = self.object.as_ref();
        let connection = connection.ok_or_else(|| unavailable("the connection was released"))?;
        match timeout_at(self.deadline, work(connection)).await {
            Ok(result) => result,
            Err(_) => {
                // Idle connections to the same server are as silent; each would cost a caller its time.
                self.pool.retain(|_, _| false);
                Err(unavailable("no answer in time"))
            }
        }
    }

    fn release(&mut self) {
        self.object = None;
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

impl Reader {
    /// A connection that works: the current one, if it answers, or a new one.
    async fn repair(self: Arc<Self>, connector: Arc<Connector>) -> Result<Arc<Connection>> {
        let _repairing = self.repair.lock().await;
        let current = self.current().clone();
        if let Some(current) = current {
            if current.is_fresh() || current.ping().await.is_ok() {
                return Ok(current);
            }
            self.forget(&current);
        }
        let connection = Arc::new(connector.connect().await?);
        *self.current() = Some(connection.clone());
        Ok(connection)
    }

    fn forget(&self, connection: &Arc<Connection>) {
        self.current().take_if(|current| Arc::ptr_eq(current, connection));
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a read for as long as it is under way.
struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn count(reads: &'a AtomicUsize) -> Self {
        reads.fetch_add(1, Ordering::Relaxed);
        Self(reads)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connector {
    async fn connect(&self) -> Result<Connection> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(unavailable("the database is closed"));
        }
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        let io = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %describe(&error), "a connection to the database ended");
            }
        });
        let connection =
            Connection { client, statements: Mutex::default(), heard_at: AtomicU64::new(0), io: Io(io) };
        connection.batch(SETTINGS).await?;
        Ok(connection)
    }
}

impl Connection {
    async fn fetch(&self, text: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let statement = self.prepare(text).await?;
        let rows = self.client.query(&statement, &parameters(values)).await?;
        self.heard();
        Ok(rows.into_iter().map(Row::Postgres).collect())
    }

    async fn execute(&self, text: &str, values: &[Value<'_>]) -> Result<u64> {
        let statement = self.prepare(text).await?;
        let rows = self.client.execute(&statement, &parameters(values)).await?;
        self.heard();
        Ok(rows)
    }

    /// Statements without parameters, which are not prepared.
    async fn batch(&self, text: &str) -> Result<()> {
        self.client.batch_execute(text).await?;
        self.heard();
        Ok(())
    }

    async fn ping(&self) -> Result<()> {
        let pinged = timeout(PING_TIMEOUT, self.client.check_connection()).await;
        pinged.map_err(|_| unavailable("no response in time"))??;
        self.heard();
        Ok(())
    }

    async fn prepare(&self, text: &str) -> Result<Statement> {
        let known = self.statements().get(text).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(text).await?;
        self.statements().insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    async fn close(self) {
        let Self { client, mut io, .. } = self;
        drop(client);
        let _ = (&mut io.0).await;
    }

    fn statements(&self) -> MutexGuard<'_, HashMap<String, Statement>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self) {
        self.heard_at.store(now(), Ordering::Relaxed);
    }

    /// Whether it answered a moment ago.
    fn is_fresh(&self) -> bool {
        let silent = now().saturating_sub(self.heard_at.load(Ordering::Relaxed));
        !self.client.is_closed() && u128::from(silent) <= PING_AFTER.as_millis()
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Manager for PoolManager {
    type Type = Connection;
    type Error = StoreError;

    async fn create(&self) -> Result<Connection> {
        self.0.connect().await
    }

    /// A server that went silent must not keep the place of a connection that could be made anew.
    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<StoreError> {
        if connection.is_fresh() {
            return Ok(());
        }
        connection.ping().await.map_err(RecycleError::Backend)
    }
}

fn now() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn parameters<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    let values = values.iter();
    values.map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let reason = describe(&error);
        let Some(code) = error.code().map(tokio_postgres::error::SqlState::code) else {
            // Without a response from the server: the connection failed, or a value did not fit its column.
            let is_conversion = reason.contains("serializing") || reason.contains("parameters but got");
            return if is_conversion {
                Self::Database { reason, is_foreign_key_violation: false }
            } else {
                Self::Unavailable(reason)
            };
        };
        // SQLSTATE: connection exceptions, insufficient resources, operator intervention, system errors, a standby,
        // a transaction ended by the server, a serialization failure, a deadlock, a lock that was not available.
        let is_transient = ["08", "53", "57", "58"].contains(&code.get(..2).unwrap_or_default())
            || ["25006", "25P03", "40001", "40P01", "55P03"].contains(&code);
        if is_transient {
            Self::Unavailable(reason)
        } else {
            Self::Database { is_foreign_key_violation: code == "23503", reason }
        }
    }
}

/// What happened. The server's own details are left out, since they quote values.
fn describe(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(error), _) => format!("{} (SQLSTATE {})", error.message(), error.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector(…)")
    }
}
