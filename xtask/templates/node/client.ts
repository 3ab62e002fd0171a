{% set own = {"AdminLink": "adminLink", "RequestLink": "requestLink", "RotatedKey": "rotatedKey", "Token": "token"} %}
{% macro request(method) -%}
{{ "query?: " if method.list or method.feed else "request: " if method.options | selectattr("required") | list else "request?: " }}{{ method.node }}
{%- endmacro %}
{% macro parameters(method, email, names_only) -%}
{%- set ns = namespace(all=[]) %}
{%- if email %}{% set ns.all = ns.all + ["email: string"] %}{% endif %}
{%- for argument in method.arguments %}{% set ns.all = ns.all + [argument ~ ": string"] %}{% endfor %}
{%- set merged = method.wait or method.merged %}
{%- if method.options and not merged or method.proxy %}{% set ns.all = ns.all + [request(method)] %}{% endif %}
{%- if not method.proxy %}{% set ns.all = ns.all + ["options?: " ~ (method.node if merged else "CallOptions")] %}{% endif %}
{{- ns.all | join(", ") }}
{%- endmacro %}
{% macro passed(method) -%}
{%- set ns = namespace(all=["this.email"] + method.arguments) %}
{%- if method.options and not method.wait and not method.merged or method.proxy %}{% set ns.all = ns.all + ["query" if method.list else "request"] %}{% endif %}
{{- (ns.all + (["options"] if not method.proxy else [])) | join(", ") }}
{%- endmacro %}
{% macro result(method) -%}
{%- if method.list %}List<{{ method.list }}Page, {{ method.list }}>{% elif method.feed %}EventFeed{% else %}Promise<{{ "Response" if method.proxy else method.result or "void" }}>{% endif %}
{%- endmacro %}
{% macro documentation(method) -%}
{%- set ns = namespace(text=method.doc ~ (" `await` it for one page, `for await` it for all." if method.list else " `for await` gives one after the other." if method.feed)) %}
{%- if method.capability %}{% set ns.text = ns.text ~ " Needs the capability `" ~ method.capability ~ "`." %}{% endif %}
{%- if method.more %}{% set ns.text = ns.text ~ "\n\n" ~ method.more %}{% endif %}
{%- if "code" in method.arguments %}{% set ns.text = ns.text ~ "\n\n`code` is the " ~ (arguments.code.doc | replace("The ", "")) %}{% endif %}
{%- for raised in method.raises %}{% set ns.text = ns.text ~ "\n\n" ~ ("Throws" if method.local else "Rejects with") ~ " `" ~ raised.error ~ "` " ~ raised.when ~ "." %}{% endfor %}
{{- ns.text | jsdoc(2) }}
{%- endmacro %}
// The client and its methods.
// {{ generated }}
import { asyncDispose, Caller } from '../caller.js';
import { here } from '../failure.js';
import type { EventFeed, EventPage } from '../feed.js';
import { adminLink, requestLink } from '../link.js';
import type { List } from '../list.js';
import { inspect, printed, REDACTED, type Inspect } from '../redact.js';
import { rotatedKey } from '../rotated-key.js';
import { token, type Token } from '../token.js';
import type {
{% for name in (results + lists | map(attribute="name") | list + lists | map(attribute="page_name") | list) | unique | sort %}
  {{ name }},
{% endfor %}
} from './models.js';
import {
  KNOWN,
  type CallOptions,
{% for method in methods if method.node %}
  type {{ method.node }},
{% endfor %}
  type Settings,
} from './options.js';

/** The response as it came. */
const whole = <T>(data: T): T => data;
const nothing = (): void => undefined;

/**
 * A client of the connection manager for one tenant. Construct it once and use it everywhere: it keeps connections
 * open. Its key is only for a backend.
 *
 * Every call about connections names the customer first, by e-mail, and throws synchronously where it is missing or
 * malformed. Take the address from your own authenticated session.
 */
export class PabblyConnectPlatform {
  readonly #caller: Caller;

  /** Checks the settings. Nothing is sent. */
  constructor(options?: Settings);
  /** @internal A client whose calls end in `caller`: the fake of the tests of those who use this package. */
  constructor(caller: Caller);
  constructor(options: Settings | Caller = {}) {
    this.#caller = options instanceof Caller ? options : new Caller(options, here());
  }

  /** The same calls for one customer, without the e-mail; it is checked here. */
  customer(email: string): Customer {
    this.#caller.checkEmail(email, here());
    return new Customer(this, email);
  }

{% for method in methods %}
{{ documentation(method) }}
{% if method.feed %}
  {{ method.name }}({{ parameters(method, false) }}): EventFeed {
    const place = here();
    return this.#caller.feed({ method: '{{ method.name }}', query, known: KNOWN.{{ method.name }}, options, place, make: whole<EventPage> });
  }
{% elif method.proxy %}
  {{ method.name }}({{ parameters(method, true) }}): {{ result(method) }} {
    return this.#caller.proxy({
      method: '{{ method.name }}',
      email,
      arguments: [id ?? ''],
      options: request,
      merged: KNOWN.{{ method.name }},
      place: here(),
      make: whole<Response>,
    });
  }
{% elif method.local %}
  {{ method.name }}({% for argument in method.arguments %}{{ argument }}: string{% endfor %}): void {
    this.#caller.{{ method.name }}({{ method.arguments | join(", ") }}, here());
  }
{% else %}
  {{ method.name }}({{ parameters(method, method.customer) }}): {{ result(method) }} {
    return this.#caller.{{ "list" if method.list else "run" }}({% if method.list %}

      {
        method: '{{ method.name }}',
{% if method.customer %}
        email,
{% endif %}
        query,
        known: KNOWN.{{ method.name }},
        options,
        place: here(),
        make: whole<{{ method.list }}Page>,
      },
      (page) => page.{{ method.member }},
    );
{% else %}
{
      method: '{{ method.name }}',
{% if method.customer %}
      email,
{% endif %}
{% if method.arguments %}
      arguments: [{% for argument in method.arguments %}{{ argument }} ?? ''{{ ", " if not loop.last }}{% endfor %}],
{% endif %}
{% if method.options and not method.wait and not method.merged %}
      query: request ?? {},
      known: KNOWN.{{ method.name }},
{% endif %}
      options,
{% if method.wait %}
      merged: KNOWN.wait,
{% elif method.merged %}
      merged: KNOWN.{{ method.name }},
{% endif %}
      place: here(),
      make: {{ own[method.result] or ("whole<" ~ method.result ~ ">" if method.result else "nothing") }},
    });
{% endif %}
  }
{% endif %}

{% endfor %}
  /** Ends the client: calls that are under way and calls that follow reject with a `CancelledError`. */
  close(): void {
    this.#caller.close();
  }

  /** `await using` closes the client at the end of the block. */
  [asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  [inspect](_depth: number, options: object, print?: Inspect): string {
    return printed('PabblyConnectPlatform', this.toJSON(), options, print);
  }

  toJSON(): object {
    return { apiKey: REDACTED };
  }
}

/** The calls about one customer's connections, without the e-mail. Made by `PabblyConnectPlatform.customer`. */
export class Customer {
  /** The customer's e-mail. */
  readonly email: string;
  readonly #client: PabblyConnectPlatform;

  constructor(client: PabblyConnectPlatform, email: string) {
    this.#client = client;
    this.email = email;
  }
{% for method in methods if method.customer %}

  /** See `PabblyConnectPlatform.{{ method.name }}`. */
  {{ method.name }}({{ parameters(method, false) }}): {{ result(method) }} {
    return this.#client.{{ method.name }}({{ passed(method) }});
  }
{% endfor %}
}
