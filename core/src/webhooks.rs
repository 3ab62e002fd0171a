//! Webhooks: whether a request that claims to be one was signed with your endpoint's secret, and the event that it brings.
//!
//! The scheme is Standard Webhooks 1.0 (<https://www.standardwebhooks.com>), symmetric: `webhook-signature` holds
//! `v1,` and the HMAC-SHA256 of `webhook-id`, `webhook-timestamp` and the body, joined by full stops.
//!
//! A request that fails to verify is anybody's: respond with 400 and do nothing that it says. An event may be brought
//! twice; its [`id`](Event::id) is the same.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use ring::hmac;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::model::Event;

/// How far the sender's clock and the receiver's may differ, transport included.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

const SECRET_PREFIX: &str = "whsec_";
/// Minimum size of a key in bytes, as Standard Webhooks has it. What is shorter, such as a word, could be guessed.
const MIN_KEY_SIZE: usize = 24;
const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// Verifies a request and gives its event. `body` must be the bytes that came: what was parsed and written again is no
/// longer what was signed. With several secrets, one of them must fit, as while the endpoint's secret is rotated.
///
/// ```
/// use pabbly_connect::{Error, Event, webhooks};
///
/// fn receive(headers: &http::HeaderMap, body: &[u8], secret: &str) -> Result<Event, Error> {
///     webhooks::verify(headers, body, [secret])
/// }
/// ```
///
/// # Errors
/// [`Error::WebhookVerification`] where the request is no webhook of this endpoint; its [`code`](Error::code) says why.
/// [`Error::InvalidArgument`] where a secret is none, which is at least 24 bytes in base64, or none is given.
pub fn verify<S: AsRef<str>>(
    headers: &HeaderMap,
    body: &[u8],
    secrets: impl IntoIterator<Item = S>,
) -> Result<Event, Error> {
    verify_received_at(headers, body, secrets, SystemTime::now())
}

/// The same for a request that was kept for a while: `received_at` says when it came.
///
/// # Errors
/// As [`verify`].
pub fn verify_received_at<S: AsRef<str>>(
    headers: &HeaderMap,
    body: &[u8],
    secrets: impl IntoIterator<Item = S>,
    received_at: SystemTime,
) -> Result<Event, Error> {
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    event(headers, body, secrets, received_at)
}

/// Verifies a request whose headers may be spelled in any case.
pub(crate) fn event<'a, S: AsRef<str>>(
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    body: &[u8],
    secrets: impl IntoIterator<Item = S>,
    received_at: SystemTime,
) -> Result<Event, Error> {
    let keys = keys(secrets)?;
    let [id, timestamp, signatures] = claims(headers)?;
    let signed_at = seconds(timestamp)?;

    let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    if !keys.iter().any(|key| is_signed(&message, key, signatures)) {
        return Err(refused("bad_signature", "no signature of the webhook was made with this secret"));
    }
    let now = received_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // What is no whole second of the sender's counts for the sender.
    if now.as_secs() > signed_at.saturating_add(TOLERANCE.as_secs()) {
        return Err(refused("too_old", "the webhook was signed more than five minutes ago"));
    }
    if signed_at > now.saturating_add(TOLERANCE).as_secs() {
        return Err(refused("too_new", "the webhook was signed more than five minutes in the future"));
    }
    // serde's own text is left out, since it quotes values.
    serde_json::from_slice(body).map_err(|_| malformed("the webhook's body is no event"))
}

/// The keys that the secrets hold.
fn keys<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Result<Vec<hmac::Key>, Error> {
    let key = |secret: S| {
        let secret = secret.as_ref().trim();
        let decoded =
            STANDARD.decode(secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret)).map(Zeroizing::new);
        let decoded = decoded.ok().filter(|decoded| decoded.len() >= MIN_KEY_SIZE).ok_or_else(|| {
            Error::invalid_argument(
                "the webhook's secret is not what the service gave: whsec_ and at least 24 bytes in base64",
            )
        })?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &decoded))
    };
    let keys: Vec<_> = secrets.into_iter().map(key).collect::<Result<_, Error>>()?;
    if keys.is_empty() {
        return Err(Error::invalid_argument("a webhook is verified with at least one secret"));
    }
    Ok(keys)
}

/// The id, the timestamp and the signatures that the headers claim.
fn claims<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<[&'a str; 3], Error> {
    let names = [ID, TIMESTAMP, SIGNATURE];
    let mut values = [None; 3];
    for (name, value) in headers {
        let Some(index) = names.iter().position(|known| known.eq_ignore_ascii_case(name)) else { continue };
        let text = std::str::from_utf8(value).map_err(|_| malformed("a header of the webhook is no text"))?;
        if values[index].replace(text).is_some() {
            return Err(malformed("a header of the webhook came twice"));
        }
    }
    let [Some(id), Some(timestamp), Some(signatures)] = values else {
        return Err(refused(
            "missing_header",
            "the webhook lacks webhook-id, webhook-timestamp or webhook-signature",
        ));
    };
    Ok([id, timestamp, signatures])
}

/// Seconds since 1970, as the header has them: digits and nothing else.
fn seconds(timestamp: &str) -> Result<u64, Error> {
    let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = timestamp.parse().ok().filter(|_| digits);
    seconds.ok_or_else(|| malformed("the webhook's timestamp is no number of seconds"))
}

