//! The real `connect-service`, started, steered and killed like an operator's.
//!
//! A [`Home`] is the folder of one installation: configuration, database, keys, logs. Any number of processes can be
//! started in it, one after another or side by side.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{Error, provider, random};

/// How long a process may take to start or to end before a test says so; generous, since machines are busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many ports there are to choose from, see [`free_port`].
const PORTS: u16 = 12_000;

/// What an operator would write into the configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Calls a minute and tenant for the token endpoint.
    pub token_budget: u32,
    /// Calls a minute and tenant for everything else.
    pub default_budget: u32,
    /// What is logged, as `RUST_LOG` says it; the service's own choice unless told.
    pub log: Option<String>,
    /// URL of the PostgreSQL database. Default: a SQLite file in the installation's folder.
    pub database_url: Option<String>,
    /// Program and arguments that start the service, such as `nice`. Default: none, it is started itself.
    pub launcher: Vec<String>,
    /// The service's binary. Default: the one that [`binary`] finds.
    pub binary: Option<PathBuf>,
    /// Apps beside the built-in ones, or in place of them: id and catalogue file.
    pub catalogue: Vec<(String, String)>,
    /// OAuth apps of the catalogue and the providers that stand in for the real ones.
    pub apps: Vec<AppSettings>,
    /// Further settings, as environment variables.
    pub environment: Vec<(&'static str, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            token_budget: 1_000_000,
            default_budget: 1_000_000,
            log: None,
            database_url: None,
            launcher: Vec::new(),
            binary: None,
            catalogue: Vec::new(),
            apps: Vec::new(),
            environment: Vec::new(),
        }
    }
}

/// One OAuth app as the operator configures it.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// The app's id in the catalogue.
    pub app_id: String,
    /// The operator's client id.
    pub client_id: String,
    /// The operator's client secret.
    pub client_secret: String,
    /// Where customers consent.
    pub authorization_url: String,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: String,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
}

impl AppSettings {
    /// The app with a local provider in place of the real one.
    pub fn local(app_id: &str, provider: &provider::Provider) -> AppSettings {
        AppSettings {
            app_id: app_id.to_owned(),
            client_id: provider.options().client_id.clone(),
            client_secret: provider.options().client_secret.clone(),
            authorization_url: provider.authorization_url(),
            token_url: provider.token_url(),
            scopes: vec!["profile".to_owned()],
        }
    }
}

/// The folder of one installation, removed when dropped.
#[derive(Debug)]
pub struct Home {
    folder: tempfile::TempDir,
    port: u16,
    log: Option<String>,
    environment: Vec<(&'static str, String)>,
    launcher: Vec<String>,
    binary: Option<PathBuf>,
}

/// A running process; killed when dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    url: String,
}

impl Home {
    /// A fresh installation with an empty database.
    ///
    /// # Errors
    /// When the folder or the configuration cannot be written.
    pub fn new(settings: &Settings) -> Result<Home, Error> {
        let home = Home {
            folder: tempfile::tempdir()?,
            port: free_port()?,
            log: settings.log.clone(),
            environment: settings.environment.clone(),
            launcher: settings.launcher.clone(),
            binary: settings.binary.clone(),
        };
        fs::create_dir(home.path("catalogue"))?;
        for (id, text) in &settings.catalogue {
            fs::write(home.path(&format!("catalogue/{id}.toml")), text)?;
        }
        fs::write(home.path("connect.toml"), home.configuration(settings))?;
        Ok(home)
    }

    /// A file of the installation.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address that links and redirects carry; [`start`](Home::start) listens there.
    pub fn public_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where an app's OAuth provider sends customers back to.
    pub fn redirect_uri(&self, app: &str) -> String {
        format!("{}/platform/v1/oauth/callback/{app}", self.public_url())
    }

