{# The body of a call and the setters of its options. #}
{% set types = {"text": "String", "texts": "Vec<String>", "flag": "bool", "count": "u64", "seconds": "u64", "object": "Map<String, Value>", "fields": "BTreeMap<String, String>", "clearable": "Option<String>"} %}
{% macro members(options, visible) %}
{% for option in options if option.rust not in ["header", "query"] %}
    {% if option.required %}
    {{ visible }}{{ option.snake }}: {{ types[option.type] }},
    {% else %}
    #[serde(skip_serializing_if = "Option::is_none")]
    {{ visible }}{{ option.snake }}: Option<{{ option.word or types[option.type] }}>,
    {% endif %}
{% endfor %}
{% endmacro %}
{% macro setters(options) %}
{% for option in options if option.rust != "argument" %}
{{ option.docs | comment(4, "///") }}
{% set place = "self" if option.rust in ["header", "query"] else "self.body" %}
    {% if option.type == "text" and not option.word %}
    pub fn {{ option.snake }}(mut self, {{ option.snake }}: impl Into<String>) -> Self {
        {{ place }}.{{ option.snake }} = Some({{ option.snake }}.into());
    {% elif option.type == "clearable" %}
    pub fn {{ option.snake }}(mut self, {{ option.snake }}: impl Into<String>) -> Self {
        {{ place }}.{{ option.snake }} = Some(Some({{ option.snake }}.into()));
    {% elif option.type == "texts" %}
    pub fn {{ option.snake }}<T: Into<String>>(mut self, {{ option.snake }}: impl IntoIterator<Item = T>) -> Self {
        {{ place }}.{{ option.snake }} = Some({{ option.snake }}.into_iter().map(Into::into).collect());
    {% elif option.type == "fields" %}
    pub fn {{ option.snake }}<N: Into<String>, T: Into<String>>(mut self, {{ option.snake }}: impl IntoIterator<Item = (N, T)>) -> Self {
        let {{ option.snake }} = {{ option.snake }}.into_iter().map(|(name, value)| (name.into(), value.into()));
        {{ place }}.{{ option.snake }} = Some({{ option.snake }}.collect());
    {% elif option.type == "seconds" %}
    pub fn {{ option.snake }}(mut self, {{ option.snake }}: std::time::Duration) -> Self {
        {{ place }}.{{ option.snake }} = Some({{ option.snake }}.as_secs());
    {% else %}
    pub fn {{ option.snake }}(mut self, {{ option.snake }}: {{ option.word or types[option.type] }}) -> Self {
        {{ place }}.{{ option.snake }} = Some({{ option.snake }});
    {% endif %}
        self
    }

    {% if option.type == "clearable" %}
    /// Removes it.
    pub fn clear_{{ option.snake }}(mut self) -> Self {
        {{ place }}.{{ option.snake }} = Some(None);
        self
    }

    {% endif %}
{% endfor %}
{% endmacro %}
