//! Events that nobody's call causes: a link that ran out, and a grant that ends soon. Any number of processes may look for
//! them: each event is written in the transaction that marks what it is about, so there is one of it.

use std::time::Duration;

use super::database::{Query, Row};
use super::events::ConnectionChange;
use super::{Result, Store, StoreError};
use crate::clock::{Millis, millis};

/// How long before its end a grant is told of.
const NOTICE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How many are read at once.
const BATCH: i64 = 200;

const EXPIRED_LINKS: &str = "SELECT id, connection_id, tenant_id FROM links
    WHERE status = 'pending' AND ended_at IS NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2";

const ENDING_TOKENS: &str = "SELECT k.connection_id, k.tenant_id, k.version, k.expires_at AS ends_at
    FROM credentials k JOIN connections c ON c.id = k.connection_id
    WHERE k.auth_type = 'o_auth' AND k.refresh_token IS NULL AND k.announced_end IS NULL
        AND k.expires_at > $1 AND k.expires_at <= $2 AND c.broken = 0 AND c.status = 'active'
    ORDER BY k.expires_at LIMIT $3";

const ENDING_GRANTS: &str = "SELECT k.connection_id, k.tenant_id, k.version, k.obtained_at + $1 AS ends_at
    FROM credentials k JOIN connections c ON c.id = k.connection_id
    WHERE c.app_id = $2 AND k.auth_option_key = $3 AND k.refresh_token IS NOT NULL
        AND k.announced_end IS NULL AND k.obtained_at > $4 AND k.obtained_at <= $5
        AND c.broken = 0 AND c.status = 'active'
    LIMIT $6";

/// What is told when its time has come.
#[derive(Debug, Clone, Copy)]
pub enum Due<'a> {
    /// Links that ran out unused.
    ExpiredLinks,
    /// Grants that end within 14 days because there is nothing to refresh them with.
    EndingTokens,
    /// Grants whose refresh token dies soon because nobody used it.
    EndingGrants(&'a EndingGrants<'a>),
}

/// Grants of an auth option whose refresh token is good for so long after each refresh.
#[derive(Debug)]
pub struct EndingGrants<'a> {
    /// The app.
    pub app_id: &'a str,
    /// The auth option.
    pub auth_option_key: &'a str,
    /// For how long a refresh token lives unused, in milliseconds.
    pub idle: Millis,
}

/// A grant with its end.
struct Ending {
    connection_id: String,
    tenant: String,
    version: i64,
    end: Millis,
}

impl EndingGrants<'_> {
    /// How long before the end it is told: not before the service should have refreshed the grant itself, which it does
    /// when at most eight tenths of the time are over.
    fn notice(&self) -> Millis {
        millis(NOTICE).min(self.idle / 20 * 3)
    }
}

impl Store {
    /// Writes the events of what is due, a batch at a time, until there is no more, or none of it can be told.
    ///
    /// # Errors
    ///
    /// When the database fails. What was found before stays written.
    pub async fn announce(&self, due: Due<'_>) -> Result<()> {
        loop {
            let found = self.find_due(due).await?;
            let mut is_progress = false;
            for row in &found {
                let announced = match due {
                    Due::ExpiredLinks => self.announce_expired_link(row).await,
                    Due::EndingTokens | Due::EndingGrants(_) => self.announce_end(&Ending::read(row)?).await,
                };
                is_progress |= unless_unreadable(announced)?;
            }
            if !is_progress || found.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    async fn find_due(&self, due: Due<'_>) -> Result<Vec<Row>> {
        let now = self.clock.now();
        match due {
            Due::ExpiredLinks => {
                self.database.fetch_all(Query::new(EXPIRED_LINKS).bind(now).bind(BATCH)).await
            }
            Due::EndingTokens => {
                let query = Query::new(ENDING_TOKENS).bind(now).bind(now + millis(NOTICE)).bind(BATCH);
                self.database.fetch_all(query).await
            }
            Due::EndingGrants(grants) => {
                let query = Query::new(ENDING_GRANTS)
                    .bind(grants.idle)
                    .bind(grants.app_id)
                    .bind(grants.auth_option_key)
                    .bind(now - grants.idle)
                    .bind(now - grants.idle + grants.notice())
                    .bind(BATCH);
                self.database.scan(query).await
            }
        }
    }

    /// `false` where somebody else did, or the link is open again or gone.
    async fn announce_expired_link(&self, row: &Row) -> Result<bool> {
        let (connection_id, tenant) = (row.get::<&str>("connection_id")?, row.get::<&str>("tenant_id")?);
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, connection_id).await?;
        let query = Query::new(
            "UPDATE links SET ended_at = expires_at
             WHERE id = $1 AND status = 'pending' AND ended_at IS NULL AND expires_at <= $2",
        )
        .bind(row.get::<&str>("id")?)
        .bind(self.clock.now());
        if transaction.execute(query).await? == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        self.commit_change(transaction, tenant, connection_id, &ConnectionChange::Expired).await?;
        Ok(true)
    }

    /// `false` where somebody else did, or the grant was replaced, refreshed or deleted meanwhile.
    async fn announce_end(&self, ending: &Ending) -> Result<bool> {
        let Ending { connection_id, tenant, version, end } = ending;
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, connection_id).await?;
        let query = Query::new(
            "UPDATE credentials SET announced_end = $1
             WHERE connection_id = $2 AND version = $3 AND announced_end IS NULL",
        )
        .bind(*end)
        .bind(connection_id)
        .bind(*version);
        if transaction.execute(query).await? == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        let change = ConnectionChange::Expiring { expires_at: *end };
        self.commit_change(transaction, tenant, connection_id, &change).await?;
        Ok(true)
    }
}

/// A connection that cannot be read keeps no other one waiting.
fn unless_unreadable(announced: Result<bool>) -> Result<bool> {
    match announced {
        Err(error @ StoreError::Unreadable(_)) => {
            tracing::warn!(%error, "an event cannot be written");
            Ok(false)
        }
        announced => announced,
    }
}

impl Ending {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            connection_id: row.get("connection_id")?,
            tenant: row.get("tenant_id")?,
            version: row.get("version")?,
            end: row.get("ends_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::database::Value;
    use super::*;

    /// They are asked every few seconds.
    #[tokio::test]
    async fn what_is_due_is_found_by_an_index() {
        let (store, folder) = super::super::tests::store().await;
        for (query, values, index) in
            [(EXPIRED_LINKS, 2, "links_to_expire"), (ENDING_TOKENS, 3, "credentials_to_end")]
        {
            let plan = format!("EXPLAIN QUERY PLAN {query}");
            let query = Query::new(&plan).bind_all((0..values).map(|_| Value::from(1_i64)));
            let rows = store.database.fetch_all(query).await.unwrap();
            let plan: Vec<&str> = rows.iter().map(|row| row.get("detail").unwrap()).collect();
            assert!(plan[0].contains(index) && !plan.iter().any(|step| step.contains("SCAN")), "{plan:?}");
        }
        store.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
