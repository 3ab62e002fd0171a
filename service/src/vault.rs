//! Encryption of what is stored: XChaCha20-Poly1305, bound to where the value belongs.
//!
//! A ciphertext opens only for the tenant, connection and field that it was made for, so that somebody who can write
//! to the database cannot move one customer's credential to another.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ids;

const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;

/// Tells digests of accounts from pseudonyms, which have the same key.
const ACCOUNT_DIGEST: &[u8] = b"account";

/// Tells the key of pseudonyms from whatever else may be derived from the encryption key.
const PSEUDONYM_KEY: &[u8] = b"connect-service: pseudonyms of customers";

/// Names how a ciphertext was made, so that another way can be told from it later.
const FORMAT: u8 = 1;

/// Where a value belongs. It opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The tenant's id.
    pub tenant: &'a str,
    /// The connection's id, or that of whatever else holds the value.
    pub connection: &'a str,
    /// Which of its values.
    pub field: &'a str,
}

/// Seals and opens values with one key. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    cipher: Arc<XChaCha20Poly1305>,
    /// Keyed with a key of its own, derived from the encryption key.
    pseudonyms: Hmac<Sha256>,
}

/// Why a value cannot be opened, or a key not be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Another key, another place, or changed bytes; these cannot be told apart.
    #[error("a stored value does not open with this encryption key in this place")]
    Sealed,
    /// Encryption failed, which only a value of 256 GiB could cause.
    #[error("a value cannot be encrypted")]
    Unsealable,
    /// The key is not 32 bytes in base64.
    #[error("the encryption key in {0} is not 32 bytes in base64")]
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
}

impl Vault {
    /// A vault with this key, 32 bytes in base64. `origin` names where it came from, for the error.
    ///
    /// # Errors
    ///
    /// [`VaultError::BadKey`].
    pub fn from_base64(key: &str, origin: &str) -> Result<Self, VaultError> {
        let bad = || VaultError::BadKey(origin.to_owned());
        let key = Zeroizing::new(STANDARD.decode(key.trim()).map_err(|_| bad())?);
        let cipher = XChaCha20Poly1305::new_from_slice(&key).map_err(|_| bad())?;
        let derive = <Hmac<Sha256> as Mac>::new_from_slice(&key).map_err(|_| bad())?;
        let derived = derive.chain_update(PSEUDONYM_KEY).finalize().into_bytes();
        Ok(Self {
            cipher: Arc::new(cipher),
            pseudonyms: <Hmac<Sha256> as Mac>::new_from_slice(&derived).map_err(|_| bad())?,
        })
    }

    /// A vault with the key in this file, which is made with a random key and mode 0600 if it does not exist.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or made, is readable by others, or holds no key.
    pub fn from_file(path: &Path) -> Result<Self, VaultError> {
        let failed = |source| VaultError::KeyFile { path: path.to_owned(), source };
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_key_file(path).and_then(|()| File::open(path)).map_err(failed)?
            }
            opened => opened.map_err(failed)?,
        };
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(VaultError::ExposedKey(path.to_owned()));
        }
        let mut key = Zeroizing::new(String::new());
        file.take(1024).read_to_string(&mut key).map_err(failed)?;
        Self::from_base64(&key, &path.display().to_string())
    }

    /// Encrypts a value for one place. The result is text.
    ///
    /// # Errors
    ///
    /// When there is no randomness for a nonce, or the value is absurdly long.
    pub fn seal(&self, place: Place<'_>, value: &str) -> Result<String, VaultError> {
        let mut nonce = [0_u8; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::Unsealable)?;
        let payload = Payload { msg: value.as_bytes(), aad: &place.bytes() };
        let ciphertext =
            self.cipher.encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| VaultError::Unsealable)?;
        Ok(STANDARD.encode([&[FORMAT], nonce.as_slice(), &ciphertext].concat()))
    }

    /// What stands for a tenant's customer where the email must not be: HMAC-SHA-256 in hexadecimal. Whoever has the key
    /// can look for a customer; without it nobody learns who it is, nor that two tenants have the same one.
    pub fn pseudonym(&self, tenant: &str, customer: &str) -> String {
        let place = Place { tenant, connection: "", field: customer };
        let code = self.pseudonyms.clone().chain_update(place.bytes());
        ids::hex(&code.finalize().into_bytes())
    }

    /// What stands for an account at a provider, as far as one OAuth client has to do with it: HMAC-SHA-256 in hexadecimal.
    /// It is the same for all tenants; without the key nobody learns whose it is.
    pub fn account_digest(&self, provider: &str, client_id: &str, account: &str) -> String {
        let place = Place { tenant: provider, connection: client_id, field: account };
        let code = self.pseudonyms.clone().chain_update(ACCOUNT_DIGEST).chain_update(place.bytes());
        ids::hex(&code.finalize().into_bytes())
    }

    /// Decrypts what [`Vault::seal`] made for the same place.
    ///
    /// # Errors
    ///
    /// [`VaultError::Sealed`] in every other case.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<SecretString, VaultError> {
        let bytes = STANDARD.decode(sealed).map_err(|_| VaultError::Sealed)?;
        let (&format, rest) = bytes.split_first().ok_or(VaultError::Sealed)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LENGTH).ok_or(VaultError::Sealed)?;
        if format != FORMAT {
            return Err(VaultError::Sealed);
        }
        let payload = Payload { msg: ciphertext, aad: &place.bytes() };
        let value =
            self.cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| VaultError::Sealed)?;
        let value = String::from_utf8(value).map_err(|_| VaultError::Sealed)?;
        Ok(SecretString::from(value))
    }
}

