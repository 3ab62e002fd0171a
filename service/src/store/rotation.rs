//! Exchanging a key without an interruption: rotate makes its successor, and both work; promote ends the old one.

use super::audit::{Action, Actor};
use super::database::{Query, Row, Transaction};
use super::events::NewEvent;
use super::keys::{InsertedKey, MAX_LIVE_KEYS};
use super::{EventType, Result, Store};
use crate::clock::Millis;
use crate::ids;

/// What [`Store::rotate_key`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum Rotation {
    /// There are two keys now.
    Rotated {
        /// The new key's id.
        id: String,
        /// The new key, given here and never again.
        key: String,
        /// The id of the key that it is to replace.
        replaces: String,
    },
    /// There are two keys already, and the newer one is in use.
    UnderWay,
    /// The tenant has [`MAX_LIVE_KEYS`].
    TooMany,
    /// The tenant has no such key, or it has ended.
    Unknown,
}

/// What [`Store::promote_key`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum Promotion {
    /// There is one key now.
    Promoted {
        /// The id of the key that is left.
        id: String,
        /// The id of the one that has ended.
        retired: String,
    },
    /// Nobody has used the newer key yet, so that ending the older one would lock somebody out.
    Unused,
    /// The key has no successor.
    NoSuccessor,
    /// The tenant has no such key, or it has ended.
    Unknown,
}

/// A live key of a family.
struct Member {
    id: String,
    family: String,
    generation: i64,
    name: Option<String>,
    capabilities: String,
    used: bool,
}

impl Member {
    fn event(&self, event_type: EventType, actor: Actor<'_>) -> NewEvent {
        NewEvent::of_key(event_type, (&self.id, self.name.as_deref()), &self.capabilities, actor)
    }
}

impl Store {
    /// Makes a successor for a key, with the same capabilities. Both work until one is promoted or revoked. A successor
    /// that nobody has used yet is replaced, so that a lost answer can be asked for again.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn rotate_key(&self, tenant: &str, id: &str, actor: Actor<'_>) -> Result<Rotation> {
        let mut transaction = self.database.begin().await?;
        let mut family = self.family(&mut transaction, tenant, id).await?;
        let Some(newest) = family.pop() else {
            transaction.rollback().await?;
            return Ok(Rotation::Unknown);
        };
        let generation = newest.generation + 1;
        let mut events = Vec::new();
        let old = match family.pop() {
            None if self.live_keys(&mut transaction, tenant).await? >= MAX_LIVE_KEYS => {
                transaction.rollback().await?;
                return Ok(Rotation::TooMany);
            }
            None => newest,
            Some(_) if newest.used => {
                transaction.rollback().await?;
                return Ok(Rotation::UnderWay);
            }
            Some(old) => {
                self.end_key(&mut transaction, &newest.id).await?;
                self.note(&mut transaction, tenant, Some(&newest.id), Action::KeyRevoked, actor).await?;
                events.push(newest.event(EventType::KeyRevoked, actor));
                old
            }
        };
        let (id, key) = (ids::prefixed("key_"), self.new_key());
        let name = old.name.as_deref();
        let insert = InsertedKey {
            tenant,
            id: &id,
            key: &key,
            family: &old.family,
            generation,
            name,
            capabilities: &old.capabilities,
        };
        self.insert_key(&mut transaction, &insert).await?;
        self.note(&mut transaction, tenant, Some(&id), Action::KeyRotated, actor).await?;
        events.push(NewEvent::of_key(EventType::KeyRotated, (&id, name), &old.capabilities, actor));
        self.commit_with(transaction, tenant, &events).await?;
        let replaces = old.id;
        Ok(Rotation::Rotated { id, key, replaces })
    }

    /// Ends the older one of two keys. Unless `even_unused`, the newer one must have been used before: that is the proof
    /// that somebody has it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn promote_key(
        &self,
        tenant: &str,
        id: &str,
        actor: Actor<'_>,
        even_unused: bool,
    ) -> Result<Promotion> {
        let mut transaction = self.database.begin().await?;
        let mut family = self.family(&mut transaction, tenant, id).await?;
        let Some(newest) = family.pop() else {
            transaction.rollback().await?;
            return Ok(Promotion::Unknown);
        };
        let Some(old) = family.pop() else {
            transaction.rollback().await?;
            return Ok(Promotion::NoSuccessor);
        };
        if !newest.used && !even_unused {
            transaction.rollback().await?;
            return Ok(Promotion::Unused);
        }
        self.end_key(&mut transaction, &old.id).await?;
        self.note(&mut transaction, tenant, Some(&newest.id), Action::KeyPromoted, actor).await?;
        self.note(&mut transaction, tenant, Some(&old.id), Action::KeyRetired, actor).await?;
        let promoted = newest.event(EventType::KeyPromoted, actor);
        let retired = old.event(EventType::KeyRevoked, actor);
        self.commit_with(transaction, tenant, &[promoted, retired]).await?;
        Ok(Promotion::Promoted { id: newest.id, retired: old.id })
    }

    /// The live keys of the family of a live key, the oldest first: never more than two.
    async fn family(&self, transaction: &mut Transaction, tenant: &str, id: &str) -> Result<Vec<Member>> {
        self.lock_tenant(transaction, tenant).await?;
        let query = Query::new(
            "SELECT id, family, generation, name, capabilities, used_at FROM keys
             WHERE revoked_at IS NULL AND family =
                (SELECT family FROM keys WHERE id = $1 AND tenant_id = $2 AND revoked_at IS NULL)
             ORDER BY generation",
        )
        .bind(id)
        .bind(tenant);
        let rows = transaction.fetch_all(query).await?;
        rows.iter().map(read_member).collect()
    }
}

fn read_member(row: &Row) -> Result<Member> {
    Ok(Member {
        id: row.get("id")?,
        family: row.get("family")?,
        generation: row.get("generation")?,
        name: row.get("name")?,
        capabilities: row.get("capabilities")?,
        used: row.get::<Option<Millis>>("used_at")?.is_some(),
    })
}
