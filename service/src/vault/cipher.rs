//! One key, and the bytes that it seals.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{KEY_LENGTH, Kind, VaultError};

const NONCE_LENGTH: usize = 24;

/// A key, which is wiped from memory when it is dropped.
pub(super) struct Cipher(XChaCha20Poly1305);

impl Cipher {
    pub(super) fn new(key: &[u8; KEY_LENGTH]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// The nonce, and what it encrypts to.
    pub(super) fn seal(&self, associated_data: &[u8], value: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0_u8; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::Unsealable)?;
        let payload = Payload { msg: value, aad: associated_data };
        let ciphertext =
            self.0.encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| VaultError::Unsealable)?;
        Ok([nonce.as_slice(), &ciphertext].concat())
    }

    pub(super) fn open(
        &self,
        associated_data: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LENGTH).ok_or(VaultError::Sealed)?;
        let payload = Payload { msg: ciphertext, aad: associated_data };
        let value = self.0.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| VaultError::Sealed)?;
        Ok(Zeroizing::new(value))
    }

    pub(super) fn open_text(
        &self,
        associated_data: &[u8],
        sealed: &[u8],
    ) -> Result<SecretString, VaultError> {
        let mut value = self.open(associated_data, sealed)?;
        let value = String::from_utf8(std::mem::take(&mut *value)).map_err(|_| VaultError::Sealed)?;
        Ok(SecretString::from(value))
    }

    pub(super) fn open_key(
        &self,
        associated_data: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<[u8; KEY_LENGTH]>, VaultError> {
        let bytes = self.open(associated_data, sealed)?;
        let key: &[u8; KEY_LENGTH] = bytes.as_slice().try_into().map_err(|_| VaultError::Sealed)?;
        Ok(Zeroizing::new(*key))
    }
}

/// What a value is, and each part of where it belongs after its length: no two places give the same bytes.
pub(super) fn associated_data(kind: Kind, parts: &[&str]) -> Vec<u8> {
    let mut bytes = vec![kind as u8];
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}
