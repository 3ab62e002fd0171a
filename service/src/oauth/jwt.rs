//! JSON Web Tokens, signed with a customer's key (RFC 7515, RFC 7519).

use base64::Engine;
use base64::alphabet::{STANDARD as STANDARD_ALPHABET, URL_SAFE as URL_SAFE_ALPHABET};
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use secrecy::SecretString;
use serde_json::{Map, Value};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::catalogue::{JwtAlgorithm, KeyEncoding};

/// With padding or without.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The token with these members; `None` where the key is none of this algorithm's.
pub(super) fn sign(
    algorithm: JwtAlgorithm,
    encoding: KeyEncoding,
    key: &str,
    mut header: Map<String, Value>,
    claims: Map<String, Value>,
) -> Option<SecretString> {
    header.entry("typ").or_insert_with(|| "JWT".into());
    header.insert("alg".into(), algorithm.as_str().into());
    let part = |members: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(members).to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = signature(algorithm, encoding, key, message.as_bytes())?;
    Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
}

fn signature(algorithm: JwtAlgorithm, encoding: KeyEncoding, key: &str, message: &[u8]) -> Option<Vec<u8>> {
    let random = SystemRandom::new();
    match algorithm {
        JwtAlgorithm::Rs256 => {
            let der = private_key(key)?;
            // PKCS #8, or PKCS #1 as older tools write it.
            let pair = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der)).ok()?;
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
            Some(signature)
        }
        JwtAlgorithm::Es256 => {
            let der = private_key(key)?;
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).ok()?;
            Some(pair.sign(&random, message).ok()?.as_ref().to_vec())
        }
        JwtAlgorithm::Hs256 => {
            let key = symmetric_key(encoding, key)?;
            let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).ok()?;
            mac.update(message);
            Some(mac.finalize().into_bytes().to_vec())
        }
    }
}

/// A private key in PEM (RFC 7468). Line breaks may be anything that a form or a JSON file makes of them.
pub(crate) fn private_key(pem: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let body = Zeroizing::new(body.replace("\\n", ""));
    let body: Zeroizing<String> = Zeroizing::new(body.chars().filter(|c| !c.is_whitespace()).collect());
    let is_key = label.ends_with("PRIVATE KEY") && !label.contains("ENCRYPTED") && !body.is_empty();
    is_key.then(|| STANDARD.decode(body.as_bytes()).ok()).flatten().map(Zeroizing::new)
}

