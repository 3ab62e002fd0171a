{% macro typed(kind) -%}
{%- if kind is endingwith("?") %}{{ typed(kind | trim("?")) }} | null
{%- elif kind is startingwith("[") %}{{ typed(kind | trim("[]")) }}[]
{%- elif kind is startingwith("{") %}Record<string, {{ typed(kind | trim("{}")) }}>
{%- elif kind in ("text", "time", "secret") %}string
{%- elif kind == "flag" %}boolean
{%- elif kind == "count" %}number
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
{% if model.cursor %}
  /** Where the next page begins; null on the last page. */
  next_cursor?: string | null;
  /** The connections whose {{ model.list }} are missing, or the rest of them. */
  errors?: FailedConnection[] | null;
{% else %}
  /** Which page this is, from 1. */
  page?: number | null;
  /** How many items a full page holds. */
  limit?: number | null;
  /** How many items there are on all pages. */
  total?: number | null;
{% endif %}
}
{% endfor %}

/** An event of one type. */
export interface EventOf<Type extends string, Data> {
  /** Opaque, and the same however often the event is given or brought: by it you know what you have handled. */
  id: string;
  /** What happened. */
  type: Type;
  /** When it happened. */
  timestamp: string;
  /** Its place in the feed, from which `events` goes on; empty for an event that is in no feed. */
  cursor: string;
  /** What there is to tell about it. */
  data: Data;
}

/**
 * Something that happened to one of the tenant's connections, OAuth clients or keys. Its `type` says what `data` holds. A
 * newer service may send other types: in the `default` of a `switch`, what is left is an `UnknownEvent`.
 */
export type Event =
{% for event in events %}
{{ event.doc | jsdoc(2) }}
  | EventOf<'{{ event.type }}', {{ event.data }}>{{ ";" if loop.last }}
{% endfor %}

/** An event of a type that this version does not know. */
export type UnknownEvent = EventOf<string, unknown>;