    /// Adds lines at the end of the configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn configure(&self, lines: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(self.path("connect.toml"))?;
        io::Write::write_all(&mut file, lines.as_bytes())
    }

    /// The port of [`public_url`](Home::public_url).
    pub fn port(&self) -> u16 {
        self.port
    }

    fn configuration(&self, settings: &Settings) -> String {
        let database_url = settings
            .database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", self.path("connect.db").display()));
        let mut text = format!(
            "listen = \"127.0.0.1:{}\"\npublic_url = \"{}\"\ndatabase_url = \"{}\"\nkey_file = \"{}\"\n\
             catalogue_dir = \"{}\"\nallow_private_networks = true\n\n[budgets]\ntoken = {}\ndefault = {}\nstatus = 1000000\nverification = 0\nevents = 1000000\nproxy = 1000000\n",
            self.port,
            self.public_url(),
            database_url,
            self.path("connect.key").display(),
            self.path("catalogue").display(),
            settings.token_budget,
            settings.default_budget,
        );
        for app in &settings.apps {
            let _ = write!(
                text,
                "\n[apps.{}]\nclient_id = \"{}\"\nclient_secret = \"{}\"\nauthorization_url = \"{}\"\n\
                 token_url = \"{}\"\nscopes = {:?}\n",
                app.app_id,
                app.client_id,
                app.client_secret,
                app.authorization_url,
                app.token_url,
                app.scopes,
            );
        }
        text
    }

    /// Starts the service at [`public_url`](Home::public_url) and waits until it listens.
    ///
    /// # Errors
    /// When it does not come up; the text holds what it printed.
    pub async fn start(&self) -> Result<Service, Error> {
        self.start_listening(&format!("127.0.0.1:{}", self.port), self.log()?.into()).await
    }

    /// Starts the service like [`start`](Home::start), at this port.
    ///
    /// # Errors
    /// As for [`start`](Home::start).
    pub async fn start_at(&self, port: u16) -> Result<Service, Error> {
        self.start_listening(&format!("127.0.0.1:{port}"), self.log()?.into()).await
    }

    /// Starts and runs this binary from now on, as after an upgrade.
    pub fn upgrade(&mut self, binary: PathBuf) {
        self.binary = Some(binary);
    }

    /// Starts one more process over the same database, at a port that the system chooses.
    ///
    /// # Errors
    /// As for [`start`](Home::start).
    pub async fn start_another(&self) -> Result<Service, Error> {
        self.start_listening("127.0.0.1:0", self.log()?.into()).await
    }

    /// Starts the service like [`start`](Home::start), with a log that nobody reads.
    ///
    /// # Errors
    /// As for [`start`](Home::start).
    pub async fn start_with_stalled_log(&self) -> Result<Service, Error> {
        self.start_listening(&format!("127.0.0.1:{}", self.port), Stdio::piped()).await
    }

    /// Starts one more process like [`start_another`](Home::start_another), with a log that nobody reads.
    ///
    /// # Errors
    /// As for [`start`](Home::start).
    pub async fn start_another_with_stalled_log(&self) -> Result<Service, Error> {
        self.start_listening("127.0.0.1:0", Stdio::piped()).await
    }

    async fn start_listening(&self, listen: &str, log: Stdio) -> Result<Service, Error> {
        let mut child = self
            .command(&["serve"])?
            .env("CONNECT_LISTEN", listen)
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the service has no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let Ok(Ok(Some(line))) = first else {
            return Err(format!("the service did not start:\n{}", self.logs()?).into());
        };
        let url =
            line.strip_prefix("listening on ").ok_or_else(|| format!("unexpected first line: {line}"))?;
        let url = url.trim().to_owned();
        // What it prints later belongs to the log as well.
        let mut log = self.log()?;
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = io::Write::write_all(&mut log, format!("{line}\n").as_bytes());
            }
        });
        Ok(Service { child, url })
    }

    /// Runs a command of the command line and gives what it printed, trimmed.
    ///
    /// # Errors
    /// When it fails; the text holds what it said.
    pub async fn run(&self, arguments: &[&str]) -> Result<String, Error> {
        let output = self.command(arguments)?.output().await?;
        // An operator's log keeps what a command says beside its answer.
        io::Write::write_all(&mut self.log()?, &output.stderr)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("connect-service {}: {}\n{said}", arguments.join(" "), output.status).into());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Makes a tenant and a key of it with all capabilities.
    ///
    /// # Errors
    /// When a command fails.
    pub async fn tenant_key(&self, name: &str) -> Result<String, Error> {
        let tenant = self.run(&["tenant", "create", name]).await?;
        self.key(&tenant, "apps,connections,token,delete").await
    }

    /// Makes a key of a tenant.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn key(&self, tenant: &str, capabilities: &str) -> Result<String, Error> {
        self.run(&["key", "create", "--tenant", tenant, "--capabilities", capabilities]).await
    }

    /// All that any process of this installation printed beside its answers.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn logs(&self) -> io::Result<String> {
        let mut bytes = Vec::new();
        File::open(self.path("service.log"))?.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The database's files that exist now: the file itself, its write-ahead log and shared memory.
    pub fn database_files(&self) -> Vec<PathBuf> {
        let names = ["connect.db", "connect.db-wal", "connect.db-shm", "connect.db-journal"];
        names.iter().map(|name| self.path(name)).filter(|path| path.exists()).collect()
    }

    fn command(&self, arguments: &[&str]) -> Result<Command, Error> {
        let binary = self.binary.clone().map_or_else(binary, Ok)?;
        let mut command = match self.launcher.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(binary);
                command
            }
            None => Command::new(binary),
        };
        // Nothing of the developer's own surroundings configures it.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().to_uppercase();
            if text.starts_with("CONNECT_") || text.ends_with("_PROXY") || text == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.envs(self.log.iter().map(|log| ("RUST_LOG", log)));
        // Tests do not wait for load balancers that are not there.
        command.env("CONNECT_DRAIN", "0");
        command.envs(self.environment.iter().cloned());
        command
            .arg("--config")
            .arg(self.path("connect.toml"))
            .args(arguments)
            .current_dir(self.folder.path());
        Ok(command)
    }

    fn log(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.path("service.log"))
    }
}

