//! The root keys of a database: which it needs, whether the configured ones are the right ones, and changing them while the
//! service runs. How values are sealed anew that a root key sealed itself is in `reseal.rs`.

use std::time::Duration;

use zeroize::Zeroizing;

use super::database::{Database, Query};
use super::reseal::Resealed;
use super::sealed::insert_data_key;
use super::{Result, Store, StoreError};
use crate::clock::{Clock, Millis};
use crate::vault::{KeyRing, RootKey, Vault, VaultError, random_key};

/// Sealed into every database by versions without data keys, to tell at the start that the key is the right one.
const MARK: &str = "connect-service";
const MARK_PLACE: crate::vault::Place<'static> =
    crate::vault::Place { tenant: "", customer: "", connection: "", field: MARK };
const SELECT_MARK: &str = "SELECT value FROM marks WHERE name = 'encryption_key'";

/// Data keys that are sealed anew between two looks at whether another rotation has begun.
const BATCH: i64 = 100;

/// Longer than any write takes: what was sealed by somebody who saw no data key is in the database afterwards.
const SETTLE: Duration = Duration::from_secs(10);

/// A root key that a database knows, or that is configured.
#[derive(Debug)]
pub struct ListedRootKey {
    /// Its id.
    pub id: String,
    /// Whether new data keys are sealed by it.
    pub is_active: bool,
    /// Whether this process has it.
    pub is_configured: bool,
    /// How many data keys it seals.
    pub data_keys: i64,
    /// How many values it seals itself.
    pub values: i64,
    /// Since when the database knows it.
    pub created_at: Option<Millis>,
}

/// What [`Store::rotate_root_key`] did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RootKeyRotation {
    /// Data keys that were made, for tenants without one.
    pub made: u64,
    /// Data keys that were sealed anew.
    pub data_keys: u64,
    /// Values that were sealed anew.
    pub values: u64,
    /// Values that do not open and stay as they are.
    pub unreadable: u64,
}

/// What [`Store::remove_root_key`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum RootKeyRemoval {
    /// The database needs it no more.
    Removed,
    /// The database does not know it.
    Unknown,
    /// New data keys are sealed by it.
    Active,
    /// Something is sealed by it.
    InUse {
        /// How many data keys.
        data_keys: i64,
        /// How many values.
        values: i64,
    },
}

/// What a database says of its keys, opened.
pub(super) struct OpenedKeys {
    pseudonym_key: Zeroizing<[u8; 32]>,
    /// The root key that may have sealed values itself.
    direct: Option<String>,
    /// Whether the database is from a version that had one key.
    is_from_mark: bool,
}

impl OpenedKeys {
    /// Whether there may be values that a root key sealed itself.
    pub(super) fn has_direct_values(&self) -> bool {
        self.direct.is_some()
    }
}

/// Opens a database's keys with the ring; `None` where it has none yet. Changes nothing.
///
/// # Errors
///
/// When a root key that it needs is missing or another one.
pub(super) async fn open_keys(database: &Database, ring: &KeyRing) -> Result<Option<OpenedKeys>> {
    let rows = if database.has_table("root_keys").await? {
        let query = "SELECT id, pseudonym_key, is_active, seals_values,
                CAST(CASE WHEN EXISTS (SELECT 1 FROM data_keys d WHERE d.root_key_id = root_keys.id) THEN 1 ELSE 0 END
                    AS BIGINT) AS seals_keys
             FROM root_keys ORDER BY is_active, id";
        database.fetch_all(Query::new(query)).await?
    } else {
        Vec::new()
    };
    let mut opened: Option<OpenedKeys> = None;
    let mut direct = None;
    for row in &rows {
        let id: &str = row.get("id")?;
        let seals_values = row.get::<i64>("seals_values")? != 0;
        let is_needed =
            seals_values || row.get::<i64>("is_active")? != 0 || row.get::<i64>("seals_keys")? != 0;
        let root_key = match ring.get(id) {
            Err(_) if !is_needed => continue,
            found => found?,
        };
        let pseudonym_key = root_key.open_pseudonym_key(row.get("pseudonym_key")?);
        let pseudonym_key = pseudonym_key.map_err(|_| StoreError::WrongKey(id.to_owned()))?;
        if seals_values {
            direct = Some(id.to_owned());
        }
        opened = Some(OpenedKeys { pseudonym_key, direct: None, is_from_mark: false });
    }
    if let Some(opened) = opened {
        return Ok(Some(OpenedKeys { direct, ..opened }));
    }
    let mark = if database.has_table("marks").await? {
        database.fetch_optional(Query::new(SELECT_MARK)).await?
    } else {
        None
    };
    let Some(mark) = mark else { return Ok(None) };
    let mark = mark.get("value")?;
    let root_key = ring.keys().find(|key| key.open_value(MARK_PLACE, mark).is_ok());
    let root_key = root_key.ok_or_else(|| {
        let ids: Vec<_> = ring.ids().collect();
        if ids.is_empty() {
            StoreError::Vault(VaultError::MissingRootKey(crate::vault::DEFAULT_KEY.to_owned()))
        } else {
            StoreError::WrongKey(ids.join(", "))
        }
    })?;
    Ok(Some(OpenedKeys {
        pseudonym_key: Zeroizing::new(*root_key.pseudonym_key()),
        direct: Some(root_key.id().to_owned()),
        is_from_mark: true,
    }))
}

