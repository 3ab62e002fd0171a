//! `connect-service dev ctl`: a running `connect-service dev`, steered from the command line.

use std::path::PathBuf;

use clap::Args;
use connect_service::dev::command::Command;
use connect_service::dev::{control, control_url_of};
use connect_service::state::SetupError;

use crate::cli::print;

#[derive(Args)]
pub(crate) struct Ctl {
    /// The folder of the instance. Default: the one that PC_DEV_URL names.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The address that `connect-service dev` printed.
    #[arg(long, env = "PC_DEV_URL", hide_env_values = true)]
    url: Option<String>,
    #[command(subcommand)]
    command: Command,
}

/// Carries one command out and prints its result, as JSON.
pub(crate) async fn run(ctl: Ctl) -> Result<(), SetupError> {
    let url = match (ctl.dir, ctl.url) {
        (Some(dir), _) => control_url_of(&dir)?,
        (None, Some(url)) => url,
        (None, None) => {
            return Err(
                "which instance? Set PC_DEV_URL, which it printed, or name its folder with --dir".into()
            );
        }
    };
    let result = control(&url, &ctl.command).await?;
    print(&serde_json::to_string_pretty(&result)?)
}
