//! Brings stored emails and names under the rules that new ones keep. Runs once for a database, when it is opened.
//!
//! An email moves to its one spelling ([`email::parse`]). Where a tenant had one address in two spellings, both are the
//! same customer from then on: every call means that one spelling, whichever it is made with. An email that is refused now
//! stays as it is. Leaving its invisible characters out would give its connections to somebody else, so nobody reaches
//! them until the operator acts on the warning.

use super::database::Query;
use super::{Result, Store};
use crate::{email, text};

const MARK: &str = "spelling";
/// Connections in one transaction, which has seconds.
const BATCH: i64 = 100;

/// What replaces a name of which nothing can be shown.
const UNNAMED: &str = "Unnamed";

impl Store {
    /// Changes what does not keep the rules, unless that was done before.
    pub(super) async fn adopt_spelling(&self) -> Result<()> {
        let query = Query::new("SELECT value FROM marks WHERE name = $1").bind(MARK);
        if self.database.fetch_optional(query).await?.is_some() {
            return Ok(());
        }
        self.adopt_tenants().await?;
        let mut unreachable = 0;
        let mut last = String::new();
        while let Some(next) = self.adopt_connections(&last, &mut unreachable).await? {
            last = next;
        }
        if unreachable > 0 {
            tracing::warn!(
                connections = unreachable,
                "the emails of some connections hold characters that are refused now; nobody can reach them"
            );
        }
        let query =
            Query::new("INSERT INTO marks (name, value) VALUES ($1, '1') ON CONFLICT (name) DO NOTHING")
                .bind(MARK);
        self.database.execute(query).await?;
        Ok(())
    }

    async fn adopt_tenants(&self) -> Result<()> {
        for tenant in self.tenants().await? {
            let email = tenant.email.as_deref().map(spelled);
            let query = Query::new("UPDATE tenants SET name = $1, email = $2 WHERE id = $3")
                .bind(shown(&tenant.name))
                .bind(email)
                .bind(&tenant.id);
            self.database.execute(query).await?;
        }
        Ok(())
    }

    /// One batch of connections, after this id. Gives the id of the last one, or `None` after the last batch.
    async fn adopt_connections(&self, after: &str, unreachable: &mut u64) -> Result<Option<String>> {
        let mut transaction = self.database.begin().await?;
        let query =
            Query::new("SELECT id, customer, name FROM connections WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(after)
                .bind(BATCH);
        let rows = transaction.fetch_all(query).await?;
        let mut last = None;
        for row in rows {
            let (id, customer, name): (String, String, String) =
                (row.get("id")?, row.get("customer")?, row.get("name")?);
            *unreachable += u64::from(email::parse(customer.as_bytes()).is_err());
            let (new_customer, new_name) = (spelled(&customer), shown(&name));
            if new_customer != customer || new_name != name {
                let query =
                    Query::new("UPDATE connections SET name = $1 WHERE id = $2").bind(&new_name).bind(&id);
                transaction.execute(query).await?;
                for text in [
                    "UPDATE connections SET customer = $1 WHERE id = $2",
                    "UPDATE links SET customer = $1 WHERE connection_id = $2",
                    "UPDATE usages SET customer = $1 WHERE connection_id = $2",
                ] {
                    let query = Query::new(text).bind(&new_customer).bind(&id);
                    transaction.execute(query).await?;
                }
            }
            last = Some(id);
        }
        transaction.commit().await?;
        Ok(last)
    }
}

fn spelled(email: &str) -> String {
    email::parse(email.as_bytes()).unwrap_or_else(|_| email.to_owned())
}

fn shown(name: &str) -> String {
    text::printable(name, usize::MAX).unwrap_or_else(|| UNNAMED.to_owned())
}
