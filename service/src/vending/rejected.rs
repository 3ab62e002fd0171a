//! Tokens that a backend names as rejected by the provider's API. It names them by a digest, so that no token travels
//! twice; the digest is neither stored nor logged.

use std::fmt;

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::store::VendedContent;

/// The SHA-256 of a vended credential: of the access token's text, or of the fields as canonical JSON (RFC 8785).
#[derive(Clone, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Reads 64 lower-case hexadecimal digits; `None` where the text is something else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut digest = [0; 32];
        if text.len() != 2 * digest.len() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(digest))
    }

    /// That of a credential which is about to be used.
    pub(crate) fn of(content: &VendedContent) -> Self {
        Self(match content {
            VendedContent::Token { access_token, .. } => Sha256::digest(access_token.expose_secret()).into(),
            // Texts by name, in order and without white space, are canonical as they are.
            VendedContent::Fields(fields) => {
                Sha256::digest(serde_json::to_vec(fields).unwrap_or_default()).into()
            }
        })
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_64_lower_case_hexadecimal_digits() {
        // Of "abc", by FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let fields =
            VendedContent::Fields([("b", "\u{e9}\n"), ("a", "\"")].map(|(k, v)| (k.into(), v.into())).into());
        assert_eq!(TokenDigest::from_hex(abc), Some(TokenDigest(Sha256::digest("abc").into())));
        let canonical = TokenDigest(Sha256::digest("{\"a\":\"\\\"\",\"b\":\"\u{e9}\\n\"}").into());
        assert_eq!(TokenDigest::of(&fields), canonical);
        let upper = abc.to_uppercase();
        for wrong in
            ["", &abc[1..], &upper, &format!("{abc}0"), &abc.replacen('b', "g", 1), &"\u{e9}".repeat(32)]
        {
            assert_eq!(TokenDigest::from_hex(wrong), None, "{wrong}");
        }
    }
}
