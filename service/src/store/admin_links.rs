//! Ways in to an organization's OAuth clients, for people that the tenant sends there: each works for a few minutes, and for the
//! first browser that opens it.

use std::time::Duration;

use super::database::{Query, Row};
use super::{Organization, Owner, Result, Store};
use crate::clock::{CLOCK_TOLERANCE, Millis, millis};
use crate::ids;

/// For how long one works.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// A way in.
#[derive(Debug, Clone)]
pub struct AdminLink {
    /// Its id, which opens nothing.
    pub id: String,
    /// Who was sent there.
    pub owner: Owner,
    /// The tenant's name.
    pub tenant_name: String,
    /// The organization.
    pub organization: Organization,
    /// Whether it is over.
    pub is_expired: bool,
    /// The digest of the browser that opened it.
    browser_digest: Option<String>,
}

impl AdminLink {
    /// Whether it was opened by this browser.
    pub fn is_opened_by(&self, browser: &str) -> bool {
        self.browser_digest.as_ref() == Some(&ids::digest(browser))
    }

    /// Whether it was opened.
    pub fn is_opened(&self) -> bool {
        self.browser_digest.is_some()
    }
}

impl Store {
    /// Makes a way in; gives when it ends.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_admin_link(
        &self,
        owner: &Owner,
        organization: &Organization,
        secret: &str,
    ) -> Result<Millis> {
        // Whole seconds, so that what is told is exactly what holds.
        let expires_at = (self.clock.now() + millis(LIFETIME)) / 1000 * 1000;
        let query = Query::new(
            "INSERT INTO admin_links (id, tenant_id, customer, organization_id, organization_name, secret_digest, created_at,
                expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(ids::prefixed("adm_"))
        .bind(&owner.tenant)
        .bind(&owner.customer)
        .bind(&organization.id)
        .bind(&organization.name)
        .bind(ids::digest(secret))
        .bind(self.clock.now())
        .bind(expires_at);
        self.database.execute(query).await?;
        Ok(expires_at)
    }

    /// The way in with this secret, over or not. One of a disabled tenant does not exist for anybody.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn admin_link(&self, secret: &str) -> Result<Option<AdminLink>> {
        let query = Query::new(
            "SELECT a.id, a.tenant_id, a.customer, a.organization_id, a.organization_name, a.browser_digest, a.expires_at,
                t.name AS tenant_name
             FROM admin_links a JOIN tenants t ON t.id = a.tenant_id
             WHERE a.secret_digest = $1 AND t.disabled_at IS NULL",
        )
        .bind(ids::digest(secret));
        let row = self.database.fetch_optional(query).await?;
        row.map(|row| self.read_admin_link(&row)).transpose()
    }

    /// Lets this browser in, and no other from then on. `false` where another one was first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn open_admin_link(&self, link: &AdminLink, browser: &str) -> Result<bool> {
        let query = Query::new(
            "UPDATE admin_links SET browser_digest = $1
             WHERE id = $2 AND (browser_digest IS NULL OR browser_digest = $1)",
        )
        .bind(ids::digest(browser))
        .bind(&link.id);
        Ok(self.database.execute(query).await? == 1)
    }

    /// Counts one more secret that is tried at a provider. `false`, with nothing counted, where there were `max` before.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn count_trial(&self, link: &AdminLink, max: i64) -> Result<bool> {
        let query = Query::new("UPDATE admin_links SET trials = trials + 1 WHERE id = $1 AND trials < $2")
            .bind(&link.id)
            .bind(max);
        Ok(self.database.execute(query).await? == 1)
    }

    /// Forgets those that ended a day ago; until then they say that they are over.
    pub(super) async fn remove_admin_links(&self, ended_before: Millis) -> Result<()> {
        let query = Query::new("DELETE FROM admin_links WHERE expires_at <= $1").bind(ended_before);
        self.database.execute(query).await?;
        Ok(())
    }

    /// One that would work for longer than any is from a clock that was wrong.
    fn read_admin_link(&self, row: &Row) -> Result<AdminLink> {
        let (now, expires_at) = (self.clock.now(), row.get::<Millis>("expires_at")?);
        Ok(AdminLink {
            id: row.get("id")?,
            owner: Owner { tenant: row.get("tenant_id")?, customer: row.get("customer")? },
            tenant_name: row.get("tenant_name")?,
            organization: Organization {
                id: row.get("organization_id")?,
                name: row.get("organization_name")?,
                role: None,
            },
            is_expired: expires_at <= now || expires_at > now + millis(LIFETIME) + CLOCK_TOLERANCE,
            browser_digest: row.get("browser_digest")?,
        })
    }
}