impl Service {
    /// Where it listens, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The base address of the platform's API.
    pub fn base_url(&self) -> String {
        format!("{}/platform/v1", self.url)
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// The memory that it has now, in KiB.
    ///
    /// # Errors
    /// When it has ended by itself.
    pub fn resident_kib(&self) -> Result<u64, Error> {
        let id = self.id().ok_or("the service has ended by itself")?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        Ok(kib.ok_or("no VmRSS")?.parse()?)
    }

    /// `kill -9`: it gets no chance to finish anything.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(mut self) -> Result<(), Error> {
        self.child.kill().await?;
        Ok(())
    }

    /// Asks it to end, as a service manager does (SIGTERM).
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn ask_to_end(&self) -> Result<(), Error> {
        let id =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.ok_or("the service has ended")?, rustix::process::Signal::TERM)?;
        Ok(())
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn ended(mut self) -> Result<ExitStatus, Error> {
        Ok(tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .map_err(|_| "the service does not end")??)
    }
}

/// The service's binary: `SERVICE_BIN`, else the one built beside this program.
///
/// # Errors
/// When it is not built.
pub fn binary() -> Result<PathBuf, Error> {
    if let Some(path) = std::env::var_os("SERVICE_BIN") {
        return fs::canonicalize(path).map_err(|error| format!("SERVICE_BIN: {error}").into());
    }
    let program = std::env::current_exe()?;
    let name = format!("connect-service{}", std::env::consts::EXE_SUFFIX);
    // A test lies in `deps/`, one folder below the binaries.
    let candidates = program.ancestors().skip(1).take(2).map(|folder| folder.join(&name));
    candidates.into_iter().find(|path: &PathBuf| Path::exists(path)).ok_or_else(|| {
        format!("{name} is not built: run `cargo build -p connect-service`, or set SERVICE_BIN").into()
    })
}

/// A free port outside the range from which the system takes ports by itself, so that it is still free when a
/// process comes back to it. No two homes of this program get the same one.
pub(crate) fn free_port() -> Result<u16, Error> {
    static TAKEN: OnceLock<AtomicU16> = OnceLock::new();
    let first = u16::try_from(random::below(u64::from(PORTS)))?;
    let taken = TAKEN.get_or_init(|| AtomicU16::new(first));
    for _ in 0..PORTS {
        let port = 20_000 + taken.fetch_add(1, Ordering::Relaxed) % PORTS;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no free port between 20000 and 32000".into())
}
