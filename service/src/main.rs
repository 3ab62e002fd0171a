//! `connect-service`: the platform in one binary. `connect-service help` lists what it does.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use connect_service::clock::{Clock, rfc3339};
use connect_service::config::Config;
use connect_service::state::{Service, SetupError};
use connect_service::store::{Capability, Store};
use connect_service::vault::Vault;
use connect_service::{log, server};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A connection manager: hosted connect links, connections, and credentials that always work.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// The configuration, a TOML file; environment variables named CONNECT_… come over it.
    #[arg(long, global = true, env = "CONNECT_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT.
    Serve,
    /// Manage tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Manage tenants' keys.
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Subcommand)]
enum TenantCommand {
    /// Make a tenant and print its id.
    Create {
        /// What customers see on the hosted page, unless a link says otherwise.
        name: String,
    },
    /// List the tenants: id, name, when it was made.
    List,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a key and print it, this once.
    Create {
        /// The tenant's id.
        #[arg(long)]
        tenant: String,
        /// What it opens: any of apps, connections, token, delete, with commas between them.
        #[arg(long, value_delimiter = ',', default_value = "apps,connections,token,delete")]
        capabilities: Vec<Capability>,
    },
    /// List a tenant's keys: id, capabilities, when it was made, when it was revoked.
    List {
        /// The tenant's id.
        #[arg(long)]
        tenant: String,
    },
    /// End a key at once.
    Revoke {
        /// The key's id, from the list.
        id: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log::init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), SetupError> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = Config::load(arguments.config.as_deref(), environment)?;
    let vault = match &config.encryption_key {
        Some(key) => Vault::from_base64(key.expose_secret(), "CONNECT_ENCRYPTION_KEY")?,
        None => Vault::from_file(&config.key_file)?,
    };
    let clock = Clock::default();
    let store = Store::open(config.database_url.expose_secret(), vault, clock.clone()).await?;
    match arguments.command {
        Command::Serve => serve(config, store, clock).await,
        Command::Tenant(command) => tenants(&store, command).await,
        Command::Key(command) => keys(&store, command).await,
    }
}

async fn serve(config: Config, store: Store, clock: Clock) -> Result<(), SetupError> {
    let listener = TcpListener::bind(&config.listen).await?;
    let address = listener.local_addr()?.to_string();
    let app = Service::new(config, store, clock, &address)?;
    let ending = app.ending.clone();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        ending.cancel();
    });
    print(&format!("listening on http://{address}"))?;
    server::serve(app, listener).await?;
    Ok(())
}

async fn tenants(store: &Store, command: TenantCommand) -> Result<(), SetupError> {
    match command {
        TenantCommand::Create { name } => print(&store.create_tenant(&name).await?),
        TenantCommand::List => {
            for tenant in store.tenants().await? {
                print(&format!(
                    "{}\t{}\t{}",
                    tenant.id,
                    tenant.name,
                    rfc3339(tenant.created_at)
                ))?;
            }
            Ok(())
        }
    }
}

async fn keys(store: &Store, command: KeyCommand) -> Result<(), SetupError> {
    match command {
        KeyCommand::Create { tenant, capabilities } => {
            match store.create_key(&tenant, &capabilities).await? {
                Some(key) => print(&key),
                None => Err("there is no such tenant".into()),
            }
        }
        KeyCommand::List { tenant } => {
            for key in store.keys(&tenant).await? {
                let capabilities: Vec<_> = key
                    .capabilities
                    .iter()
                    .map(|capability| capability.as_str())
                    .collect();
                let revoked = key.revoked_at.map_or_else(|| "-".to_owned(), rfc3339);
                print(&format!(
                    "{}\t{}\t{}\t{revoked}",
                    key.id,
                    capabilities.join(","),
                    rfc3339(key.created_at)
                ))?;
            }
            Ok(())
        }
        KeyCommand::Revoke { id } if store.revoke_key(&id).await? => Ok(()),
        KeyCommand::Revoke { .. } => Err("there is no such key, or it was revoked before".into()),
    }
}

/// One line on stdout, at once: whoever started the program may be waiting for it.
fn print(line: &str) -> Result<(), SetupError> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    Ok(())
}