/// Makes the file whole or not at all; if another process was first, its file stays.
fn make_key_file(path: &Path) -> std::io::Result<()> {
    let mut key = Zeroizing::new([0_u8; KEY_LENGTH]);
    getrandom::fill(key.as_mut()).map_err(std::io::Error::other)?;
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(key.as_ref())));

    let draft = path.with_extension(ids::random(8));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    // Whatever is sealed with this key is worth nothing if the key is lost with the power.
    file.sync_all()?;
    let made = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

impl Place<'_> {
    /// Each part after its length: no two places give the same bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        for part in [self.tenant, self.connection, self.field] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const PLACE: Place<'static> = Place { tenant: "t", connection: "c", field: "access_token" };

    #[test]
    fn a_value_opens_only_where_it_belongs() {
        let vault = Vault::from_base64(KEY, "a test").unwrap();
        let sealed = vault.seal(PLACE, "ya29").unwrap();
        assert!(!sealed.contains("ya29"));
        assert_eq!(vault.open(PLACE, &sealed).unwrap().expose_secret(), "ya29");

        for other in [
            Place { tenant: "u", ..PLACE },
            Place { connection: "d", ..PLACE },
            Place { field: "refresh_token", ..PLACE },
            Place { tenant: "tc", connection: "", ..PLACE },
        ] {
            assert!(matches!(vault.open(other, &sealed), Err(VaultError::Sealed)), "{other:?}");
        }
    }

    #[test]
    fn a_changed_value_does_not_open() {
        let vault = Vault::from_base64(KEY, "a test").unwrap();
        let sealed = STANDARD.decode(vault.seal(PLACE, "ya29").unwrap()).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open(PLACE, &STANDARD.encode(changed)).is_err(), "byte {at}");
        }
        assert!(vault.open(PLACE, "").is_err());
        assert!(vault.open(PLACE, "no base64").is_err());
    }

    #[test]
    fn a_pseudonym_depends_on_key_tenant_and_customer() {
        let vault = Vault::from_base64(KEY, "a test").unwrap();
        let alice = vault.pseudonym("t", "alice@example.com");
        assert_eq!(alice, vault.clone().pseudonym("t", "alice@example.com"));
        assert!(alice.len() == 64 && !alice.contains("alice"));
        let other = Vault::from_base64("//////////////////////////////////////////8=", "a test").unwrap();
        for different in [
            vault.pseudonym("u", "alice@example.com"),
            vault.pseudonym("t", "bob@example.com"),
            vault.pseudonym("ta", "lice@example.com"),
            other.pseudonym("t", "alice@example.com"),
        ] {
            assert_ne!(different, alice);
        }
    }

    #[test]
    fn a_key_is_32_bytes() {
        for key in ["", "AAEC", "not base64 at all", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ=="] {
            let error = Vault::from_base64(key, "the test").unwrap_err().to_string();
            assert!(error.contains("the test") && (key.is_empty() || !error.contains(key)), "{error}");
        }
    }
}
