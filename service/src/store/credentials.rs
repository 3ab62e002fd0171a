//! Credentials: what a connection holds, sealed, and the lease under which one instance at a time refreshes it.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::connections::read_auth_type;
use super::database::{Query, Row, Transaction};
use super::events::ConnectionChange;
use super::{Details, Origin, Owner, ReconnectionReason, RefreshHistory, Result, Store, StoreError};
use crate::catalogue::{AuthType, Inputs};
use crate::clock::{CLOCK_TOLERANCE, Millis, millis};
use crate::vault::Place;
use crate::{ids, oauth};

/// What the customer granted.
#[derive(Clone)]
pub struct Grant {
    /// The app that it is for.
    pub app_id: String,
    /// What kind of credential it is.
    pub auth_type: AuthType,
    /// The auth option by which it was made.
    pub auth_option_key: String,
    /// The app's options that call an account by the same id: only with what they brought can its account be compared. Not
    /// stored with a credential.
    pub comparable_options: Vec<String>,
    /// See [`Store::account_digest`]; none where the app has no revocation.
    pub account_digest: Option<String>,
    /// The stored OAuth client that it belongs to; none for the operator's.
    pub oauth_client: Option<String>,
    /// How it came.
    pub origin: Origin,
    /// What the customer entered, and the option's constants: what is vended, except for OAuth.
    pub inputs: Inputs,
    /// Present exactly for OAuth.
    pub tokens: Option<Tokens>,
    /// What is known beside it.
    pub details: Details,
}

/// What an OAuth provider issued.
#[derive(Clone)]
pub struct Tokens {
    /// Opens the provider's API.
    pub access_token: SecretString,
    /// Gets a new access token, if the provider gave one.
    pub refresh_token: Option<SecretString>,
    /// Usually `Bearer`.
    pub token_type: String,
    /// When it was asked for.
    pub obtained_at: Millis,
    /// When it expires, if the provider told.
    pub expires_at: Option<Millis>,
}

/// A stored grant.
#[derive(Debug, Clone)]
pub struct Credential {
    /// What was granted.
    pub grant: Grant,
    /// Whether the provider no longer honours it.
    pub broken: bool,
    /// Grows with every change.
    pub version: i64,
    /// What is remembered of its refreshes.
    pub history: RefreshHistory,
}

/// The right to refresh one connection's credential, for a short time.
#[derive(Debug)]
pub struct Lease {
    connection_id: String,
    owner: String,
}

/// What [`Store::read_grant`] reads, of `credentials k` and `connections c`.
pub(super) const GRANT_COLUMNS: &str = "c.app_id, k.auth_type, k.auth_option_key, k.inputs, k.access_token,
    k.refresh_token, k.token_type, k.obtained_at, k.expires_at, k.secret_data, k.account_digest, k.oauth_client_id, c.provider_data,
    c.account, c.scopes, c.origin, c.customer";

impl Tokens {
    /// What a provider granted in answer to a request made at `asked_at`. A provider that sends no new refresh token
    /// means that the `previous` one goes on.
    pub fn granted(granted: oauth::Tokens, asked_at: Millis, previous: Option<&SecretString>) -> Self {
        let lifetime = |seconds| millis(Duration::from_secs(seconds));
        Self {
            access_token: granted.access_token,
            refresh_token: granted.refresh_token.or_else(|| previous.cloned()),
            token_type: granted.token_type,
            obtained_at: asked_at,
            expires_at: granted.expires_in.map(|seconds| asked_at.saturating_add(lifetime(seconds))),
        }
    }
}

impl Lease {
    pub(super) fn connection_id(&self) -> &str {
        &self.connection_id
    }
}

