//! What counts as a customer's email. The SDKs refuse the same ones before they send anything; `tests/emails.json` is
//! the table that both are tested by.

use icu_normalizer::ComposingNormalizer;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

use crate::text;

const MAX_LENGTH: usize = 254;
const MAX_LOCAL_LENGTH: usize = 64;

/// Reads the value of `x-user-email`: UTF-8, compared in lower case and Unicode's composed form (NFC), so that one address
/// is one customer however it is spelled.
///
/// # Errors
///
/// What is wrong with it, as the rest of a sentence about it.
pub fn parse(value: &[u8]) -> Result<String, &'static str> {
    let email = std::str::from_utf8(value).map_err(|_| "is not UTF-8")?;
    if email.is_empty() {
        return Err("is empty");
    }
    check_lengths(email)?;
    if email.chars().any(is_forbidden) {
        return Err("contains a character that no email has");
    }
    let (local, domain) = email.split_once('@').ok_or("has no @")?;
    if domain.contains('@') {
        return Err("has more than one @");
    }
    if local.is_empty() {
        return Err("must have 1 to 64 bytes before the @");
    }
    if domain.is_empty()
        || domain.starts_with(['.', '-'])
        || domain.ends_with(['.', '-'])
        || domain.contains("..")
    {
        return Err("has no domain after the @");
    }
    let spelling = one_spelling(email);
    // The composed form of some letters is longer.
    check_lengths(&spelling)?;
    Ok(spelling)
}

fn check_lengths(email: &str) -> Result<(), &'static str> {
    if email.len() > MAX_LENGTH {
        return Err("is longer than 254 bytes");
    }
    if email.find('@').is_some_and(|length| length > MAX_LOCAL_LENGTH) {
        return Err("must have 1 to 64 bytes before the @");
    }
    Ok(())
}

/// The address in ASCII (Punycode, as in domain names), where it has other letters: a Cyrillic, fullwidth or mathematical
/// letter can make it look like the address of somebody else.
pub fn ascii_form(email: &str) -> Option<String> {
    (!email.is_ascii()).then(|| email.split_inclusive(['@', '.']).map(ascii_label).collect())
}

/// A label with the `@` or `.` that may end it.
fn ascii_label(label: &str) -> String {
    if label.is_ascii() {
        return label.to_owned();
    }
    let end = label.rfind(['@', '.']).unwrap_or(label.len());
    let (label, separator) = label.split_at(end);
    // Only a text of 4 GiB cannot be encoded.
    let ascii = idna::punycode::encode_str(label).unwrap_or_default();
    format!("xn--{ascii}{separator}")
}

fn one_spelling(email: &str) -> String {
    if email.is_ascii() {
        return email.to_ascii_lowercase();
    }
    let nfc = ComposingNormalizer::new_nfc();
    let lower: String = nfc.normalize(email).chars().flat_map(lower).collect();
    // A small letter can have a composed form where its capital has none.
    nfc.normalize(&lower).into_owned()
}

/// In lower case, except for the dotted capital I (U+0130): its small form begins with a plain `i`, which would turn one
/// customer's email into another's.
fn lower(c: char) -> impl Iterator<Item = char> {
    let keeps = c.is_ascii() || !c.to_lowercase().any(|lower| lower.is_ascii());
    let lower = keeps.then(|| c.to_lowercase());
    let same = (!keeps).then_some(c);
    lower.into_iter().flatten().chain(same)
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
        || text::is_invisible(c)
        || matches!(c, '\u{37e}' | '\u{1fef}' | '\u{212a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> serde_json::Value {
        serde_json::from_str(include_str!("../../tests/emails.json")).unwrap()
    }

    #[test]
    fn the_table_shared_with_the_sdk_holds() {
        for row in table()["accepted"].as_array().unwrap() {
            let (email, customer) = (row["email"].as_str().unwrap(), row["customer"].as_str().unwrap());
            assert_eq!(parse(email.as_bytes()), Ok(customer.to_owned()));
        }
        for row in table()["refused"].as_array().unwrap() {
            let email = row["email"].as_str().unwrap();
            assert!(parse(email.as_bytes()).is_err(), "{}", row["why"]);
        }
        assert!(parse(b"\xff@b").is_err());
    }

    /// Whatever a customer's address is spelled like, its one spelling is accepted again and names the same customer.
    #[test]
    fn the_spelling_of_a_customer_is_the_only_one() {
        // Without the many ideographs and syllables that have neither case nor marks.
        let chars = ('\u{80}'..'\u{3400}').chain('\u{a000}'..'\u{ac00}').chain('\u{f900}'..'\u{20000}');
        for c in chars {
            for email in [format!("m{c}ke@example.com"), format!("a{c}\u{301}\u{30c}@example.com")] {
                if let Ok(customer) = parse(email.as_bytes()) {
                    assert_eq!(parse(customer.as_bytes()).as_ref(), Ok(&customer), "{c:?}");
                }
            }
        }
    }

    #[test]
    fn lengths_hold_for_the_composed_form() {
        // Three bytes that become six.
        let longer = '\u{958}';
        let local = |count| format!("{}@example.com", longer.to_string().repeat(count));
        assert!(parse(local(10).as_bytes()).is_ok());
        assert_eq!(parse(local(11).as_bytes()), Err("must have 1 to 64 bytes before the @"));
        let domain = |count| format!("a@{}", longer.to_string().repeat(count));
        assert!(parse(domain(42).as_bytes()).is_ok());
        assert_eq!(parse(domain(43).as_bytes()), Err("is longer than 254 bytes"));
    }

    #[test]
    fn letters_that_look_alike_have_an_ascii_form() {
        assert_eq!(ascii_form("alice@example.com"), None);
        for look_alike in ["аlice", "ａlice", "𝖺lice", "ɑlice", "alıce", "ｅxample", "jürgen"] {
            let ascii = ascii_form(&format!("{look_alike}@example.com")).unwrap();
            assert!(
                ascii.is_ascii() && ascii.starts_with("xn--") && ascii.ends_with("@example.com"),
                "{ascii}"
            );
        }
        assert_eq!(ascii_form("a@bücher.example").as_deref(), Some("a@xn--bcher-kva.example"));
    }

    #[test]
    fn another_customers_email_is_never_the_same() {
        let customer = parse(b"mike@example.com").unwrap();
        let nfc = ComposingNormalizer::new_nfc();
        let changes = |c: &char| {
            c.to_lowercase().ne([*c]) || nfc.normalize(c.encode_utf8(&mut [0; 4])).chars().ne([*c])
        };
        for c in ('\u{80}'..=char::MAX).filter(changes) {
            for other in
                [format!("m{c}ke@example.com"), format!("mi{c}e@example.com"), format!("mike{c}@example.com")]
            {
                assert_ne!(parse(other.as_bytes()), Ok(customer.clone()), "{other}");
            }
        }
    }
}
