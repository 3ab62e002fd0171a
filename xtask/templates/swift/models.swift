{% macro swift_type(kind) -%}
{%- if kind is endingwith("?") %}{{ swift_type(kind | trim("?")) }}?
{%- elif kind is startingwith("[") %}[{{ swift_type(kind | trim("[]")) }}]
{%- elif kind is startingwith("{") %}[String: {{ swift_type(kind | trim("{}")) }}]
{%- elif kind in ("text", "secret") %}String
{%- elif kind == "time" %}Timestamp
{%- elif kind == "flag" %}Bool
{%- elif kind == "count" %}Int
{%- elif kind == "object" %}[String: JSONValue]
{%- elif kind == "json" %}JSONValue
{%- else %}{{ names[kind] or kind }}{% endif %}
{%- endmacro %}
// What the service answers. Members that this version does not know are kept in `extra`, and words that it does not know
// as they came, so that a newer service does not break an older client.
// {{ generated }}
{% for model in models %}
{% set secrets = model.fields | selectattr("hidden") | list %}

{{ (model.doc ~ ("\n\n" ~ model.more if model.more else "")) | comment(0, "///") }}
public struct {{ model.name }}: {{ "Decodable" if model.credential else "Codable" }}, Hashable, Sendable{{ ", Identifiable" if model.fields and model.fields[0].name == "id" }}{{ ", ListItem" if model.list }} {
{% if model.list %}
    /// `{{ model.list }}`
    public static var listName: String { "{{ model.list }}" }

{% endif %}
{% for field in model.fields %}
{{ field.doc | comment(4, "///") }}
    public let {{ field.swift }}: {{ swift_type(field.type) }}
{% endfor %}
    /// Members that this version does not know.
    public let extra: [String: JSONValue]

    /// Makes one; only the SDK and tests do.
    public init(
{% for field in model.fields %}
        {{ field.swift }}: {{ swift_type(field.type) }}{{ " = nil" if field.type is endingwith("?") }},
{% endfor %}
        extra: [String: JSONValue] = [:]
    ) {
{% for field in model.fields %}
        self.{{ field.swift }} = {{ field.swift }}
{% endfor %}
        self.extra = extra
    }

    /// Reads what the service sends.
    public init(from decoder: any Decoder) throws {
        let members = try Members(decoder)
{% for field in model.fields %}
        {{ field.swift }} = try members.{{ "optional" if field.type is endingwith("?") else "required" }}("{{ field.name }}")
{% endfor %}
{% set ns = namespace(names="") %}
{% for field in model.fields %}
{% set ns.names = ns.names ~ '"' ~ field.name ~ '"' ~ ("," if not loop.last else ")") ~ " " %}
{% endfor %}
{% if model.fields %}
        extra = try members.others(
{{ ("than: " ~ ns.names) | wrap(120, "            ") }}
{% else %}
        extra = try members.others()
{% endif %}
    }
{% if not model.credential %}

    /// Writes what the service sent.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
{% for field in model.fields %}
        try members.encode{{ "IfPresent" if field.type is endingwith("?") }}({{ field.swift }}, forKey: Member("{{ field.name }}"))
{% endfor %}
        try members.encode(extra)
    }
{% endif %}
}
{% if secrets %}

extension {{ model.name }}: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private var shown: [(label: String?, value: Any)] {
        let all: [(String, Any?)] = [
{% for field in model.fields %}
            ("{{ field.swift }}", {{ "Redacted()" if field.hidden else field.swift }}),
{% endfor %}
            ("extra", extra.isEmpty ? nil : extra),
        ]
        return all.compactMap { label, value in value.map { (label, $0) } }
    }

    /// Shows everything but the secrets.
    public var description: String {
        "{{ model.name }}(\(shown.map { "\($0.label ?? ""): \($0.value)" }.joined(separator: ", ")))"
    }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Shows everything but the secrets.
    public var customMirror: Mirror { Mirror(self, children: shown, displayStyle: .struct) }
}
{% endif %}
{% endfor %}
{% for word in words %}
{% set name = word.swift or word.name %}

{{ word.doc | comment(0, "///") }}
public struct {{ name }}: OpenWord {
    /// The word on the wire.
    public let rawValue: String
    /// Takes a word as it is on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

{% for value, doc in word.values | items %}
{{ doc | comment(4, "///") }}
    public static let {{ value | swift_member }} = {{ name }}(rawValue: "{{ value }}")
{% endfor %}
}
{% endfor %}

/// What happened: a case for each type of event. Later versions may add cases: end a `switch` with `default`.
public enum EventData: Hashable, Sendable {
{% for event in events %}
{{ ("`" ~ event.type ~ "`: " ~ event.doc) | comment(4, "///") }}
    indirect case {{ event.swift }}({{ event.data }})
{% endfor %}
    /// A type that this version does not know, and what came with it.
    indirect case unknown(type: String, data: JSONValue)

    /// The type on the wire, such as `connection.active`.
    public var type: String {
        switch self {
{% for event in events %}
        case .{{ event.swift }}: "{{ event.type }}"
{% endfor %}
        case .unknown(let type, _): type
        }
    }

    init(_ type: String, _ members: Members) throws {
        self =
            switch type {
{% for event in events %}
            case "{{ event.type }}": .{{ event.swift }}(try members.required("data"))
{% endfor %}
            default: .unknown(type: type, data: try members.required("data"))
            }
    }

    func encode(_ members: inout KeyedEncodingContainer<Member>) throws {
        switch self {
{% for event in events %}
        case .{{ event.swift }}(let data): try members.encode(data, forKey: Member("data"))
{% endfor %}
        case .unknown(_, let data): try members.encode(data, forKey: Member("data"))
        }
    }
}
