//! Characters that have no place in what people read: they are invisible, or change the order of what is shown.

use icu_properties::CodePointSetData;
use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint};

/// Whether a name must not hold this character: control characters (C0 and C1), separators of lines and paragraphs,
/// and controls of the writing direction. Joiners stay, since several scripts and emoji need them.
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || CodePointSetData::new::<BidiControl>().contains(c)
}

/// Whether nothing is shown of this character in most places, so that a name with it looks like another without it.
pub fn is_invisible(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// The first `max` characters without any [control](is_control), or `None` where nothing is left to read.
pub fn printable(text: &str, max: usize) -> Option<String> {
    let text: String = text.chars().filter(|c| !is_control(*c)).take(max).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for c in [
            '\0', '\n', '\u{7f}', '\u{85}', '\u{9b}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}',
            '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            assert_eq!(printable(&format!("a{c}b"), 9).as_deref(), Some("ab"), "{c:?}");
        }
        for text in ["क्\u{200d}ष", "می\u{200c}خواهم", "👩\u{200d}👧", "é"] {
            assert_eq!(printable(text, 99).as_deref(), Some(text));
        }
        assert_eq!(printable(" abc", 3).as_deref(), Some("ab"));
        assert_eq!(printable("\u{202e} \n", 9), None);
    }
}
