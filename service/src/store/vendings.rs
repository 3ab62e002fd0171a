//! The audit of vending: which key asked for which credential, for whom, and what became of it. A call through the proxy
//! uses a credential, too, and stands in the same audit with what was called.
//!
//! A token call that waited for a write would cost many times as much, so what it was about is collected in memory and
//! written once a second, in one transaction. A process that is killed loses what it collected since. With
//! [`AuditMode::Sync`] each call writes before its response is sent.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::database::{Query, Row, Transaction};
use super::{Result, Store, StoreError};
use crate::clock::Millis;
use crate::config::AuditMode;
use crate::ids;

/// The outcome of a call that was given a credential.
pub const VENDED: &str = "vended";

/// The outcome of a call through the proxy that the provider answered.
pub const PROXIED: &str = "proxied";

/// Different vendings that are collected at most. Where there are as many, a call writes its own before its response.
const MAX_COLLECTED: usize = 10_000;

/// Rows in one statement.
const ROWS_PER_STATEMENT: usize = 50;

/// Rows that one statement removes: another writer waits no longer than for these.
const ROWS_PER_DELETE: i64 = 5_000;

/// Statements in one clean-up. The next one continues.
const MAX_DELETES: usize = 200;

/// What one token call was about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Vending {
    /// The tenant's id.
    pub tenant: String,
    /// The key's id.
    pub key: String,
    /// As the path named it; empty where that cannot be an id.
    pub connection: String,
    /// The customer's email; empty where the call named none. It is not written.
    pub customer: String,
    /// [`VENDED`], [`PROXIED`], `cancelled`, or the code of the error.
    pub outcome: &'static str,
    /// What was called, where it was a call through the proxy.
    pub request: Option<ProxiedRequest>,
}

/// What a call through the proxy was about, with nothing of its query, headers or body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ProxiedRequest {
    /// The method.
    pub method: String,
    /// The provider's host; empty where the call did not get as far.
    pub host: String,
    /// The path, with `*` for segments that are not plain words; empty likewise.
    pub path: String,
    /// What the provider answered.
    pub status: Option<u16>,
}

/// The vendings that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Vendings(Mutex<HashMap<Vending, Calls>>);

/// Calls that have all in common.
#[derive(Debug, Clone, Copy)]
struct Calls {
    count: i64,
    last_at: Millis,
}

/// One line of the audit of vending.
#[derive(Debug)]
pub struct VendingLine {
    /// When the last of the calls was made, in milliseconds since 1970.
    pub at: Millis,
    /// The key's id.
    pub key: String,
    /// The connection's id.
    pub connection: String,
    /// The customer's pseudonym, see `vault.rs`.
    pub customer: String,
    /// `vended`, `proxied`, `cancelled`, or the code of the error.
    pub outcome: String,
    /// How many calls within one second.
    pub calls: i64,
    /// What was called, where it was a call through the proxy.
    pub request: Option<ProxiedRequest>,
}

/// Which lines are wanted.
#[derive(Debug, Default)]
pub struct VendingFilter<'a> {
    /// Of one connection alone.
    pub connection: Option<&'a str>,
    /// Of one customer alone, by email.
    pub customer: Option<&'a str>,
    /// Not before.
    pub since: Millis,
}

impl fmt::Display for ProxiedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.host, self.path)?;
        self.status.map_or(Ok(()), |status| write!(f, " {status}"))
    }
}

impl Store {
    /// Notes a token call, to be written within a second; with [`AuditMode::Sync`] it is written now.
    ///
    /// # Errors
    ///
    /// When it has to be written now, and the database fails.
    pub async fn note_vending(&self, vending: Vending, mode: AuditMode) -> Result<()> {
        let now = self.clock.now();
        match self.vendings.collect(vending, now, mode) {
            None => Ok(()),
            Some(vending) => {
                let calls = Calls { count: 1, last_at: now };
                self.insert_vendings(&[(vending, calls)]).await
            }
        }
    }

    /// Writes what was collected.
    ///
    /// # Errors
    ///
    /// When the database fails; the next attempt writes it.
    pub async fn write_vendings(&self) -> Result<()> {
        let collected: Vec<_> = std::mem::take(&mut *self.vendings.lock()).into_iter().collect();
        if collected.is_empty() {
            return Ok(());
        }
        let written = self.insert_vendings(&collected).await;
        if written.is_err() {
            // It is not known whether a commit was carried out: then these calls are there twice, and never lost.
            let mut current = self.vendings.lock();
            for (vending, calls) in collected {
                current.entry(vending).and_modify(|later| later.count += calls.count).or_insert(calls);
            }
        }
        written
    }

