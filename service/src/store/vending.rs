//! Vending: what one token call reads. One statement tells whose key it is and what the connection holds, and only what
//! is vended is decrypted.

use std::fmt;

use secrecy::SecretString;

use super::connections::read_auth_type;
use super::database::{Query, Row};
use super::keys::read_caller;
use super::{Caller, Details, Grant, Owner, RefreshHistory, Result, Status, Store, StoreError};
use crate::catalogue::{AuthType, Inputs};
use crate::clock::Millis;
use crate::vault::Place;

/// What one token call is about.
#[derive(Debug)]
pub struct TokenLookup {
    /// Whose key it is.
    pub caller: Caller,
    /// `None` where this tenant and customer have no such connection.
    pub connection: Option<VendableConnection>,
}

/// A connection, with its credential still sealed.
#[derive(Debug)]
pub struct VendableConnection {
    /// Its status as of now.
    pub status: Status,
    /// Whether its grant stopped working.
    pub broken: bool,
    /// `None` where nothing was ever granted.
    pub credential: Option<SealedCredential>,
}

/// What a connection holds, as far as it is vended.
#[derive(Clone)]
pub struct SealedCredential {
    /// The app that it is for.
    pub app_id: String,
    /// The auth option by which it was made.
    pub auth_option_key: String,
    /// See [`Grant::oauth_client`].
    oauth_client: Option<String>,
    /// What is remembered of its refreshes.
    pub history: RefreshHistory,
    auth_type: AuthType,
    /// The public part.
    details: Details,
    secret_data: Option<String>,
    customer: String,
    content: Sealed,
}

#[derive(Clone)]
enum Sealed {
    Token {
        access_token: String,
        token_type: String,
        lifetime: Lifetime,
    },
    Fields {
        inputs: String,
    },
    /// A token that has not been fetched yet.
    Unfetched,
}

/// From when to when a token is valid, and whether it can be replaced.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// When the token was asked for.
    pub obtained_at: Millis,
    /// When it expires, if the provider told.
    pub expires_at: Option<Millis>,
    /// Whether there is a refresh token.
    pub is_refreshable: bool,
}

/// What the tenant's backend gets, and by which option of which app it was made.
pub struct Vended {
    /// The app.
    pub app_id: String,
    /// Its option.
    pub auth_option_key: String,
    /// See [`Grant::oauth_client`].
    pub oauth_client: Option<String>,
    /// What kind of credential it is.
    pub auth_type: AuthType,
    /// What is known beside the credential.
    pub details: Details,
    /// The credential.
    pub content: VendedContent,
}

/// A credential in the open.
pub enum VendedContent {
    /// A token of an OAuth provider.
    Token {
        /// Opens the provider's API.
        access_token: SecretString,
        /// Usually `Bearer`.
        token_type: String,
        /// When it was asked for and when it expires.
        lifetime: Lifetime,
    },
    /// What the customer entered, by name.
    Fields(Inputs),
}

const LOOKUP: &str = "SELECT a.id, a.tenant_id, a.capabilities, a.used_at, t.token_budget, t.default_budget, t.events_budget,
        t.proxy_budget, c.status, c.broken, c.app_id, c.provider_data,
        c.account, c.scopes, c.customer, l.status AS link_status, l.expires_at AS link_expires_at, k.auth_type, k.auth_option_key,
        k.oauth_client_id, k.access_token, k.token_type, k.obtained_at, k.expires_at, k.secret_data, k.refresh_failures,
        k.refresh_retry_at, k.refusals, k.refused_since, k.forced_at,
        CAST(CASE WHEN k.refresh_token IS NULL THEN 0 ELSE 1 END AS BIGINT) AS is_refreshable,
        CASE WHEN k.access_token IS NULL THEN k.inputs END AS inputs
    FROM keys a JOIN tenants t ON t.id = a.tenant_id
    LEFT JOIN connections c ON c.id = $2 AND c.tenant_id = a.tenant_id AND c.customer = $3
    LEFT JOIN links l ON l.id = c.link_id
    LEFT JOIN credentials k ON k.connection_id = c.id
    WHERE a.digest = $1 AND a.revoked_at IS NULL AND t.disabled_at IS NULL";

impl Lifetime {
    /// That of a token which has not been fetched yet.
    const UNFETCHED: Self = Self { obtained_at: 0, expires_at: Some(0), is_refreshable: true };
}

