//! A tenant's webhook endpoints: where its events are sent, and the secrets that sign them. What is on its way to them is
//! in `deliveries.rs`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::audit::{Action, Actor};
use super::database::{Query, Row, Transaction};
use super::{Result, Store, StoreError};
use crate::clock::{Millis, millis};
use crate::ids;
use crate::vault::Place;
use crate::webhooks::{self, signature};

/// How many endpoints a tenant can have.
pub const MAX_WEBHOOKS: usize = 20;

/// For how long the secret before a rotation signs, too.
const ROTATION: Duration = Duration::from_secs(24 * 60 * 60);

/// An endpoint, without its secret.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its id.
    pub id: String,
    /// Where events are sent.
    pub url: String,
    /// Which types of event are sent; empty for all.
    pub types: Vec<String>,
    /// What the tenant says of it.
    pub description: Option<String>,
    /// Why and since when nothing is sent to it.
    pub disabled: Option<(DisabledReason, Millis)>,
    /// Since when no attempt has succeeded.
    pub failing_since: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
}

/// Why nothing is sent to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledReason {
    /// The tenant has switched it off.
    TurnedOff,
    /// It said that it is gone, by a 410.
    Gone,
    /// Every attempt failed for three days.
    Failing,
}

/// An endpoint to make.
#[derive(Debug, Default)]
pub struct NewWebhook {
    /// Where events are sent.
    pub url: String,
    /// Which types of event; empty for all.
    pub types: Vec<String>,
    /// What the tenant says of it.
    pub description: Option<String>,
}

/// What [`Store::create_webhook`] did.
pub enum CreatedWebhook {
    /// It is there. The secret is given here and never again.
    Created(Webhook, SecretString),
    /// The tenant has as many as it can have.
    TooMany,
    /// There is no such tenant.
    UnknownTenant,
}

/// What to change of an endpoint; what is `None` stays.
#[derive(Debug, Default)]
pub struct WebhookUpdate {
    /// Where events are sent.
    pub url: Option<String>,
    /// Which types of event; empty for all.
    pub types: Option<Vec<String>>,
    /// What the tenant says of it.
    pub description: Option<Option<String>>,
    /// Whether events are sent.
    pub enabled: Option<bool>,
}

/// What signs an endpoint's events.
#[derive(Clone)]
pub struct SigningSecrets {
    current: SecretString,
    /// The one before, and until when it signs.
    previous: Option<(SecretString, Millis)>,
}

/// How they are sealed.
#[derive(Serialize, Deserialize)]
struct SecretsRecord {
    current: String,
    previous: Option<(String, Millis)>,
}

const COLUMNS: &str =
    "id, url, types, description, disabled_at, disabled_reason, failing_since, created_at, secrets";

