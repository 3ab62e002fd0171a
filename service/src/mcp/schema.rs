//! A tool's description, with the schemas of what it takes and gives.

use std::sync::Arc;

use rmcp::handler::server::tool::schema_for_input;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde_json::Value;

use crate::store::Capability;

/// A tool, and the capability that a key needs for it.
#[derive(Debug, Clone)]
pub(super) struct ToolSpec {
    pub(super) tool: Tool,
    pub(super) capability: Capability,
}

/// Describes a tool that takes `I` and gives `O`.
pub(super) fn describe<I: JsonSchema + 'static, O: JsonSchema + 'static>(
    name: &'static str,
    description: &'static str,
    annotations: ToolAnnotations,
    capability: Capability,
) -> ToolSpec {
    // Both types are objects, which is all that could be wrong with them.
    let input = schema_for_input::<I>().unwrap_or_default();
    let tool = Tool::new(name, description, Arc::new(plain(&input)))
        .with_output_schema::<O>()
        .with_annotations(annotations);
    let output = tool.output_schema.as_deref().map(plain).unwrap_or_default();
    let tool = tool.with_raw_output_schema(Arc::new(output));
    ToolSpec { tool, capability }
}

/// Without Rust's own names for the sizes of numbers, which validators of JSON Schema do not know.
fn plain(schema: &JsonObject) -> JsonObject {
    let member = |(name, value): (&String, &Value)| {
        let size = name == "format" && value.as_str().is_some_and(|format| format.starts_with("uint"));
        (!size).then(|| (name.clone(), plain_value(value)))
    };
    schema.iter().filter_map(member).collect()
}

fn plain_value(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(plain(members)),
        Value::Array(items) => items.iter().map(plain_value).collect(),
        other => other.clone(),
    }
}
