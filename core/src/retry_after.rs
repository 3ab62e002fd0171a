//! `Retry-After` in both of its forms (RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// How long to wait: `None` where the header is missing or makes no sense, zero where the time is past.
///
/// A date is compared with the response's own `Date`, so that a wrong clock here does no harm; `now` serves where
/// there is none.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still a wish to wait for very long.
        return Some(Duration::from_secs(text.parse().unwrap_or(u32::MAX.into())));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(server_time(headers, now)).unwrap_or_default())
}

/// The time by the service's clock when it answered.
pub(crate) fn server_time(headers: &HeaderMap, now: SystemTime) -> SystemTime {
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn parse(value: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        // Thu, 01 Jan 1970 00:01:40 GMT
        retry_after(&headers, UNIX_EPOCH + Duration::from_secs(100))
    }

    #[test]
    fn seconds() {
        assert_eq!(parse("0", None), Some(Duration::ZERO));
        assert_eq!(parse("604800", None), Some(Duration::from_secs(604_800)));
        assert_eq!(parse("99999999999999999999999", None), Some(Duration::from_secs(u32::MAX.into())));
    }

    #[test]
    fn dates() {
        assert_eq!(parse("Thu, 01 Jan 1970 00:02:00 GMT", None), Some(Duration::from_secs(20)));
        assert_eq!(parse("Thu, 01 Jan 1970 00:00:10 GMT", None), Some(Duration::ZERO));
        let date = Some("Thu, 01 Jan 1970 00:01:55 GMT");
        assert_eq!(parse("Thu, 01 Jan 1970 00:02:00 GMT", date), Some(Duration::from_secs(5)));
    }

    #[test]
    fn nonsense() {
        for value in ["", "-1", "+5", "1.5", "soon", "5 seconds"] {
            assert_eq!(parse(value, None), None, "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), UNIX_EPOCH), None);
    }
}
