//! What a tenant says of an app: whether each organization brings an OAuth client of its own, and how to get one.

use super::database::{Query, Row};
use super::{Result, Store};

/// A tenant's settings for one app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppSettings {
    /// Whether each organization brings an OAuth client of its own.
    pub by_organization: bool,
    /// How to get one, in CommonMark.
    pub instructions: String,
    /// Whether only those with the role `admin` may enter one.
    pub admin_role_required: bool,
}

impl Store {
    /// All that a tenant says of apps, by their ids.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn all_app_settings(&self, tenant: &str) -> Result<Vec<(String, AppSettings)>> {
        let query = Query::new(
            "SELECT app_id, by_organization, instructions, admin_role_required FROM app_settings WHERE tenant_id = $1",
        )
        .bind(tenant);
        let rows = self.database.fetch_all(query).await?;
        rows.iter().map(|row| Ok((row.get("app_id")?, AppSettings::read(row)?))).collect()
    }

    /// What a tenant says of one app.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn app_settings(&self, tenant: &str, app_id: &str) -> Result<AppSettings> {
        let query = Query::new(
            "SELECT by_organization, instructions, admin_role_required FROM app_settings
             WHERE tenant_id = $1 AND app_id = $2",
        )
        .bind(tenant)
        .bind(app_id);
        let row = self.database.fetch_optional(query).await?;
        row.as_ref().map_or_else(|| Ok(AppSettings::default()), AppSettings::read)
    }

    /// Says something else of an app from now on.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_app_settings(&self, tenant: &str, app_id: &str, settings: &AppSettings) -> Result<()> {
        let query = Query::new(
            "INSERT INTO app_settings (tenant_id, app_id, by_organization, instructions, admin_role_required, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id, app_id) DO UPDATE SET by_organization = excluded.by_organization,
                instructions = excluded.instructions, admin_role_required = excluded.admin_role_required,
                updated_at = excluded.updated_at",
        )
        .bind(tenant)
        .bind(app_id)
        .bind(i64::from(settings.by_organization))
        .bind(&settings.instructions)
        .bind(i64::from(settings.admin_role_required))
        .bind(self.clock.now());
        self.database.execute(query).await?;
        Ok(())
    }
}

impl AppSettings {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            by_organization: row.get::<i64>("by_organization")? != 0,
            instructions: row.get("instructions")?,
            admin_role_required: row.get::<i64>("admin_role_required")? != 0,
        })
    }
}
