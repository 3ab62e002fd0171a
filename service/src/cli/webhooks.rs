//! The commands that manage webhook endpoints.

use clap::{Args, Subcommand};
use connect_service::clock::{Clock, Millis};
use connect_service::config::Config;
use connect_service::state::SetupError;
use connect_service::store::{
    Actor, CreatedWebhook, EventType, MAX_WEBHOOKS, NewWebhook, Store, WebhookAttempt, WebhookUpdate,
};
use connect_service::webhooks::{WEBHOOK_URL, WebhookClient, send_test};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::output::time;
use super::{Output, check_tenant, point_in_time};

#[derive(Subcommand)]
pub(crate) enum WebhookCommand {
    /// Send a tenant's events to an address; prints the endpoint's id, and the secret that signs them, this once.
    Add {
        /// The tenant's id.
        #[arg(long)]
        tenant: String,
        /// An https address.
        #[arg(long)]
        url: String,
        /// Only events of these types, with commas between them. Default: all.
        #[arg(long, value_delimiter = ',', value_parser = event_type)]
        types: Vec<String>,
        /// What it is for.
        #[arg(long)]
        description: Option<String>,
    },
    /// List a tenant's endpoints: id, address, types, when it was made, whether it is on, since when it has failed.
    List {
        /// The tenant's id.
        #[arg(long)]
        tenant: String,
    },
    /// Remove an endpoint, with all that waits for it.
    Remove {
        /// The endpoint's id, from the list.
        id: String,
    },
    /// Switch an endpoint on, and send at once what waits for it.
    Enable {
        /// The endpoint's id, from the list.
        id: String,
    },
    /// Send a test event to an endpoint, even if it is switched off, and print what came back.
    Test {
        /// The endpoint's id, from the list.
        id: String,
    },
    /// Give an endpoint a new secret and print it, this once. The old one signs, too, for 24 hours.
    RotateSecret {
        /// The endpoint's id, from the list.
        id: String,
    },
    /// List what was sent to an endpoint, the latest first: when, event, type, attempt, status or error, milliseconds, when
    /// it is tried again, the beginning of the response.
    Attempts {
        /// The endpoint's id, from the list.
        id: String,
        /// So many at most.
        #[arg(long, default_value = "100")]
        limit: u32,
    },
    /// Send events to an endpoint again.
    Redeliver(Redeliver),
}

#[derive(Args)]
#[command(group(clap::ArgGroup::new("what").required(true)))]
pub(crate) struct Redeliver {
    /// The endpoint's id, from the list.
    id: String,
    /// This event.
    #[arg(long, group = "what")]
    event: Option<String>,
    /// All events since then that the endpoint wants, such as 2026-11-21T10:00:00Z.
    #[arg(long, group = "what", value_parser = point_in_time)]
    since: Option<Millis>,
}

const NO_WEBHOOK: &str = "there is no such webhook endpoint";

