"""What a process shows of a fault in its set-up: it sends each call twice, or no LLM call was seen."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

from otel_arthur.delivery.books.books import Counts

_logger = logging.getLogger("otel_arthur")

_CLIENTS: Final = ("openai", "anthropic", "groq", "together")
_OLD_HANDLER: Final = ("langchain_community.callbacks.arthur_callback", "arthurai")
"""What ``ArthurCallbackHandler`` imports: its own module, and once one is made, Arthur's SDK."""
_said_twice = False


def say_twice() -> None:
    """One line for each process where Arthur's old callback handler is at work beside us."""
    global _said_twice
    if not _said_twice and all(name in sys.modules for name in _OLD_HANDLER):
        _said_twice = True
        _logger.warning(
            "otel-arthur: ArthurCallbackHandler is at work too, so each call counts twice; "
            "remove the handler and its import"
        )


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
