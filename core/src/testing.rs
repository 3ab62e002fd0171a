//! What tests of programs that use this crate need: the platform on this machine, and errors to order. Only with the
//! feature `testing`.
//!
//! There is no fake client: a program that wants one puts a trait of its own between itself and [`Customer`], whose
//! results can be made. They are all `Deserialize`, from the JSON that the service would send.
//!
//! ```
//! use pabbly_connect::{Connection, Token};
//!
//! let token: Token = serde_json::from_str(r#"{"auth_type": "o_auth", "access_token": "test"}"#)?;
//! let connection: Connection = serde_json::from_str(r#"{"id": "conn_1", "status": "active"}"#)?;
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! [`Customer`]: crate::Customer

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::{CODES, Error, ErrorKind};

/// Names the program, unless [`EmulatorOptions`] do.
const BINARY_VARIABLE: &str = "PC_DEV_BIN";
/// What it prints to be found by, in this order.
const EXPORTS: [&str; 3] = ["PC_TENANT_KEY", "PC_BASE_URL", "PC_DEV_URL"];
/// Far longer than it takes, also on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// After this, it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of what it says about itself is kept.
const MAX_STDERR: usize = 16 * 1024;

/// Makes an error as the service or the SDK would: with the code and the status that go with its kind, and where the
/// service tells when to come back, a `retry_after` of one second.
///
/// ```
/// use pabbly_connect::{ErrorKind, testing};
///
/// let error = testing::error(ErrorKind::NeedsReconnection, "the grant was revoked");
/// assert_eq!((error.status(), error.code()), (Some(401), Some("needs_reconnection")));
/// ```
pub fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    let error = Error::local(kind, message);
    let row = CODES.iter().find(|row| row.kind == kind && kind != ErrorKind::Other);
    let Some((status, code)) = row.and_then(|row| Some((row.status?, row.code))) else {
        return error;
    };
    let comes_back = matches!(kind, ErrorKind::RateLimited | ErrorKind::UpstreamUnavailable);
    let retry_after = comes_back.then_some(Duration::from_secs(1));
    error.with_status(status).with_code(code).with_attempts(1).with_retry_after(retry_after)
}

/// How to start an [`Emulator`].
#[derive(Clone, Debug, Default)]
pub struct EmulatorOptions {
    /// The program. Default: `PC_DEV_BIN` of the environment, else `connect-service` on the `PATH`.
    pub binary: Option<PathBuf>,
    /// Further options of `connect-service dev`, such as `--seed`.
    pub args: Vec<String>,
}

/// A running `connect-service dev`: the platform with a provider that plays every OAuth app. It ends when it is dropped,
/// and with this process.
///
/// ```
/// use pabbly_connect::Client;
/// use pabbly_connect::testing::Emulator;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::start()?;
/// let client = Client::builder().api_key(emulator.tenant_key()).base_url(emulator.base_url()).build()?;
/// let alice = client.customer("alice@example.com")?;
/// let link = alice.create_request_link("gmail", "Work Gmail").await?;
/// emulator.ctl(&["connect", &link.request_link])?; // plays the customer
/// let token = alice.get_token(&link.connection_id).await?;
/// # assert!(token.access_token.is_some());
/// # Ok(()) }
/// ```
pub struct Emulator {
    child: Child,
    program: OsString,
    /// The values of [`EXPORTS`].
    exports: [String; 3],
}

/// The emulator did not start, or did not carry a command out.
#[derive(Debug)]
pub struct EmulatorError {
    message: String,
    stderr: String,
    source: Option<io::Error>,
}

impl Emulator {
    /// Starts `connect-service dev` and waits until it is ready: this blocks for about a second.
    ///
    /// # Errors
    /// Where the program is not found or does not start.
    pub fn start() -> Result<Self, EmulatorError> {
        Self::start_with(EmulatorOptions::default())
    }

