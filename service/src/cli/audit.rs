//! `connect-service audit`: who asked for which credential.

use clap::Args;
use connect_service::clock::Millis;
use connect_service::state::SetupError;
use connect_service::store::{Store, VendingFilter};
use serde_json::json;

use super::output::time;
use super::{Output, account, check_tenant, point_in_time};

/// List who asked for which credential or called a provider with it: when, the key's id, the connection's id, what became of
/// it, how many calls in that second, the customer's pseudonym, and what was called.
#[derive(Args)]
pub(crate) struct AuditCommand {
    /// The tenant's id.
    #[arg(long)]
    tenant: String,
    /// Of this connection alone.
    #[arg(long)]
    connection: Option<String>,
    /// Of the customer with this email alone.
    #[arg(long, value_parser = account)]
    customer: Option<String>,
    /// Not before, such as 2026-11-21T10:00:00Z.
    #[arg(long, value_parser = point_in_time)]
    since: Option<Millis>,
    /// The latest lines, so many at most.
    #[arg(long, default_value = "1000")]
    limit: u32,
}

pub(crate) async fn audit(store: &Store, command: AuditCommand, output: Output) -> Result<(), SetupError> {
    check_tenant(store, &command.tenant).await?;
    let filter = VendingFilter {
        connection: command.connection.as_deref(),
        customer: command.customer.as_deref(),
        since: command.since.unwrap_or_default(),
    };
    let lines = store.vendings(&command.tenant, &filter, command.limit).await?;
    output.table(
        ["at", "key", "connection", "outcome", "calls", "customer", "request"],
        lines.into_iter().map(|line| {
            let request = line.request.map(|request| match output.is_json {
                true => json!({
                    "method": request.method,
                    "host": request.host,
                    "path": request.path,
                    "status": request.status,
                }),
                false => request.to_string().into(),
            });
            [
                time(line.at),
                line.key.into(),
                line.connection.into(),
                line.outcome.into(),
                line.calls.into(),
                line.customer.into(),
                request.unwrap_or_default(),
            ]
        }),
    )
}
