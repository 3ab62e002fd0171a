// The methods that a fake client can be told about.
// {{ generated }}

public import PabblyConnect

{% for method in methods if not method.local %}
extension FakeMethod where Value == {{ "Page<" ~ method.list ~ ">" if method.list else "[Event]" if method.feed else "ProxyResponse" if method.proxy else method.result or "Void" }} {
    /// `{{ method.swift }}`
    public static var {{ method.swift }}: Self { Self(name: "{{ method.name }}") }
}

{% endfor %}
/// Options whose names in Swift are others than in the core.
let swiftNames = [
{% for name, swift in respelled | items %}
    "{{ name }}": "{{ swift }}",
{% endfor %}
]
