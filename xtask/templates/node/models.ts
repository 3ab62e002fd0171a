{% macro typed(kind) -%}
{%- if kind is endingwith("?") %}{{ typed(kind | trim("?")) }} | null
{%- elif kind is startingwith("[") %}{{ typed(kind | trim("[]")) }}[]
{%- elif kind is startingwith("{") %}Record<string, {{ typed(kind | trim("{}")) }}>
{%- elif kind in ("text", "time", "secret") %}string
{%- elif kind == "flag" %}boolean
{%- elif kind == "object" %}Record<string, unknown>
{%- elif kind == "json" %}unknown
{%- else %}{{ kind }}{% endif %}
{%- endmacro %}
// What the service answers.
// {{ generated }}
{% for word in words %}

{{ (word.doc ~ " A newer service may send others.") | jsdoc(0) }}
export type {{ word.name }} =
{% for value, doc in word.values | items %}
{{ doc | jsdoc(2) }}
  | '{{ value }}'{{ ";" if loop.last }}
{% endfor %}
{% endfor %}
{% for model in models %}

{{ (model.doc ~ ("\n\n" ~ model.more if model.more else "")) | jsdoc(0) }}
export interface {{ model.name }} {
{% for field in model.fields %}
{{ field.doc | jsdoc(2) }}
  {{ "readonly " if model.credential }}{{ field.name }}{{ "?" if field.type is endingwith("?") }}: {{ typed(field.type) }};
{% endfor %}
}
{% endfor %}
{% for model in lists %}

{{ model.page | jsdoc(0) }}
export interface {{ model.name }}Page {
  /** The {{ model.list }} of this page. */
  {{ model.list }}: {{ model.name }}[];
  /** Which page this is, from 1. */
  page?: number | null;
  /** How many items a full page holds. */
  limit?: number | null;
  /** How many items there are on all pages. */
  total?: number | null;
}
{% endfor %}
