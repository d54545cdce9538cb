"""What is said at the end of a process in which no LLM call was seen."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

from otel_arthur.delivery.books import Counts

_logger = logging.getLogger("otel_arthur")

_CLIENTS: Final = ("openai", "anthropic", "groq", "together")


def say_silence(counts: Counts) -> None:
    """One line where the process saw no call, not even one to skip.

    A warning only where a client made a request: the variables are inherited by every child process.
    """
    if counts.received or counts.outcomes:
        return
    asked = [name for name in _CLIENTS if _has_asked(name)]
    if asked:
        _logger.warning(
            "otel-arthur: %s made requests, and no LLM call was recorded; "
            "`otel-arthur check`, run in the same environment, says why",
            " and ".join(asked),
        )
    else:
        _logger.debug("otel-arthur: no LLM call was recorded in this process")


def _has_asked(name: str) -> bool:
    """Whether a client of this package has made a request.

    Clients that Stainless generates (openai 1.0 to 3.57, anthropic 0.20 to 2.14, groq, together) describe
    the platform once, for the headers of their first request: ``_base_client.platform_headers``, a cached
    function. Fallback: it made none.
    """
    base: Any = sys.modules.get(f"{name}._base_client")
    cache_info: Any = getattr(getattr(base, "platform_headers", None), "cache_info", None)
    return cache_info is not None and cache_info().currsize > 0
