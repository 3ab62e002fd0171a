//! Sessions of the dashboard: browsers in which an account is signed in. Of a session's secret, only the digest is
//! kept.

use std::time::Duration;

use super::database::{Query, Row};
use super::{Result, Store};
use crate::clock::{CLOCK_TOLERANCE, Millis, millis};
use crate::ids;

/// How long a session lasts without a request.
pub const MAX_IDLE: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a session lasts in any case.
pub const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a sign-in is fresh enough for keys, secrets and deletion.
pub const FRESH: Duration = Duration::from_secs(10 * 60);

/// How exactly the latest request of a session is noted.
const SEEN_EVERY: Millis = 60_000;

/// One session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id, which opens nothing.
    pub id: String,
    /// Who is signed in.
    pub email: String,
    /// What the browser says of itself.
    pub user_agent: String,
    /// When the account signed in.
    pub signed_in_at: Millis,
    /// When its latest request came, to a minute.
    pub seen_at: Millis,
    /// Whether the sign-in is recent enough for keys, secrets and deletion.
    pub is_fresh: bool,
}

const SELECT: &str = "SELECT id, email, user_agent, signed_in_at, seen_at FROM sessions";

impl Store {
    /// Signs an account in. The session that the same browser had before, if any, ends.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_session(
        &self,
        email: &str,
        secret: &str,
        user_agent: &str,
        former: Option<&str>,
    ) -> Result<()> {
        let now = self.clock.now();
        let mut transaction = self.database.begin().await?;
        if let Some(former) = former {
            let query = Query::new("DELETE FROM sessions WHERE digest = $1").bind(ids::digest(former));
            transaction.execute(query).await?;
        }
        let query = Query::new(
            "INSERT INTO sessions (id, email, digest, user_agent, signed_in_at, seen_at)
             VALUES ($1, $2, $3, $4, $5, $5)",
        )
        .bind(ids::prefixed("ses_"))
        .bind(email)
        .bind(ids::digest(secret))
        .bind(user_agent)
        .bind(now);
        transaction.execute(query).await?;
        transaction.commit().await
    }

    /// The session with this secret, if it has not ended. That it was used is noted.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn session(&self, secret: &str) -> Result<Option<Session>> {
        let text = format!("{SELECT} WHERE digest = $1 AND {IS_LIVE}");
        let query = self.live(Query::new(&text).bind(ids::digest(secret)));
        let Some(row) = self.database.fetch_optional(query).await? else {
            return Ok(None);
        };
        let (session, now) = (self.read_session(&row)?, self.clock.now());
        if now - session.seen_at >= SEEN_EVERY {
            let query = Query::new("UPDATE sessions SET seen_at = $1 WHERE id = $2 AND seen_at < $1")
                .bind(now)
                .bind(&session.id);
            self.database.execute(query).await?;
        }
        Ok(Some(session))
    }

    /// The sessions of an account, the latest used first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn sessions(&self, email: &str) -> Result<Vec<Session>> {
        let text = format!("{SELECT} WHERE email = $1 AND {IS_LIVE} ORDER BY seen_at DESC, id LIMIT 100");
        let query = self.live(Query::new(&text).bind(email));
        let rows = self.database.fetch_all(query).await?;
        rows.iter().map(|row| self.read_session(row)).collect()
    }

    /// Ends a session of an account. `false` where there is no such one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn revoke_session(&self, email: &str, id: &str) -> Result<bool> {
        let query = Query::new("DELETE FROM sessions WHERE email = $1 AND id = $2").bind(email).bind(id);
        Ok(self.database.execute(query).await? == 1)
    }

    /// Ends all sessions of an account but one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn revoke_other_sessions(&self, email: &str, id: &str) -> Result<()> {
        let query = Query::new("DELETE FROM sessions WHERE email = $1 AND id <> $2").bind(email).bind(id);
        self.database.execute(query).await?;
        Ok(())
    }

    /// Forgets sessions that have ended.
    pub(super) async fn remove_sessions(&self, now: Millis) -> Result<()> {
        let query = Query::new("DELETE FROM sessions WHERE seen_at <= $1 OR signed_in_at <= $2")
            .bind(now - millis(MAX_IDLE))
            .bind(now - millis(MAX_AGE));
        self.database.execute(query).await?;
        Ok(())
    }

    fn live<'q>(&self, query: Query<'q>) -> Query<'q> {
        let now = self.clock.now();
        query.bind(now - millis(MAX_IDLE)).bind(now - millis(MAX_AGE)).bind(now + CLOCK_TOLERANCE)
    }

    fn read_session(&self, row: &Row) -> Result<Session> {
        let signed_in_at: Millis = row.get("signed_in_at")?;
        Ok(Session {
            id: row.get("id")?,
            email: row.get("email")?,
            user_agent: row.get("user_agent")?,
            signed_in_at,
            seen_at: row.get("seen_at")?,
            is_fresh: self.clock.now() - signed_in_at < millis(FRESH),
        })
    }
}

/// `$2`, `$3` and `$4` are bound by [`Store::live`]. One from the future is from a clock that was wrong.
const IS_LIVE: &str = "seen_at > $2 AND signed_in_at > $3 AND signed_in_at <= $4";
