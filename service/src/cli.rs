//! The commands that manage tenants and keys.

mod webhooks;

use std::io::Write;

use clap::{Args, Subcommand};
use connect_service::clock::{Millis, rfc3339};
use connect_service::config::Config;
use connect_service::state::SetupError;
use connect_service::store::{
    Actor, Capability, Minted, Promotion, Revocation, Rotation, Store, VendingFilter,
};
use connect_service::{email, server, text, website_url};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(crate) use webhooks::{WebhookCommand, run as webhooks};

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
    /// List the tenants: id, name, when it was made, own account, website.
    List,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it, this once.
    Create {
        /// The tenant's id.
        #[arg(long)]
        tenant: String,
        /// What it opens: any of apps, connections, token, delete, admin, import, events, with commas between them.
        #[arg(long, value_delimiter = ',', default_value = "apps,connections,token,delete")]
        capabilities: Vec<Capability>,
    },
    /// List a tenant's keys: id, capabilities, when it was made, when it was revoked, when it was first used, the id of
    /// the first key of its family, whether it has an MCP URL, when a token was last asked for with it.
    List {
        /// The tenant's id.
        #[arg(long)]
        tenant: String,
    },
    /// Make a key's successor and print it, this once. Both work until one is promoted or revoked.
    Rotate {
        /// The key's id, from the list.
        id: String,
    },
    /// End the older one of two keys, once the newer one has been used.
    Promote {
        /// The id of one of the two.
        id: String,
        /// Even if nobody has used the newer one yet: whoever still has the older one is locked out.
        #[arg(long)]
        unused: bool,
    },
    /// End a key at once, and its MCP URL.
    Revoke {
        /// The key's id, from the list.
        id: String,
        /// Even if it is the last one that the tenant has.
        #[arg(long)]
        last: bool,
    },
    /// Give a key an MCP URL, instead of the one that it may have, and print it, this once.
    McpUrl {
        /// The key's id, from the list.
        id: String,
        /// Only end the one that it has.
        #[arg(long)]
        revoke: bool,
    },
    /// List every change to a tenant and its keys: when, what, the key's id, by whom.
    Audit {
        /// The tenant's id.
        #[arg(long)]
        tenant: String,
    },
}

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
    /// One line of JSON for each, instead of columns.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn audit(store: &Store, command: AuditCommand) -> Result<(), SetupError> {
    let filter = VendingFilter {
        connection: command.connection.as_deref(),
        customer: command.customer.as_deref(),
        since: command.since.unwrap_or_default(),
    };
    for line in store.vendings(&command.tenant, &filter, command.limit).await? {
        let (at, calls) = (rfc3339(line.at), line.calls.to_string());
        if command.json {
            let line = serde_json::json!({
                "at": at,
                "key": line.key,
                "connection": line.connection,
                "outcome": line.outcome,
                "calls": line.calls,
                "customer": line.customer,
                "request": line.request.map(|request| serde_json::json!({
                    "method": request.method,
                    "host": request.host,
                    "path": request.path,
                    "status": request.status,
                })),
            });
            print(&line.to_string())?;
        } else {
            let request = line.request.as_ref().map(ToString::to_string).unwrap_or_default();
            let columns = [&at, &line.key, &line.connection, &line.outcome, &calls, &line.customer, &request];
            print(&columns.map(|column| if column.is_empty() { "-" } else { column }).join("\t"))?;
        }
    }
    Ok(())
}

pub(crate) async fn tenants(store: &Store, command: TenantCommand) -> Result<(), SetupError> {
    match command {
        TenantCommand::Create { name, email } => print(&store.create_tenant(&name, email.as_deref()).await?),
        TenantCommand::Email { tenant, email } => known(store.set_tenant_email(&tenant, &email).await?),
        TenantCommand::Website { tenant, url } => {
            known(store.set_tenant_website(&tenant, url.as_deref()).await?)
        }
        TenantCommand::List => {
            for tenant in store.tenants().await? {
                let email = tenant.email.as_deref().unwrap_or("-");
                let created = rfc3339(tenant.created_at);
                let website = tenant.website_url.as_deref().unwrap_or("-");
                print(&[&tenant.id, &tenant.name, created.as_str(), email, website].join("\t"))?;
            }
            Ok(())
        }
    }
}

fn known(is_known: bool) -> Result<(), SetupError> {
    if is_known { Ok(()) } else { Err("there is no such tenant".into()) }
}

