"""Own traffic is never traced: otherwise each export would make spans, and those an export."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry.context import (
    _SUPPRESS_HTTP_INSTRUMENTATION_KEY,  # pyright: ignore[reportPrivateUsage]
    _SUPPRESS_INSTRUMENTATION_KEY,  # pyright: ignore[reportPrivateUsage]
    attach,
    detach,
    get_current,
    set_value,
)

_PLAIN_KEY = "suppress_instrumentation"
"""What instrumentations looked at before the API had keys of its own; some still do."""


@contextmanager
def suppress_instrumentation() -> Generator[None, None, None]:
    """No instrumentation makes spans inside.

    The same as ``opentelemetry.instrumentation.utils.suppress_instrumentation``, which is not among our
    dependencies; the keys are the API's own, as the SDK's batch processor uses them.
    """
    context = get_current()
    for key in (_SUPPRESS_INSTRUMENTATION_KEY, _SUPPRESS_HTTP_INSTRUMENTATION_KEY, _PLAIN_KEY):
        context = set_value(key, True, context)
    token = attach(context)
    try:
        yield
    finally:
        detach(token)
