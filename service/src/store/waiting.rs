//! What long polls wait for: links that are not pending any more, and for a page that watches one, how far it has come.

use std::collections::HashMap;

use super::database::{Query, Row};
use super::{LinkProgress, Result, Store};
use crate::notify::{PendingLink, Waiter};

/// Connections in one query. It always has so many parameters, so that there is one statement to prepare.
const IDS_PER_QUERY: usize = 250;

impl Store {
    /// Registers a waiter for a connection or, where `link` is given, for that link of it to come further than this.
    /// Register first, then read: no change is missed in between.
    pub fn waiter(&self, connection_id: &str, link: Option<(&str, LinkProgress)>) -> Waiter {
        self.changes.register(connection_id, link)
    }

    /// Wakes all waiters that have something to tell, whoever changed it, or because a link expired.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn look_for_changes(&self) -> Result<()> {
        for ids in self.changes.awaited().chunks(IDS_PER_QUERY) {
            let pending = self.pending_links(ids).await?;
            self.changes.wake_finished(ids, &pending);
        }
        self.look_for_events().await
    }

    /// The latest links of these connections, as far as they are pending, by connection id.
    async fn pending_links(&self, connection_ids: &[String]) -> Result<HashMap<String, PendingLink>> {
        let parameters: Vec<_> = (2..IDS_PER_QUERY + 2).map(|n| format!("${n}")).collect();
        let text = format!(
            "SELECT c.id, c.status, c.link_id, c.last_error, l.phase FROM connections c JOIN links l ON l.id = c.link_id
             WHERE l.status = 'pending' AND l.expires_at > $1 AND c.id IN ({})",
            parameters.join(", ")
        );
        let mut query = Query::new(&text).bind(self.clock.now());
        let ids = connection_ids.iter().map(String::as_str);
        for id in ids.chain(std::iter::repeat("")).take(IDS_PER_QUERY) {
            query = query.bind(id);
        }
        let rows = self.database.fetch_all(query).await?;
        let read = |row: &Row| {
            let pending = PendingLink {
                link_id: row.get("link_id")?,
                is_active: row.get::<&str>("status")? == "active",
                progress: LinkProgress {
                    phase: row.get::<&str>("phase")?.parse()?,
                    last_error: row.get::<Option<&str>>("last_error")?.map(str::parse).transpose()?,
                },
            };
            Ok((row.get("id")?, pending))
        };
        rows.iter().map(read).collect()
    }
}
