//! `connect-service connection`.

use clap::Subcommand;
use connect_service::state::SetupError;
use connect_service::store::{ConnectionState, ListedFilter, Store};

use super::output::time;
use super::{Output, account, check_tenant};

#[derive(Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Count connections by tenant, app and state.
    Count {
        /// Of this tenant alone.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// List a tenant's connections, the newest first.
    List {
        /// The tenant's id.
        #[arg(long)]
        tenant: String,
        /// Of the customer with this email alone.
        #[arg(long, value_parser = account)]
        customer: Option<String>,
        /// For this app alone.
        #[arg(long)]
        app: Option<String>,
        /// In this state alone.
        #[arg(long, value_enum)]
        state: Option<ConnectionState>,
        /// So many at most.
        #[arg(long, default_value = "100")]
        limit: u32,
    },
}

pub(crate) async fn connections(
    store: &Store,
    command: ConnectionCommand,
    output: Output,
) -> Result<(), SetupError> {
    match command {
        ConnectionCommand::Count { tenant } => {
            if let Some(tenant) = &tenant {
                check_tenant(store, tenant).await?;
            }
            let counts = store.count_connections(tenant.as_deref()).await?;
            let rows = counts.into_iter().map(|count| {
                [count.tenant.into(), count.app_id.into(), count.state.into(), count.connections.into()]
            });
            output.table(["tenant", "app", "state", "connections"], rows)
        }
        ConnectionCommand::List { tenant, customer, app, state, limit } => {
            check_tenant(store, &tenant).await?;
            let filter = ListedFilter {
                customer: customer.as_deref(),
                app_id: app.as_deref(),
                state: state.map(ConnectionState::as_str),
            };
            let listed = store.list_connections(&tenant, &filter, limit).await?;
            let rows = listed.into_iter().map(|connection| {
                [
                    connection.id.into(),
                    connection.customer.into(),
                    connection.app_id.into(),
                    connection.state.into(),
                    time(connection.created_at),
                    time(connection.last_refreshed_at),
                    time(connection.last_used_at),
                ]
            });
            let columns =
                ["id", "customer", "app", "state", "created_at", "last_refreshed_at", "last_used_at"];
            output.table(columns, rows)
        }
    }
}
