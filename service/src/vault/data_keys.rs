//! The tenants' data keys, as far as they are in memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use super::cipher::{Cipher, associated_data};
use super::{DATA_KEY_PREFIX, Kind, Place, VaultError};

/// How many keys a generation has; two are in memory.
const MAX_KEYS: usize = 10_000;

/// How long a generation is added to.
const GENERATION: Duration = Duration::from_secs(60 * 60);

/// What seals one tenant's values.
pub(crate) struct DataKey(Cipher);

/// The data keys that were used lately, so that a token call needs no look at the database for one. A key that was not used
/// for one to two hours is forgotten when another one is asked for, and so is that of a tenant that another process deleted.
#[derive(Debug, Default)]
pub(crate) struct DataKeys(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<String, Arc<DataKey>>,
    old: HashMap<String, Arc<DataKey>>,
    since: Option<Instant>,
}

impl DataKey {
    pub(super) fn new(cipher: Cipher) -> Self {
        Self(cipher)
    }

    /// Encrypts a value for one place. The result is text.
    pub(crate) fn seal(&self, place: Place<'_>, value: &str) -> Result<String, VaultError> {
        let sealed = self.0.seal(&of_value(place), value.as_bytes())?;
        Ok(format!("{DATA_KEY_PREFIX}{}", STANDARD.encode(sealed)))
    }

    /// Decrypts what [`DataKey::seal`] made for the same place.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &str) -> Result<SecretString, VaultError> {
        let sealed = sealed.strip_prefix(DATA_KEY_PREFIX).ok_or(VaultError::Sealed)?;
        let sealed = STANDARD.decode(sealed).map_err(|_| VaultError::Sealed)?;
        self.0.open_text(&of_value(place), &sealed)
    }
}

fn of_value(place: Place<'_>) -> Vec<u8> {
    associated_data(Kind::Value, &[place.tenant, place.customer, place.connection, place.field])
}

impl DataKeys {
    pub(crate) fn get(&self, tenant: &str) -> Option<Arc<DataKey>> {
        self.get_at(tenant, Instant::now())
    }

    pub(crate) fn put(&self, tenant: &str, key: Arc<DataKey>) {
        self.put_at(tenant, key, Instant::now());
    }

    pub(crate) fn remove(&self, tenant: &str) {
        let mut generations = self.lock();
        generations.young.remove(tenant);
        generations.old.remove(tenant);
    }

    fn get_at(&self, tenant: &str, now: Instant) -> Option<Arc<DataKey>> {
        let mut generations = self.lock();
        generations.turn(now);
        if let Some(key) = generations.young.get(tenant) {
            return Some(key.clone());
        }
        let (tenant, key) = generations.old.remove_entry(tenant)?;
        generations.young.insert(tenant, key.clone());
        Some(key)
    }

    fn put_at(&self, tenant: &str, key: Arc<DataKey>, now: Instant) {
        let mut generations = self.lock();
        generations.turn(now);
        generations.young.insert(tenant.to_owned(), key);
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn turn(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now.duration_since(since) >= 2 * GENERATION {
            self.young.clear();
        }
        if self.young.len() >= MAX_KEYS || now.duration_since(since) >= GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.since = Some(now);
        }
    }
}

impl fmt::Debug for Generations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generations").field("young", &self.young.len()).field("old", &self.old.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const PLACE: Place<'static> =
        Place { tenant: "t", customer: "a", connection: "c", field: "access_token" };

    fn key() -> Arc<DataKey> {
        Arc::new(DataKey(Cipher::new(&[7; 32])))
    }

    #[test]
    fn a_value_opens_only_where_it_belongs() {
        let key = key();
        let sealed = key.seal(PLACE, "ya29").unwrap();
        assert!(!sealed.contains("ya29"));
        assert_eq!(key.open(PLACE, &sealed).unwrap().expose_secret(), "ya29");
        for other in [
            Place { tenant: "u", ..PLACE },
            Place { customer: "b", ..PLACE },
            Place { connection: "d", ..PLACE },
            Place { field: "refresh_token", ..PLACE },
            Place { tenant: "ta", customer: "", ..PLACE },
            Place { customer: "ac", connection: "", ..PLACE },
        ] {
            assert!(matches!(key.open(other, &sealed), Err(VaultError::Sealed)), "{other:?}");
        }
        let other = DataKey(Cipher::new(&[8; 32]));
        assert!(matches!(other.open(PLACE, &sealed), Err(VaultError::Sealed)));
    }

    #[test]
    fn a_changed_value_does_not_open() {
        let key = key();
        let sealed = key.seal(PLACE, "ya29").unwrap();
        let bytes = STANDARD.decode(&sealed[DATA_KEY_PREFIX.len()..]).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = format!("{DATA_KEY_PREFIX}{}", STANDARD.encode(changed));
            assert!(key.open(PLACE, &changed).is_err(), "byte {at}");
        }
        for text in ["", "2.", "2.no base64", "no base64", &sealed[DATA_KEY_PREFIX.len()..]] {
            assert!(key.open(PLACE, text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_in_memory_is_bounded_and_ends() {
        let (keys, start) = (DataKeys::default(), Instant::now());
        for n in 0..5 * MAX_KEYS {
            keys.put_at(&n.to_string(), key(), start);
            assert!(keys.get_at("0", start).is_some(), "one that is used stays");
        }
        let held = |keys: &DataKeys| {
            let generations = keys.lock();
            generations.young.len() + generations.old.len()
        };
        assert!(held(&keys) <= 2 * MAX_KEYS, "{keys:?}");
        assert!(keys.get_at("0", start + GENERATION).is_some());
        assert!(keys.get_at("0", start + 2 * GENERATION).is_some());
        assert!(held(&keys) <= 2, "{keys:?}");
        assert!(keys.get_at("1", start + 2 * GENERATION).is_none());
        keys.remove("0");
        assert!(keys.get_at("0", start + 2 * GENERATION).is_none());
    }
}