pub(crate) async fn webhooks(
    store: &Store,
    config: &Config,
    command: WebhookCommand,
    output: Output,
) -> Result<(), SetupError> {
    let client = || WebhookClient::new(config.allow_private_networks, config.provider_ca_file.as_deref());
    match command {
        WebhookCommand::Add { tenant, url, types, description } => {
            if !client()?.accepts(&url) {
                return Err(format!("url must be {WEBHOOK_URL}").into());
            }
            let new = NewWebhook { url, types, description };
            match store.create_webhook(&tenant, &new, Actor::CommandLine).await? {
                CreatedWebhook::Created(webhook, secret) => {
                    output.table(["id", "secret"], [[webhook.id.into(), secret.expose_secret().into()]])
                }
                CreatedWebhook::TooMany => {
                    Err(format!("the tenant has {MAX_WEBHOOKS} endpoints, as many as it can have").into())
                }
                CreatedWebhook::UnknownTenant => Err("there is no such tenant".into()),
            }
        }
        WebhookCommand::List { tenant } => list(store, &tenant, output).await,
        WebhookCommand::Remove { id } => {
            let tenant = tenant_of(store, &id).await?;
            match store.delete_webhook(&tenant, &id, Actor::CommandLine).await? {
                true => Ok(()),
                false => Err(NO_WEBHOOK.into()),
            }
        }
        WebhookCommand::Enable { id } => {
            let tenant = tenant_of(store, &id).await?;
            let update = WebhookUpdate { enabled: Some(true), ..WebhookUpdate::default() };
            let updated = store.update_webhook(&tenant, &id, &update, Actor::CommandLine).await?;
            updated.map(|_| ()).ok_or_else(|| NO_WEBHOOK.into())
        }
        WebhookCommand::Test { id } => {
            let tenant = tenant_of(store, &id).await?;
            let found = store.webhook_with_secrets(&tenant, &id).await?;
            let (webhook, secrets) = found.ok_or(NO_WEBHOOK)?;
            let attempt =
                send_test(store, &client()?, &tenant, (&webhook, &secrets), Clock::default().now()).await?;
            let failed = attempt.error.is_some();
            print_attempts([attempt], output)?;
            match failed {
                false => Ok(()),
                true => Err("the endpoint did not take the event".into()),
            }
        }
        WebhookCommand::RotateSecret { id } => {
            let tenant = tenant_of(store, &id).await?;
            let rotated = store.rotate_webhook_secret(&tenant, &id, Actor::CommandLine).await?;
            let (secret, _) = rotated.ok_or(NO_WEBHOOK)?;
            output.value("secret", secret.expose_secret())
        }
        WebhookCommand::Attempts { id, limit } => {
            let tenant = tenant_of(store, &id).await?;
            let (attempts, _) = store.webhook_attempts(&tenant, &id, limit, 0).await?;
            print_attempts(attempts, output)
        }
        WebhookCommand::Redeliver(Redeliver { id, event, since }) => {
            let tenant = tenant_of(store, &id).await?;
            match event {
                Some(event) => match store.redeliver_event(&tenant, &id, &event).await? {
                    true => Ok(()),
                    false => Err("the tenant has no such event".into()),
                },
                None => {
                    let queued = store.redeliver_since(&tenant, &id, since.unwrap_or_default()).await?;
                    output.value("queued", &queued.to_string())
                }
            }
        }
    }
}

async fn list(store: &Store, tenant: &str, output: Output) -> Result<(), SetupError> {
    check_tenant(store, tenant).await?;
    output.table(
        ["id", "url", "types", "created_at", "state", "failing_since"],
        store.webhooks(tenant).await?.into_iter().map(|webhook| {
            let types = if webhook.types.is_empty() { "all".to_owned() } else { webhook.types.join(",") };
            [
                webhook.id.into(),
                webhook.url.into(),
                types.into(),
                time(webhook.created_at),
                webhook.disabled.map_or("on", |(reason, _)| reason.as_str()).into(),
                time(webhook.failing_since),
            ]
        }),
    )
}

fn print_attempts(
    attempts: impl IntoIterator<Item = WebhookAttempt>,
    output: Output,
) -> Result<(), SetupError> {
    output.table(
        ["at", "event", "type", "attempt", "result", "milliseconds", "next_at", "response"],
        attempts.into_iter().map(|attempt| {
            [
                time(attempt.at),
                attempt.event_id.into(),
                attempt.event_type.into(),
                attempt.number.into(),
                attempt.status.map_or_else(|| attempt.error.into(), Value::from),
                attempt.duration.into(),
                time(attempt.next_at),
                attempt.response.into(),
            ]
        }),
    )
}

async fn tenant_of(store: &Store, id: &str) -> Result<String, SetupError> {
    store.tenant_of_webhook(id).await?.ok_or_else(|| NO_WEBHOOK.into())
}

fn event_type(text: &str) -> Result<String, String> {
    let known = || EventType::ALL.map(EventType::as_str).join(", ");
    text.parse::<EventType>().map(|_| text.to_owned()).map_err(|_| format!("it must be one of {}", known()))
}
