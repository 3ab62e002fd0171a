//! What a tenant set of the hosted page's looks, and its logo.

use super::audit::{Action, Actor};
use super::database::{Query, Row};
use super::{Result, Store, StoreError};
use crate::clock::Millis;
use crate::sdk_config::SdkConfig;
use crate::theme::Logo;

/// A tenant's looks, as pages need them.
#[derive(Debug, Clone, Default)]
pub struct StoredSdkConfig {
    /// The settings; by default where the tenant set none.
    pub config: SdkConfig,
    /// The logo, without its bytes.
    pub logo: Option<StoredLogo>,
    /// When either was last set.
    pub updated_at: Option<Millis>,
}

/// Where a logo is, and how large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLogo {
    /// Names it.
    pub digest: String,
    /// In pixels.
    pub width: i64,
    /// In pixels.
    pub height: i64,
}

impl Store {
    /// A tenant's looks.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn sdk_config(&self, tenant: &str) -> Result<StoredSdkConfig> {
        let query = Query::new(
            "SELECT c.config, c.updated_at, l.digest, l.width, l.height, l.updated_at AS logo_updated_at
             FROM tenants t
             LEFT JOIN sdk_configs c ON c.tenant_id = t.id
             LEFT JOIN sdk_logos l ON l.tenant_id = t.id
             WHERE t.id = $1",
        )
        .bind(tenant);
        let row = self.database.fetch_optional(query).await?;
        row.as_ref().map_or_else(|| Ok(StoredSdkConfig::default()), StoredSdkConfig::read)
    }

    /// Replaces a tenant's settings; the logo stays.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_sdk_config(&self, tenant: &str, config: &SdkConfig, actor: Actor<'_>) -> Result<()> {
        let config = serde_json::to_string(config).map_err(|_| StoreError::Unreadable("config"))?;
        let mut transaction = self.database.begin().await?;
        let query = Query::new(
            "INSERT INTO sdk_configs (tenant_id, config, updated_at) VALUES ($1, $2, $3)
             ON CONFLICT (tenant_id) DO UPDATE SET config = excluded.config, updated_at = excluded.updated_at",
        )
        .bind(tenant)
        .bind(&config)
        .bind(self.clock.now());
        transaction.execute(query).await?;
        self.note(&mut transaction, tenant, None, Action::SdkConfigChanged, actor).await?;
        transaction.commit().await
    }

    /// Replaces a tenant's logo.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_logo(&self, tenant: &str, logo: &Logo, actor: Actor<'_>) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        let query = Query::new(
            "INSERT INTO sdk_logos (tenant_id, digest, width, height, png, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id) DO UPDATE SET digest = excluded.digest, width = excluded.width,
                height = excluded.height, png = excluded.png, updated_at = excluded.updated_at",
        )
        .bind(tenant)
        .bind(&logo.digest)
        .bind(i64::from(logo.width))
        .bind(i64::from(logo.height))
        .bind(&logo.png)
        .bind(self.clock.now());
        transaction.execute(query).await?;
        self.note(&mut transaction, tenant, None, Action::LogoChanged, actor).await?;
        transaction.commit().await
    }

    /// Removes a tenant's logo, if it has one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn remove_logo(&self, tenant: &str, actor: Actor<'_>) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        let query = Query::new("DELETE FROM sdk_logos WHERE tenant_id = $1").bind(tenant);
        if transaction.execute(query).await? > 0 {
            self.note(&mut transaction, tenant, None, Action::LogoRemoved, actor).await?;
        }
        transaction.commit().await
    }

    /// The picture with this digest, as PNG in Base64. It is on pages that anybody with a link sees; who has the digest
    /// has seen one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn logo(&self, digest: &str) -> Result<Option<String>> {
        let query = Query::new("SELECT png FROM sdk_logos WHERE digest = $1 LIMIT 1").bind(digest);
        let row = self.database.fetch_optional(query).await?;
        row.map(|row| row.get("png")).transpose()
    }
}

impl StoredSdkConfig {
    fn read(row: &Row) -> Result<Self> {
        let config: Option<&str> = row.get("config")?;
        let config = config.map(serde_json::from_str).transpose();
        let logo = match row.get::<Option<String>>("digest")? {
            Some(digest) => Some(StoredLogo { digest, width: row.get("width")?, height: row.get("height")? }),
            None => None,
        };
        let times: [Option<Millis>; 2] = [row.get("updated_at")?, row.get("logo_updated_at")?];
        Ok(Self {
            config: config.map_err(|_| StoreError::Unreadable("config"))?.unwrap_or_default(),
            logo,
            updated_at: times.into_iter().flatten().max(),
        })
    }
}