impl Store {
    /// What a connection holds; `None` where this customer has no such connection, or it never had a grant.
    ///
    /// # Errors
    ///
    /// When the database fails, or what is stored does not open.
    pub async fn credential(&self, owner: &Owner, connection_id: &str) -> Result<Option<Credential>> {
        let query = format!(
            "SELECT {GRANT_COLUMNS}, k.version, k.refresh_failures, k.refresh_retry_at, k.refusals, k.refused_since,
                k.forced_at, c.broken
             FROM credentials k JOIN connections c ON c.id = k.connection_id
             WHERE k.connection_id = $1 AND c.tenant_id = $2 AND c.customer = $3"
        );
        let query = Query::new(&query).bind(connection_id).bind(&owner.tenant).bind(&owner.customer);
        let row = self.database.fetch_optional(query).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Credential {
            grant: self.read_grant(&row, &owner.tenant, connection_id).await?,
            broken: row.get::<i64>("broken")? != 0,
            version: row.get("version")?,
            history: RefreshHistory::read(&row)?,
        }))
    }

    /// Reads and opens [`GRANT_COLUMNS`].
    pub(super) async fn read_grant(&self, row: &Row, tenant: &str, connection_id: &str) -> Result<Grant> {
        let customer = row.get::<&str>("customer")?;
        let place = |field| Place { tenant, customer, connection: connection_id, field };
        let open = async |field| -> Result<Option<SecretString>> {
            match row.get::<Option<&str>>(field)? {
                Some(sealed) => Ok(Some(self.open_text(place(field), sealed).await?)),
                None => Ok(None),
            }
        };
        let tokens = match open("access_token").await? {
            Some(access_token) => Some(Tokens {
                access_token,
                refresh_token: open("refresh_token").await?,
                token_type: row.get::<Option<String>>("token_type")?.unwrap_or_default(),
                obtained_at: row.get("obtained_at")?,
                expires_at: row.get("expires_at")?,
            }),
            None => None,
        };
        let secret_data = row.get::<Option<&str>>("secret_data")?;
        let secret_data = self.open_secret_data((tenant, customer), connection_id, secret_data).await?;
        Ok(Grant {
            app_id: row.get::<Option<String>>("app_id")?.unwrap_or_default(),
            auth_type: read_auth_type(row.get("auth_type")?)?,
            auth_option_key: row.get("auth_option_key")?,
            comparable_options: Vec::new(),
            account_digest: row.get("account_digest")?,
            oauth_client: row.get("oauth_client_id")?,
            origin: row.get::<&str>("origin")?.parse()?,
            inputs: self.open_json(place("inputs"), row.get("inputs")?).await?,
            tokens,
            details: Details { secret_data, ..Details::read(row)? },
        })
    }

    /// Writes a grant over whatever the connection held. Whoever refreshes the old one loses the lease.
    pub(super) async fn put_grant(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        connection_id: &str,
        grant: &Grant,
    ) -> Result<()> {
        let customer = customer_of(transaction, connection_id).await?;
        let customer = customer.as_deref().ok_or(StoreError::Unreadable("customer"))?;
        let inputs = Place { tenant, customer, connection: connection_id, field: "inputs" };
        let tokens = self.seal_tokens((tenant, customer), connection_id, grant.tokens.as_ref()).await?;
        let query = Query::new(
            "INSERT INTO credentials (connection_id, tenant_id, auth_type, auth_option_key, inputs, access_token,
                refresh_token, token_type, obtained_at, expires_at, account_digest, oauth_client_id, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)
             ON CONFLICT (connection_id) DO UPDATE SET
                auth_type = excluded.auth_type, auth_option_key = excluded.auth_option_key, inputs = excluded.inputs,
                access_token = excluded.access_token, refresh_token = excluded.refresh_token,
                token_type = excluded.token_type, obtained_at = excluded.obtained_at,
                expires_at = excluded.expires_at, account_digest = excluded.account_digest,
                oauth_client_id = excluded.oauth_client_id, version = credentials.version + 1, lease_owner = NULL,
                lease_until = NULL, refresh_failures = 0, refresh_retry_at = NULL, refusals = 0, refused_since = NULL,
                forced_at = NULL, announced_end = NULL",
        )
        .bind(connection_id)
        .bind(tenant)
        .bind(grant.auth_type.as_str())
        .bind(&grant.auth_option_key)
        .bind(self.seal_json(inputs, &grant.inputs).await?)
        .bind(tokens.access)
        .bind(tokens.refresh)
        .bind(grant.tokens.as_ref().map(|tokens| tokens.token_type.as_str()))
        .bind(grant.tokens.as_ref().map_or_else(|| self.clock.now(), |tokens| tokens.obtained_at))
        .bind(grant.tokens.as_ref().and_then(|tokens| tokens.expires_at))
        .bind(grant.account_digest.as_deref())
        .bind(grant.oauth_client.as_deref());
        transaction.execute(query).await?;
        self.put_details(transaction, (tenant, customer), connection_id, &grant.details).await
    }

    /// Takes the lease on a connection's credential, unless another process holds it. One that this process holds is
    /// taken over: it runs one refresh of a connection at a time, so the holder is a call that was given up in the
    /// database's silence and may have been carried out nevertheless. One that ends later than a lease can, even of a
    /// process whose clock is ahead, is from a clock that was wrong and is not believed.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn lease(&self, connection_id: &str, duration: Duration) -> Result<Option<Lease>> {
        let lease = Lease {
            connection_id: connection_id.to_owned(),
            owner: format!("{}.{}", self.process, ids::random(16)),
        };
        let now = self.clock.now();
        let query = Query::new(
            "UPDATE credentials SET lease_owner = $1, lease_until = $2
             WHERE connection_id = $3
                AND (lease_until IS NULL OR lease_until <= $4 OR lease_until > $5 OR lease_owner LIKE $6)",
        )
        .bind(&lease.owner)
        .bind(now + millis(duration))
        .bind(connection_id)
        .bind(now)
        .bind(now + millis(duration) + CLOCK_TOLERANCE)
        .bind(format!("{}.%", self.process));
        let updated = self.database.execute(query).await?;
        Ok((updated == 1).then_some(lease))
    }

    /// Gives the lease back, with nothing changed.
    ///
    /// # Errors
    ///
    /// When the database fails; the lease then ends by itself.
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        let query = Query::new(
            "UPDATE credentials SET lease_owner = NULL, lease_until = NULL
             WHERE connection_id = $1 AND lease_owner = $2",
        )
        .bind(&lease.connection_id)
        .bind(&lease.owner);
        self.database.execute(query).await?;
        Ok(())
    }

    /// Saves the tokens for which those of this version were exchanged, and ends the lease. `false`, with nothing saved,
    /// where somebody else wrote a newer grant, or deleted the connection. A lease that was lost does not matter: the
    /// provider may honour nothing but these any more. A connection that was thought broken meanwhile works again. Tokens
    /// with the time of those that are there, such as the same with another expiry, are no refresh. What is known beside
    /// the credential stays, unless there are new `details`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn save_tokens(
        &self,
        owner: &Owner,
        connection_id: &str,
        version: i64,
        tokens: &Tokens,
        details: Option<&Details>,
    ) -> Result<bool> {
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, connection_id).await?;
        let Some(customer) = customer_of(&mut transaction, connection_id).await? else {
            transaction.rollback().await?;
            return Ok(false);
        };
        let holder = (owner.tenant.as_str(), customer.as_str());
        let sealed = self.seal_tokens(holder, connection_id, Some(tokens)).await?;
        let query = Query::new(
            "UPDATE credentials SET access_token = $1, refresh_token = $2, token_type = $3, obtained_at = $4,
                expires_at = $5, version = version + 1, lease_owner = NULL, lease_until = NULL, refresh_failures = 0,
                refresh_retry_at = NULL, refusals = 0, refused_since = NULL,
                last_refreshed_at = CASE WHEN obtained_at = $4 THEN last_refreshed_at ELSE $4 END,
                announced_end = CASE WHEN obtained_at = $4 THEN announced_end END
             WHERE connection_id = $6 AND version = $7",
        )
        .bind(sealed.access)
        .bind(sealed.refresh)
        .bind(&tokens.token_type)
        .bind(tokens.obtained_at)
        .bind(tokens.expires_at)
        .bind(connection_id)
        .bind(version);
        if transaction.execute(query).await? == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        let tenant = &owner.tenant;
        let mut events = Vec::new();
        if let Some(details) = details {
            let before = self.tracked(&mut transaction, tenant, connection_id).await?;
            self.put_details(&mut transaction, holder, connection_id, details).await?;
            let event = self.update_event(&mut transaction, tenant, connection_id, before.as_ref()).await?;
            events.extend(event);
        }
        let query = Query::new(
            "UPDATE connections SET broken = 0, status = 'active', updated_at = $1 WHERE id = $2 AND broken = 1",
        )
        .bind(self.clock.now())
        .bind(connection_id);
        let repaired = transaction.execute(query).await?;
        if repaired == 1 {
            let change = ConnectionChange::Repaired;
            events.extend(self.connection_event(&mut transaction, tenant, connection_id, &change).await?);
        }
        self.commit_with(transaction, tenant, &events).await?;
        Ok(true)
    }

    /// Notes that this version of a connection's grant stopped working, and why. `false`, with nothing changed, where
    /// there is a newer one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn mark_broken(
        &self,
        owner: &Owner,
        connection_id: &str,
        version: i64,
        reason: ReconnectionReason,
    ) -> Result<bool> {
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, connection_id).await?;
        let query = Query::new("SELECT 1 FROM connections WHERE id = $1 AND broken = 1").bind(connection_id);
        let was_broken = transaction.fetch_optional(query).await?.is_some();
        let now = self.clock.now();
        let query = Query::new(
            "UPDATE connections SET broken = 1, broken_reason = $6, broken_since = $1, updated_at = $1,
                status = CASE WHEN status = 'active' THEN 'expired' ELSE status END
             WHERE id = $2 AND tenant_id = $3 AND customer = $4
                AND EXISTS (SELECT 1 FROM credentials WHERE connection_id = $2 AND version = $5)",
        )
        .bind(now)
        .bind(connection_id)
        .bind(&owner.tenant)
        .bind(&owner.customer)
        .bind(version)
        .bind(reason.as_str());
        let updated = transaction.execute(query).await?;
        let mut event = None;
        if updated == 1 && !was_broken {
            let change = ConnectionChange::NeedsReconnection { reason, since: now };
            event = self.connection_event(&mut transaction, &owner.tenant, connection_id, &change).await?;
        }
        self.commit_with(transaction, &owner.tenant, event.as_slice()).await?;
        Ok(updated == 1)
    }

    async fn seal_tokens(
        &self,
        (tenant, customer): (&str, &str),
        connection: &str,
        tokens: Option<&Tokens>,
    ) -> Result<SealedTokens> {
        let seal = async |field, secret: Option<&SecretString>| {
            let place = Place { tenant, customer, connection, field };
            match secret {
                Some(secret) => self.seal_text(place, secret.expose_secret()).await.map(Some),
                None => Ok(None),
            }
        };
        Ok(SealedTokens {
            access: seal("access_token", tokens.map(|tokens| &tokens.access_token)).await?,
            refresh: seal("refresh_token", tokens.and_then(|tokens| tokens.refresh_token.as_ref())).await?,
        })
    }
}

/// Whose connection it is; `None` where it was deleted.
async fn customer_of(transaction: &mut Transaction, connection_id: &str) -> Result<Option<String>> {
    let query = Query::new("SELECT customer FROM connections WHERE id = $1").bind(connection_id);
    transaction.fetch_optional(query).await?.map(|row| row.get("customer")).transpose()
}

struct SealedTokens {
    access: Option<String>,
    refresh: Option<String>,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("app_id", &self.app_id)
            .field("auth_type", &self.auth_type)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
