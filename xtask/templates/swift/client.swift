{% set types = {"text": "String", "texts": "[String]", "flag": "Bool", "count": "Int", "duration": "Duration", "seconds": "Duration", "object": "[String: JSONValue]", "fields": "[String: String]", "clearable": "TextChange", "token": "Token", "pairs": "[String: String]", "body": "ProxyBody"} %}
{# How a method is referred to in documentation. #}
{% macro signature(method, narrowed) -%}
{{ method.swift }}({% if method.customer and not narrowed %}_:{% endif %}{% for argument in method.arguments %}_:{% endfor %}{% for option in method.options %}{{ option.swift }}:{% endfor %}{{ "onPoll:" if method.wait else "options:" }})
{%- endmacro %}
{% macro parameters(method, narrowed) %}
{% if method.customer and not narrowed %}
        _ email: String,
{% endif %}
{% for argument in method.arguments %}
        _ {{ argument | swift }}: String,
{% endfor %}
{% for option in method.options %}
        {{ option.swift }}: {{ option.word or types[option.type] }}{{ "" if option.required else "? = nil" }},
{% endfor %}
{% if method.wait %}
        onPoll: (@Sendable (Poll) -> Void)? = nil
{% else %}
        options: CallOptions = CallOptions()
{% endif %}
{% endmacro %}
{% macro passed(method) -%}
{% for argument in method.arguments %}{{ argument | swift }}, {% endfor %}{% for option in method.options %}{{ option.swift }}:~{{ option.swift }}, {% endfor %}{{ "onPoll:~onPoll" if method.wait else "options:~options" }})
{%- endmacro %}
{% macro result(method) -%}
{%- if method.list %} -> PagedList<{{ method.list }}>{% elif method.feed %} -> EventFeed{% else %} async throws{{ " -> ProxyResponse" if method.proxy else " -> " ~ method.result if method.result }}{% endif %}
{%- endmacro %}
{% macro documentation(method) %}
{% set pages = " One page with ``PagedList/page()``, all items with `for try await`." if method.list else " `for try await` gives one after the other." if method.feed else "" %}
{{ (method.doc ~ pages ~ (" Needs the capability `" ~ method.capability ~ "`." if method.capability else "")) | comment(4, "///") }}
{% if method.more %}
    ///
{{ method.more | comment(4, "///") }}
{% endif %}
    ///
    /// - Parameters:
{% for argument in method.arguments %}
{{ (argument ~ ": " ~ arguments[argument].doc) | parameter(argument) }}
{% endfor %}
{% for option in method.options %}
{{ (option.name ~ ": " ~ option.docs) | parameter(option.name) }}
{% endfor %}
{% if method.wait %}
    ///   - onPoll: Called after each poll that did not end the wait, on the thread that works on all calls: return
    ///     quickly.
{% elif not method.local %}
    ///   - options: {{ "Hold for the call of each page." if method.list else "Hold for each request." if method.feed else "Of this call alone." }}
{% endif %}
{% for raised in method.raises %}
{{ ("- Throws: `" ~ raised.error ~ "` " ~ raised.when ~ ".") | comment(4, "///") }}
{% endfor %}
{% endmacro %}
{% macro call(method, owner, email) %}
{% set name = "proxy" if method.proxy else "list" if method.list else "feed" if method.feed else "token" if method.result == "Token" else "result" if method.result else "json" %}
        {{ "" if method.list or method.feed else "try await " }}{{ owner }}.{{ name }}("{{ method.name }}", {{ "after: after" if method.feed else email }}{% if not method.list and not method.feed %}, [{% for argument in method.arguments %}{{ argument | swift }}{{ ", " if not loop.last }}{% endfor %}]{% endif %}, {{ "given" if method.options else "[:]" }}{{ ", onPoll: onPoll" if method.wait else ", body, options" if method.proxy else ", options" }})
{% endmacro %}
{% macro body(method, owner, email) %}
{% if method.options %}
        let given: Given = [
{% for option in method.options if option.type != "body" %}
            "{{ option.name }}": {{ option.swift }}{{ "?.wholeSeconds" if option.type == "seconds" }}{{ "," if method.options | length > 1 }}
{% endfor %}
        ]
        return {{ call(method, owner, email) | trim }}
{% else %}
{{ call(method, owner, email) }}
{%- endif %}
{% endmacro %}
// The clients and their methods.
// {{ generated }}

internal import PabblyConnectNative

/// Options of one call; where one is `nil` the client's own setting holds.
public struct CallOptions: Hashable, Sendable {
{% for option in callOptions %}
{{ option.docs | comment(4, "///") }}
    public var {{ option.swift }}: {{ types[option.type] }}?
{% endfor %}

