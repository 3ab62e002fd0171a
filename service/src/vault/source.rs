//! Where a root key comes from: a file, the environment, or a command such as that of a key management service.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::{VaultError, random_key};
use crate::config::PREFIX;
use crate::ids;

/// Maximum size of what a file or a command gives, in bytes.
const MAX_TEXT: usize = 1024;

/// Maximum duration of a command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a root key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// The value of this environment variable.
    Environment(String, SecretString),
    /// The contents of a file.
    File(PathBuf),
    /// What a program prints, with its arguments. No shell is between.
    Command(Vec<String>),
}

impl KeySource {
    /// Names it, without a secret. Arguments of commands are left out, since they may hold one.
    pub fn origin(&self, id: &str) -> String {
        match self {
            Self::Environment(variable, _) => variable.clone(),
            Self::File(path) => path.display().to_string(),
            Self::Command(_) => format!("key_command of root key `{id}`"),
        }
    }

    pub(super) async fn read(&self, id: &str, may_be_made: bool) -> Result<Zeroizing<String>, VaultError> {
        match self {
            Self::Environment(_, key) => Ok(Zeroizing::new(key.expose_secret().to_owned())),
            Self::File(path) => read_file(path, may_be_made),
            Self::Command(command) => {
                let output = tokio::time::timeout(COMMAND_TIMEOUT, run(command)).await;
                let output = output
                    .unwrap_or_else(|_| Err(format!("it takes longer than {} s", COMMAND_TIMEOUT.as_secs())));
                output.map_err(|problem| VaultError::KeyCommand { id: id.to_owned(), problem })
            }
        }
    }
}

/// What a program prints. It inherits stderr, so that the operator sees why it fails.
async fn run(command: &[String]) -> Result<Zeroizing<String>, String> {
    let [program, arguments @ ..] = command else {
        return Err("it is empty".to_owned());
    };
    let mut command = Command::new(program);
    // Whatever the service is configured with, a database's password among it, is no business of the program's.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(PREFIX)) {
        command.env_remove(name);
    }
    let command = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("it cannot be run: {error}"))?;
    let stdout = child.stdout.take().ok_or("its output cannot be read")?;
    // Room for all of it: a buffer that grows would leave parts of the key behind.
    let mut output = Zeroizing::new(Vec::with_capacity(MAX_TEXT + 64));
    let read = stdout.take(MAX_TEXT as u64 + 1).read_to_end(&mut output).await;
    read.map_err(|error| format!("its output cannot be read: {error}"))?;
    if output.len() > MAX_TEXT {
        return Err(format!("it prints more than {MAX_TEXT} bytes"));
    }
    let status = child.wait().await.map_err(|error| format!("it was lost: {error}"))?;
    if !status.success() {
        return Err(format!("it failed: {status}"));
    }
    let text = std::str::from_utf8(&output).map_err(|_| "it prints no text".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// What a file holds that its owner alone can read.
pub(super) fn read_file(path: &Path, may_be_made: bool) -> Result<Zeroizing<String>, VaultError> {
    let failed = |source| VaultError::KeyFile { path: path.to_owned(), source };
    let file = match File::open(path) {
        Err(error) if may_be_made && error.kind() == ErrorKind::NotFound => {
            make_file(path).and_then(|()| File::open(path)).map_err(failed)?
        }
        opened => opened.map_err(failed)?,
    };
    if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(VaultError::ExposedKey(path.to_owned()));
    }
    let mut key = Zeroizing::new(String::with_capacity(MAX_TEXT + 64));
    file.take(MAX_TEXT as u64).read_to_string(&mut key).map_err(failed)?;
    Ok(key)
}

/// Makes the file whole or not at all; if another process was first, its file stays.
fn make_file(path: &Path) -> std::io::Result<()> {
    let key = random_key().map_err(std::io::Error::other)?;
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(key.as_ref())));

    let draft = path.with_extension(ids::random(8));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    // Whatever is sealed with this key is worth nothing if the key is lost with the power.
    file.sync_all()?;
    let made = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(command: &[&str]) -> Result<Zeroizing<String>, VaultError> {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        KeySource::Command(command).read("kms", false).await
    }

    #[tokio::test]
    async fn a_command_gives_what_it_prints() {
        assert_eq!(*read(&["printf", "a key"]).await.unwrap(), "a key");
        // There is no shell.
        assert_eq!(*read(&["printf", "%s", "$HOME; `id`"]).await.unwrap(), "$HOME; `id`");
    }

    #[tokio::test]
    async fn a_command_that_gives_no_key_is_named() {
        for (command, problem) in [
            (&["sh", "-c", "echo canary; exit 3"][..], "exit status: 3"),
            (&["sh", "-c", "head -c 2000 /dev/zero; sleep 600"], "more than 1024 bytes"),
            (&["printf", "\\377"], "no text"),
            (&["/no/such/program", "canary"], "cannot be run"),
            (&[], "it is empty"),
        ] {
            let error = read(command).await.unwrap_err().to_string();
            assert!(error.contains("`kms`") && error.contains(problem), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    /// The time is the runtime's, which goes on where nothing else is to be done.
    #[tokio::test(start_paused = true)]
    async fn a_command_that_hangs_is_given_up() {
        let error = read(&["sleep", "600"]).await.unwrap_err().to_string();
        assert!(error.contains("longer than 10 s"), "{error}");
    }
}
