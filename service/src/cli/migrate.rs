//! `connect-service migrate`: the tables, brought up to date before the service starts.

use clap::Args;
use connect_service::clock::Clock;
use connect_service::config::Config;
use connect_service::state::{SetupError, open_store};
use connect_service::store::{Mode, inspect};
use secrecy::ExposeSecret;

use super::Output;

/// Bring the tables up to date, as each start of the service does.
#[derive(Args)]
pub(crate) struct MigrateCommand {
    /// Change nothing: list the steps that are missing, and fail if there are any.
    #[arg(long)]
    check: bool,
}

pub(crate) async fn migrate(
    config: &Config,
    command: &MigrateCommand,
    output: Output,
) -> Result<(), SetupError> {
    let clock = Clock::default();
    if !command.check {
        open_store(config, Mode::Live, clock).await?.close().await;
        return Ok(());
    }
    let found = inspect(config.database_url.expose_secret(), None, &clock).await?;
    let missing = found.pending.len();
    output.table(["step"], found.pending.into_iter().map(|step| [step.into()]))?;
    if missing > 0 { Err(format!("steps that are missing: {missing}").into()) } else { Ok(()) }
}