    /// Makes options; those that are left out are the client's.
    public init({% for option in callOptions %}{{ option.swift }}: {{ types[option.type] }}? = nil{{ ", " if not loop.last }}{% endfor %}) {
{% for option in callOptions %}
        self.{{ option.swift }} = {{ option.swift }}
{% endfor %}
    }

    var given: Given {
        [{% for option in callOptions %}"{{ option.name }}": {{ option.swift }}{{ ", " if not loop.last }}{% endfor %}]
    }
}

/// A client of the connection manager for one tenant. Make one and reuse it: it keeps connections open.
///
/// Its key is only for a backend: never put it into an app. Apps use the product `PabblyConnectFlow`.
///
/// A call throws ``PabblyConnectError``, or `CancellationError` where its task was cancelled; cancelling stops the
/// request itself, wherever it is.
public final class PabblyConnectPlatform: Sendable {
    let caller: Caller

    /// Checks the settings and makes a client; nothing is sent.
    ///
    /// - Parameters:
{% for option in clientOptions %}
{{ (option.name ~ ": " ~ option.docs) | parameter(option.name) }}
{% endfor %}
    ///   - onEvent: Called for each attempt, answer, retry and poll, on the thread that works on all calls: return
    ///     quickly. Events hold no secrets.
    /// - Throws: ``PabblyConnectError/invalidArgument(_:)`` where a setting is missing or malformed.
    public init(
{% for option in clientOptions %}
        {{ option.swift }}: {{ types[option.type] }}{{ " = false" if option.type == "flag" else "? = nil" }},
{% endfor %}
        onEvent: (@Sendable (PabblyConnectEvent) -> Void)? = nil
    ) throws(PabblyConnectError) {
        let product = "pabbly-connect-swift/\(version())"
        let given: Given = [
{% for option in clientOptions %}
            "{{ option.name }}": {% if option.name == "userAgent" %}userAgent.map { "\($0) \(product)" } ?? product{% else %}{{ option.swift }}{% endif %},
{% endfor %}
        ]
        let listener = onEvent.map { onEvent in Forwarder { PabblyConnectEvent($0).map(onEvent) } }
        caller = Caller(core: try immediate { try Client(settings: options(given), listener: listener) })
    }

    init(caller: Caller) {
        self.caller = caller
    }

    /// Narrows the client to one customer, named by e-mail; take it from your own authenticated session.
    ///
    /// - Throws: ``PabblyConnectError/invalidUserEmail(_:)`` where the address is missing or malformed.
    public func customer(_ email: String) throws(PabblyConnectError) -> Customer {
        try immediate { try caller.core.checkEmail(email: email) }
        return Customer(caller: caller, email: email)
    }
{% for method in methods %}

{% if method.local %}
{{ documentation(method) }}
{%- set argument = method.arguments[0] %}
    public func {{ method.swift }}(_ {{ argument | swift }}: String) throws(PabblyConnectError) {
        try immediate { try caller.core.{{ method.name }}({{ argument }}: {{ argument | swift }}) }
    }
{% elif method.customer %}
    /// See ``Customer/{{ signature(method, true) }}``.
    public func {{ method.swift }}(
{{ parameters(method, false) }}    ){{ result(method) }} {
        {{ "" if method.list else "try await " }}Customer(caller: caller, email: email).{{ method.swift }}(
{{ passed(method) | wrap(120, "            ") | replace("~", " ") }}
    }
{% else %}
{{ documentation(method) }}
{%- set ns = namespace(x=0) %}
    public func {{ method.swift }}(
{{ parameters(method, false) }}    ){{ result(method) }} {
{{ body(method, "caller", "nil") }}    }
{% endif %}
{% endfor %}
}

extension PabblyConnectPlatform: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Shows nothing of the settings, among which the key is.
    public var description: String { "PabblyConnectPlatform" }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Has no children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A client that acts for one customer. Made by ``PabblyConnectPlatform/customer(_:)``.
public struct Customer: Sendable, CustomStringConvertible {
    let caller: Caller
    /// The customer's e-mail.
    public let email: String

    /// Names the customer.
    public var description: String { "Customer(\(email))" }
{% for method in methods if method.customer %}

{{ documentation(method) }}
{%- set ns = namespace(x=0) %}
    public func {{ method.swift }}(
{{ parameters(method, true) }}    ){{ result(method) }} {
{{ body(method, "caller", "email") }}    }
{% endfor %}
}
