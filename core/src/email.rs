//! Which e-mails name a customer.

use http::HeaderValue;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

use crate::error::{Error, ErrorKind};

const LONGEST: usize = 254; // RFC 5321, section 4.5.3.1.3, less the angle brackets
const MAX_LOCAL_PART: usize = 64; // RFC 5321, section 4.5.3.1.1

/// Checks an e-mail by the contract's rule and gives the value of the `x-user-email` header.
///
/// The rule is narrower than RFC 5321: quoted local parts, everything that could end a header and everything invisible
/// are refused. The service brings what is left into one spelling.
pub(crate) fn header(email: &str) -> Result<HeaderValue, Error> {
    let refused = |why: &str| {
        let message =
            format!("the customer's e-mail {why}; pass the address of your own authenticated session");
        // The very code that the service gives it.
        Error::local(ErrorKind::InvalidUserEmail, message).with_code("invalid_user_email")
    };
    if email.is_empty() {
        return Err(refused("is missing"));
    }
    if email.len() > LONGEST {
        return Err(refused("is longer than 254 bytes"));
    }
    if email.chars().any(is_forbidden) {
        return Err(refused("holds a character that is not allowed"));
    }
    let Some((local, domain)) = email.split_once('@') else {
        return Err(refused("has no @"));
    };
    if local.is_empty() || local.len() > MAX_LOCAL_PART {
        return Err(refused("needs 1 to 64 bytes before the @"));
    }
    let is_edge = |c| c == '.' || c == '-';
    if domain.is_empty()
        || domain.contains('@')
        || domain.starts_with(is_edge)
        || domain.ends_with(is_edge)
        || domain.contains("..")
    {
        return Err(refused("has no valid domain after the @"));
    }
    HeaderValue::from_bytes(email.as_bytes()).map_err(|_| refused("holds a character that is not allowed"))
}

/// White space, control and format characters, whatever else is invisible, and the few that become ASCII in NFC: none of
/// them can be told from what it is not.
fn is_forbidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_whitespace() || c.is_ascii_control() || ",;:<>()[]\\\"".contains(c);
    }
    c.is_whitespace()
        || c.is_control()
        || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || matches!(c, '\u{37e}' | '\u{1fef}' | '\u{212a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shared_with_the_service_holds() {
        let table = include_str!("../../tests/emails.json");
        let table: serde_json::Value = serde_json::from_str(table).unwrap();
        for row in table["accepted"].as_array().unwrap() {
            let email = row["email"].as_str().unwrap();
            assert_eq!(header(email).unwrap().as_bytes(), email.as_bytes());
        }
        for row in table["refused"].as_array().unwrap() {
            let email = row["email"].as_str().unwrap();
            let error = header(email).expect_err(row["why"].as_str().unwrap());
            assert_eq!(error.code(), Some("invalid_user_email"));
        }
    }

    #[test]
    fn plain_tagged_and_unicode_addresses_are_accepted() {
        for email in ["a@b", "alice+work@example.com", "o'brien@mail.example.co.uk", "jürgen@bücher.example"]
        {
            assert_eq!(header(email).unwrap().as_bytes(), email.as_bytes());
        }
        let longest = format!("{}@{}", "a".repeat(64), "b".repeat(254 - 65));
        assert!(header(&longest).is_ok());
        assert!(header(&format!("{longest}b")).is_err());
    }

    #[test]
    fn everything_else_is_refused_without_repeating_it() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        for email in [
            "",
            "alice",
            "@example.com",
            "alice@",
            "a@b@c",
            "a b@c",
            "a@b\r\nx: y",
            "a@b\0",
            "a,b@c",
            "a@.b",
            "a@b.",
            "a@-b",
            "a@b-",
            "a@b..c",
            "\"a\"@b",
            "<a@b>",
            "a@[::1]",
            "a\\@b",
            "a\u{a0}b@c",
            &long_local,
        ] {
            let error = header(email).expect_err(email);
            assert_eq!(error.kind(), ErrorKind::InvalidUserEmail);
            assert_eq!(error.code(), Some("invalid_user_email"));
            assert!(email.len() < 4 || !error.to_string().contains(email));
        }
    }
}
