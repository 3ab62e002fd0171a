//! The feed: a tenant's events, read from a cursor on.

use std::fmt;
use std::str::FromStr;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::database::{Query, Row, Value};
use super::{EventType, Result, Store, StoreError};
use crate::clock::{Millis, rfc3339};
use crate::notify::Waiter;

/// Number of positions that one read looks at: a filter that leaves nearly everything out costs no more than that.
const MAX_POSITIONS: i64 = 1_000;

const CURSOR_PREFIX: &str = "cur_";
const CURSOR_DIGITS: usize = 16;

/// A place in a tenant's feed: after the event at this position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(i64);

/// An event as it was written. Serialized, it is the event of the contract, the same in the feed and in a webhook's body.
#[derive(Debug)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// What it tells of, in the word on the wire.
    pub event_type: String,
    /// Its place in the feed.
    pub cursor: Cursor,
    /// When the change was made.
    pub created_at: Millis,
    /// What it says.
    pub data: Box<RawValue>,
}

/// Which events are wanted; all where nothing is set.
#[derive(Debug, Default)]
pub struct FeedFilter<'a> {
    /// Of these types, if there are any.
    pub types: Vec<EventType>,
    /// Of this connection.
    pub connection_id: Option<&'a str>,
}

/// Where to begin to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedStart {
    /// At the oldest event that is kept.
    Oldest,
    /// With what comes from now on.
    Latest,
    /// After this place.
    After(Cursor),
}

/// A part of a feed.
#[derive(Debug)]
pub struct FeedPage {
    /// The events that the filter let through.
    pub events: Vec<Event>,
    /// Where to go on. It passes over what the filter left out.
    pub next: Cursor,
    /// Whether there is more at once.
    pub has_more: bool,
}

/// What [`Store::events`] found.
#[derive(Debug)]
pub enum Feed {
    /// Events, perhaps none.
    Page(FeedPage),
    /// Events after the cursor are not kept any more.
    Expired {
        /// Before the oldest event that is kept.
        oldest: Cursor,
    },
}

/// The positions that there are: those after `before_oldest`, up to `last`.
struct Bounds {
    before_oldest: i64,
    last: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{CURSOR_PREFIX}{:0width$x}", self.0, width = CURSOR_DIGITS)
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || StoreError::Unreadable("cursor");
        let digits = text.strip_prefix(CURSOR_PREFIX).ok_or_else(wrong)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != CURSOR_DIGITS || !digits.bytes().all(is_digit) {
            return Err(wrong());
        }
        i64::from_str_radix(digits, 16).map(Self).map_err(|_| wrong())
    }
}

impl Event {
    /// Of the columns of `events`.
    pub(super) fn read(row: &Row) -> Result<Self> {
        let payload = RawValue::from_string(row.get("payload")?);
        Ok(Self {
            id: row.get("id")?,
            event_type: row.get("type")?,
            cursor: Cursor(row.get("position")?),
            created_at: row.get("created_at")?,
            data: payload.map_err(|_| StoreError::Unreadable("payload"))?,
        })
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("Event", 5)?;
        event.serialize_field("id", &self.id)?;
        event.serialize_field("type", &self.event_type)?;
        event.serialize_field("timestamp", &rfc3339(self.created_at))?;
        event.serialize_field("cursor", &self.cursor.to_string())?;
        event.serialize_field("data", &self.data)?;
        event.end()
    }
}

impl Bounds {
    /// Of the columns `last` and `oldest`; a tenant without events has no row.
    fn read(row: Option<&Row>) -> Result<Self> {
        let Some(row) = row else {
            return Ok(Self { before_oldest: 0, last: 0 });
        };
        let last = row.get("last")?;
        let oldest = row.get::<Option<i64>>("oldest")?;
        Ok(Self { before_oldest: oldest.map_or(last, |oldest| oldest - 1), last })
    }
}

const OLDEST: &str =
    "(SELECT o.position FROM events o WHERE o.tenant_id = $1 ORDER BY o.position LIMIT 1) AS oldest";

impl Store {
    /// Registers a waiter for a tenant's next event. Register first, then read: none is missed in between.
    pub fn feed_waiter(&self, tenant: &str) -> Waiter {
        self.feeds.register(tenant)
    }

