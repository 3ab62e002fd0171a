//! JSON of which every member is read that can be. One that no program can read, such as a number that is too large,
//! must not lose the tokens beside it.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};

/// Depth to which a member that cannot be read is searched for what can.
const MAX_DEPTH: u8 = 8;

/// The object at the beginning of a text; what follows it is ignored. A member that cannot be read is `null`, and of two
/// with one name the last is taken.
pub(super) fn object(text: &str) -> Option<Map<String, Value>> {
    let whole = Map::deserialize(&mut Deserializer::from_str(text));
    whole.ok().or_else(|| members(text, MAX_DEPTH))
}

fn members(text: &str, depth: u8) -> Option<Map<String, Value>> {
    let members = HashMap::<String, &RawValue>::deserialize(&mut Deserializer::from_str(text)).ok()?;
    let read = |(name, raw): (String, &RawValue)| (name, value(raw.get(), depth - 1));
    Some(members.into_iter().map(read).collect())
}

fn value(text: &str, depth: u8) -> Value {
    if let Ok(value) = serde_json::from_str(text) {
        return value;
    }
    let is_object = text.starts_with('{') && depth > 0;
    is_object.then(|| members(text, depth)).flatten().map_or(Value::Null, Value::Object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_that_cannot_be_read_loses_no_other() {
        for (text, expected) in [
            (r#"{"a":"b"}"#, json!({"a": "b"})),
            (r#"{"a":"b","n":1e999}"#, json!({"a": "b", "n": null})),
            (r#"{"d":{"n":-1e999,"a":"b"}}"#, json!({"d": {"n": null, "a": "b"}})),
            (r#"{"l":[1e999],"a":"b"}"#, json!({"l": null, "a": "b"})),
            (r#"{"a":"b","a":"c","n":1e999}"#, json!({"a": "c", "n": null})),
            (r#"{"a":"\ud800","b":"c"}"#, json!({"a": null, "b": "c"})),
            ("{\"a\":\"b\"}\n\0junk", json!({"a": "b"})),
        ] {
            assert_eq!(object(text).map(Value::Object), Some(expected), "{text}");
        }
        let deep = format!(r#"{{"deep":{}{},"a":"b"}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(object(&deep).unwrap()["a"], "b");
        for text in ["", "{", r#"{"a":"b""#, r#"{"a":"b","#, r#"{"a" "b"}"#, "[]", r#"{"a":1e999"#] {
            assert_eq!(object(text), None, "{text}");
        }
    }
}