/// Whether one of the signatures is the key's. The texts are not compared themselves but by a MAC of each, so that the time
/// that it takes tells nothing; a forger's many signatures cost a few bytes' MAC each, however long the body is.
fn is_signed(message: &[&[u8]], key: &hmac::Key, signatures: &str) -> bool {
    let mut context = hmac::Context::with_key(key);
    message.iter().for_each(|part| context.update(part));
    let expected = STANDARD.encode(context.sign());
    signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).any(|signature| {
        let mac = hmac::sign(key, signature.as_bytes());
        hmac::verify(key, expected.as_bytes(), mac.as_ref()).is_ok()
    })
}

fn refused(code: &str, message: &str) -> Error {
    Error::local(ErrorKind::WebhookVerification, message).with_code(code)
}

fn malformed(message: &str) -> Error {
    refused("malformed_webhook", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const BODY: &[u8] =
        br#"{"id":"evt_1","type":"webhook.test","timestamp":"2026-11-29T12:00:00Z","cursor":"","data":{}}"#;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn signature(secret: &str, timestamp: &str) -> String {
        let key = &keys([secret]).unwrap()[0];
        let mut context = hmac::Context::with_key(key);
        [b"evt_1.", timestamp.as_bytes(), b".", BODY].iter().for_each(|part| context.update(part));
        format!("v1,{}", STANDARD.encode(context.sign()))
    }

    /// How a webhook of this time is received at another: with no code, or with one.
    fn code(timestamp: &str, signature: &str, received_at: SystemTime) -> Option<String> {
        let headers =
            [(ID, "evt_1".as_bytes()), (TIMESTAMP, timestamp.as_bytes()), (SIGNATURE, signature.as_bytes())];
        let outcome = event(headers.into_iter(), BODY, [SECRET], received_at);
        outcome.err().map(|error| {
            assert_eq!(error.kind(), ErrorKind::WebhookVerification);
            error.code().unwrap().to_owned()
        })
    }

    #[test]
    fn five_minutes_are_tolerated_in_both_directions() {
        let signature = signature(SECRET, "1000");
        let code = |now| code("1000", &signature, at(now));
        assert_eq!(code(1300), None);
        assert_eq!(code(1301).as_deref(), Some("too_old"));
        assert_eq!(code(700), None);
        assert_eq!(code(699).as_deref(), Some("too_new"));
    }

    #[test]
    fn a_timestamp_is_digits_alone() {
        for timestamp in ["", "-1", "+1000", "1000.0", " 1000", "1e3", "99999999999999999999"] {
            let code = code(timestamp, &signature(SECRET, timestamp), at(1000));
            assert_eq!(code.as_deref(), Some("malformed_webhook"), "{timestamp}");
        }
        let latest = u64::MAX.to_string();
        assert_eq!(code(&latest, &signature(SECRET, &latest), at(1000)).as_deref(), Some("too_new"));
    }

    #[test]
    fn only_signatures_of_the_known_kind_count() {
        let good = signature(SECRET, "1000");
        let encoded = good.strip_prefix("v1,").unwrap();
        for (signatures, verified) in [
            (good.clone(), true),
            (format!("v1a,AAAA {good}"), true),
            (format!("{good} v1,AAAA"), true),
            (format!("v1,{} {good}", "A".repeat(44)), true),
            (format!("v2,{encoded}"), false),
            (encoded.to_owned(), false),
            (format!("V1,{encoded}"), false),
            (good.trim_end_matches('=').to_owned(), false),
            (format!("v1,{encoded}x"), false),
            ("v1,".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(code("1000", &signatures, at(1000)).is_none(), verified, "{signatures}");
        }
    }

    #[test]
    fn a_header_comes_once_and_in_any_case() {
        let signature = signature(SECRET, "1000");
        let id = ("Webhook-ID", "evt_1".as_bytes());
        let rest = [("WEBHOOK-TIMESTAMP", "1000".as_bytes()), (SIGNATURE, signature.as_bytes())];
        let verify = |headers: &[(&'static str, &[u8])]| {
            let headers = headers.iter().map(|(name, value)| (*name, *value));
            event(headers, BODY, [SECRET], at(1000)).map_err(|error| error.code().unwrap().to_owned())
        };
        assert_eq!(verify(&[id, rest[0], rest[1]]).unwrap().id, "evt_1");
        assert_eq!(verify(&[id, rest[0], rest[1], (ID, b"evt_1")]).unwrap_err(), "malformed_webhook");
        assert_eq!(verify(&[(ID, b"\xff"), rest[0], rest[1]]).unwrap_err(), "malformed_webhook");
        assert_eq!(verify(&[rest[0], rest[1]]).unwrap_err(), "missing_header");
    }

    #[test]
    fn a_secret_that_is_none_is_refused_and_not_repeated() {
        let verify = |secrets: &[&str]| verify(&HeaderMap::new(), BODY, secrets).unwrap_err();
        // The last two are short: 6 bytes, and 23.
        let short = STANDARD.encode([b'x'; 23]);
        for secrets in
            [&[][..], &[""], &["whsec_"], &["whsec_canary!"], &[SECRET, "canary!"], &["changeme"], &[&short]]
        {
            let error = verify(secrets);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{secrets:?}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        assert_eq!(verify(&[SECRET]).code(), Some("missing_header"));
        assert_eq!(verify(&[SECRET.strip_prefix(SECRET_PREFIX).unwrap()]).code(), Some("missing_header"));
    }
}
