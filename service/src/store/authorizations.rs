//! Journeys to a provider and back: what has to be remembered between sending the customer and their return.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::database::{Query, Transaction};
use super::details::{self, read_account};
use super::events::ConnectionChange;
use super::{LastError, Link, LinkError, Owner, Result, Store};
use crate::catalogue::{Account, Inputs};
use crate::clock::Millis;
use crate::ids;
use crate::vault::Place;

/// How many journeys of one link are remembered: a customer may go back and begin again, in several windows.
const MOST_OF_A_LINK: i64 = 10;

/// A journey to begin.
pub struct NewAuthorization<'a> {
    /// What the provider hands back. Kept only as a digest.
    pub state: &'a str,
    /// What the customer's browser holds in a cookie. Kept only as a digest.
    pub browser: &'a str,
    /// The app to connect.
    pub app_id: &'a str,
    /// How.
    pub auth_option_key: &'a str,
    /// The PKCE verifier; none where the provider refuses PKCE.
    pub verifier: Option<&'a str>,
    /// What the customer entered before, such as their subdomain.
    pub inputs: &'a Inputs,
    /// The stored OAuth client that it is made with; none for the operator's.
    pub oauth_client: Option<&'a str>,
}

/// What [`Store::take_authorization`] found.
#[derive(Debug)]
pub enum Taken {
    /// The request came back for the first time: the caller is the one to redeem the code.
    Now(Box<Authorization>),
    /// The same browser came back with it before.
    Before,
    /// There is none for this state, browser and app.
    Unknown,
}

/// How far an authorization request has come. What became of its link is told by the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The customer has not come back.
    AtProvider,
    /// The customer came back, and no failure is known.
    Taken {
        /// When.
        since: Millis,
    },
    /// It failed, and the link stayed open.
    Failed(LinkError),
}

/// A journey of one browser.
pub struct Authorization {
    /// The link that it is for, as of now.
    pub link: Link,
    /// The app to connect.
    pub app_id: String,
    /// How.
    pub auth_option_key: String,
    /// The PKCE verifier, if one was sent.
    pub verifier: Option<SecretString>,
    /// What the customer entered before.
    pub inputs: Inputs,
    /// The stored OAuth client that it was made with; none for the operator's.
    pub oauth_client: Option<String>,
    /// How far it has come.
    pub progress: Progress,
    /// The provider's own words, where it declined.
    pub reason: Option<String>,
    /// Whose account was refused, because the connection is for another one.
    pub account: Option<Account>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    verifier: Option<String>,
    inputs: Inputs,
    #[serde(default)]
    oauth_client: Option<String>,
}

