//! Encryption of what is stored: XChaCha20-Poly1305, bound to where the value belongs.
//!
//! Each tenant has a data key, sealed by one of the operator's root keys (`key_ring.rs`). A ciphertext opens only for the
//! tenant, customer, connection and field that it was made for, so that somebody who can write to the database cannot move
//! one customer's credential to another. A data key that is destroyed makes all that it sealed unreadable.
//!
//! Versions without data keys sealed values by the root key itself. Those still open, until `root-key rotate` has
//! sealed them anew. What the database has to do with keys is in `store/sealed.rs` and `store/root_keys.rs`.

mod cipher;
mod data_keys;
mod key_ring;
mod source;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ids;
use cipher::associated_data;
pub(crate) use data_keys::DataKey;
use data_keys::DataKeys;
pub(crate) use key_ring::RootKey;
pub use key_ring::{DEFAULT_KEY, KeyRing, is_key_id};
pub use source::KeySource;

/// Length of every key, in bytes.
const KEY_LENGTH: usize = 32;

/// Tells digests of accounts from pseudonyms, which have the same key.
const ACCOUNT_DIGEST: &[u8] = b"account";

/// How a value begins that a data key sealed. Base64 has no such character, so nothing that a root key sealed begins so.
pub(crate) const DATA_KEY_PREFIX: &str = "2.";

/// What a ciphertext is, so that none opens as something else.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A value that a root key sealed itself.
    DirectValue = 1,
    /// A value that a data key sealed.
    Value = 2,
    /// A data key.
    DataKey = 3,
    /// The key of pseudonyms.
    PseudonymKey = 4,
}

/// Where a value belongs. It opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The tenant's id.
    pub tenant: &'a str,
    /// The customer's email; empty where the value is the tenant's own.
    pub customer: &'a str,
    /// The connection's id, or that of whatever else holds the value.
    pub connection: &'a str,
    /// Which of its values.
    pub field: &'a str,
}

/// The keys of one database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Vault(Arc<Keys>);

struct Keys {
    ring: KeyRing,
    /// Sealed values before there were data keys.
    direct: Option<Arc<RootKey>>,
    pseudonyms: Hmac<Sha256>,
    data_keys: DataKeys,
}

/// Why a value cannot be opened, or a key not be used. Names root keys by id.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Another key, another place, or changed bytes; these cannot be told apart.
    #[error("a stored value does not open with its key in this place")]
    Sealed,
    /// Encryption failed, for want of randomness, or because the value has 256 GiB.
    #[error("a value cannot be encrypted")]
    Unsealable,
    /// The tenant was deleted.
    #[error("the tenant has no data key: it was deleted")]
    NoDataKey,
    /// The configuration lacks a root key that the database needs.
    #[error(
        "root key `{0}` is needed and not configured: it belongs in [root_keys], the key `default` in key_file"
    )]
    MissingRootKey(String),
    /// The key is not 32 bytes in base64.
    #[error("the key in {0} is not 32 bytes in base64")]
    BadKey(String),
    /// Others than its owner can read the key file.
    #[error("the key file {} can be read by others than its owner; run: chmod 600 {}", .0.display(), .0.display())]
    ExposedKey(PathBuf),
    /// The key file cannot be read or made.
    #[error("cannot use the key file {}: {source}", path.display())]
    KeyFile {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The command gave no key. Holds nothing that it printed.
    #[error("key_command of root key `{id}`: {problem}")]
    KeyCommand {
        /// The root key.
        id: String,
        /// What went wrong.
        problem: String,
    },
}

impl Vault {
    /// `pseudonym_key` is the database's own. `direct` names the root key that may have sealed values itself.
    pub(crate) fn new(
        ring: KeyRing,
        pseudonym_key: &[u8; KEY_LENGTH],
        direct: Option<&str>,
    ) -> Result<Self, VaultError> {
        let pseudonyms =
            <Hmac<Sha256> as Mac>::new_from_slice(pseudonym_key).map_err(|_| VaultError::Unsealable)?;
        let direct = direct.map(|id| ring.get(id).cloned()).transpose()?;
        Ok(Self(Arc::new(Keys { ring, direct, pseudonyms, data_keys: DataKeys::default() })))
    }

    pub(crate) fn ring(&self) -> &KeyRing {
        &self.0.ring
    }

    /// The data keys that are in memory.
    pub(crate) fn data_keys(&self) -> &DataKeys {
        &self.0.data_keys
    }

    /// Seals a value of a tenant that has no data key yet.
    pub(crate) fn seal_directly(&self, place: Place<'_>, value: &str) -> Result<String, VaultError> {
        self.0.direct.as_ref().ok_or(VaultError::NoDataKey)?.seal_value(place, value)
    }

    /// Opens a value that a root key sealed itself.
    pub(crate) fn open_directly(&self, place: Place<'_>, sealed: &str) -> Result<SecretString, VaultError> {
        self.0.direct.as_ref().ok_or(VaultError::Sealed)?.open_value(place, sealed)
    }

    /// What stands for a tenant's customer where the email must not be: HMAC-SHA-256 in hexadecimal. Whoever has the key
    /// can look for a customer; without it nobody learns who it is, nor that two tenants have the same one.
    pub(crate) fn pseudonym(&self, tenant: &str, customer: &str) -> String {
        let code = self.0.pseudonyms.clone().chain_update(three_parts(tenant, "", customer));
        ids::hex(&code.finalize().into_bytes())
    }

    /// What stands for an account at a provider, as far as one OAuth client has to do with it: HMAC-SHA-256 in hexadecimal.
    /// It is the same for all tenants; without the key nobody learns whose it is.
    pub(crate) fn account_digest(&self, provider: &str, client_id: &str, account: &str) -> String {
        let code = self.0.pseudonyms.clone().chain_update(ACCOUNT_DIGEST);
        let code = code.chain_update(three_parts(provider, client_id, account));
        ids::hex(&code.finalize().into_bytes())
    }
}

/// As the first version wrote them, so that digests that are stored stay the same.
fn three_parts(one: &str, two: &str, three: &str) -> Vec<u8> {
    associated_data(Kind::DirectValue, &[one, two, three])
}

/// Whether a data key sealed this value, and no root key.
pub(crate) fn is_of_data_key(sealed: &str) -> bool {
    sealed.starts_with(DATA_KEY_PREFIX)
}

/// A new random key.
pub(crate) fn random_key() -> Result<Zeroizing<[u8; KEY_LENGTH]>, VaultError> {
    let mut key = Zeroizing::new([0_u8; KEY_LENGTH]);
    getrandom::fill(key.as_mut()).map_err(|_| VaultError::Unsealable)?;
    Ok(key)
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_depends_on_key_tenant_and_customer() {
        let vault = |key: [u8; KEY_LENGTH]| Vault::new(KeyRing::default(), &key, None).unwrap();
        let one = vault([1; KEY_LENGTH]);
        let alice = one.pseudonym("t", "alice@example.com");
        assert_eq!(alice, one.clone().pseudonym("t", "alice@example.com"));
        assert!(alice.len() == 64 && !alice.contains("alice"));
        for different in [
            one.pseudonym("u", "alice@example.com"),
            one.pseudonym("t", "bob@example.com"),
            one.pseudonym("ta", "lice@example.com"),
            vault([2; KEY_LENGTH]).pseudonym("t", "alice@example.com"),
        ] {
            assert_ne!(different, alice);
        }
    }
}
