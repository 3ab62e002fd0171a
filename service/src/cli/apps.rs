//! `connect-service apps`: which apps can be connected.

use clap::{Args, Subcommand};
use connect_service::catalogue::Catalogue;
use connect_service::config::Config;
use connect_service::doctor::needs_client;
use connect_service::server::PREFIX;
use connect_service::state::{SetupError, check_apps};

use super::Output;
use super::manifest::{self, ImportManifest};

/// List the catalogue's apps, which of them lack an OAuth client, and the redirect address to register for it.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AppsCommand {
    /// Those that cannot be connected for want of a client alone.
    #[arg(long)]
    missing: bool,
    #[command(subcommand)]
    command: Option<AppsSubcommand>,
}

#[derive(Subcommand)]
enum AppsSubcommand {
    /// Turn a connector's manifest into a file of the catalogue.
    Import(ImportManifest),
}

pub(crate) fn apps(config: &Config, command: &AppsCommand, output: Output) -> Result<(), SetupError> {
    if let Some(AppsSubcommand::Import(command)) = &command.command {
        return manifest::import(command, output);
    }
    let catalogue = Catalogue::load(config.catalogue_dir.as_deref())?;
    check_apps(config, &catalogue)?;
    let base = config.known_public_url();
    let rows = catalogue.search("").into_iter().filter_map(|app| {
        let uses_client = app.auth_options.iter().any(|option| option.oauth.is_some());
        let client = match (config.apps.contains_key(&app.id), uses_client) {
            (true, _) => "configured",
            (false, true) if needs_client(app) => "missing",
            // Customers can still enter what the app's other options ask for.
            (false, true) => "optional",
            (false, false) => "not needed",
        };
        let redirect = base.as_ref().filter(|_| uses_client);
        let redirect = redirect.map(|base| format!("{base}{PREFIX}/oauth/callback/{}", app.id));
        let options: Vec<_> = app.auth_options.iter().map(|option| option.auth_type.as_str()).collect();
        let row = [
            app.id.as_str().into(),
            app.name.as_str().into(),
            options.into(),
            client.into(),
            redirect.into(),
        ];
        (!command.missing || client == "missing").then_some(row)
    });
    output.table(["id", "name", "auth_types", "client", "redirect_uri"], rows.collect::<Vec<_>>())
}
