//! `connect-service`: the platform in one binary. `connect-service help` lists what it does.

mod manage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use connect_service::clock::Clock;
use connect_service::config::Config;
use connect_service::state::{Service, SetupError, open_store};
use connect_service::store::{Mode, Store};
use connect_service::{log, server};
use manage::{KeyCommand, TenantCommand, print};
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

#[tokio::main]
async fn main() -> std::io::Result<ExitCode> {
    let arguments = Arguments::parse();
    stay_out_of_core_dumps();
    let _flush = log::init()?;
    match run(arguments).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            tracing::error!("{error}");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), SetupError> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = Config::load(arguments.config.as_deref(), environment)?;
    let clock = Clock::default();
    let store = open_store(&config, Mode::Live, clock.clone()).await?;
    match arguments.command {
        Command::Serve => serve(config, store, clock).await,
        Command::Tenant(command) => manage::tenants(&store, command).await,
        Command::Key(command) => manage::keys(&store, &config, command).await,
    }
}

/// Keeps credentials and the encryption key out of the file that a crash may leave, and other processes of the same user
/// from reading them here. Only Linux can be asked to.
fn stay_out_of_core_dumps() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::warn!(%error, "a core dump could hold credentials");
        }
    }
}

async fn serve(config: Config, store: Store, clock: Clock) -> Result<(), SetupError> {
    server::raise_file_limit();
    let listener = TcpListener::bind(&config.listen).await?;
    let address = listener.local_addr()?.to_string();
    let app = Service::new(config, store, clock, &address)?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (ending, closing) = (app.ending.clone(), app.closing.clone());
    tokio::spawn(async move {
        let is_interrupt = tokio::select! {
            _ = terminate.recv() => false,
            _ = interrupt.recv() => true,
        };
        ending.cancel();
        // Whoever presses Ctrl-C, or asks a second time, does not want to wait.
        if !is_interrupt {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        closing.cancel();
    });
    print(&format!("listening on http://{address}"))?;
    server::serve(app, listener).await;
    Ok(())
}
