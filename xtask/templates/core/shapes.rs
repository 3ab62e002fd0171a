{% macro shape(kind) -%}
{%- if kind is endingwith("?") %}Option<{{ shape(kind | trim("?")) }}>
{%- elif kind is startingwith("[") %}Vec<{{ shape(kind | trim("[]")) }}>
{%- elif kind is startingwith("{") %}Members<{{ shape(kind | trim("{}")) }}>
{%- elif kind == "time" %}Time
{%- elif kind == "flag" %}bool
{%- elif kind == "count" %}u64
{%- elif kind == "object" %}Members<IgnoredAny>
{%- elif kind == "json" %}IgnoredAny
{%- elif kind in models | map(attribute="name") %}{{ kind }}Shape
{%- else %}Text{% endif %}
{%- endmacro %}
//! The shapes of what lists hold.
//!
//! {{ generated }}

use serde::de::IgnoredAny;

use super::{Members, Text, Time};
use crate::list::Item;

{% for model in models if model.listed %}
/// The shape of a [`{{ model.name }}`](crate::{{ model.name }}).
#[derive(serde::Deserialize)]
{{ "pub " if model.list }}struct {{ model.name }}Shape {
{% for field in model.fields %}
{% if model.list and (field.name == "id" or (model.cursor and field.name == "connection_id")) %}
    {{ field.name }}: String,
{% else %}
    #[serde(rename = "{{ field.name }}")]
    _{{ field.name }}: {{ shape(field.type) }},
{% endif %}
{% endfor %}
}

{% if model.list %}
impl Item for {{ model.name }}Shape {
    type Shape = Self;
{% if model.cursor %}

    const FOLLOWS_CURSOR: bool = true;
{% endif %}

    fn id(&self) -> &str {
        &self.id
    }
{% if model.cursor %}

    fn scope(&self) -> &str {
        &self.connection_id
    }
{% endif %}
}

{% endif %}
{% endfor %}