impl Store {
    /// Whose key has this digest, and what this connection of this customer holds. `None` where the key is unknown or
    /// revoked. Without a connection's id or a customer, it finds the caller alone. A key's first use is noted.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn token_lookup(
        &self,
        key_digest: &str,
        connection_id: Option<&str>,
        customer: Option<&str>,
    ) -> Result<Option<TokenLookup>> {
        let query = Query::new(LOOKUP)
            .bind(key_digest)
            .bind(connection_id.unwrap_or_default())
            .bind(customer.unwrap_or_default());
        let row = self.database.fetch_optional(query).await?;
        let Some(row) = row else { return Ok(None) };
        let caller = read_caller(&row)?;
        self.note_first_use(&caller, row.get("used_at")?).await?;
        let connection = match row.get::<Option<i64>>("broken")? {
            Some(broken) => Some(VendableConnection {
                status: self.read_status(&row, "link_expires_at")?,
                broken: broken != 0,
                credential: read_credential(&row)?,
            }),
            None => None,
        };
        Ok(Some(TokenLookup { caller, connection }))
    }

    /// Decrypts what is vended.
    ///
    /// # Errors
    ///
    /// When it does not open.
    pub async fn unseal(
        &self,
        owner: &Owner,
        connection_id: &str,
        sealed: SealedCredential,
    ) -> Result<Vended> {
        let (tenant, customer) = (owner.tenant.as_str(), sealed.customer.as_str());
        let place = |field| Place { tenant, customer, connection: connection_id, field };
        let content = match sealed.content {
            Sealed::Token { access_token, token_type, lifetime } => VendedContent::Token {
                access_token: self.open_text(place("access_token"), &access_token).await?,
                token_type,
                lifetime,
            },
            Sealed::Fields { inputs } => {
                VendedContent::Fields(self.open_json(place("inputs"), &inputs).await?)
            }
            Sealed::Unfetched => return Err(StoreError::Unreadable("access_token")),
        };
        let secret_data = sealed.secret_data.as_deref();
        let secret_data = self.open_secret_data((tenant, customer), connection_id, secret_data).await?;
        Ok(Vended {
            app_id: sealed.app_id,
            auth_option_key: sealed.auth_option_key,
            oauth_client: sealed.oauth_client,
            auth_type: sealed.auth_type,
            details: Details { secret_data, ..sealed.details },
            content,
        })
    }
}

fn read_credential(row: &Row) -> Result<Option<SealedCredential>> {
    let Some(auth_type) = row.get::<Option<&str>>("auth_type")? else {
        return Ok(None);
    };
    let auth_type = read_auth_type(auth_type)?;
    let content = match row.get::<Option<String>>("access_token")? {
        None if auth_type.is_fetched() => Sealed::Unfetched,
        Some(access_token) => Sealed::Token {
            access_token,
            token_type: row.get::<Option<String>>("token_type")?.unwrap_or_default(),
            lifetime: Lifetime {
                obtained_at: row.get("obtained_at")?,
                expires_at: row.get("expires_at")?,
                is_refreshable: auth_type.is_fetched() || row.get::<i64>("is_refreshable")? != 0,
            },
        },
        None => Sealed::Fields {
            inputs: row.get::<Option<String>>("inputs")?.ok_or(StoreError::Unreadable("inputs"))?,
        },
    };
    Ok(Some(SealedCredential {
        app_id: row.get::<Option<String>>("app_id")?.unwrap_or_default(),
        auth_option_key: row.get("auth_option_key")?,
        oauth_client: row.get("oauth_client_id")?,
        history: RefreshHistory::read(row)?,
        auth_type,
        details: Details::read(row)?,
        secret_data: row.get("secret_data")?,
        customer: row.get::<Option<String>>("customer")?.unwrap_or_default(),
        content,
    }))
}

impl SealedCredential {
    /// Whether it is a token that has not been fetched yet.
    pub fn is_unfetched(&self) -> bool {
        matches!(self.content, Sealed::Unfetched)
    }

    /// `None` where it is not a token, and works until the customer changes it.
    pub fn lifetime(&self) -> Option<Lifetime> {
        match &self.content {
            Sealed::Token { lifetime, .. } => Some(*lifetime),
            Sealed::Fields { .. } => None,
            Sealed::Unfetched => Some(Lifetime::UNFETCHED),
        }
    }
}

impl Grant {
    /// From when to when the access token is valid, and whether it can be replaced; `None` where there is none.
    pub fn lifetime(&self) -> Option<Lifetime> {
        let is_fetched = self.auth_type.is_fetched();
        let lifetime = self.tokens.as_ref().map(|tokens| Lifetime {
            obtained_at: tokens.obtained_at,
            expires_at: tokens.expires_at,
            is_refreshable: is_fetched || tokens.refresh_token.is_some(),
        });
        lifetime.or(is_fetched.then_some(Lifetime::UNFETCHED))
    }
}

impl From<Grant> for Vended {
    fn from(grant: Grant) -> Self {
        let lifetime = grant.lifetime();
        let content = match grant.tokens.zip(lifetime) {
            Some((tokens, lifetime)) => VendedContent::Token {
                lifetime,
                access_token: tokens.access_token,
                token_type: tokens.token_type,
            },
            // What a token is fetched with is not vended.
            None if grant.auth_type.is_token() => VendedContent::Fields(Inputs::new()),
            None => VendedContent::Fields(grant.inputs),
        };
        Self {
            app_id: grant.app_id,
            auth_option_key: grant.auth_option_key,
            oauth_client: grant.oauth_client,
            auth_type: grant.auth_type,
            details: grant.details,
            content,
        }
    }
}

impl fmt::Debug for SealedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedCredential").field("auth_type", &self.auth_type).finish_non_exhaustive()
    }
}

impl fmt::Debug for Vended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vended(…)")
    }
}
