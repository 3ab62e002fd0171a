//! Journeys to a provider and back: what has to be remembered between sending the customer and their return.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::{Link, Result, Store};
use crate::catalogue::Inputs;
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
}

/// A journey that came back.
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
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    verifier: Option<String>,
    inputs: Inputs,
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
        };
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM authorizations WHERE link_id = $1 AND state_digest NOT IN (
                SELECT state_digest FROM authorizations WHERE link_id = $1 ORDER BY begun_at DESC LIMIT $2)",
        )
        .bind(&link.id)
        .bind(MOST_OF_A_LINK - 1)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO authorizations
                (state_digest, browser_digest, link_id, app_id, auth_option_key, sealed, begun_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&state)
        .bind(ids::digest(new.browser))
        .bind(&link.id)
        .bind(new.app_id)
        .bind(new.auth_option_key)
        .bind(self.seal_json(place(&link.owner.tenant, &state), &sealed)?)
        .bind(self.clock.now())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes a journey out, which works once and only for its app, with the browser that began it; anything else changes
    /// nothing and gives `None`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn take_authorization(
        &self,
        state: &str,
        browser: &str,
        app_id: &str,
    ) -> Result<Option<Authorization>> {
        let state = ids::digest(state);
        let row = sqlx::query(
            "DELETE FROM authorizations WHERE state_digest = $1 AND browser_digest = $2 AND app_id = $3
             RETURNING link_id, app_id, auth_option_key, sealed",
        )
        .bind(&state)
        .bind(ids::digest(browser))
        .bind(app_id)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(link) = self.link(row.try_get("link_id")?).await? else {
            return Ok(None);
        };
        let sealed: Sealed = self.open_json(place(&link.owner.tenant, &state), row.try_get("sealed")?)?;
        Ok(Some(Authorization {
            app_id: row.try_get("app_id")?,
            auth_option_key: row.try_get("auth_option_key")?,
            verifier: sealed.verifier.map(SecretString::from),
            inputs: sealed.inputs,
            link,
        }))
    }
}

fn place<'a>(tenant: &'a str, state_digest: &'a str) -> Place<'a> {
    Place {
        tenant,
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
        f.debug_struct("NewAuthorization")
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