impl Store {
    /// Remembers a journey, in the place of the link's older ones where there are too many.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn start_authorization(&self, link: &Link, new: &NewAuthorization<'_>) -> Result<()> {
        let state = ids::digest(new.state);
        let sealed = Sealed {
            verifier: new.verifier.map(str::to_owned),
            inputs: new.inputs.clone(),
            oauth_client: new.oauth_client.map(str::to_owned),
        };
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, &link.connection_id).await?;
        let query = Query::new(
            "DELETE FROM authorizations WHERE link_id = $1 AND state_digest NOT IN (
                SELECT state_digest FROM authorizations WHERE link_id = $1 ORDER BY begun_at DESC LIMIT $2)",
        )
        .bind(&link.id)
        .bind(MOST_OF_A_LINK - 1);
        transaction.execute(query).await?;
        let query = Query::new(
            "INSERT INTO authorizations
                (state_digest, browser_digest, link_id, app_id, auth_option_key, sealed, begun_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&state)
        .bind(ids::digest(new.browser))
        .bind(&link.id)
        .bind(new.app_id)
        .bind(new.auth_option_key)
        .bind(self.seal_json(place(&link.owner, &state), &sealed).await?)
        .bind(self.clock.now());
        transaction.execute(query).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes an authorization request, which works once and only for its app, with the browser that began it; anything
    /// else changes nothing. `reason` is what the provider said where it declined.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn take_authorization(
        &self,
        state: &str,
        browser: &str,
        app_id: &str,
        reason: Option<&str>,
    ) -> Result<Taken> {
        // Anybody can invent a state, and a write waits for SQLite's one writer: nothing is written for it.
        let found = self.authorization(state, browser).await?;
        let Some(authorization) = found.filter(|found| found.app_id == app_id) else {
            return Ok(Taken::Unknown);
        };
        if authorization.progress != Progress::AtProvider {
            return Ok(Taken::Before);
        }
        let query = Query::new(
            "UPDATE authorizations SET taken_at = $1, reason = $2 WHERE state_digest = $3 AND taken_at IS NULL",
        )
        .bind(self.clock.now())
        .bind(reason)
        .bind(ids::digest(state));
        let taken = self.database.execute(query).await?;
        Ok(match taken {
            1 => Taken::Now(Box::new(authorization)),
            _ => Taken::Before,
        })
    }

    /// An authorization request of this browser, taken or not.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn authorization(&self, state: &str, browser: &str) -> Result<Option<Authorization>> {
        let state = ids::digest(state);
        let query = Query::new(
            "SELECT link_id, app_id, auth_option_key, sealed, taken_at, error, reason, account FROM authorizations
             WHERE state_digest = $1 AND browser_digest = $2",
        )
        .bind(&state)
        .bind(ids::digest(browser));
        let row = self.database.fetch_optional(query).await?;
        let Some(row) = row else { return Ok(None) };
        let Some(link) = self.link(row.get("link_id")?).await? else {
            return Ok(None);
        };
        let sealed: Sealed = self.open_json(place(&link.owner, &state), row.get("sealed")?).await?;
        let error = row.get::<Option<&str>>("error")?;
        let progress = match (row.get::<Option<Millis>>("taken_at")?, error) {
            (None, _) => Progress::AtProvider,
            (Some(since), None) => Progress::Taken { since },
            (Some(_), Some(error)) => Progress::Failed(error.parse()?),
        };
        Ok(Some(Authorization {
            app_id: row.get("app_id")?,
            auth_option_key: row.get("auth_option_key")?,
            verifier: sealed.verifier.map(SecretString::from),
            inputs: sealed.inputs,
            oauth_client: sealed.oauth_client,
            progress,
            reason: row.get("reason")?,
            account: read_account(&row)?,
            link,
        }))
    }

    /// Notes why an authorization request failed, for its browser, and for the backend while the link is open. `account` is
    /// the one that was refused.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn fail_authorization(
        &self,
        state: &str,
        link: &Link,
        error: &LastError,
        account: Option<&Account>,
    ) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, &link.connection_id).await?;
        let query = Query::new("UPDATE authorizations SET error = $1, account = $2 WHERE state_digest = $3")
            .bind(error.error.code())
            .bind(account.map(details::text).transpose()?)
            .bind(ids::digest(state));
        transaction.execute(query).await?;
        self.commit_failure(transaction, link, error).await
    }

    /// Notes for the backend why a link could not be finished, while it is open.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn fail_link(&self, link: &Link, error: LinkError) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        self.lock_connection(&mut transaction, &link.connection_id).await?;
        let error = LastError { error, provider_message: None };
        self.commit_failure(transaction, link, &error).await
    }

    /// Notes a failure and commits. An event tells of it while the customer may try again.
    async fn commit_failure(
        &self,
        mut transaction: Transaction,
        link: &Link,
        error: &LastError,
    ) -> Result<()> {
        let (tenant, connection_id) = (&link.owner.tenant, &link.connection_id);
        let is_noted = transaction.execute(set_last_error(link, error)).await? == 1;
        if !is_noted || link.expires_at <= self.clock.now() {
            transaction.commit().await?;
            self.changes.tell(connection_id);
            return Ok(());
        }
        let change = ConnectionChange::Failed(error.error);
        self.commit_change(transaction, tenant, connection_id, &change).await
    }
}

fn set_last_error<'a>(link: &'a Link, error: &'a LastError) -> Query<'a> {
    Query::new(
        "UPDATE connections SET last_error = $1, provider_message = $2
         WHERE id = $3 AND EXISTS (SELECT 1 FROM links WHERE id = $4 AND status = 'pending')",
    )
    .bind(error.error.code())
    .bind(error.provider_message.as_deref())
    .bind(&link.connection_id)
    .bind(&link.id)
}

fn place<'a>(owner: &'a Owner, state_digest: &'a str) -> Place<'a> {
    Place {
        tenant: &owner.tenant,
        customer: &owner.customer,
        connection: state_digest,
        field: "authorization",
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("link", &self.link.id)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewAuthorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAuthorization").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}
