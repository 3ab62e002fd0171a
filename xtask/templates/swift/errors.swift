{% set cases = errors | rejectattr("class", "eq", "CancelledError") | list %}
// Why a call failed.
// {{ generated }}

/// A call failed. Its texts and members are safe to log: they never hold a key or a token.
///
/// Match on the case and read the rest from ``details``. Later versions may add cases: end a `switch` with `default`.
public enum PabblyConnectError: Error, Hashable, Sendable {
{% for class in cases %}
{{ class.doc | comment(4, "///") }}
    case {{ class.swift }}(ErrorDetails)
{% endfor %}

    /// What every error carries, whatever its case.
    public var details: ErrorDetails {
        switch self {
{% for class in cases %}
        case .{{ class.swift }}(let details): details
{% endfor %}
        }
    }

    /// The case of this class in the core's manifest.
    init(_ name: String, _ details: ErrorDetails) {
        self =
            switch name {
{% for class in cases if class.class != "PabblyConnectError" %}
            case "{{ class.class }}": .{{ class.swift }}(details)
{% endfor %}
            default: .other(details)
            }
    }
}
