//! The operator's root keys, by id. They seal data keys, and nothing else of what is new.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::cipher::{Cipher, associated_data};
use super::{DataKey, KEY_LENGTH, KeySource, Kind, Place, VaultError, random_key, source};

/// The id of the key that `key_file`, `key_command` or `CONNECT_ENCRYPTION_KEY` gives.
pub const DEFAULT_KEY: &str = "default";

/// Maximum length of an id.
const MAX_ID: usize = 64;

/// Tells the key of pseudonyms from whatever else may be derived from a root key.
const PSEUDONYM_KEY: &[u8] = b"connect-service: pseudonyms of customers";

/// The root keys that are configured.
#[derive(Clone, Default)]
pub struct KeyRing(BTreeMap<String, Arc<RootKey>>);

/// One root key.
pub(crate) struct RootKey {
    id: String,
    cipher: Cipher,
    /// The key of pseudonyms of a database whose only key this is.
    pseudonym_key: Zeroizing<[u8; KEY_LENGTH]>,
}

/// Whether a root key may be called so.
pub fn is_key_id(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(is_allowed)
}

impl KeyRing {
    /// The key ring of these sources. A file that does not exist is made only where it `may_be_made`.
    ///
    /// # Errors
    ///
    /// Where one of them gives no key.
    pub async fn load(
        sources: impl IntoIterator<Item = (String, KeySource)>,
        may_be_made: bool,
    ) -> Result<Self, VaultError> {
        let mut ring = Self::default();
        for (id, source) in sources {
            let key = source.read(&id, may_be_made).await?;
            ring.add(&id, &key, &source.origin(&id))?;
        }
        Ok(ring)
    }

    /// A ring of the default key alone, 32 bytes in base64. `origin` names where it came from, for the error.
    ///
    /// # Errors
    ///
    /// [`VaultError::BadKey`].
    pub fn from_base64(key: &str, origin: &str) -> Result<Self, VaultError> {
        Self::default().with(DEFAULT_KEY, key, origin)
    }

    /// A ring of the default key alone, in this file, which is made with a random key and mode 0600 if it does not exist.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or made, is readable by others, or holds no key.
    pub fn from_file(path: &Path) -> Result<Self, VaultError> {
        Self::from_base64(&source::read_file(path, true)?, &path.display().to_string())
    }

    /// The same with one more key.
    ///
    /// # Errors
    ///
    /// [`VaultError::BadKey`].
    pub fn with(mut self, id: &str, key: &str, origin: &str) -> Result<Self, VaultError> {
        self.add(id, key, origin)?;
        Ok(self)
    }

    fn add(&mut self, id: &str, key: &str, origin: &str) -> Result<(), VaultError> {
        let bad = || VaultError::BadKey(origin.to_owned());
        let bytes = Zeroizing::new(STANDARD.decode(key.trim()).map_err(|_| bad())?);
        let bytes: &[u8; KEY_LENGTH] = bytes.as_slice().try_into().map_err(|_| bad())?;
        let derive = <Hmac<Sha256> as Mac>::new_from_slice(bytes).map_err(|_| bad())?;
        let derived = derive.chain_update(PSEUDONYM_KEY).finalize().into_bytes();
        let key = RootKey {
            id: id.to_owned(),
            cipher: Cipher::new(bytes),
            pseudonym_key: Zeroizing::new(derived.into()),
        };
        self.0.insert(id.to_owned(), Arc::new(key));
        Ok(())
    }

    /// The key with this id.
    ///
    /// # Errors
    ///
    /// [`VaultError::MissingRootKey`].
    pub(crate) fn get(&self, id: &str) -> Result<&Arc<RootKey>, VaultError> {
        self.0.get(id).ok_or_else(|| VaultError::MissingRootKey(id.to_owned()))
    }

    /// The key that a new database begins with: the default one, or else the last in the order of ids.
    pub(crate) fn first(&self) -> Result<&Arc<RootKey>, VaultError> {
        let found = self.0.get(DEFAULT_KEY).or_else(|| self.0.values().next_back());
        found.ok_or_else(|| VaultError::MissingRootKey(DEFAULT_KEY.to_owned()))
    }

    /// The ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Arc<RootKey>> {
        self.0.values()
    }
}

impl RootKey {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The key of pseudonyms of a database that this key sealed before there were data keys.
    pub(crate) fn pseudonym_key(&self) -> &[u8; KEY_LENGTH] {
        &self.pseudonym_key
    }

    pub(crate) fn seal_pseudonym_key(&self, key: &[u8; KEY_LENGTH]) -> Result<String, VaultError> {
        self.seal_key(Kind::PseudonymKey, "", key)
    }

    pub(crate) fn open_pseudonym_key(&self, sealed: &str) -> Result<Zeroizing<[u8; KEY_LENGTH]>, VaultError> {
        self.open_key(Kind::PseudonymKey, "", sealed)
    }

    /// A new data key of a tenant, sealed.
    pub(crate) fn new_data_key(&self, tenant: &str) -> Result<String, VaultError> {
        self.seal_key(Kind::DataKey, tenant, &*random_key()?)
    }