/// The keys of a database, which gets them where it is new, or from a version that had one key.
pub(super) async fn open_vault(database: &Database, ring: KeyRing, clock: &Clock) -> Result<Vault> {
    let found = open_keys(database, &ring).await?;
    let opened = match found {
        Some(opened) if !opened.is_from_mark => opened,
        Some(earlier) => {
            let id = earlier.direct.as_deref().unwrap_or_default();
            insert_first(database, ring.get(id)?, &earlier.pseudonym_key, true, clock).await?;
            earlier
        }
        None => {
            insert_first(database, ring.first()?, &*random_key()?, false, clock).await?;
            // Another process may have been first, with another key of pseudonyms.
            open_keys(database, &ring).await?.ok_or(StoreError::Unreadable("root_keys"))?
        }
    };
    Ok(Vault::new(ring, &opened.pseudonym_key, opened.direct.as_deref())?)
}

/// Notes the first root key of a database, if there is none. What is new has data keys from the start.
async fn insert_first(
    database: &Database,
    root_key: &RootKey,
    pseudonym_key: &[u8; 32],
    seals_values: bool,
    clock: &Clock,
) -> Result<()> {
    // Before the root key, so that there is none without it. Nobody waits for a lock, however many processes start at once.
    if !seals_values {
        database.execute(Query::new(MARK_DATA_KEYS)).await?;
    }
    let query = Query::new(
        "INSERT INTO root_keys (id, pseudonym_key, is_active, seals_values, created_at)
         VALUES ($1, $2, 1, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(root_key.id())
    .bind(root_key.seal_pseudonym_key(pseudonym_key)?)
    .bind(i64::from(seals_values))
    .bind(clock.now());
    database.execute(query).await?;
    Ok(())
}

/// From then on every tenant gets a data key.
const MARK_DATA_KEYS: &str =
    "INSERT INTO marks (name, value) VALUES ('data_keys', 'every tenant') ON CONFLICT (name) DO NOTHING";

impl Store {
    /// The root keys that the database knows or this process has, by id.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn root_keys(&self) -> Result<Vec<ListedRootKey>> {
        let query = "SELECT id, is_active, seals_values, created_at,
                (SELECT COUNT(*) FROM data_keys d WHERE d.root_key_id = root_keys.id) AS data_keys
             FROM root_keys";
        let ring = self.vault.ring();
        let mut listed = Vec::new();
        for row in self.database.scan(Query::new(query)).await? {
            let id: String = row.get("id")?;
            let seals_values = row.get::<i64>("seals_values")? != 0;
            listed.push(ListedRootKey {
                is_active: row.get::<i64>("is_active")? != 0,
                is_configured: ring.get(&id).is_ok(),
                data_keys: row.get("data_keys")?,
                values: if seals_values { self.direct_values().await? } else { 0 },
                created_at: Some(row.get("created_at")?),
                id,
            });
        }
        let is_known = |id: &&str| !listed.iter().any(|known| known.id == *id);
        let unused: Vec<_> = ring.ids().filter(is_known).map(str::to_owned).collect();
        listed.extend(unused.into_iter().map(|id| ListedRootKey {
            id,
            is_active: false,
            is_configured: true,
            data_keys: 0,
            values: 0,
            created_at: None,
        }));
        listed.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(listed)
    }

    /// Seals everything with this root key, in statements of one row, while the service runs. What is interrupted goes on
    /// with the next call.
    ///
    /// # Errors
    ///
    /// When the root key is not configured, another rotation begins, or the database fails.
    pub async fn rotate_root_key(&self, id: &str) -> Result<RootKeyRotation> {
        let root_key = self.vault.ring().get(id)?.clone();
        self.activate_root_key(&root_key).await?;
        let mut rotation = RootKeyRotation::default();
        loop {
            let made = self.make_data_keys(&root_key).await?;
            let has_direct_values = self.has_direct_values().await?;
            if made > 0 && has_direct_values {
                tokio::time::sleep(SETTLE).await;
            }
            let Resealed { values, unreadable } =
                if has_direct_values { self.reseal_values().await? } else { Resealed::default() };
            rotation.made += made;
            rotation.values += values;
            rotation.unreadable = unreadable;
            if made == 0 && values == 0 {
                break;
            }
        }
        rotation.data_keys = self.reseal_data_keys(&root_key).await?;
        if rotation.unreadable == 0 {
            let mut transaction = self.database.begin().await?;
            transaction.execute(Query::new("UPDATE root_keys SET seals_values = 0")).await?;
            transaction.execute(Query::new("DELETE FROM marks WHERE name = 'encryption_key'")).await?;
            transaction.commit().await?;
        }
        Ok(rotation)
    }

    /// Forgets a root key, if nothing is sealed by it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn remove_root_key(&self, id: &str) -> Result<RootKeyRemoval> {
        let listed = self.root_keys().await?;
        let Some(root_key) = listed.iter().find(|key| key.id == id && key.created_at.is_some()) else {
            return Ok(RootKeyRemoval::Unknown);
        };
        let ListedRootKey { data_keys, values, .. } = *root_key;
        if root_key.is_active {
            return Ok(RootKeyRemoval::Active);
        }
        if data_keys > 0 || values > 0 {
            return Ok(RootKeyRemoval::InUse { data_keys, values });
        }
        // A data key that came meanwhile refers to it.
        let query = Query::new("DELETE FROM root_keys WHERE id = $1 AND is_active = 0").bind(id);
        match self.database.execute(query).await {
            Ok(1) => Ok(RootKeyRemoval::Removed),
            Ok(_) => Ok(RootKeyRemoval::Active),
            Err(error) if error.is_foreign_key_violation() => {
                Ok(RootKeyRemoval::InUse { data_keys: 1, values: 0 })
            }
            Err(error) => Err(error),
        }
    }

    /// From now on new data keys are sealed by this root key.
    async fn activate_root_key(&self, root_key: &RootKey) -> Result<()> {
        let opened = open_keys(&self.database, self.vault.ring()).await?;
        let opened = opened.ok_or(StoreError::Unreadable("root_keys"))?;
        let mut transaction = self.database.begin().await?;
        let query = Query::new("UPDATE root_keys SET is_active = 0 WHERE is_active = 1 AND id <> $1");
        transaction.execute(query.bind(root_key.id())).await?;
        let query = Query::new(
            "INSERT INTO root_keys (id, pseudonym_key, is_active, seals_values, created_at)
             VALUES ($1, $2, 1, 0, $3) ON CONFLICT (id) DO UPDATE SET is_active = 1",
        )
        .bind(root_key.id())
        .bind(root_key.seal_pseudonym_key(&opened.pseudonym_key)?)
        .bind(self.clock.now());
        transaction.execute(query).await?;
        transaction.execute(Query::new(MARK_DATA_KEYS)).await?;
        transaction.commit().await
    }

    async fn has_direct_values(&self) -> Result<bool> {
        let query = Query::new("SELECT id FROM root_keys WHERE seals_values = 1");
        Ok(self.database.fetch_optional(query).await?.is_some())
    }

    /// Makes data keys for tenants that have none, and for deleted ones that left something sealed.
    async fn make_data_keys(&self, root_key: &RootKey) -> Result<u64> {
        let mut made = 0;
        loop {
            let query = Query::new(
                "SELECT t.id FROM (
                    SELECT id FROM tenants UNION SELECT tenant_id FROM revocations UNION SELECT tenant_id FROM oauth_clients
                 ) t WHERE NOT EXISTS (SELECT 1 FROM data_keys d WHERE d.tenant_id = t.id) LIMIT $1",
            )
            .bind(BATCH);
            let tenants = self.database.scan(query).await?;
            if tenants.is_empty() {
                return Ok(made);
            }
            self.check_active(root_key).await?;
            for row in &tenants {
                let tenant: &str = row.get("id")?;
                let sealed = root_key.new_data_key(tenant)?;
                made += self.database.execute(insert_data_key(tenant, root_key, &sealed)).await?;
            }
        }
    }

    async fn reseal_data_keys(&self, root_key: &RootKey) -> Result<u64> {
        let mut resealed = 0;
        loop {
            let query = Query::new(
                "SELECT tenant_id, root_key_id, sealed FROM data_keys WHERE root_key_id <> $1 LIMIT $2",
            )
            .bind(root_key.id())
            .bind(BATCH);
            let rows = self.database.scan(query).await?;
            if rows.is_empty() {
                return Ok(resealed);
            }
            self.check_active(root_key).await?;
            for row in &rows {
                let (tenant, sealed): (&str, &str) = (row.get("tenant_id")?, row.get("sealed")?);
                let other = self.vault.ring().get(row.get("root_key_id")?)?;
                let query = Query::new(
                    "UPDATE data_keys SET root_key_id = $1, sealed = $2 WHERE tenant_id = $3 AND sealed = $4",
                )
                .bind(root_key.id())
                .bind(root_key.reseal_data_key(tenant, other, sealed)?)
                .bind(tenant)
                .bind(sealed);
                resealed += self.database.execute(query).await?;
            }
        }
    }

    /// Two rotations to different keys would undo each other's work for ever.
    async fn check_active(&self, root_key: &RootKey) -> Result<()> {
        let query = Query::new("SELECT id FROM root_keys WHERE is_active = 1");
        let row = self.database.fetch_optional(query).await?;
        match row.map(|row| row.get::<String>("id")).transpose()? {
            Some(id) if id == root_key.id() => Ok(()),
            other => Err(StoreError::OtherRotation(other.unwrap_or_default())),
        }
    }
}
