//! Compares what came with what a scenario expects, and says where they differ.

use serde_json::{Map, Value};

/// How strictly objects are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Members {
    /// Members that are not expected may be there; an expected null may be absent.
    Some,
    /// Exactly those that are expected.
    All,
}

/// Appends one line per difference to `failures`. `at` names the place.
///
/// Matchers, in the place of a value: `{$between: [1, 3]}`, `{$contains: text}`, `{$prefix: text}`,
/// `{$not: value}` and `{$any: true}` (there, and not null).
pub fn compare(at: &str, expected: &Value, actual: &Value, members: Members, failures: &mut Vec<String>) {
    if let Some(matcher) = matcher(expected) {
        if !matcher.accepts(actual) {
            failures.push(format!("{at}: expected {expected}, got {}", short(actual)));
        }
        return;
    }
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, value) in expected {
                let at = format!("{at}.{name}");
                match actual.get(name) {
                    Some(actual) => compare(&at, value, actual, members, failures),
                    None if members == Members::Some => compare(&at, value, &Value::Null, members, failures),
                    None => failures.push(format!("{at}: expected {value}, but it is not there")),
                }
            }
            if members == Members::All {
                for name in actual.keys().filter(|name| !expected.contains_key(*name)) {
                    failures.push(format!("{at}.{name}: must not be there"));
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            if expected.len() != actual.len() {
                failures.push(format!("{at}: expected {} items, got {}", expected.len(), actual.len()));
            }
            for (i, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(&format!("{at}[{i}]"), expected, actual, members, failures);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        (expected, actual) if expected == actual => {}
        _ => failures.push(format!("{at}: expected {expected}, got {}", short(actual))),
    }
}

/// Long values are cut, so that a failure stays readable.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(400) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

enum Matcher<'a> {
    Between(f64, f64),
    Contains(&'a str),
    Prefix(&'a str),
    Not(&'a Value),
    Any,
    Hold,
    /// A typing error in a scenario must not pass.
    Unknown,
}

fn matcher(expected: &Value) -> Option<Matcher<'_>> {
    let object: &Map<String, Value> = expected.as_object()?;
    let (name, value) = object.iter().next()?;
    if object.len() != 1 || !name.starts_with('$') {
        return None;
    }
    Some(match (name.as_str(), value) {
        ("$between", Value::Array(bounds)) => match bounds.as_slice() {
            [low, high] => match (low.as_f64(), high.as_f64()) {
                (Some(low), Some(high)) => Matcher::Between(low, high),
                _ => Matcher::Unknown,
            },
            _ => Matcher::Unknown,
        },
        ("$contains", Value::String(text)) => Matcher::Contains(text),
        ("$prefix", Value::String(text)) => Matcher::Prefix(text),
        ("$not", value) => Matcher::Not(value),
        ("$any", Value::Bool(true)) => Matcher::Any,
        ("$hold", Value::Bool(true)) => Matcher::Hold,
        _ => Matcher::Unknown,
    })
}

impl Matcher<'_> {
    fn accepts(&self, actual: &Value) -> bool {
        match self {
            Self::Between(low, high) => actual.as_f64().is_some_and(|n| (*low..=*high).contains(&n)),
            Self::Contains(text) => actual.as_str().is_some_and(|actual| actual.contains(text)),
            Self::Prefix(text) => actual.as_str().is_some_and(|actual| actual.starts_with(text)),
            Self::Not(value) => {
                let mut differences = Vec::new();
                compare("", value, actual, Members::Some, &mut differences);
                !differences.is_empty()
            }
            Self::Any => !actual.is_null(),
            Self::Hold => match actual.as_str() {
                None => actual.is_null(),
                Some(text) => {
                    let seconds = text.strip_prefix("wait=").and_then(|n| n.parse::<u32>().ok());
                    seconds.is_some_and(|n| (1..=50).contains(&n))
                }
            },
            Self::Unknown => false,
        }
    }
}
