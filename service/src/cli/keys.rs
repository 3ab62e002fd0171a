//! `connect-service key`.

use clap::Subcommand;
use connect_service::config::Config;
use connect_service::mcp;
use connect_service::notices::Change;
use connect_service::state::SetupError;
use connect_service::store::{
    Actor, Capability, Generation, MAX_KEY_NAME, MAX_LIVE_KEYS, Minted, NewKey, Promotion, Revocation,
    Rotation, Store,
};
use connect_service::text;

use super::members::tell;
use super::output::time;
use super::{Output, check_tenant};

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it, this once.
    Create {
        /// The tenant's id.
        #[arg(long)]
        tenant: String,
        /// What to call it in lists.
        #[arg(long, value_parser = key_name)]
        name: Option<String>,
        /// What it opens: any of apps, connections, token, delete, admin, import, events, proxy, with commas between them.
        #[arg(long, value_delimiter = ',', default_value = "apps,connections,token,delete")]
        capabilities: Vec<Capability>,
    },
    /// List a tenant's keys. Those that replaced each other have a family in common.
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
    /// List every change to a tenant and its keys. What a deleted tenant left can still be listed.
    Audit {
        /// The tenant's id.
        #[arg(long)]
        tenant: String,
    },
}

pub(crate) async fn keys(
    store: &Store,
    config: &Config,
    command: KeyCommand,
    output: Output,
) -> Result<(), SetupError> {
    match command {
        KeyCommand::Create { tenant, name, capabilities } => {
            let new = NewKey {
                tenant: &tenant,
                name: name.as_deref(),
                capabilities: &capabilities,
                actor: Actor::CommandLine,
            };
            let key = match store.generate_key(&new).await? {
                Generation::Generated { key, .. } => key,
                Generation::TooMany => return Err(too_many()),
                Generation::Unknown => return Err("there is no such tenant".into()),
            };
            output.value("key", &key)?;
            let change = Change::KeyCreated { name: name.as_deref(), capabilities: &capabilities };
            tell(store, config, &tenant, &store.members(&tenant).await?, change).await
        }
        KeyCommand::List { tenant } => list(store, &tenant, output).await,
        KeyCommand::Rotate { id } => {
            let tenant = tenant_of(store, &id).await?;
            match store.rotate_key(&tenant, &id, Actor::CommandLine).await? {
                Rotation::Rotated { key, replaces, .. } => {
                    output.value("key", &key)?;
                    tell(
                        store,
                        config,
                        &tenant,
                        &store.members(&tenant).await?,
                        Change::KeyRotated(&replaces),
                    )
                    .await
                }
                Rotation::UnderWay => {
                    Err("there are two keys already, and both are in use: promote or revoke one first".into())
                }
                Rotation::TooMany => Err(too_many()),
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
        KeyCommand::McpUrl { id, revoke: false } => mint_mcp_url(store, config, &id, output).await,
        KeyCommand::Audit { tenant } => {
            let lines = store.audit(&tenant).await?;
            if lines.is_empty() {
                check_tenant(store, &tenant).await?;
            }
            output.table(
                ["at", "action", "key", "actor"],
                lines
                    .into_iter()
                    .map(|line| [time(line.at), line.action.into(), line.key.into(), line.actor.into()]),
            )
        }
    }
}

fn key_name(name: &str) -> Result<String, String> {
    let shown = text::printable(name, MAX_KEY_NAME);
    shown.filter(|shown| shown == name).ok_or_else(|| {
        format!("it must be 1 to {MAX_KEY_NAME} characters, without controls and without white space around")
    })
}

const NO_KEY: &str = "there is no such key, or it has ended";

async fn mint_mcp_url(store: &Store, config: &Config, key: &str, output: Output) -> Result<(), SetupError> {
    // Before the URL that the key may have is replaced.
    let public_url = config.known_public_url().ok_or(
        "the address would have no port: set public_url, since `listen` leaves the port to the running service",
    )?;
    match store.mint_mcp_url(key).await? {
        Minted::Minted(token) => output.value("url", &mcp::address(&public_url, &token)),
        Minted::NoEmail => {
            Err("the tenant has no account that the URL could act for: set it with `tenant email`".into())
        }
        Minted::Unknown => Err(NO_KEY.into()),
    }
}

async fn list(store: &Store, tenant: &str, output: Output) -> Result<(), SetupError> {
    check_tenant(store, tenant).await?;
    let keys = store.keys(tenant).await?.into_iter().map(|key| {
        let capabilities: Vec<_> = key.capabilities.iter().map(|capability| capability.as_str()).collect();
        [
            key.id.into(),
            key.name.into(),
            capabilities.into(),
            time(key.created_at),
            time(key.revoked_at),
            time(key.used_at),
            key.family.into(),
            key.has_mcp_url.into(),
            time(key.last_used_at),
        ]
    });
    let columns = [
        "id",
        "name",
        "capabilities",
        "created_at",
        "revoked_at",
        "used_at",
        "family",
        "mcp_url",
        "last_used_at",
    ];
    output.table(columns, keys)
}

async fn tenant_of(store: &Store, key: &str) -> Result<String, SetupError> {
    store.tenant_of_key(key).await?.ok_or_else(|| NO_KEY.into())
}

fn too_many() -> SetupError {
    format!("the tenant has {MAX_LIVE_KEYS} keys: revoke one first").into()
}
