//! The commands that manage tenants, members, keys and connections, and those that tell the operator how things are.

mod apps;
mod audit;
mod connections;
mod copy;
mod doctor;
mod keys;
mod manifest;
mod members;
mod migrate;
mod output;
mod root_keys;
mod tenants;
mod webhooks;

use std::io::Write;

use connect_service::clock::{Millis, parse_rfc3339};
use connect_service::email;
use connect_service::state::SetupError;
use connect_service::store::Store;

pub(crate) use apps::{AppsCommand, apps};
pub(crate) use audit::{AuditCommand, audit};
pub(crate) use connections::{ConnectionCommand, connections};
pub(crate) use copy::{CopyCommand, copy};
pub(crate) use doctor::doctor;
pub(crate) use keys::{KeyCommand, keys};
pub(crate) use members::{MemberCommand, SignInCommand, members, sign_in};
pub(crate) use migrate::{MigrateCommand, migrate};
pub(crate) use output::{Output, print};
pub(crate) use root_keys::{RootKeyCommand, root_keys};
pub(crate) use tenants::{TenantCommand, tenants};
pub(crate) use webhooks::{WebhookCommand, webhooks};

/// Fails where there is no such tenant: an empty list would look as if it had nothing.
async fn check_tenant(store: &Store, tenant: &str) -> Result<(), SetupError> {
    known(store.has_tenant(tenant).await?)
}

fn known(is_known: bool) -> Result<(), SetupError> {
    if is_known { Ok(()) } else { Err("there is no such tenant".into()) }
}

fn account(text: &str) -> Result<String, String> {
    email::parse(text.as_bytes()).map_err(|problem| format!("it {problem}"))
}

fn point_in_time(text: &str) -> Result<Millis, String> {
    parse_rfc3339(text).ok_or_else(|| "it must look like 2026-11-21T10:00:00Z".to_owned())
}

/// Says on stderr why a command failed, as clap says it of arguments.
pub(crate) fn complain(error: &(dyn std::error::Error + Send + Sync)) -> std::io::Result<()> {
    writeln!(std::io::stderr().lock(), "error: {error}")
}
