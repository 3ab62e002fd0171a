//! A PostgreSQL server of a test's own: Debian's, on a free port of loopback, with its data in a temporary folder.
//!
//! The system's own server is neither used nor started. `scripts/postgres` installs the programs where they are missing.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Error;
use crate::service_process::free_port;

/// Maximum time for the server to start or to stop. Generous, since test machines are busy.
const TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Where Debian installs each major version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Whether a commit survives a crash of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A commit is acknowledged after it reached the disk (`fsync = on`).
    Durable,
    /// Faster, for tests that never crash the server.
    Volatile,
}

/// How [`Postgres::stop`] ends the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Aborts open transactions, closes all connections and writes everything out (SIGINT).
    Fast,
    /// Ends like a crash; the next start recovers from the write-ahead log (SIGQUIT).
    Immediate,
}

/// A running server. Dropping it ends the server and deletes its data.
#[derive(Debug)]
pub struct Postgres {
    folder: tempfile::TempDir,
    programs: PathBuf,
    user: Option<User>,
    durability: Durability,
    port: u16,
    process: Option<Child>,
    databases: AtomicUsize,
}

/// The user to run as, since the server refuses to run as root.
#[derive(Debug, Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl Postgres {
    /// Makes a new cluster and starts its server.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or the server does not start; the text holds what it logged.
    pub async fn start(durability: Durability) -> Result<Postgres, Error> {
        let mut postgres = Postgres {
            folder: tempfile::tempdir()?,
            programs: programs()?,
            user: User::if_root()?,
            durability,
            port: free_port()?,
            process: None,
            databases: AtomicUsize::new(0),
        };
        if let Some(user) = postgres.user {
            chown(postgres.folder.path(), Some(user.uid), Some(user.gid))?;
        }
        let mut initdb = postgres.command("initdb");
        initdb
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync"])
            .arg(postgres.data());
        output(initdb).await?;
        postgres.restart().await?;
        Ok(postgres)
    }

    /// The server's port on 127.0.0.1. It stays the same across restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Offers TLS from now on, with a certificate for this name; returns the file of the authority that issued it.
    ///
    /// # Errors
    /// When the server does not take it.
    pub async fn offer_tls(&self, name: &str) -> Result<PathBuf, Error> {
        let certified = rcgen::generate_simple_self_signed([name.to_owned()])?;
        let (certificate, key) = (self.data().join("server.crt"), self.data().join("server.key"));
        fs::write(&certificate, certified.cert.pem())?;
        fs::write(&key, certified.signing_key.serialize_pem())?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
        for file in [&certificate, &key] {
            if let Some(user) = self.user {
                chown(file, Some(user.uid), Some(user.gid))?;
            }
        }
        // A server that offers TLS already reads its files anew.
        self.query("postgres", "ALTER SYSTEM SET ssl = on").await?;
        self.query("postgres", "SELECT pg_reload_conf()").await?;
        let deadline = Instant::now() + TIMEOUT;
        while self.query("postgres", "SHOW ssl").await? != "on" {
            if Instant::now() > deadline {
                return Err("PostgreSQL does not offer TLS".into());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(certificate)
    }

    /// Creates an empty database; returns its URL.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create_database(&self) -> Result<String, Error> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.query("postgres", &format!("CREATE DATABASE {name}")).await?;
        Ok(self.url(&name))
    }

    /// The URL of a database of this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL statements in a database as the superuser; returns the rows as text, with `|` between the columns.
    ///
    /// # Errors
    /// When the server refuses; the text holds what `psql` printed.
    pub async fn query(&self, database: &str, statements: &str) -> Result<String, Error> {
        let mut psql = self.command("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements])
            .arg(self.url(database));
        Ok(output(psql).await?.trim().to_owned())
    }

    /// Closes all other connections to a database from the server's side (`pg_terminate_backend`); returns their number.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn terminate_backends(&self, database: &str) -> Result<usize, Error> {
        let count = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        );
        Ok(self.query("postgres", &count).await?.parse()?)
    }

    /// Kills one backend of a database with SIGKILL, which makes the server drop all connections and recover.
    ///
    /// # Errors
    /// When there is none.
    pub async fn kill_backend(&self, database: &str) -> Result<(), Error> {
        let pid = format!(
            "SELECT pid FROM pg_stat_activity
             WHERE datname = '{database}' AND pid <> pg_backend_pid() LIMIT 1"
        );
        signal(self.query("postgres", &pid).await?.parse()?, Signal::KILL)?;
        Ok(())
    }

    /// Stops the server.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn stop(&mut self, shutdown: Shutdown) -> Result<(), Error> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        let how = match shutdown {
            Shutdown::Fast => Signal::INT,
            Shutdown::Immediate => Signal::QUIT,
        };
        signal(i32::try_from(process.id())?, how)?;
        let deadline = Instant::now() + TIMEOUT;
        while process.try_wait()?.is_none() {
            if Instant::now() > deadline {
                return Err("PostgreSQL does not stop".into());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        self.process = None;
        Ok(())
    }

    /// Starts the stopped server again at the same port, with the same data.
    ///
    /// # Errors
    /// When it does not start; the text holds what it logged.
    pub async fn restart(&mut self) -> Result<(), Error> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log())?;
        let durable = if self.durability == Durability::Durable { "on" } else { "off" };
        let mut server = self.command("postgres");
        server
            .arg("-D")
            .arg(self.data())
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-k"])
            .arg(self.folder.path())
            .args(["-N", "500"])
            .args(["-c", &format!("fsync={durable}")])
            .args(["-c", &format!("synchronous_commit={durable}")])
            .args(["-c", &format!("full_page_writes={durable}")])
            .stdout(log.try_clone()?)
            .stderr(log)
            .stdin(Stdio::null());
        self.process = Some(server.spawn()?);
        let deadline = Instant::now() + TIMEOUT;
        while let Err(error) = self.query("postgres", "SELECT 1").await {
            let ended = match &mut self.process {
                Some(process) => process.try_wait()?,
                None => None,
            };
            if ended.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(self.log())?;
                return Err(format!("PostgreSQL did not start: {error}\n{log}").into());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// One of PostgreSQL's programs, to be run as the cluster's user.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // The user need not be able to enter the folder that the test runs in.
        command.current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = i32::try_from(process.id()).map(|pid| signal(pid, Signal::QUIT));
            let _ = process.wait();
        }
    }
}

impl User {
    /// Debian's user for the server, where this process is root; else the process runs the server as itself.
    fn if_root() -> Result<Option<User>, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let user = users.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some("postgres")).then_some(())?;
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            Some(User { uid, gid })
        });
        user.map(Some).ok_or_else(missing)
    }
}

/// The folder with the programs of the newest installed version.
fn programs() -> Result<PathBuf, Error> {
    let version = |path: &Path| -> Option<u32> { path.file_name()?.to_str()?.parse().ok() };
    fs::read_dir(VERSIONS)
        .map_err(|_| missing())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("bin/postgres").exists())
        .max_by_key(|path| version(path))
        .map(|path| path.join("bin"))
        .ok_or_else(missing)
}

fn missing() -> Error {
    "PostgreSQL is not installed: run scripts/postgres".into()
}

/// Runs a program without blocking the runtime; returns what it printed.
async fn output(mut command: Command) -> Result<String, Error> {
    let name = format!("{:?}", command.get_program());
    let output = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output()).await??;
    if !output.status.success() {
        let printed = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name}: {}\n{printed}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn signal(pid: i32, signal: Signal) -> io::Result<()> {
    let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::NotFound)?;
    Ok(kill_process(pid, signal)?)
}
