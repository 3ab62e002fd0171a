//! A database of a test's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connect_service::clock::Clock;
use connect_service::ids;
use connect_service::store::Store;
use connect_service::vault::Vault;
use sqlx::{Connection, Executor, PgConnection};

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

impl Database {
    pub(crate) async fn new() -> Self {
        let folder = folder();
        let url = match std::env::var("CONNECT_TEST_POSTGRES_URL") {
            Ok(server) => create_database(&server).await,
            Err(_) => format!("sqlite://{}", folder.join("test.db").display()),
        };
        Self {
            url,
            folder: Arc::new(Folder(folder)),
        }
    }

    /// One more user of it, as if in another process.
    pub(crate) async fn open(&self, clock: &Clock) -> Store {
        let vault = Vault::from_base64(KEY, "a test").unwrap();
        Store::open(&self.url, vault, clock.clone()).await.unwrap()
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
        let pool = sqlx::AnyPool::connect(&self.url).await.unwrap();
        let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&pool).await.unwrap();
        let mut contents = String::new();
        for table in tables {
            let rows = format!("SELECT row::text FROM \"{table}\" row");
            let rows: Vec<String> = sqlx::query_scalar(&rows).fetch_all(&pool).await.unwrap();
            contents.extend(rows);
        }
        contents.into_bytes()
    }
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
    let mut connection = PgConnection::connect(server).await.unwrap();
    let statement = format!("CREATE DATABASE \"{name}\"");
    connection.execute(&*statement).await.unwrap();
    connection.close().await.unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.into()
}
