//! How long a token lives, in every notation that providers use.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// Members that tell a number of seconds. The first names its unit, and is believed before `expires_in`, which some fill
/// with milliseconds beside it.
const SECONDS: [&str; 4] = ["expires_in_sec", "expires_in", "expiresIn", "expires_in_seconds"];
/// Members that tell a time.
const TIMES: [&str; 6] = ["expires_at", "expiresAt", "expires_on", "expires", ".expires", "expiry"];

/// No token lives for so many seconds, about thirty years: a larger number is a time.
const MIN_TIME: f64 = 1e9;
/// A larger number counts milliseconds.
const MIN_MILLISECONDS: f64 = 1e11;
/// A century is as good as for ever, and leaves room for sums.
const MAX_LIFETIME: u64 = 3_200_000_000;

/// The seconds that are left, from the first member of a response that tells something useful.
pub(super) fn expires_in(response: &Map<String, Value>, now: SystemTime) -> Option<u64> {
    SECONDS.iter().chain(&TIMES).find_map(|name| until(response.get(*name)?, now))
}

/// The seconds from `now` that a value tells: a number of them, or a time. A number may be text and have a fraction. Zero
/// and less, and a time that has passed, mean that nothing useful was said.
pub(super) fn until(value: &Value, now: SystemTime) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    let seconds = match (number, value) {
        (Some(seconds), _) if seconds < MIN_TIME => seconds,
        (Some(epoch), _) if epoch < MIN_MILLISECONDS => {
            seconds_until(Duration::try_from_secs_f64(epoch).ok()?, now)?
        }
        (Some(epoch), _) => seconds_until(Duration::try_from_secs_f64(epoch / 1000.0).ok()?, now)?,
        (None, Value::String(text)) => time_of(text.trim())?.duration_since(now).ok()?.as_secs_f64(),
        (None, _) => return None,
    };
    (seconds >= 1.0).then_some(seconds as u64).map(|seconds| seconds.min(MAX_LIFETIME))
}

fn seconds_until(epoch: Duration, now: SystemTime) -> Option<f64> {
    let at = SystemTime::UNIX_EPOCH.checked_add(epoch)?;
    Some(at.duration_since(now).ok()?.as_secs_f64())
}

/// By RFC 3339, without its time zone, which is then UTC, or as HTTP has it.
fn time_of(text: &str) -> Option<SystemTime> {
    let spaced = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let joined = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let at = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        let at = PrimitiveDateTime::parse(text, spaced).or_else(|_| PrimitiveDateTime::parse(text, joined));
        Some(at.ok()?.assume_utc())
    });
    at.map(SystemTime::from).or_else(|| httpdate::parse_http_date(text).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// 2027-01-15 08:00:00 UTC.
    const NOW: u64 = 1_800_000_000;

    fn told(response: &Value) -> Option<u64> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        expires_in(response.as_object().unwrap(), now)
    }

    #[test]
    fn lifetimes_in_every_spelling() {
        for (given, expected) in [
            (json!(3600), Some(3600)),
            (json!("3600"), Some(3600)),
            (json!(" 60 "), Some(60)),
            (json!(3599.99), Some(3599)),
            (json!(0), None),
            (json!(0.5), None),
            (json!(-1), None),
            (json!(null), None),
            (json!("soon"), None),
            (json!(""), None),
            (json!("NaN"), None),
            (json!("inf"), None),
            (json!("-inf"), None),
            (json!(true), None),
            (json!([3600]), None),
            // Times in the place of a lifetime: in seconds, in milliseconds, one that has passed, and nonsense.
            (json!(NOW + 3600), Some(3600)),
            (json!((NOW + 3600) * 1000), Some(3600)),
            (json!(NOW - 1), None),
            (json!(1e300), None),
            (json!("1e308"), None),
        ] {
            assert_eq!(told(&json!({ "expires_in": given })), expected, "{given}");
        }
    }

    #[test]
    fn a_time_of_expiry_in_every_notation() {
        for at in [
            json!(NOW + 3600),
            json!((NOW + 3600).to_string()),
            json!((NOW + 3600) * 1000),
            json!("2027-01-15T09:00:00Z"),
            json!("2027-01-15T10:00:00.000+01:00"),
            json!("2027-01-15 09:00:00"),
            json!("2027-01-15T09:00:00"),
            json!("Fri, 15 Jan 2027 09:00:00 GMT"),
            // Some mean a number of seconds.
            json!(3600),
        ] {
            for name in TIMES {
                assert_eq!(told(&json!({ name: at })), Some(3600), "{name} {at}");
            }
        }
        for at in [json!("2027-01-15T07:00:00Z"), json!("2027-13-15T07:00:00Z"), json!("tomorrow"), json!({})]
        {
            assert_eq!(told(&json!({ "expires_at": at })), None, "{at}");
        }
    }

    #[test]
    fn what_names_its_unit_is_believed_first() {
        // Zoho.
        assert_eq!(told(&json!({"expires_in": 3_600_000, "expires_in_sec": 3600})), Some(3600));
        assert_eq!(told(&json!({"expires_in": null, "expires_in_sec": "3600"})), Some(3600));
        // An absurd one tells nothing, and another member does.
        assert_eq!(told(&json!({"expires_in": 1e300, "expires_at": NOW + 60})), Some(60));
        assert_eq!(told(&json!({"expires_in": -1, "expires_on": (NOW + 60).to_string()})), Some(60));
        assert_eq!(told(&json!({"access_token": "at"})), None);
    }
}
