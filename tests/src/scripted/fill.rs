//! `{{name}}` in scenarios: what is different in every session (the canaries, addresses, dates).

use serde_json::Value;

/// Replaces `{{name}}` in every string of `value`; a string that is nothing else takes the value's type.
/// Names that `find` does not know stay as they are.
pub fn fill(value: &Value, find: &dyn Fn(&str) -> Option<Value>) -> Value {
    match value {
        Value::String(text) => fill_text(text, find),
        Value::Array(items) => items.iter().map(|item| fill(item, find)).collect(),
        Value::Object(members) => {
            let filled = members.iter().map(|(name, member)| {
                let name = match fill_text(name, find) {
                    Value::String(name) => name,
                    other => other.to_string(),
                };
                (name, fill(member, find))
            });
            Value::Object(filled.collect())
        }
        other => other.clone(),
    }
}

/// As [`fill`], for one text that stays a text.
pub fn text(text: &str, find: &dyn Fn(&str) -> Option<Value>) -> String {
    match fill_text(text, find) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn fill_text(text: &str, find: &dyn Fn(&str) -> Option<Value>) -> Value {
    let whole = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    if let Some(name) = whole
        && !name.contains("{{")
        && let Some(value) = find(name.trim())
    {
        return value;
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        match find(name.trim()) {
            Some(Value::String(value)) => out.push_str(&value),
            Some(value) => out.push_str(&value.to_string()),
            None => {
                out.push_str("{{");
                out.push_str(name);
                out.push_str("}}");
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Value::String(out)
}
