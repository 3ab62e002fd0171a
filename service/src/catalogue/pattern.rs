//! Regular expressions of catalogue files.

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// A regular expression, matched in time linear to the text. Unanchored, as in JSON Schema.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Regex);

/// No pattern compiles to more bytes.
const MAX_BYTES: usize = 1 << 20;

impl Pattern {
    /// Whether it matches somewhere in the text.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let regex = RegexBuilder::new(&text).size_limit(MAX_BYTES).build();
        regex.map(Self).map_err(|error| format!("`{text}` is no usable pattern: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_too_large_or_wrong_is_refused() {
        let pattern = |text: &str| Pattern::try_from(text.to_owned());
        assert!(pattern("^[a-f0-9]{32}$").unwrap().matches(&"0f".repeat(16)));
        for text in ["(", r"(a)\1", "(?=a)", &"(a{999}){999}".repeat(2)] {
            assert!(pattern(text).is_err(), "{text}");
        }
    }
}