    /// The same with options.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn start_with(options: EmulatorOptions) -> Result<Self, EmulatorError> {
        let named = || std::env::var_os(BINARY_VARIABLE).filter(|name| !name.is_empty());
        let binary = options.binary.map(PathBuf::into_os_string).or_else(named);
        let program = binary.unwrap_or_else(|| "connect-service".into());
        // It ends when its standard input is closed, as it is with this process.
        let mut child = Command::new(&program)
            .args(["dev", "--watch-stdin"])
            .args(options.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| EmulatorError::not_started(&program, error))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let stderr = thread::spawn(move || stderr.map(last_of).unwrap_or_default());
        let (sender, lines) = mpsc::channel();
        // Both are read to their ends: a full pipe would stop it.
        thread::spawn(move || {
            for line in
                stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines().map_while(Result::ok))
            {
                let _ = sender.send(line);
            }
        });
        match exports(&lines) {
            Ok(exports) => Ok(Self { child, program, exports }),
            Err(why) => Err(EmulatorError::ended(&program, why, child, stderr)),
        }
    }

    /// The tenant's key: a client's `api_key`.
    pub fn tenant_key(&self) -> &str {
        &self.exports[0]
    }

    /// Where the service is: a client's `base_url`.
    pub fn base_url(&self) -> &str {
        &self.exports[1]
    }

    /// The environment variables by which programs find it: `Command::new("my-server").envs(emulator.env())`.
    pub fn env(&self) -> [(&'static str, &str); 3] {
        std::array::from_fn(|index| (EXPORTS[index], self.exports[index].as_str()))
    }

    /// Steers it as `connect-service dev ctl` does, and gives the result: `ctl(&["expire", &connection.id])`.
    ///
    /// # Errors
    /// Where the command was refused.
    pub fn ctl(&self, arguments: &[&str]) -> Result<serde_json::Value, EmulatorError> {
        // Without the other arguments, among which a link's secret may be.
        let command = arguments.first().copied().unwrap_or_default();
        let failed = |stderr: String, source| EmulatorError {
            message: format!("connect-service dev ctl {command} failed"),
            stderr,
            source,
        };
        let output =
            Command::new(&self.program).args(["dev", "ctl"]).args(arguments).envs(self.env()).output();
        let output = output.map_err(|error| failed(String::new(), Some(error)))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned(), None));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| failed(String::new(), Some(error.into())))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It deletes what it stored.
        drop(self.child.stdin.take());
        let begin = Instant::now();
        while begin.elapsed() < STOP_TIMEOUT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

/// What it prints before it is ready.
fn exports(lines: &Receiver<String>) -> Result<[String; 3], RecvTimeoutError> {
    let begin = Instant::now();
    let mut found = HashMap::new();
    loop {
        let line = lines.recv_timeout(START_TIMEOUT.saturating_sub(begin.elapsed()))?;
        if line.starts_with("# Ready") {
            return Ok(EXPORTS.map(|name| found.remove(name).unwrap_or_default()));
        }
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|export| export.split_once('=')) {
            found.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// The end of what is written there, once it is all written.
fn last_of(mut stream: impl Read) -> String {
    let (mut kept, mut read) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut read) {
        kept.extend_from_slice(&read[..length]);
        kept.drain(..kept.len().saturating_sub(MAX_STDERR));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

impl EmulatorError {
    fn not_started(program: &OsString, source: io::Error) -> Self {
        let program = program.display();
        let message = match source.kind() {
            io::ErrorKind::NotFound => format!(
                "there is no program {program}: build it with `cargo build -p connect-service`, and set \
                 {BINARY_VARIABLE} to its path"
            ),
            _ => format!("{program} could not be started: {source}"),
        };
        Self { message, stderr: String::new(), source: Some(source) }
    }

    fn ended(
        program: &OsString,
        why: RecvTimeoutError,
        mut child: Child,
        stderr: JoinHandle<String>,
    ) -> Self {
        let program = program.display();
        let is_late = why == RecvTimeoutError::Timeout;
        if is_late {
            let _ = child.kill();
        }
        let message = match child.wait() {
            _ if is_late => format!("{program} is not ready after {} s", START_TIMEOUT.as_secs()),
            Ok(status) => format!("{program} ended: {status}"),
            Err(error) => format!("{program} ended: {error}"),
        };
        Self { message, stderr: stderr.join().unwrap_or_default(), source: None }
    }

    /// What the program said about it.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }
}

impl fmt::Display for EmulatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.stderr.trim_end() {
            "" => Ok(()),
            stderr => write!(f, ":\n{stderr}"),
        }
    }
}

impl std::error::Error for EmulatorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
