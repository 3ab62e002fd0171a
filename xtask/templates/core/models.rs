{% macro rust_type(kind, credential) -%}
{%- if kind is endingwith("?") %}Option<{{ rust_type(kind | trim("?")) }}>
{%- elif kind is startingwith("[") %}Vec<{{ rust_type(kind | trim("[]")) }}>
{%- elif kind is startingwith("{") %}BTreeMap<String, {{ rust_type(kind | trim("{}")) }}>
{%- elif kind == "text" %}String
{%- elif kind == "time" %}Timestamp
{%- elif kind == "flag" %}bool
{%- elif kind == "count" %}u64
{%- elif kind == "secret" %}{{ "SecretString" if credential else "RequestToken" }}
{%- elif kind == "object" %}Map<String, Value>
{%- elif kind == "json" %}Value
{%- else %}{{ kind }}{% endif %}
{%- endmacro %}
//! Apps, connections and request links.
//!
//! {{ generated }}

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{RequestToken, Timestamp};

{% for model in models %}
{% set secrets = model.fields | selectattr("hidden") | list %}
{{ (model.doc ~ ("\n\n" ~ model.more if model.more else "")) | comment(0, "///") }}
#[derive(Clone, {% if not secrets %}Debug, Eq, {% endif %}{% if not model.credential %}PartialEq, Serialize, {% endif %}Deserialize)]
#[non_exhaustive]
pub struct {{ model.name }} {
{% for field in model.fields %}
{{ field.doc | comment(4, "///") }}
{% if field.rename %}
    #[serde(rename = "{{ field.name }}")]
{% endif %}
{% if field.type is endingwith("?") %}
    #[serde(skip_serializing_if = "Option::is_none")]
{% endif %}
    pub {{ field.rename or field.name }}: {{ rust_type(field.type, model.credential) }},
{% endfor %}
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

{% if secrets %}
impl fmt::Debug for {{ model.name }} {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("{{ model.name }}")
{% for field in model.fields %}
            .field("{{ field.name }}", &{% if field.hidden %}format_args!("[redacted]"){% else %}self.{{ field.name }}{% endif %})
{% endfor %}
            .field("extra", &self.extra)
            .finish()
    }
}

{% endif %}
{% endfor %}
{% for word in words %}
open_enum! {
{{ word.doc | comment(4, "///") }}
    {{ word.name }} {
{% for value, doc in word.values | items %}
{{ doc | comment(8, "///") }}
        {{ value | pascal }} = "{{ value }}",
{% endfor %}
    }
}

{% endfor %}

/// What happened: a case for each type of event.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EventData {
{% for event in events %}
{{ ("`" ~ event.type ~ "`: " ~ event.doc) | comment(4, "///") }}
    {{ event.case }}(Box<{{ event.data }}>),
{% endfor %}
    /// A type that this version does not know, as it came.
    Unknown {
        /// The type.
        event_type: String,
        /// What it tells.
        data: Value,
    },
}

impl EventData {
    /// The type on the wire, such as `connection.active`.
    pub fn event_type(&self) -> &str {
        match self {
{% for event in events %}
            Self::{{ event.case }}(_) => "{{ event.type }}",
{% endfor %}
            Self::Unknown { event_type, .. } => event_type,
        }
    }

    pub(crate) fn from_wire(event_type: String, data: Value) -> Result<Self, serde_json::Error> {
        Ok(match event_type.as_str() {
{% for event in events %}
            "{{ event.type }}" => Self::{{ event.case }}(serde_json::from_value(data)?),
{% endfor %}
            _ => Self::Unknown { event_type, data },
        })
    }

    pub(crate) fn to_wire(&self) -> Result<Value, serde_json::Error> {
        match self {
{% for event in events %}
            Self::{{ event.case }}(data) => serde_json::to_value(data),
{% endfor %}
            Self::Unknown { data, .. } => Ok(data.clone()),
        }
    }
}
