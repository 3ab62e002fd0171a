{% set classes = errors | rejectattr("class", "eq", "CancelledError") | map(attribute="class") | sort %}
"""The Python SDK of a connection manager.

Let your customers connect their Gmail, Slack, HubSpot and so on, then ask for a working credential whenever you act
for them::

    from pabbly_connect import PabblyConnectPlatform

    pc = PabblyConnectPlatform()  # PC_TENANT_KEY
    link = pc.create_request_link("alice@example.com", app_id="gmail", name="Work Gmail")
    # hand link.request_link to the customer's browser, then
    connection = pc.wait_for_connection("alice@example.com", link.connection_id)
    token = pc.get_token("alice@example.com", connection.id)

`AsyncPabblyConnectPlatform` is the same for asyncio. Everything that goes wrong is a `PabblyConnectError`.

{{ generated }}
"""

from . import webhooks
from ._async import AsyncCustomer, AsyncPabblyConnectPlatform
from ._client import Customer, PabblyConnectPlatform
from ._native import VERSION as __version__
from ._native import SecretFields, Token
from ._settings import UNCHANGED, Unchanged
from .errors import (
{% for class in classes %}
    {{ class }},
{% endfor %}
)

{% set results = models | map(attribute="name") | list + ["AsyncEventFeed", "ErrorResponse", "Event", "EventFeed", "Poll"] %}
{% set ns = namespace(names=results) %}
{% for model in lists %}
{% set ns.names = ns.names + [model.name ~ "Page", "Async" ~ model.name ~ "Page", "Async" ~ model.name ~ "List"] %}
{% endfor %}
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._models import (
{% for name in ns.names | sort %}
        {{ name }},
{% endfor %}
    )
    from ._proxy import AsyncProxyResponse, ProxyResponse

__all__ = [
{% set own = ["AsyncCustomer", "AsyncPabblyConnectPlatform", "AsyncProxyResponse", "Customer", "PabblyConnectPlatform", "ProxyResponse", "SecretFields", "Token", "UNCHANGED", "Unchanged", "__version__", "webhooks"] %}
{% for name in (ns.names + classes + own) | sort(case_sensitive=true) %}
    "{{ name }}",
{% endfor %}
]


def __getattr__(name: str) -> object:
    """Load the classes of results when they are first needed: dataclasses take longer to import than all else."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name.endswith("ProxyResponse"):
        from . import _proxy as module
    else:
        from . import _models as module  # type: ignore[no-redef]

    globals()[name] = result = getattr(module, name)
    return result
