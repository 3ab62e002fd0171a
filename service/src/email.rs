//! What counts as a customer's email. The SDKs refuse the same ones before they send anything.

const MAX_LENGTH: usize = 254;
const MAX_LOCAL_LENGTH: usize = 64;

/// Reads the value of `x-user-email`: UTF-8, compared without regard to case.
///
/// # Errors
///
/// What is wrong with it, as the rest of a sentence about it.
pub fn parse(value: &[u8]) -> Result<String, &'static str> {
    let email = std::str::from_utf8(value).map_err(|_| "is not UTF-8")?;
    if email.is_empty() {
        return Err("is empty");
    }
    if email.len() > MAX_LENGTH {
        return Err("is longer than 254 bytes");
    }
    if email.chars().any(is_forbidden) {
        return Err("contains a character that no email has");
    }
    let (local, domain) = email.split_once('@').ok_or("has no @")?;
    if domain.contains('@') {
        return Err("has more than one @");
    }
    if local.is_empty() || local.len() > MAX_LOCAL_LENGTH {
        return Err("must have 1 to 64 bytes before the @");
    }
    if domain.is_empty()
        || domain.starts_with(['.', '-'])
        || domain.ends_with(['.', '-'])
        || domain.contains("..")
    {
        return Err("has no domain after the @");
    }
    Ok(email.to_lowercase())
}

fn is_forbidden(c: char) -> bool {
    c.is_whitespace() || c.is_control() || c == '\u{feff}' || ",;:<>()[]\"\\".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_are_lower_cased() {
        assert_eq!(parse(b"Alice@Example.COM").unwrap(), "alice@example.com");
        assert_eq!(parse("josé@exämple.de".as_bytes()).unwrap(), "josé@exämple.de");
        assert_eq!(parse(b"a@b").unwrap(), "a@b");
    }

    #[test]
    fn anything_else_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}.com", "b".repeat(250));
        for email in [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a@@b",
            "a@b@c",
            "a b@c",
            "a@b c",
            "a@b\n",
            "a\0@b",
            "a,b@c",
            "a@b;c",
            "<a@b>",
            "a@[127.0.0.1]",
            "\"a\"@b",
            "a\\b@c",
            "a@.b",
            "a@b.",
            "a@-b",
            "a@b-",
            "a@b..c",
            "a\u{a0}@b",
            "a\u{feff}@b",
            "a\u{85}@b",
            &long_local,
            &long,
        ] {
            assert!(parse(email.as_bytes()).is_err(), "{email:?}");
        }
        assert!(parse(b"\xff@b").is_err());
    }
}