    /// The place at which to begin to read.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn feed_start(&self, tenant: &str, start: FeedStart) -> Result<Cursor> {
        if let FeedStart::After(cursor) = start {
            return Ok(cursor);
        }
        let query = format!("SELECT last, {OLDEST} FROM event_positions WHERE tenant_id = $1");
        let row = self.database.fetch_optional(Query::new(&query).bind(tenant)).await?;
        let Bounds { before_oldest, last } = Bounds::read(row.as_ref())?;
        Ok(Cursor(if start == FeedStart::Latest { last } else { before_oldest }))
    }

    /// At most `limit` of a tenant's events after a cursor, the oldest first. A cursor of a place that the feed does not have
    /// yet, such as one from before a backup was restored, is as one that has expired: what came after it is not known.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn events(
        &self,
        tenant: &str,
        after: Cursor,
        filter: &FeedFilter<'_>,
        limit: u32,
    ) -> Result<Feed> {
        let (Cursor(after), limit) = (after, usize::try_from(limit).unwrap_or(usize::MAX));
        let end = after.saturating_add(MAX_POSITIONS);
        let mut values: Vec<Value<'_>> = vec![tenant.into(), after.into(), end.into()];
        let mut bind = |value| {
            values.push(value);
            format!("${}", values.len())
        };
        let mut conditions = String::new();
        if !filter.types.is_empty() {
            let types: Vec<_> = filter.types.iter().map(|one| bind(one.as_str().into())).collect();
            conditions += &format!(" AND type IN ({})", types.join(", "));
        }
        if let Some(connection_id) = filter.connection_id {
            conditions += &format!(" AND connection_id = {}", bind(connection_id.into()));
        }
        // One more than is wanted, to know whether there are more.
        let max = bind(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1).into());
        // One statement, so that what it finds is of one moment.
        let query = format!(
            "SELECT p.last, {OLDEST}, e.position, e.id, e.type, e.created_at, e.payload
             FROM event_positions p LEFT JOIN (
                SELECT tenant_id, position, id, type, created_at, payload FROM events
                WHERE tenant_id = $1 AND position > $2 AND position <= $3{conditions} ORDER BY position LIMIT {max}
             ) e ON e.tenant_id = p.tenant_id
             WHERE p.tenant_id = $1 ORDER BY e.position"
        );
        let query = Query::new(&query).bind_all(values);
        // Without a filter it looks at no more rows than it gives.
        let rows = if conditions.is_empty() {
            self.database.fetch_all(query).await?
        } else {
            self.database.scan(query).await?
        };
        let Bounds { before_oldest, last } = Bounds::read(rows.first())?;
        if !(before_oldest..=last).contains(&after) {
            return Ok(Feed::Expired { oldest: Cursor(before_oldest) });
        }
        let mut events = Vec::new();
        for row in &rows {
            if row.get::<Option<i64>>("position")?.is_some() {
                events.push(Event::read(row)?);
            }
        }
        let is_cut = events.len() > limit;
        events.truncate(limit);
        let end = end.min(last);
        Ok(Feed::Page(match events.last().filter(|_| is_cut) {
            Some(event) => FeedPage { next: event.cursor, has_more: true, events },
            None => FeedPage { next: Cursor(end), has_more: end < last, events },
        }))
    }

    /// Forgets events from before: of each tenant the first ones in the order of the feed, so that no cursor skips any unseen.
    pub(super) async fn remove_events(&self, before: Millis) -> Result<()> {
        // Their oldest event alone is looked at. One of the future was written by a clock that was wrong.
        let query = Query::new(
            "SELECT tenant_id FROM (
                SELECT p.tenant_id, (SELECT e.created_at FROM events e
                    WHERE e.tenant_id = p.tenant_id ORDER BY e.position LIMIT 1) AS oldest
                FROM event_positions p
             ) t WHERE oldest <= $1 OR oldest > $2",
        )
        .bind(before)
        .bind(self.clock.now());
        for row in self.database.scan(query).await? {
            self.remove_events_of(row.get("tenant_id")?, before).await?;
        }
        Ok(())
    }

    async fn remove_events_of(&self, tenant: &str, before: Millis) -> Result<()> {
        // In parts, so that other writers do not wait for long.
        const BATCH: i64 = 10_000;
        let now = self.clock.now();
        let mut after = 0;
        loop {
            let query = Query::new(
                "SELECT position, created_at FROM events
                 WHERE tenant_id = $1 AND position > $2 ORDER BY position LIMIT $3",
            )
            .bind(tenant)
            .bind(after)
            .bind(BATCH);
            let mut last_old: Option<i64> = None;
            let mut is_end = true;
            for row in self.database.scan(query).await? {
                let created_at: Millis = row.get("created_at")?;
                after = row.get("position")?;
                // One of the future is as old as the next one that is not.
                is_end = before < created_at && created_at <= now;
                if is_end {
                    break;
                }
                if created_at <= before {
                    last_old = Some(after);
                }
            }
            if let Some(last_old) = last_old {
                let query = Query::new("DELETE FROM events WHERE tenant_id = $1 AND position <= $2");
                self.database.execute(query.bind(tenant).bind(last_old)).await?;
            }
            if is_end {
                return Ok(());
            }
        }
    }

    /// Wakes those who wait for events that other processes wrote.
    pub(super) async fn look_for_events(&self) -> Result<()> {
        const TENANTS_PER_QUERY: usize = 250;
        let mut last = Vec::new();
        for tenants in self.feeds.awaited().chunks(TENANTS_PER_QUERY) {
            // It always has so many parameters, so that there is one statement to prepare.
            let parameters: Vec<_> = (1..=TENANTS_PER_QUERY).map(|n| format!("${n}")).collect();
            let query = format!(
                "SELECT tenant_id, last FROM event_positions WHERE tenant_id IN ({})",
                parameters.join(", ")
            );
            let tenants = tenants.iter().map(String::as_str).chain(std::iter::repeat(""));
            let query = Query::new(&query).bind_all(tenants.take(TENANTS_PER_QUERY).map(Value::from));
            for row in self.database.fetch_all(query).await? {
                last.push((row.get("tenant_id")?, row.get("last")?));
            }
        }
        self.feeds.wake_advanced(last.into_iter().collect());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_form() {
        for position in [0, 1, 255, i64::MAX] {
            let text = Cursor(position).to_string();
            assert_eq!(text.parse::<Cursor>().unwrap(), Cursor(position), "{text}");
        }
        assert_eq!(Cursor(255).to_string(), "cur_00000000000000ff");
        for text in [
            "",
            "latest",
            "cur_",
            "cur_ff",
            "cur_00000000000000FF",
            "cur_+0000000000000ff",
            "cur_000000000000000ff",
            "cur_ffffffffffffffff",
            "cur_00000000000000fé",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
