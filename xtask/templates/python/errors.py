{% set classes = errors | rejectattr("class", "eq", "CancelledError") | list %}
"""The classes of errors, by what to do about them.

A cancelled call ends with asyncio's own CancelledError, or with whatever a signal's handler raised.

{{ generated }}
"""

from __future__ import annotations

import builtins

from ._error import PabblyConnectError

__all__ = [
{% for name in classes | map(attribute="class") | sort %}
    "{{ name }}",
{% endfor %}
]
{% for class in classes if class.class != "PabblyConnectError" %}


class {{ class.class }}(PabblyConnectError{{ ", " ~ class.python if class.python }}):
{% if class.codes | length > 1 %}
{{ ('"""' ~ class.doc) | paragraph(4) }}

{% for code in class.codes %}
{{ ("`" ~ code.code ~ "`: " ~ code.doc) | bullet(4) }}
{% endfor %}
    """
{% else %}
    """{% for code in class.codes %}`{{ code.code }}`{{ " (HTTP " ~ code.status ~ ")" if code.status }}: {{ code.doc }}{% endfor %}"""
{% endif %}
{% endfor %}