    /// The latest lines of a tenant's audit of vending, at most `limit`, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn vendings(
        &self,
        tenant: &str,
        filter: &VendingFilter<'_>,
        limit: u32,
    ) -> Result<Vec<VendingLine>> {
        let customer = filter.customer.map(|customer| self.vault.pseudonym(tenant, customer));
        let query = Query::new(
            "SELECT at, key_id, connection_id, customer, outcome, calls, method, host, path, provider_status
             FROM vendings
             WHERE tenant_id = $1 AND at >= $2 AND ($3 = '' OR connection_id = $3) AND ($4 = '' OR customer = $4)
             ORDER BY at DESC, id LIMIT $5",
        )
        .bind(tenant)
        .bind(filter.since)
        .bind(filter.connection.unwrap_or_default())
        .bind(customer.unwrap_or_default())
        .bind(i64::from(limit));
        let rows = self.database.scan(query).await?;
        let read = rows.iter().rev().map(|row| {
            Ok(VendingLine {
                at: row.get("at")?,
                key: row.get("key_id")?,
                connection: row.get("connection_id")?,
                customer: row.get("customer")?,
                outcome: row.get("outcome")?,
                calls: row.get("calls")?,
                request: read_request(row)?,
            })
        });
        read.collect()
    }

    /// Removes the lines that are older.
    pub(super) async fn remove_vendings(&self, before: Millis) -> Result<()> {
        for _ in 0..MAX_DELETES {
            let query = Query::new(
                "DELETE FROM vendings WHERE id IN (SELECT id FROM vendings WHERE at < $1 ORDER BY at LIMIT $2)",
            )
            .bind(before)
            .bind(ROWS_PER_DELETE);
            if self.database.execute(query).await? == 0 {
                break;
            }
        }
        Ok(())
    }

    async fn insert_vendings(&self, vendings: &[(Vending, Calls)]) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        for rows in vendings.chunks(ROWS_PER_STATEMENT) {
            self.insert_rows(&mut transaction, rows).await?;
        }
        // In one order, so that processes that write at the same time do not block each other for ever.
        let mut keys: Vec<(&str, Millis)> = Vec::new();
        for (vending, calls) in vendings {
            keys.push((&vending.key, calls.last_at));
        }
        keys.sort_unstable();
        for (index, (key, last_at)) in keys.iter().enumerate() {
            let is_last = keys.get(index + 1).is_none_or(|(next, _)| next != key);
            if is_last {
                let query =
                    Query::new("UPDATE keys SET last_used_at = $1 WHERE id = $2").bind(*last_at).bind(*key);
                transaction.execute(query).await?;
            }
        }
        // Last, since whoever refreshes one of the connections waits for their rows.
        self.note_uses(&mut transaction, vendings).await?;
        transaction.commit().await
    }

    /// Notes when each connection's credential was last vended or used. PostgreSQL locks the rows of one statement in an order of
    /// its own; should two processes block each other, it ends one transaction, and that process writes a second later.
    async fn note_uses(&self, transaction: &mut Transaction, vendings: &[(Vending, Calls)]) -> Result<()> {
        let mut uses: BTreeMap<(&str, &str, &str), Millis> = BTreeMap::new();
        let is_use = |vending: &Vending| matches!(vending.outcome, VENDED | PROXIED);
        for (vending, calls) in vendings.iter().filter(|(vending, _)| is_use(vending)) {
            let connection = (&*vending.connection, &*vending.tenant, &*vending.customer);
            let last_at = uses.entry(connection).or_default();
            *last_at = calls.last_at.max(*last_at);
        }
        let uses: Vec<_> = uses.into_iter().collect();
        for rows in uses.chunks(ROWS_PER_STATEMENT) {
            let row = |first: usize| {
                format!("(${}, ${}, ${}, CAST(${} AS BIGINT))", first + 1, first + 2, first + 3, first + 4)
            };
            let text = format!(
                "WITH uses (connection_id, tenant_id, customer, at) AS (VALUES {})
                 UPDATE connections SET last_used_at = uses.at FROM uses
                 WHERE connections.id = uses.connection_id AND connections.tenant_id = uses.tenant_id
                    AND connections.customer = uses.customer
                    AND (connections.last_used_at IS NULL OR connections.last_used_at < uses.at)",
                (0..rows.len()).map(|index| row(index * 4)).collect::<Vec<_>>().join(", ")
            );
            let mut query = Query::new(&text);
            for ((connection, tenant, customer), at) in rows {
                query = query.bind(*connection).bind(*tenant).bind(*customer).bind(*at);
            }
            transaction.execute(query).await?;
        }
        Ok(())
    }

    async fn insert_rows(&self, transaction: &mut Transaction, rows: &[(Vending, Calls)]) -> Result<()> {
        const COLUMNS: usize = 12;
        let row = |index: usize| {
            let first = index * COLUMNS;
            let numbers: Vec<_> = (1..=COLUMNS).map(|n| format!("${}", first + n)).collect();
            format!("({})", numbers.join(", "))
        };
        let text = format!(
            "INSERT INTO vendings (id, at, tenant_id, key_id, connection_id, customer, outcome, calls, method, host, path,
                provider_status) VALUES {}",
            (0..rows.len()).map(row).collect::<Vec<_>>().join(", ")
        );
        let mut query = Query::new(&text);
        for (vending, calls) in rows {
            let customer = match &*vending.customer {
                "" => String::new(),
                email => self.vault.pseudonym(&vending.tenant, email),
            };
            let request = vending.request.as_ref();
            query = query
                .bind(ids::prefixed("vnd_"))
                .bind(calls.last_at)
                .bind(&vending.tenant)
                .bind(&vending.key)
                .bind(&vending.connection)
                .bind(customer)
                .bind(vending.outcome)
                .bind(calls.count)
                .bind(request.map(|request| &*request.method))
                .bind(request.map(|request| &*request.host))
                .bind(request.map(|request| &*request.path))
                .bind(request.and_then(|request| request.status).map(i64::from));
        }
        transaction.execute(query).await?;
        Ok(())
    }
}

