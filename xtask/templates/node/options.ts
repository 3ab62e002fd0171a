{% set types = {"text": "string", "texts": "string[]", "flag": "boolean", "count": "number", "duration": "number", "seconds": "number", "object": "Record<string, unknown>", "fields": "Record<string, string>", "clearable": "string | null", "token": "Token", "pairs": "Pairs", "body": "ProxyBody"} %}
{% macro docs(option) %}{{ option.docs }}{{ " `null` removes it." if option.type == "clearable" }}{% endmacro %}
{% macro members(options) %}
{% for option in options %}
{{ docs(option) | jsdoc(2) }}
  {{ option.node }}{{ ": " if option.required else "?: " }}{{ option.word or types[option.type] }}{{ "" if option.required else " | undefined" }};
{% endfor %}
{% endmacro %}
{% macro names(options, more) -%}
new Set<string>([
{% for name in options | map(attribute="node") | list + more %}
    '{{ name }}',
{% endfor %}
  ])
{%- endmacro %}
// What a caller may pass.
// {{ generated }}
import type { Hooks, Logger, Poll } from '../hooks.js';
import type { {{ words_of_options | join(", ") }} } from './models.js';
import type { Pairs, ProxyBody } from '../proxy.js';
import type { Token } from '../token.js';

/** Settings of a client. */
export interface Settings extends Hooks {
{{ members(clientOptions) }}  /** Is told requests, answers and polls (`debug`) and retries (`info`), without secrets. */
  logger?: Logger | undefined;
}

/** Options that every call but a wait takes as its last argument. */
export interface CallOptions {
{{ members(callOptions) }}  /** Stops the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}
{% for method in methods if method.node %}

/** Options of `{{ method.name }}`. */
export interface {{ method.node }}{{ " extends CallOptions" if method.merged }} {
{{ members(method.options) }}
{%- if method.wait %}
  /** Called after each poll that did not end the wait. */
  onPoll?: ((poll: Poll) => void) | undefined;
  /** Stops the wait; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
{% endif %}
}
{% endfor %}

/** The names of each kind of option. */
export const KNOWN = {
  settings: {{ names(clientOptions, ["onRequest", "onResponse", "onRetry", "onWait", "logger"]) }},
  call: {{ names(callOptions, ["signal"]) }},
{% for method in methods if method.node %}
  {{ "wait" if method.wait else method.name }}: {{ names(method.options + callOptions if method.merged else method.options, ["onPoll", "signal"] if method.wait else ["signal"] if method.merged else []) }},
{% endfor %}
};