impl Store {
    /// A new endpoint of a tenant, with a secret of its own.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_webhook(
        &self,
        tenant: &str,
        new: &NewWebhook,
        actor: Actor<'_>,
    ) -> Result<CreatedWebhook> {
        let (id, now) = (ids::prefixed("whe_"), self.clock.now());
        let secrets = SigningSecrets { current: signature::new_secret(), previous: None };
        let mut transaction = self.database.begin().await?;
        if !self.lock_tenant(&mut transaction, tenant).await? {
            transaction.rollback().await?;
            return Ok(CreatedWebhook::UnknownTenant);
        }
        let query = Query::new("SELECT id FROM webhooks WHERE tenant_id = $1").bind(tenant);
        if transaction.fetch_all(query).await?.len() >= MAX_WEBHOOKS {
            transaction.rollback().await?;
            return Ok(CreatedWebhook::TooMany);
        }
        let query = Query::new(
            "INSERT INTO webhooks (id, tenant_id, url, types, description, secrets, created_at, updated_at, origin)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)",
        )
        .bind(&id)
        .bind(tenant)
        .bind(&new.url)
        .bind(write_types(&new.types))
        .bind(new.description.as_deref())
        .bind(self.seal_secrets(tenant, &id, &secrets).await?)
        .bind(now)
        .bind(webhooks::origin(&new.url).unwrap_or_default());
        transaction.execute(query).await?;
        self.note(&mut transaction, tenant, Some(&id), Action::WebhookCreated, actor).await?;
        transaction.commit().await?;
        let webhook = Webhook {
            id,
            url: new.url.clone(),
            types: new.types.clone(),
            description: new.description.clone(),
            disabled: None,
            failing_since: None,
            created_at: now,
        };
        Ok(CreatedWebhook::Created(webhook, secrets.current))
    }

    /// A tenant's endpoints, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn webhooks(&self, tenant: &str) -> Result<Vec<Webhook>> {
        let query = format!("SELECT {COLUMNS} FROM webhooks WHERE tenant_id = $1 ORDER BY created_at, id");
        let rows = self.database.fetch_all(Query::new(&query).bind(tenant)).await?;
        rows.iter().map(Webhook::read).collect()
    }

    /// One of a tenant's endpoints.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn webhook(&self, tenant: &str, id: &str) -> Result<Option<Webhook>> {
        Ok(self.webhook_with_secrets(tenant, id).await?.map(|(webhook, _)| webhook))
    }

    /// The same with what signs its events.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn webhook_with_secrets(
        &self,
        tenant: &str,
        id: &str,
    ) -> Result<Option<(Webhook, SigningSecrets)>> {
        let query = format!("SELECT {COLUMNS} FROM webhooks WHERE id = $1 AND tenant_id = $2");
        let row = self.database.fetch_optional(Query::new(&query).bind(id).bind(tenant)).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let secrets = self.open_secrets(tenant, id, row.get("secrets")?).await?;
        Ok(Some((Webhook::read(&row)?, secrets)))
    }

    /// The tenant whose endpoint this id names.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tenant_of_webhook(&self, id: &str) -> Result<Option<String>> {
        let query = Query::new("SELECT tenant_id FROM webhooks WHERE id = $1").bind(id);
        let row = self.database.fetch_optional(query).await?;
        row.map(|row| row.get("tenant_id")).transpose()
    }

    /// Changes an endpoint; gives it as it is then. One that is switched on, or moved, starts anew: what waits for it is
    /// sent at once.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn update_webhook(
        &self,
        tenant: &str,
        id: &str,
        update: &WebhookUpdate,
        actor: Actor<'_>,
    ) -> Result<Option<Webhook>> {
        let now = self.clock.now();
        let mut transaction = self.database.begin().await?;
        let Some(row) = self.lock_webhook(&mut transaction, tenant, id).await? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let mut webhook = Webhook::read(&row)?;
        let starts_anew = update.enabled == Some(true) || update.url.is_some();
        if let Some(url) = &update.url {
            webhook.url.clone_from(url);
        }
        if let Some(types) = &update.types {
            webhook.types.clone_from(types);
        }
        if let Some(description) = &update.description {
            webhook.description.clone_from(description);
        }
        webhook.disabled = match update.enabled {
            Some(true) => None,
            Some(false) => webhook.disabled.or(Some((DisabledReason::TurnedOff, now))),
            None => webhook.disabled,
        };
        let query = Query::new(
            "UPDATE webhooks SET url = $1, types = $2, description = $3, disabled_at = $4, disabled_reason = $5,
                updated_at = $6, origin = $7
             WHERE id = $8 AND tenant_id = $9",
        )
        .bind(&webhook.url)
        .bind(write_types(&webhook.types))
        .bind(webhook.description.as_deref())
        .bind(webhook.disabled.map(|(_, at)| at))
        .bind(webhook.disabled.map(|(reason, _)| reason.as_str()))
        .bind(now)
        .bind(webhooks::origin(&webhook.url).unwrap_or_default())
        .bind(id)
        .bind(tenant);
        transaction.execute(query).await?;
        if starts_anew {
            webhook.failing_since = None;
            let query = Query::new(
                "UPDATE webhooks SET failing_since = NULL, failures = 0, paused_until = 0
                 WHERE id = $1",
            );
            transaction.execute(query.bind(id)).await?;
            self.retry_at_once(&mut transaction, id).await?;
        }
        self.note(&mut transaction, tenant, Some(id), Action::WebhookChanged, actor).await?;
        transaction.commit().await?;
        Ok(Some(webhook))
    }

    /// Gives an endpoint a new secret, beside which the one that it has signs for a day; gives it, and until when. `None`
    /// where there is no such endpoint.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn rotate_webhook_secret(
        &self,
        tenant: &str,
        id: &str,
        actor: Actor<'_>,
    ) -> Result<Option<(SecretString, Millis)>> {
        let until = self.clock.now() + millis(ROTATION);
        let mut transaction = self.database.begin().await?;
        let Some(row) = self.lock_webhook(&mut transaction, tenant, id).await? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let old = self.open_secrets(tenant, id, row.get("secrets")?).await?;
        let secret = signature::new_secret();
        let new = SigningSecrets { current: secret.clone(), previous: Some((old.current, until)) };
        let query = Query::new("UPDATE webhooks SET secrets = $1 WHERE id = $2 AND tenant_id = $3")
            .bind(self.seal_secrets(tenant, id, &new).await?)
            .bind(id)
            .bind(tenant);
        transaction.execute(query).await?;
        self.note(&mut transaction, tenant, Some(id), Action::WebhookSecretRotated, actor).await?;
        transaction.commit().await?;
        Ok(Some((secret, until)))
    }

    /// Removes an endpoint with all that waits for it. `false` where there is none.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn delete_webhook(&self, tenant: &str, id: &str, actor: Actor<'_>) -> Result<bool> {
        let mut transaction = self.database.begin().await?;
        let query = Query::new("DELETE FROM webhooks WHERE id = $1 AND tenant_id = $2").bind(id).bind(tenant);
        if transaction.execute(query).await? == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        let query = Query::new("DELETE FROM webhook_attempts WHERE webhook_id = $1").bind(id);
        transaction.execute(query).await?;
        self.note(&mut transaction, tenant, Some(id), Action::WebhookDeleted, actor).await?;
        transaction.commit().await?;
        self.drop_deliveries(id).await?;
        Ok(true)
    }

    /// Waits for another change of this endpoint.
    pub(super) async fn lock_webhook(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        id: &str,
    ) -> Result<Option<Row>> {
        let query = format!(
            "UPDATE webhooks SET updated_at = updated_at WHERE id = $1 AND tenant_id = $2 RETURNING {COLUMNS}"
        );
        transaction.fetch_optional(Query::new(&query).bind(id).bind(tenant)).await
    }

    async fn seal_secrets(&self, tenant: &str, id: &str, secrets: &SigningSecrets) -> Result<String> {
        let record = SecretsRecord {
            current: secrets.current.expose_secret().to_owned(),
            previous: secrets
                .previous
                .as_ref()
                .map(|(secret, until)| (secret.expose_secret().to_owned(), *until)),
        };
        self.seal_json(place(tenant, id), &record).await
    }

    pub(super) async fn open_secrets(&self, tenant: &str, id: &str, sealed: &str) -> Result<SigningSecrets> {
        let mut record: SecretsRecord = self.open_json(place(tenant, id), sealed).await?;
        Ok(SigningSecrets {
            current: std::mem::take(&mut record.current).into(),
            previous: record.previous.take().map(|(secret, until)| (secret.into(), until)),
        })
    }
}

