//! `connect-service copy`: from one database into another.

use clap::Args;
use connect_service::state::SetupError;
use connect_service::store;

use super::Output;

/// Copy all rows of a database into an empty one, such as a SQLite file into PostgreSQL, and compare each. Stop the service
/// first.
#[derive(Args)]
pub(crate) struct CopyCommand {
    /// The database that there is, as in database_url.
    #[arg(long, env = "CONNECT_COPY_FROM", hide_env_values = true)]
    from: String,
    /// The empty database, as in database_url.
    #[arg(long, env = "CONNECT_COPY_TO", hide_env_values = true)]
    to: String,
}

pub(crate) async fn copy(command: &CopyCommand, output: Output) -> Result<(), SetupError> {
    let copied = store::copy(&command.from, &command.to).await?;
    output.table(["table", "rows"], copied.into_iter().map(|(table, rows)| [table.into(), rows.into()]))
}
