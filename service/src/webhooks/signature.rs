//! Signatures of webhooks, as Standard Webhooks 1.0 has them: HMAC-SHA-256 over id, time and body, with a secret that only
//! the service and the receiver know.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What every secret begins with.
const PREFIX: &str = "whsec_";

/// Bytes of a new secret; the specification allows 24 to 64.
const SECRET_LENGTH: usize = 32;

/// A new secret.
///
/// # Panics
///
/// When the operating system gives no randomness: nothing that follows would be safe.
pub fn new_secret() -> SecretString {
    let mut bytes = Zeroizing::new([0_u8; SECRET_LENGTH]);
    #[allow(clippy::expect_used)]
    getrandom::fill(bytes.as_mut()).expect("the operating system gives randomness");
    let encoded = Zeroizing::new(STANDARD.encode(bytes.as_ref()));
    format!("{PREFIX}{}", *encoded).into()
}

/// The value of `webhook-signature`: one signature for each secret. `timestamp` is in seconds. `None` where one of them is
/// no secret.
pub fn sign<'a>(
    secrets: impl IntoIterator<Item = &'a SecretString>,
    id: &str,
    timestamp: u64,
    body: &str,
) -> Option<String> {
    let signatures: Option<Vec<_>> = secrets
        .into_iter()
        .map(|secret| {
            let encoded = secret.expose_secret().strip_prefix(PREFIX)?;
            let key = Zeroizing::new(STANDARD.decode(encoded).ok()?);
            let code = <Hmac<Sha256> as Mac>::new_from_slice(&key).ok()?;
            let code = code.chain_update(format!("{id}.{timestamp}.")).chain_update(body);
            Some(format!("v1,{}", STANDARD.encode(code.finalize().into_bytes())))
        })
        .collect();
    Some(signatures?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification's own libraries.
    #[test]
    fn the_published_vector() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature =
            sign([&secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn one_signature_for_each_secret() {
        let (one, other) = (new_secret(), new_secret());
        let of = |secrets: &[&SecretString]| sign(secrets.iter().copied(), "evt_1", 1, "{}").unwrap();
        assert_eq!(of(&[&one, &other]), format!("{} {}", of(&[&one]), of(&[&other])));
        assert_ne!(of(&[&one]), of(&[&other]));
        assert!(sign([&"whsec_%".into()], "evt_1", 1, "{}").is_none());
    }

    #[test]
    fn a_secret_is_32_bytes_in_base64() {
        let secret = new_secret();
        let encoded = secret.expose_secret().strip_prefix("whsec_").unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap().len(), 32);
    }
}
