"""What the application says of a call, by ``otel_arthur.context(…)``: it wins over what a framework wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

STATED: Final = "arthur.context"
"""The attribute that lists the names which the application gave."""
USER: Final = "user_id"
CONVERSATION: Final = "conversation_id"
ATTRIBUTES: Final = {USER: "user.id", CONVERSATION: "session.id"}
"""Name -> attribute, as OpenTelemetry's conventions call it. Any other name is its own attribute."""


def stated(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> value of what the application said of a span that has `STATED`."""
    names = attributes.get(STATED)
    if not isinstance(names, list | tuple):
        return {}
    given = [(name, ATTRIBUTES.get(name, name)) for name in cast("list[Any]", names) if isinstance(name, str)]
    return {name: attributes[key] for name, key in given if key in attributes}
