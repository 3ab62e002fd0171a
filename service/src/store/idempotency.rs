//! Answers kept for requests that are sent again with the same `Idempotency-Key`.

use std::time::Duration;

use secrecy::SecretString;

use super::database::{Query, Transaction};
use super::{Result, Store};
use crate::clock::millis;
use crate::ids;
use crate::vault::Place;

/// How long a key is remembered.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// An answer to keep.
pub struct NewAnswer<'a> {
    /// The request's `Idempotency-Key`.
    pub key: &'a str,
    /// Tells this request from another one with the same key.
    pub fingerprint: &'a str,
    /// The answer's body.
    pub body: &'a str,
}

impl Store {
    /// The answer that was given to an earlier request with this key, and that request's fingerprint.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn answer(&self, tenant: &str, key: &str) -> Result<Option<(String, SecretString)>> {
        let key = ids::digest(key);
        let query = Query::new(
            "SELECT fingerprint, sealed FROM answers WHERE tenant_id = $1 AND key_digest = $2 AND expires_at > $3",
        )
        .bind(tenant)
        .bind(&key)
        .bind(self.clock.now());
        let row = self.database.fetch_optional(query).await?;
        let Some(row) = row else { return Ok(None) };
        let body = self.open_text(place(tenant, &key), row.get("sealed")?).await?;
        Ok(Some((row.get("fingerprint")?, body)))
    }

    /// Keeps an answer; `false` where another one has the key. One that has expired is replaced.
    pub(super) async fn keep_answer(
        &self,
        transaction: &mut Transaction,
        tenant: &str,
        answer: &NewAnswer<'_>,
    ) -> Result<bool> {
        let key = ids::digest(answer.key);
        let now = self.clock.now();
        let query = Query::new(
            "INSERT INTO answers (tenant_id, key_digest, fingerprint, sealed, expires_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id, key_digest) DO UPDATE SET
                fingerprint = excluded.fingerprint, sealed = excluded.sealed, expires_at = excluded.expires_at
                WHERE answers.expires_at <= $6",
        )
        .bind(tenant)
        .bind(&key)
        .bind(answer.fingerprint)
        .bind(self.seal_text(place(tenant, &key), answer.body).await?)
        .bind(now + millis(LIFETIME))
        .bind(now);
        let kept = transaction.execute(query).await?;
        Ok(kept == 1)
    }
}

fn place<'a>(tenant: &'a str, key_digest: &'a str) -> Place<'a> {
    Place { tenant, customer: "", connection: key_digest, field: "answer" }
}

impl std::fmt::Debug for NewAnswer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewAnswer(…)")
    }
}
