//! `connect-service tenant`.

use clap::Subcommand;
use connect_service::state::SetupError;
use connect_service::store::{MAX_TENANT_NAME, Store, TenantBudgets};
use connect_service::{text, website_url};

use super::output::time;
use super::{Output, account, check_tenant, known};

#[derive(Subcommand)]
pub(crate) enum TenantCommand {
    /// Make a tenant and print its id.
    Create {
        /// What customers see on the hosted page, always: a link can only add a name of its own.
        #[arg(value_parser = tenant_name)]
        name: String,
        /// The tenant's own account, for which its MCP URLs act.
        #[arg(long, value_parser = account)]
        email: Option<String>,
    },
    /// Change the name that customers see.
    Rename {
        /// The tenant's id.
        tenant: String,
        /// What customers see on the hosted page from now on.
        #[arg(value_parser = tenant_name)]
        name: String,
    },
    /// Give the tenant budgets of its own; what is not named is as configured.
    Budgets {
        /// The tenant's id.
        tenant: String,
        /// Calls a minute to the token endpoint.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        token: Option<u32>,
        /// Calls a minute to everything else.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        default: Option<u32>,
        /// Calls a minute to the feed of events.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        events: Option<u32>,
        /// Calls a minute through the proxy.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        proxy: Option<u32>,
    },
    /// Let the tenant's keys, MCP URLs and links open nothing, from the next request on. Nothing is deleted, and grants are
    /// kept alive.
    Disable {
        /// The tenant's id.
        tenant: String,
    },
    /// Undo `disable`.
    Enable {
        /// The tenant's id.
        tenant: String,
    },
    /// Delete a tenant with its keys and all connections of its customers, and end their grants at the providers. Without
    /// --yes, only tell what that would delete.
    Delete {
        /// The tenant's id.
        tenant: String,
        /// Delete it; nothing brings it back.
        #[arg(long)]
        yes: bool,
    },
    /// Set or change the tenant's own account, for which its MCP URLs act.
    Email {
        /// The tenant's id.
        tenant: String,
        /// The account.
        #[arg(value_parser = account)]
        email: String,
    },
    /// Set, change or remove the tenant's website: its pages may lead straight to a provider, without the hosted page that
    /// asks, and links that name no `allowed_origin` get its origin.
    Website {
        /// The tenant's id.
        tenant: String,
        /// An https address. Without it, the tenant has none any more.
        #[arg(value_parser = website_url)]
        url: Option<String>,
    },
    /// List the tenants.
    List,
}

const COLUMNS: [&str; 10] = [
    "id",
    "name",
    "created_at",
    "email",
    "website_url",
    "disabled_at",
    "token_budget",
    "default_budget",
    "events_budget",
    "proxy_budget",
];

pub(crate) async fn tenants(store: &Store, command: TenantCommand, output: Output) -> Result<(), SetupError> {
    match command {
        TenantCommand::Create { name, email } => {
            output.value("id", &store.create_tenant(&name, email.as_deref()).await?)
        }
        TenantCommand::Rename { tenant, name } => known(store.rename_tenant(&tenant, &name).await?),
        TenantCommand::Budgets { tenant, token, default, events, proxy } => {
            let budgets = TenantBudgets { token, default, events, proxy };
            known(store.set_tenant_budgets(&tenant, budgets).await?)
        }
        TenantCommand::Disable { tenant } => known(store.disable_tenant(&tenant).await?),
        TenantCommand::Enable { tenant } => known(store.enable_tenant(&tenant).await?),
        TenantCommand::Delete { tenant, yes } => delete(store, &tenant, yes, output).await,
        TenantCommand::Email { tenant, email } => known(store.set_tenant_email(&tenant, &email).await?),
        TenantCommand::Website { tenant, url } => {
            known(store.set_tenant_website(&tenant, url.as_deref()).await?)
        }
        TenantCommand::List => {
            let tenants = store.tenants().await?.into_iter().map(|tenant| {
                [
                    tenant.id.into(),
                    tenant.name.into(),
                    time(tenant.created_at),
                    tenant.email.into(),
                    tenant.website_url.into(),
                    time(tenant.disabled_at),
                    tenant.budgets.token.into(),
                    tenant.budgets.default.into(),
                    tenant.budgets.events.into(),
                    tenant.budgets.proxy.into(),
                ]
            });
            output.table(COLUMNS, tenants)
        }
    }
}

async fn delete(store: &Store, tenant: &str, yes: bool, output: Output) -> Result<(), SetupError> {
    check_tenant(store, tenant).await?;
    let rows = store.tenant_rows(tenant).await?;
    output.table(["table", "rows"], rows.into_iter().map(|(table, rows)| [table.into(), rows.into()]))?;
    if !yes {
        return Err("nothing is deleted yet: say --yes to delete all of this for good".into());
    }
    known(store.delete_tenant(tenant).await?)
}

fn tenant_name(name: &str) -> Result<String, String> {
    let shown = text::printable(name, MAX_TENANT_NAME);
    shown.filter(|shown| shown == name).ok_or_else(|| {
        format!(
            "it must be 1 to {MAX_TENANT_NAME} characters, without controls and without white space around"
        )
    })
}
