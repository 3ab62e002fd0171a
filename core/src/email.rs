//! Which e-mails name a customer.

use http::HeaderValue;

use crate::error::{Error, ErrorKind};

const LONGEST: usize = 254; // RFC 5321, section 4.5.3.1.3, less the angle brackets
const LONGEST_LOCAL_PART: usize = 64; // RFC 5321, section 4.5.3.1.1

/// Checks an e-mail by the contract's rule and gives the value of the `x-user-email` header.
///
/// The rule is narrower than RFC 5321: quoted local parts and everything that could end a header are refused.
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
    if email
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || ",;:<>()[]\\\"".contains(c))
    {
        return Err(refused("holds a character that is not allowed"));
    }
    let Some((local, domain)) = email.split_once('@') else {
        return Err(refused("has no @"));
    };
    if local.is_empty() || local.len() > LONGEST_LOCAL_PART {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_tagged_and_unicode_addresses_are_accepted() {
        for email in [
            "a@b",
            "alice+work@example.com",
            "o'brien@mail.example.co.uk",
            "jürgen@bücher.example",
        ] {
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