    pub(crate) fn open_data_key(&self, tenant: &str, sealed: &str) -> Result<DataKey, VaultError> {
        Ok(DataKey::new(Cipher::new(&*self.open_key(Kind::DataKey, tenant, sealed)?)))
    }

    /// A tenant's data key, sealed by this root key instead of another one.
    pub(crate) fn reseal_data_key(
        &self,
        tenant: &str,
        other: &Self,
        sealed: &str,
    ) -> Result<String, VaultError> {
        self.seal_key(Kind::DataKey, tenant, &*other.open_key(Kind::DataKey, tenant, sealed)?)
    }

    fn seal_key(&self, kind: Kind, tenant: &str, key: &[u8; KEY_LENGTH]) -> Result<String, VaultError> {
        Ok(STANDARD.encode(self.cipher.seal(&associated_data(kind, &[&self.id, tenant]), key)?))
    }

    fn open_key(
        &self,
        kind: Kind,
        tenant: &str,
        sealed: &str,
    ) -> Result<Zeroizing<[u8; KEY_LENGTH]>, VaultError> {
        let sealed = STANDARD.decode(sealed).map_err(|_| VaultError::Sealed)?;
        self.cipher.open_key(&associated_data(kind, &[&self.id, tenant]), &sealed)
    }

    /// Seals a value as versions without data keys do, which bound it to no customer.
    pub(crate) fn seal_value(&self, place: Place<'_>, value: &str) -> Result<String, VaultError> {
        let sealed = self.cipher.seal(&of_direct_value(place), value.as_bytes())?;
        Ok(STANDARD.encode([&[Kind::DirectValue as u8], sealed.as_slice()].concat()))
    }

    /// Opens what [`RootKey::seal_value`] made for the same place.
    pub(crate) fn open_value(&self, place: Place<'_>, sealed: &str) -> Result<SecretString, VaultError> {
        let bytes = STANDARD.decode(sealed).map_err(|_| VaultError::Sealed)?;
        let (&kind, sealed) = bytes.split_first().ok_or(VaultError::Sealed)?;
        if kind != Kind::DirectValue as u8 {
            return Err(VaultError::Sealed);
        }
        self.cipher.open_text(&of_direct_value(place), sealed)
    }
}

fn of_direct_value(place: Place<'_>) -> Vec<u8> {
    associated_data(Kind::DirectValue, &[place.tenant, place.connection, place.field])
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.ids()).finish()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const PLACE: Place<'static> =
        Place { tenant: "t", customer: "a", connection: "c", field: "access_token" };

    fn ring() -> KeyRing {
        let other = "//////////////////////////////////////////8=";
        KeyRing::from_base64(KEY, "a test").unwrap().with("other", other, "a test").unwrap()
    }

    #[test]
    fn a_data_key_opens_only_for_its_tenant_and_root_key() {
        let ring = ring();
        let (one, other) = (ring.get(DEFAULT_KEY).unwrap(), ring.get("other").unwrap());
        let made = one.new_data_key("t").unwrap();
        let value = one.open_data_key("t", &made).unwrap().seal(PLACE, "ya29").unwrap();
        let opened = one.open_data_key("t", &made).unwrap();
        assert_eq!(opened.open(PLACE, &value).unwrap().expose_secret(), "ya29");
        for refused in [one.open_data_key("u", &made), other.open_data_key("t", &made)] {
            assert!(matches!(refused.err(), Some(VaultError::Sealed)));
        }
        assert!(matches!(one.open_pseudonym_key(&made), Err(VaultError::Sealed)));

        let resealed = other.reseal_data_key("t", one, &made).unwrap();
        let opened = other.open_data_key("t", &resealed).unwrap();
        assert_eq!(opened.open(PLACE, &value).unwrap().expose_secret(), "ya29");
        assert!(one.open_data_key("t", &resealed).is_err());
    }

    /// Made by a version without data keys.
    #[test]
    fn what_a_root_key_sealed_itself_opens() {
        let ring = ring();
        let key = ring.get(DEFAULT_KEY).unwrap();
        let sealed = key.seal_value(PLACE, "ya29").unwrap();
        assert_eq!(key.open_value(PLACE, &sealed).unwrap().expose_secret(), "ya29");
        assert!(matches!(key.open_value(Place { tenant: "u", ..PLACE }, &sealed), Err(VaultError::Sealed)));
        assert!(matches!(ring.get("other").unwrap().open_value(PLACE, &sealed), Err(VaultError::Sealed)));
        let place = Place { tenant: "", customer: "", connection: "", field: "connect-service" };
        let earlier = include_str!("../../tests/direct_values/mark");
        assert_eq!(key.open_value(place, earlier.trim()).unwrap().expose_secret(), "connect-service");
    }

    #[test]
    fn a_key_is_32_bytes() {
        for key in ["", "AAEC", "not base64 at all", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ=="] {
            let error = KeyRing::from_base64(key, "the test").unwrap_err().to_string();
            assert!(error.contains("the test") && (key.is_empty() || !error.contains(key)), "{error}");
        }
    }

    #[test]
    fn ids_are_words() {
        assert!(is_key_id("2026-11") && is_key_id("default"));
        for id in ["", "A", "a_b", "a.b", "a b", "é", &"a".repeat(65)] {
            assert!(!is_key_id(id), "{id}");
        }
    }
}
