//! What fails around the service: a process is killed, PostgreSQL restarts, the disk is full.

use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use tokio::time::{Instant, sleep};

use super::installation::Installation;
use super::plan::{KILL_INTERVAL, Plan};
use crate::Error;
use crate::postgres::{Postgres, Shutdown};
use crate::service_process::{Home, Service};

/// How long PostgreSQL stays away.
const AWAY: Duration = Duration::from_secs(3);
/// A process that does not start, since PostgreSQL is away, is started again after this long, so often.
const START_INTERVAL: Duration = Duration::from_secs(1);
const START_ATTEMPTS: u32 = 60;

/// Kills a process again and again (`kill -9`), and starts it again at once.
pub(super) async fn kill_repeatedly(
    installation: &Installation,
    killed: &mut Option<Service>,
    end: Instant,
) -> Result<(), Error> {
    // Not so late in the round that nobody sees whether it ends.
    while Instant::now() + KILL_INTERVAL < end {
        sleep(KILL_INTERVAL).await;
        let fault = async {
            if let Some(process) = killed.take() {
                process.kill().await?;
            }
            *killed = Some(start(&installation.home).await?);
            Ok::<_, Error>(())
        };
        installation.figures.during("kill -9", end, fault).await?;
    }
    Ok(())
}

async fn start(home: &Home) -> Result<Service, Error> {
    let mut attempts = 1;
    loop {
        match home.start().await {
            Err(_) if attempts < START_ATTEMPTS => attempts += 1,
            result => return result,
        }
        sleep(START_INTERVAL).await;
    }
}

/// Stops PostgreSQL in the middle of the round and starts it again.
pub(super) async fn restart_postgres(
    plan: &Plan,
    installation: &Installation,
    postgres: &mut Postgres,
    shutdown: Shutdown,
    end: Instant,
) -> Result<(), Error> {
    sleep(plan.round / 2).await;
    let name = match shutdown {
        Shutdown::Fast => "PostgreSQL restarts",
        Shutdown::Immediate => "PostgreSQL crashes",
    };
    let fault = async {
        postgres.stop(shutdown).await?;
        sleep(AWAY).await;
        postgres.restart().await
    };
    installation.figures.during(name, end, fault).await
}

/// Takes the disk space away for a sixth of the round: no write of the process succeeds, neither into the database nor
/// into its log. A limit of file sizes does that without a file system of one's own, which only root could mount.
pub(super) async fn fill_disk(plan: &Plan, installation: &Installation, end: Instant) -> Result<(), Error> {
    sleep(plan.round / 3).await;
    let id = installation.steady.id().and_then(|id| i32::try_from(id).ok());
    let process = id.and_then(Pid::from_raw).ok_or("the service has ended by itself")?;
    let unlimited = getrlimit(Resource::Fsize);
    let full = Rlimit { current: Some(0), ..unlimited };
    let fault = async {
        prlimit(Some(process), Resource::Fsize, full)?;
        sleep(plan.round / 6).await;
        prlimit(Some(process), Resource::Fsize, unlimited)?;
        Ok(())
    };
    installation.figures.during("disk full", end, fault).await
}
