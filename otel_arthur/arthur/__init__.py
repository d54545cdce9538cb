"""Arthur's v3 API: transport, authentication, models, inferences, ground truth.

Knows nothing of spans. Names are loaded when they are first used: an application that only
exports has no need of TLS and HTTP until a thread of ours sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_arthur.arthur.authentication import Authentication
    from otel_arthur.arthur.client import ArthurClient
    from otel_arthur.arthur.models import Attribute, Model
    from otel_arthur.arthur.rows import Outcome, RowResult
    from otel_arthur.arthur.transport import Transport

__all__ = ["ArthurClient", "Attribute", "Authentication", "Model", "Outcome", "RowResult", "Transport"]

_HOMES = {
    "ArthurClient": "client",
    "Attribute": "models",
    "Authentication": "authentication",
    "Model": "models",
    "Outcome": "rows",
    "RowResult": "rows",
    "Transport": "transport",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)
