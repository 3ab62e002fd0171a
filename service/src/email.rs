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
    Ok(email.chars().flat_map(lower).collect())
}

/// In lower case, except for the few letters that would become plain ASCII and so turn one customer's email into
/// another's, such as the Kelvin sign that becomes a `k`.
fn lower(c: char) -> impl Iterator<Item = char> {
    let keeps = c.is_ascii() || !c.to_lowercase().any(|lower| lower.is_ascii());
    let lower = keeps.then(|| c.to_lowercase());
    let same = (!keeps).then_some(c);
    lower.into_iter().flatten().chain(same)
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
    fn another_customers_email_is_never_the_same() {
        let customer = parse(b"mike@example.com").unwrap();
        for c in ('\u{80}'..=char::MAX).filter(|c| c.to_lowercase().ne([*c])) {
            for other in [format!("m{c}ke@example.com"), format!("mi{c}e@example.com")] {
                assert_ne!(parse(other.as_bytes()), Ok(customer.clone()), "{other}");
            }
        }
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