fn symmetric_key(encoding: KeyEncoding, key: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = match encoding {
        KeyEncoding::Text => Some(key.as_bytes().to_vec()),
        KeyEncoding::Hex => {
            let digits: Option<Vec<u32>> = key.chars().map(|c| c.to_digit(16)).collect();
            let pairs = digits.filter(|digits| digits.len() % 2 == 0)?;
            pairs.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
        }
        KeyEncoding::Base64 => {
            let is_url_safe = key.contains(['-', '_']);
            let alphabet = if is_url_safe { &URL_SAFE_ALPHABET } else { &STANDARD_ALPHABET };
            GeneralPurpose::new(alphabet, LENIENT).decode(key).ok()
        }
    };
    bytes.filter(|bytes| !bytes.is_empty()).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, KeyPair, UnparsedPublicKey};
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn claims() -> Map<String, Value> {
        json!({"iss": "me", "exp": 7}).as_object().unwrap().clone()
    }

    fn signed(algorithm: JwtAlgorithm, encoding: KeyEncoding, key: &str) -> Option<String> {
        let token = sign(algorithm, encoding, key, Map::new(), claims())?;
        Some(token.expose_secret().to_owned())
    }

    /// A key for ES256 in PEM, and the pair.
    fn es256() -> (String, Vec<u8>) {
        let random = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let body = STANDARD.encode(der.as_ref());
        let lines: Vec<_> =
            body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref(), &random).unwrap();
        (pem, pair.public_key().as_ref().to_vec())
    }

    #[test]
    fn a_token_has_three_parts_and_a_signature_that_holds() {
        let (pem, public) = es256();
        // As a file has it, as a text box leaves it, as a JSON file writes it, and with Windows' line breaks.
        for pem in [pem.clone(), pem.replace('\n', ""), pem.replace('\n', "\\n"), pem.replace('\n', "\r\n")] {
            let token = signed(JwtAlgorithm::Es256, KeyEncoding::Text, &pem).unwrap();
            let parts: Vec<_> = token.split('.').collect();
            let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
            let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
            assert_eq!(header, json!({"alg": "ES256", "typ": "JWT"}));
            assert_eq!(serde_json::from_slice::<Value>(&decode(parts[1])).unwrap(), Value::Object(claims()));
            let message = format!("{}.{}", parts[0], parts[1]);
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &public);
            key.verify(message.as_bytes(), &decode(parts[2])).unwrap();
        }
    }

    /// RFC 7515, appendix A.1: the same key, and a signature that another implementation agrees with.
    #[test]
    fn a_symmetric_key_is_read_as_it_is_written() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let made = signature(JwtAlgorithm::Hs256, KeyEncoding::Base64, key, message.as_bytes()).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(made), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");

        let text = signed(JwtAlgorithm::Hs256, KeyEncoding::Text, "key");
        assert!(text.is_some());
        assert_eq!(signed(JwtAlgorithm::Hs256, KeyEncoding::Hex, "6b6579"), text);
        assert_eq!(signed(JwtAlgorithm::Hs256, KeyEncoding::Hex, "6B6579"), text);
        assert_eq!(signed(JwtAlgorithm::Hs256, KeyEncoding::Base64, "a2V5"), text);
    }

    /// By `printf message | openssl dgst -sha256 -sign rsa_pkcs8.pem`, in URL-safe base64.
    #[test]
    fn an_rsa_key_signs_as_openssl_does() {
        let expected = include_str!("testdata/rsa_signature.txt").trim();
        for pem in [include_str!("testdata/rsa_pkcs8.pem"), include_str!("testdata/rsa_pkcs1.pem")] {
            let made = signature(JwtAlgorithm::Rs256, KeyEncoding::Text, pem, b"message").unwrap();
            assert_eq!(URL_SAFE_NO_PAD.encode(made), expected);
            assert_eq!(signed(JwtAlgorithm::Es256, KeyEncoding::Text, pem), None);
        }
    }

    #[test]
    fn what_is_no_key_signs_nothing() {
        let (pem, _) = es256();
        let begin = "-----BEGIN PRIVATE KEY-----";
        let end = "-----END PRIVATE KEY-----";
        for key in [
            "",
            "s3cret",
            &pem.replace("PRIVATE", "PUBLIC"),
            &pem.replace("PRIVATE", "ENCRYPTED PRIVATE"),
            &pem.replace("BEGIN", "START"),
            &pem[..100],
            &format!("{begin}{end}"),
            &format!("{begin}!!!!{end}"),
            &format!("{begin}AAAA{end}"),
        ] {
            for algorithm in [JwtAlgorithm::Es256, JwtAlgorithm::Rs256] {
                assert_eq!(signed(algorithm, KeyEncoding::Text, key), None, "{key}");
            }
        }
        // A key of another algorithm.
        assert_eq!(signed(JwtAlgorithm::Rs256, KeyEncoding::Text, &pem), None);
        for (encoding, key) in [
            (KeyEncoding::Text, ""),
            (KeyEncoding::Hex, "6b657"),
            (KeyEncoding::Hex, "zz"),
            (KeyEncoding::Hex, "é"),
            (KeyEncoding::Base64, "a2V5!"),
            (KeyEncoding::Base64, ""),
        ] {
            assert_eq!(signed(JwtAlgorithm::Hs256, encoding, key), None, "{encoding:?} {key}");
        }
    }
}
