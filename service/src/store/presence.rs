//! Which processes use a SQLite database, as far as they are alive: each holds a lock on a file beside it, which the
//! system takes back however the process ends.

use std::fs::{File, OpenOptions};
use std::io::Result;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// This process is alive, until this is dropped.
#[derive(Debug)]
pub(super) struct Presence {
    lock: File,
    is_only: bool,
}

impl Presence {
    /// Notes that this process uses the database in this file. Waits while another one is alone with it.
    ///
    /// # Errors
    ///
    /// When the file beside it cannot be made or locked.
    pub(super) async fn note(database: &Path) -> Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push("-lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        let is_only = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
        if !is_only {
            share(&lock).await?;
        }
        Ok(Self { lock, is_only })
    }

    /// Whether no other process uses the database, until [`Presence::let_others_in`].
    pub(super) fn is_only(&self) -> bool {
        self.is_only
    }

    /// Ends being alone.
    ///
    /// # Errors
    ///
    /// When the file cannot be locked any more.
    pub(super) async fn let_others_in(&self) -> Result<()> {
        share(&self.lock).await
    }
}

/// Takes a lock that many can have, in the place of the one that this file has.
async fn share(lock: &File) -> Result<()> {
    let lock = lock.try_clone()?;
    let shared = tokio::task::spawn_blocking(move || flock(&lock, FlockOperation::LockShared));
    Ok(shared.await??)
}