pub(crate) async fn keys(store: &Store, config: &Config, command: KeyCommand) -> Result<(), SetupError> {
    match command {
        KeyCommand::Create { tenant, capabilities } => {
            match store.create_key(&tenant, &capabilities).await? {
                Some(key) => print(&key),
                None => Err("there is no such tenant".into()),
            }
        }
        KeyCommand::List { tenant } => list(store, &tenant).await,
        KeyCommand::Rotate { id } => {
            let tenant = tenant_of(store, &id).await?;
            match store.rotate_key(&tenant, &id, Actor::CommandLine).await? {
                Rotation::Rotated { key, .. } => print(&key),
                Rotation::UnderWay => {
                    Err("there are two keys already, and both are in use: promote or revoke one first".into())
                }
                Rotation::Unknown => Err(NO_KEY.into()),
            }
        }
        KeyCommand::Promote { id, unused } => {
            let tenant = tenant_of(store, &id).await?;
            match store.promote_key(&tenant, &id, Actor::CommandLine, unused).await? {
                Promotion::Promoted { .. } => Ok(()),
                Promotion::Unused => {
                    Err("nobody has used the newer key yet: give it to every client first, or say --unused"
                        .into())
                }
                Promotion::NoSuccessor => Err("the key has no successor: rotate it first".into()),
                Promotion::Unknown => Err(NO_KEY.into()),
            }
        }
        KeyCommand::Revoke { id, last } => match store.revoke_key(&id, last).await? {
            Revocation::Revoked => Ok(()),
            Revocation::Unknown => Err(NO_KEY.into()),
            Revocation::Last => {
                Err("it is the tenant's last key: make or rotate one first, or say --last".into())
            }
        },
        KeyCommand::McpUrl { id, revoke: true } => match store.revoke_mcp_url(&id).await? {
            true => Ok(()),
            false => Err("there is no such key, or it has no MCP URL".into()),
        },
        KeyCommand::McpUrl { id, revoke: false } => mint_mcp_url(store, config, &id).await,
        KeyCommand::Audit { tenant } => {
            for line in store.audit(&tenant).await? {
                let (at, key) = (rfc3339(line.at), line.key.as_deref().unwrap_or("-"));
                print(&[&at, &line.action, key, &line.actor].join("\t"))?;
            }
            Ok(())
        }
    }
}

const NO_KEY: &str = "there is no such key, or it has ended";

async fn mint_mcp_url(store: &Store, config: &Config, key: &str) -> Result<(), SetupError> {
    // Before the URL that the key may have is replaced.
    let public_url = config.known_public_url().ok_or(
        "the address would have no port: set public_url, since `listen` leaves the port to the running service",
    )?;
    match store.mint_mcp_url(key).await? {
        Minted::Minted(token) => print(&format!("{public_url}{}/mcp/{token}", server::PREFIX)),
        Minted::NoEmail => {
            Err("the tenant has no account that the URL could act for: set it with `tenant email`".into())
        }
        Minted::Unknown => Err(NO_KEY.into()),
    }
}

async fn list(store: &Store, tenant: &str) -> Result<(), SetupError> {
    let time = |time: Option<Millis>| time.map_or_else(|| "-".to_owned(), rfc3339);
    for key in store.keys(tenant).await? {
        let capabilities: Vec<_> = key.capabilities.iter().map(|capability| capability.as_str()).collect();
        let columns = [
            key.id,
            capabilities.join(","),
            rfc3339(key.created_at),
            time(key.revoked_at),
            time(key.used_at),
            key.family,
            if key.has_mcp_url { "mcp" } else { "-" }.to_owned(),
            time(key.last_used_at),
        ];
        print(&columns.join("\t"))?;
    }
    Ok(())
}

async fn tenant_of(store: &Store, key: &str) -> Result<String, SetupError> {
    store.tenant_of_key(key).await?.ok_or_else(|| NO_KEY.into())
}

fn tenant_name(name: &str) -> Result<String, String> {
    let shown = text::printable(name, 120);
    shown.filter(|shown| shown == name).ok_or_else(|| {
        "it must be 1 to 120 characters, without controls and without white space around".to_owned()
    })
}

fn account(text: &str) -> Result<String, String> {
    email::parse(text.as_bytes()).map_err(|problem| format!("it {problem}"))
}

fn point_in_time(text: &str) -> Result<Millis, String> {
    let form = || "it must look like 2026-11-21T10:00:00Z".to_owned();
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| form())?;
    Ok(time.unix_timestamp() * 1000)
}

/// One line on stdout, at once: whoever started the program may be waiting for it.
pub(crate) fn print(line: &str) -> Result<(), SetupError> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    Ok(())
}

/// Says on stderr why a command failed, as clap says it of arguments.
pub(crate) fn complain(error: &(dyn std::error::Error + Send + Sync)) -> std::io::Result<()> {
    writeln!(std::io::stderr().lock(), "error: {error}")
}
