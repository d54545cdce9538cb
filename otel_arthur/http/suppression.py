"""Own traffic is never traced: otherwise each export would make spans, and those an export."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry import context as api
from opentelemetry.context import attach, detach, get_current, set_value

_PRIVATE_KEYS = ("_SUPPRESS_INSTRUMENTATION_KEY", "_SUPPRESS_HTTP_INSTRUMENTATION_KEY")
"""Names of the API's own keys, read from opentelemetry-api 1.39 to 1.45; a missing one is left out."""
_PLAIN_KEY = "suppress_instrumentation"
"""The key of older instrumentations, from before the API had keys of its own."""
_KEYS = (*(getattr(api, name) for name in _PRIVATE_KEYS if hasattr(api, name)), _PLAIN_KEY)


@contextmanager
def suppress_instrumentation() -> Generator[None, None, None]:
    """No instrumentation makes spans inside.

    The same as ``opentelemetry.instrumentation.utils.suppress_instrumentation``, which is not among our
    dependencies; the keys are the API's own, as the SDK's batch processor uses them.
    """
    context = get_current()
    for key in _KEYS:
        context = set_value(key, True, context)
    token = attach(context)
    try:
        yield
    finally:
        detach(token)
