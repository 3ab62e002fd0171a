//! `connect-service`: the platform in one binary. `connect-service help` lists what it does.

mod cli;
mod ctl;
mod feed_client;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cli::{
    AppsCommand, AuditCommand, ConnectionCommand, CopyCommand, KeyCommand, MemberCommand, MigrateCommand,
    Output, RootKeyCommand, SignInCommand, TenantCommand, WebhookCommand, print,
};
use connect_service::clock::Clock;
use connect_service::config::Config;
use connect_service::dev::{self, Dev};
use connect_service::state::{AppState, Service, SetupError, open_store};
use connect_service::store::{Mode, Store};
use connect_service::{log, server};
use feed_client::{EventsCommand, Listen};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A connection manager: hosted connect links, connections, and credentials that always work.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// The configuration, a TOML file; environment variables named CONNECT_… come over it.
    #[arg(long, global = true, env = "CONNECT_CONFIG")]
    config: Option<PathBuf>,
    /// How the log is written to stderr: as text where that is a terminal and as JSON elsewhere (auto), or always so.
    #[arg(long, global = true, env = "CONNECT_LOG_FORMAT", value_enum, default_value = "auto")]
    log_format: log::Format,
    /// Print the result of a command that manages as JSON: one object a line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT.
    Serve,
    /// Run everything on this machine, to develop and test against: prints what to export, and stays.
    Dev(DevArguments),
    /// Manage tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Manage who may see and change a tenant in the dashboard.
    #[command(subcommand)]
    Member(MemberCommand),
    /// Print a link that signs in to the dashboard, once within ten minutes.
    SignIn(SignInCommand),
    /// Manage tenants' keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Manage the root keys, which seal everything that is secret.
    #[command(subcommand)]
    RootKey(RootKeyCommand),
    /// Manage the webhook endpoints of tenants.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Count or list connections.
    #[command(subcommand)]
    Connection(ConnectionCommand),
    /// List who asked for which credential.
    Audit(AuditCommand),
    /// Read the events of a running service, with a tenant key.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Forward the events of a running service to a program on this machine.
    Listen(Listen),
    /// List the apps, and which lack an OAuth client.
    Apps(AppsCommand),
    /// Look at the configuration, the key, the database, the clock and the providers, and change nothing.
    Doctor,
    /// Copy a database into an empty one.
    Copy(CopyCommand),
    /// Bring the tables up to date, or only tell whether they are.
    Migrate(MigrateCommand),
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
struct DevArguments {
    #[command(flatten)]
    options: dev::Options,
    #[command(subcommand)]
    command: Option<DevCommand>,
}

#[derive(Subcommand)]
enum DevCommand {
    /// Steer a running `connect-service dev`; prints JSON.
    Ctl(ctl::Ctl),
}

#[tokio::main]
async fn main() -> std::io::Result<ExitCode> {
    let arguments = Arguments::parse();
    stay_out_of_core_dumps();
    let _flush = log::init(arguments.log_format)?;
    let has_log = matches!(arguments.command, Command::Serve);
    match run(arguments).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if has_log => {
            tracing::error!("{error}");
            Ok(ExitCode::FAILURE)
        }
        // A person reads it, not a log's collector.
        Err(error) => {
            cli::complain(&*error)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), SetupError> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = || Config::load(arguments.config.as_deref(), environment);
    let output = Output { is_json: arguments.json };
    match arguments.command {
        Command::Serve => serve(config()?).await,
        Command::Dev(DevArguments { command: None, options }) => develop(config()?, &options).await,
        Command::Dev(DevArguments { command: Some(DevCommand::Ctl(ctl)), .. }) => ctl::run(ctl).await,
        Command::Tenant(command) => cli::tenants(&live_store(&config()?).await?, command, output).await,
        Command::Member(command) => {
            let config = config()?;
            cli::members(&live_store(&config).await?, &config, command, output).await
        }
        Command::SignIn(command) => {
            let config = config()?;
            cli::sign_in(&live_store(&config).await?, &config, &command, output).await
        }
        Command::Key(command) => {
            let config = config()?;
            cli::keys(&live_store(&config).await?, &config, command, output).await
        }
        Command::RootKey(command) => cli::root_keys(&live_store(&config()?).await?, command, output).await,
        Command::Events(command) => feed_client::events(command).await,
        Command::Listen(listen) => feed_client::listen(listen).await,
        Command::Webhook(command) => {
            let config = config()?;
            cli::webhooks(&live_store(&config).await?, &config, command, output).await
        }
        Command::Connection(command) => {
            cli::connections(&live_store(&config()?).await?, command, output).await
        }
        Command::Audit(command) => cli::audit(&live_store(&config()?).await?, command, output).await,
        Command::Apps(command) => cli::apps(&config()?, &command, output),
        Command::Doctor => cli::doctor(&config()?, output).await,
        Command::Copy(command) => cli::copy(&command, output).await,
        Command::Migrate(command) => cli::migrate(&config()?, &command, output).await,
    }
}

async fn live_store(config: &Config) -> Result<Store, SetupError> {
    open_store(config, Mode::Live, Clock::default()).await
}

/// Keeps credentials and root keys out of the file that a crash may leave, and other processes of the same user
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

async fn serve(config: Config) -> Result<(), SetupError> {
    server::raise_file_limit();
    let clock = Clock::default();
    let store = open_store(&config, Mode::Live, clock.clone()).await?;
    let listener = bind("listen", &config.listen).await?;
    let address = listener.local_addr()?.to_string();
    let metrics = match &config.metrics_listen {
        Some(address) => Some(bind("metrics_listen", address).await?),
        None => None,
    };
    let app = Service::new(config, store, clock, &address)?;
    end_on_signals(&app)?;
    let metrics_address = metrics.as_ref().map(TcpListener::local_addr).transpose()?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        address,
        public_url = app.public_url,
        metrics = metrics_address.map(tracing::field::display),
        database = app.store.location(),
        apps = app.config.apps.keys().map(String::as_str).collect::<Vec<_>>().join(","),
        "started"
    );
    if let Some(listener) = metrics {
        app.tasks.spawn(server::serve_metrics(app.clone(), listener));
    }
    print(&format!("listening on http://{address}"))?;
    server::serve(app, listener).await;
    Ok(())
}

async fn bind(setting: &str, address: &str) -> Result<TcpListener, SetupError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| format!("{setting}: cannot listen at {address}: {error}").into())
}

async fn develop(config: Config, options: &dev::Options) -> Result<(), SetupError> {
    server::raise_file_limit();
    let dev = Dev::start(config, options).await?;
    end_on_signals(dev.service())?;
    if options.watch_stdin {
        end_with_stdin(dev.service())?;
    }
    print(&dev.exports())?;
    dev.ended().await
}

/// A thread of its own, since nothing can end a task that reads standard input.
fn end_with_stdin(app: &AppState) -> Result<(), SetupError> {
    let (ending, closing) = (app.ending.clone(), app.closing.clone());
    std::thread::Builder::new().name("stdin".into()).spawn(move || {
        // It is over with an error, too.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        ending.cancel();
        closing.cancel();
    })?;
    Ok(())
}

fn end_on_signals(app: &AppState) -> Result<(), SetupError> {
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
    Ok(())
}