impl SigningSecrets {
    /// Those that sign at this time, the newest first.
    pub fn at(&self, now: Millis) -> impl Iterator<Item = &SecretString> {
        let previous = self.previous.iter().filter(move |(_, until)| now < *until);
        std::iter::once(&self.current).chain(previous.map(|(secret, _)| secret))
    }
}

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecrets(…)")
    }
}

impl fmt::Debug for CreatedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created(..) => "Created",
            Self::TooMany => "TooMany",
            Self::UnknownTenant => "UnknownTenant",
        })
    }
}

impl Drop for SecretsRecord {
    fn drop(&mut self) {
        self.current.zeroize();
        if let Some((secret, _)) = &mut self.previous {
            secret.zeroize();
        }
    }
}

impl Webhook {
    pub(super) fn read(row: &Row) -> Result<Self> {
        let reason = row.get::<Option<&str>>("disabled_reason")?.map(str::parse).transpose()?;
        Ok(Self {
            id: row.get("id")?,
            url: row.get("url")?,
            types: read_types(row.get("types")?),
            description: row.get("description")?,
            disabled: reason.zip(row.get("disabled_at")?),
            failing_since: row.get("failing_since")?,
            created_at: row.get("created_at")?,
        })
    }

    /// Whether events of this type are sent.
    pub fn wants(&self, event_type: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|wanted| wanted == event_type)
    }
}

impl DisabledReason {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TurnedOff => "turned_off",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

impl FromStr for DisabledReason {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        [Self::TurnedOff, Self::Gone, Self::Failing]
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or(StoreError::Unreadable("disabled_reason"))
    }
}

fn place<'a>(tenant: &'a str, id: &'a str) -> Place<'a> {
    Place { tenant, customer: "", connection: id, field: "secrets" }
}

/// Each type between two commas, so that a statement finds one by `LIKE`.
fn write_types(types: &[String]) -> String {
    if types.is_empty() { String::new() } else { format!(",{},", types.join(",")) }
}

fn read_types(text: &str) -> Vec<String> {
    text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
