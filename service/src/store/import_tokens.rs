//! What a provider gave for a refresh token that a tenant imports, until a connection holds it. The token that was
//! brought may be spent by then, so that losing the new one would lose the customer's grant.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::database::{Query, Transaction};
use super::grant_record::TokensRecord;
use super::{Owner, Result, Store, Tokens};
use crate::clock::{CLOCK_TOLERANCE, Millis, millis};
use crate::ids;
use crate::vault::Place;

/// Longer than a call to a provider can take, and longer than the database is mostly away. A process that dies keeps
/// the same import waiting for so long.
const LEASE: Duration = Duration::from_secs(2 * 60);

/// Tokens that an import brings, or that the provider gave for those.
pub struct ImportedTokens {
    /// The tokens themselves.
    pub tokens: Tokens,
    /// What they are for, where that is known.
    pub scopes: Option<Vec<String>>,
    /// The provider's response that they came with; null where the tenant brings them.
    pub response: Value,
}

/// Names the refresh token that an import brings, without telling it.
#[derive(Debug, Clone)]
pub struct ImportKey {
    owner: Owner,
    digest: String,
}

/// The right to ask the provider for one import, for a short time.
#[derive(Debug)]
pub struct ImportLease {
    key: ImportKey,
    owner: String,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    tokens: TokensRecord,
    scopes: Option<Vec<String>>,
    response: Value,
}

impl Store {
    /// Names a refresh token that is imported for a customer's app. `client` is the OAuth client that it was issued to.
    pub fn import_key(
        &self,
        owner: &Owner,
        app_id: &str,
        client: Option<&str>,
        refresh_token: &str,
    ) -> ImportKey {
        let client = client.unwrap_or_default();
        let digest = self.fingerprint(owner, &format!("refresh token\n{app_id}\n{client}\n{refresh_token}"));
        ImportKey { owner: owner.clone(), digest }
    }

    /// What the provider gave before, in an import that was not finished.
    ///
    /// # Errors
    ///
    /// When the database fails, or what is stored does not open.
    pub async fn import_tokens(&self, key: &ImportKey) -> Result<Option<ImportedTokens>> {
        let query = Query::new("SELECT sealed FROM import_tokens WHERE tenant_id = $1 AND digest = $2")
            .bind(&key.owner.tenant)
            .bind(&key.digest);
        let row = self.database.fetch_optional(query).await?;
        let sealed = row.as_ref().map(|row| row.get::<Option<&str>>("sealed")).transpose()?.flatten();
        let Some(sealed) = sealed else { return Ok(None) };
        let Sealed { tokens, scopes, response } = self.open_json(place(key), sealed).await?;
        Ok(Some(ImportedTokens { tokens: tokens.into(), scopes, response }))
    }

    /// Takes the lease on an import; `None` where somebody else has it. One that ends later than a lease can is from a
    /// clock that was wrong.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn lease_import(&self, key: &ImportKey) -> Result<Option<ImportLease>> {
        let lease = ImportLease { key: key.clone(), owner: format!("{}.{}", self.process, ids::random(16)) };
        let now = self.clock.now();
        let query = Query::new(
            "INSERT INTO import_tokens (tenant_id, digest, customer, lease_owner, lease_until, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id, digest) DO UPDATE SET
                lease_owner = excluded.lease_owner, lease_until = excluded.lease_until
             WHERE import_tokens.lease_until IS NULL OR import_tokens.lease_until <= $6
                OR import_tokens.lease_until > $7",
        )
        .bind(&key.owner.tenant)
        .bind(&key.digest)
        .bind(&key.owner.customer)
        .bind(&lease.owner)
        .bind(now + millis(LEASE))
        .bind(now)
        .bind(now + millis(LEASE) + CLOCK_TOLERANCE);
        let taken = self.database.execute(query).await? == 1;
        Ok(taken.then_some(lease))
    }

    /// Keeps what the provider gave, and ends the lease. Whether that was lost does not matter: nothing older may work
    /// any more.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn keep_import_tokens(&self, lease: &ImportLease, tokens: &ImportedTokens) -> Result<()> {
        let key = &lease.key;
        let sealed = Sealed {
            tokens: TokensRecord::from(&tokens.tokens),
            scopes: tokens.scopes.clone(),
            response: tokens.response.clone(),
        };
        let query = Query::new(
            "INSERT INTO import_tokens (tenant_id, digest, customer, sealed, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id, digest) DO UPDATE SET
                sealed = excluded.sealed, lease_owner = NULL, lease_until = NULL",
        )
        .bind(&key.owner.tenant)
        .bind(&key.digest)
        .bind(&key.owner.customer)
        .bind(self.seal_json(place(key), &sealed).await?)
        .bind(self.clock.now());
        self.database.execute(query).await?;
        Ok(())
    }

    /// Ends the lease. What the provider gave before stays, unless it `is_over`.
    ///
    /// # Errors
    ///
    /// When the database fails; the lease then ends by itself.
    pub async fn release_import(&self, lease: &ImportLease, is_over: bool) -> Result<()> {
        let kept = if is_over { "" } else { "AND sealed IS NULL" };
        let delete = format!(
            "DELETE FROM import_tokens WHERE tenant_id = $1 AND digest = $2 AND lease_owner = $3 {kept}"
        );
        let release = "UPDATE import_tokens SET lease_owner = NULL, lease_until = NULL
             WHERE tenant_id = $1 AND digest = $2 AND lease_owner = $3";
        for statement in [&delete, release] {
            let query = Query::new(statement)
                .bind(&lease.key.owner.tenant)
                .bind(&lease.key.digest)
                .bind(&lease.owner);
            self.database.execute(query).await?;
        }
        Ok(())
    }

    /// Ends what was kept, since a connection holds it from now on. `false` where another one holds it already.
    pub(super) async fn take_import_tokens(
        &self,
        transaction: &mut Transaction,
        key: &ImportKey,
    ) -> Result<bool> {
        let query = Query::new(
            "DELETE FROM import_tokens WHERE tenant_id = $1 AND digest = $2 AND sealed IS NOT NULL",
        )
        .bind(&key.owner.tenant)
        .bind(&key.digest);
        Ok(transaction.execute(query).await? == 1)
    }

    /// Forgets imports that nobody finished.
    pub(super) async fn remove_import_tokens(&self, created_before: Millis) -> Result<()> {
        let query = Query::new("DELETE FROM import_tokens WHERE created_at <= $1").bind(created_before);
        self.database.execute(query).await?;
        Ok(())
    }
}

fn place(key: &ImportKey) -> Place<'_> {
    let Owner { tenant, customer } = &key.owner;
    Place { tenant, customer, connection: &key.digest, field: "import_tokens" }
}

impl fmt::Debug for ImportedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedTokens").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}
