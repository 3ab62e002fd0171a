//! Random ids and secrets, and the digests under which secrets are stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// 62 characters that need no escaping anywhere.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Enough for 256 bits: 62^43 > 2^256.
const SECRET_LENGTH: usize = 43;

const CONNECTION_PREFIX: &str = "conn_";
const CONNECTION_LENGTH: usize = 24;

/// `length` random characters, each equally likely.
///
/// # Panics
///
/// When the operating system gives no randomness: nothing that follows would be safe.
pub fn random(length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut buffer = [0_u8; 64];
    while text.len() < length {
        #[allow(clippy::expect_used)]
        getrandom::fill(&mut buffer).expect("the operating system gives randomness");
        // 248 is the largest multiple of 62 in a byte; higher values would make some characters likelier.
        let usable = buffer.iter().filter(|byte| **byte < 248);
        text.extend(
            usable.take(length - text.len()).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])),
        );
    }
    text
}

/// A secret that nobody guesses: 256 bits.
pub fn secret() -> String {
    random(SECRET_LENGTH)
}

/// Six random digits, each number equally likely.
pub fn six_digits() -> String {
    const COUNT: u32 = 1_000_000;
    loop {
        let mut bytes = [0_u8; 4];
        #[allow(clippy::expect_used)]
        getrandom::fill(&mut bytes).expect("the operating system gives randomness");
        let number = u32::from_le_bytes(bytes);
        // Beyond the largest multiple, some numbers would be likelier.
        if number < u32::MAX - u32::MAX % COUNT {
            return format!("{:06}", number % COUNT);
        }
    }
}

/// A new tenant key that begins with `prefix`.
pub fn tenant_key(prefix: &str) -> String {
    format!("{prefix}{}", secret())
}

/// The secret part of a new MCP URL.
pub fn mcp_token() -> String {
    format!("mcp_{}", secret())
}

/// A new request token.
pub fn request_token() -> String {
    format!("rt_{}", secret())
}

/// A new connection's id.
pub fn connection() -> String {
    format!("{CONNECTION_PREFIX}{}", random(CONNECTION_LENGTH))
}

/// Whether this could be a connection's id at all; anything else need not be looked up.
pub fn is_connection(id: &str) -> bool {
    id.strip_prefix(CONNECTION_PREFIX).is_some_and(|rest| {
        rest.len() == CONNECTION_LENGTH && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// A new id with a prefix of its own, such as `ten_`.
pub fn prefixed(prefix: &str) -> String {
    format!("{prefix}{}", random(CONNECTION_LENGTH))
}

/// SHA-256 in hexadecimal: how secrets of 256 bits are stored and looked up. They are too random to be guessed from
/// it, so it needs no salt and no slowness; and because it is the digest that the database compares, how long that
/// takes tells nothing about the secret.
pub fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}

/// Whether two secrets are the same. Digests are compared, so that the time that it takes tells nothing about them.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    digest(one) == digest(other)
}

/// What is derived from parts of which one is a secret: the same each time, and known to nobody without the secret.
pub(crate) fn derived(parts: [&str; 3]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
        digest.update([0]);
    }
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_form() {
        let id = connection();
        assert!(is_connection(&id), "{id}");
        assert_eq!(secret().len(), 43);
        assert_ne!(secret(), secret());
    }

    #[test]
    fn other_text_is_no_connection_id() {
        for text in ["", "conn_", "conn_0123456789012345678901/", "conn_012345678901234567890123x", "rt_x"] {
            assert!(!is_connection(text), "{text}");
        }
    }

    #[test]
    fn a_digest_is_sha_256() {
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
