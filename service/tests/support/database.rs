//! A database of a test's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connect_service::clock::Clock;
use connect_service::ids;
use connect_service::store::Store;
use connect_service::vault::KeyRing;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// An encryption key of no value.
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// An empty database: a SQLite file, or a new database of the PostgreSQL server that `CONNECT_TEST_POSTGRES_URL` names
/// (see `tests/src/bin/with-postgres.rs`). A file is deleted with the last clone.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) url: String,
    folder: Arc<Folder>,
}

struct Folder(PathBuf);

/// A connection past the service, as another process has one. Dropping it undoes what it did not commit.
pub(crate) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Database {
    pub(crate) async fn new() -> Self {
        let folder = folder();
        let url = match std::env::var("CONNECT_TEST_POSTGRES_URL") {
            Ok(server) => create_database(&server).await,
            Err(_) => format!("sqlite://{}", folder.join("test.db").display()),
        };
        Self { url, folder: Arc::new(Folder(folder)) }
    }

    /// One more user of it, as if in another process.
    pub(crate) async fn open(&self, clock: &Clock) -> Store {
        self.open_with(KeyRing::from_base64(KEY, "a test").unwrap(), clock).await
    }

    /// One more user of it, with these root keys.
    pub(crate) async fn open_with(&self, ring: KeyRing, clock: &Clock) -> Store {
        Store::open(&self.url, ring, clock.clone()).await.unwrap()
    }

    /// Connects past the service.
    pub(crate) async fn connect(&self) -> Connection {
        match self.file() {
            Some(file) => Connection::Sqlite(rusqlite::Connection::open(file).unwrap()),
            None => Connection::Postgres(connect(&self.url).await),
        }
    }

    /// A folder of the test's own, deleted with the last clone. It holds the file, for SQLite.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// The path of the file, for SQLite.
    pub(crate) fn file(&self) -> Option<&str> {
        self.url.strip_prefix("sqlite://")
    }

    /// All that is stored: the bytes of SQLite's files, or the rows of PostgreSQL's tables, which are all text.
    pub(crate) async fn contents(&self) -> Vec<u8> {
        if let Some(path) = self.file() {
            let read = |end| std::fs::read(format!("{path}{end}")).unwrap();
            return ["", "-wal"].into_iter().flat_map(read).collect();
        }
        let connection = self.connect().await;
        let tables = "SELECT string_agg(table_name, ' ') FROM information_schema.tables
                      WHERE table_schema = 'public'";
        let mut contents = String::new();
        for table in connection.text(tables).await.split(' ') {
            let rows = format!("SELECT coalesce(string_agg(row::text, ' '), '') FROM \"{table}\" row");
            contents += &connection.text(&rows).await;
        }
        contents.into_bytes()
    }
}

impl Connection {
    pub(crate) async fn execute(&self, statements: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(statements).unwrap(),
            Self::Postgres(client) => client.batch_execute(statements).await.unwrap(),
        }
    }

    /// The first column of the first row, as text.
    pub(crate) async fn text(&self, query: &str) -> String {
        match self {
            Self::Sqlite(connection) => {
                let value = connection.query_row(query, (), |row| row.get(0)).unwrap();
                match value {
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    value => panic!("{value:?}"),
                }
            }
            Self::Postgres(client) => {
                let messages = client.simple_query(query).await.unwrap();
                let row = messages.iter().find_map(|message| match message {
                    SimpleQueryMessage::Row(row) => row.get(0),
                    _ => None,
                });
                row.unwrap().to_owned()
            }
        }
    }
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A new empty folder.
pub(crate) fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("connect-service-{}", ids::random(16)));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn create_database(server: &str) -> String {
    let name = format!("service-{}", ids::random(16));
    let statement = format!("CREATE DATABASE \"{name}\"");
    connect(server).await.batch_execute(&statement).await.unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.into()
}