fn read_request(row: &Row) -> Result<Option<ProxiedRequest>> {
    let Some(method) = row.get("method")? else { return Ok(None) };
    let text = |name| Ok::<_, StoreError>(row.get::<Option<String>>(name)?.unwrap_or_default());
    let status = row.get::<Option<i64>>("provider_status")?;
    let status = status.and_then(|status| u16::try_from(status).ok());
    Ok(Some(ProxiedRequest { method, host: text("host")?, path: text("path")?, status }))
}

impl Vendings {
    /// Collects a call; gives it back where it has to be written now.
    fn collect(&self, vending: Vending, now: Millis, mode: AuditMode) -> Option<Vending> {
        if mode == AuditMode::Sync {
            return Some(vending);
        }
        let mut collected = self.lock();
        if let Some(calls) = collected.get_mut(&vending) {
            calls.count += 1;
            calls.last_at = now;
            return None;
        }
        if collected.len() >= MAX_COLLECTED {
            return Some(vending);
        }
        let calls = Calls { count: 1, last_at: now };
        collected.insert(vending, calls);
        None
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vending, Calls>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vending(connection: usize) -> Vending {
        Vending {
            tenant: "ten_1".into(),
            key: "key_1".into(),
            connection: connection.to_string(),
            customer: "alice@example.com".into(),
            outcome: "vended",
            request: None,
        }
    }

    #[test]
    fn what_is_collected_is_bounded_and_nothing_is_dropped() {
        let vendings = Vendings::default();
        for n in 0..MAX_COLLECTED {
            assert_eq!(vendings.collect(vending(n), 1, AuditMode::Batched), None);
        }
        let one_more = vending(MAX_COLLECTED);
        let given_back = vendings.collect(one_more.clone(), 1, AuditMode::Batched);
        assert_eq!(given_back, Some(one_more));
        // A call like one that is collected needs no more room.
        assert_eq!(vendings.collect(vending(7), 2, AuditMode::Batched), None);
        let collected = vendings.lock();
        let calls = collected[&vending(7)];
        assert_eq!((collected.len(), calls.count, calls.last_at), (MAX_COLLECTED, 2, 2));
    }

    #[test]
    fn a_synchronous_audit_collects_nothing() {
        let vendings = Vendings::default();
        let given_back = vendings.collect(vending(1), 1, AuditMode::Sync);
        assert!(given_back.is_some() && vendings.lock().is_empty());
    }
}
