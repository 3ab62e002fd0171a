//! The options of `createRequestLink`.
//!
//! {{ generated }}

use serde::Serialize;

use super::CreateRequestLink;

{% set method = methods | selectattr("name", "eq", "createRequestLink") | first %}
{% set types = {"text": "String", "texts": "Vec<String>", "flag": "bool", "count": "u64", "seconds": "u64"} %}
/// The body of the call, named as on the wire.
#[derive(Default, Serialize)]
pub(super) struct Body {
{% for option in method.options if option.rust != "header" %}
    {% if option.required %}
    pub(super) {{ option.snake }}: {{ types[option.type] }},
    {% else %}
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) {{ option.snake }}: Option<{{ types[option.type] }}>,
    {% endif %}
{% endfor %}
}

impl CreateRequestLink {
{% for option in method.options if option.rust != "argument" %}
{{ option.docs | comment(4, "///") }}
{% set place = "self" if option.rust == "header" else "self.body" %}
    {% if option.type == "text" %}
    pub fn {{ option.snake }}(mut self, {{ option.snake }}: impl Into<String>) -> Self {
        {{ place }}.{{ option.snake }} = Some({{ option.snake }}.into());
    {% elif option.type == "texts" %}
    pub fn {{ option.snake }}<T: Into<String>>(mut self, {{ option.snake }}: impl IntoIterator<Item = T>) -> Self {
        {{ place }}.{{ option.snake }} = Some({{ option.snake }}.into_iter().map(Into::into).collect());
    {% elif option.type == "seconds" %}
    pub fn {{ option.snake }}(mut self, {{ option.snake }}: std::time::Duration) -> Self {
        {{ place }}.{{ option.snake }} = Some({{ option.snake }}.as_secs());
    {% else %}
    pub fn {{ option.snake }}(mut self, {{ option.snake }}: {{ types[option.type] }}) -> Self {
        {{ place }}.{{ option.snake }} = Some({{ option.snake }});
    {% endif %}
        self
    }
    {% if not loop.last %}

    {% endif %}
{% endfor %}
}
