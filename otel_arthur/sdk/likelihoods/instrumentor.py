"""Token likelihoods and time to first token from LangChain, which no instrumentation records.

An instrumentor that ``opentelemetry-instrument`` loads (entry point ``arthur_likelihoods``); it does
nothing unless ``OTEL_EXPORTER_ARTHUR_LIKELIHOODS`` is true. It watches LangChain's own callbacks and
adds to the span that another instrumentation makes of the same run.

Within a process that has our span exporter they go to it directly, by span id: no other backend
sees them, and no attribute limit cuts them. Without one they become attributes of the span, for
a collector of ours further on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.trace import Span

from otel_arthur.configuration import Configuration
from otel_arthur.genai.events.log_events import Content, LogEvent
from otel_arthur.genai.likelihoods import LIKELIHOODS, TIME_TO_FIRST_TOKEN, TOKENS
from otel_arthur.process.never_raises import never_raises
from otel_arthur.sdk import bridge as bridges
from otel_arthur.sdk.likelihoods.logprobs import is_token_event, likelihoods_of
from otel_arthur.sdk.likelihoods.spans import spans_of

if TYPE_CHECKING:
    from langchain_core.outputs import LLMResult

_logger = logging.getLogger("otel_arthur")

_MODULE = "langchain_core.callbacks.manager"
_RUN_MANAGERS = ("CallbackManagerForLLMRun", "AsyncCallbackManagerForLLMRun")
_MAX_RUNS = 10_000


class LikelihoodsInstrumentor(BaseInstrumentor):
    """Adds what LangChain's callbacks tell to the LLM spans of the instrumentations in `langchain_spans`."""

    def instrumentation_dependencies(self) -> Collection[str]:
        return ("langchain-core > 0.1.0",)

    def _instrument(self, **kwargs: Any) -> None:
        if not Configuration.from_environment().likelihoods:
            return
        watch()

    def _uninstrument(self, **kwargs: Any) -> None:
        from opentelemetry.instrumentation.utils import unwrap

        for manager in _RUN_MANAGERS:
            for method in ("on_llm_new_token", "on_stream_event", "on_llm_end", "on_llm_error"):
                try:
                    unwrap(f"{_MODULE}.{manager}", method)
                except (AttributeError, ImportError):
                    continue
        _watched.clear()


_watched: list[_Watch] = []
"""The one watch, where LangChain is watched."""


def watch() -> None:
    """Watch LangChain's callbacks from now on; once, however often it is called.

    Raises:
        ImportError: LangChain is not installed.
    """
    if _watched:
        return
    from wrapt import wrap_function_wrapper

    watcher = _Watch()
    _watched.append(watcher)
    methods = {
        "on_llm_new_token": watcher.on_token,
        "on_stream_event": watcher.on_token,
        "on_llm_end": watcher.on_end,
        "on_llm_error": watcher.on_error,
    }
    for manager in _RUN_MANAGERS:
        for method, wrapper in methods.items():
            try:
                wrap_function_wrapper(_MODULE, f"{manager}.{method}", wrapper)
            except AttributeError:  # on_stream_event came with langchain-core 1.x
                _logger.debug("otel-arthur: this LangChain has no %s.%s", manager, method)


class _Watch:
    """Around the run managers' methods, so before any handler: spans are still open, and no handler's
    order matters. Each wrapper serves the sync and the async form: what it wraps is returned as it is."""

    def __init__(self) -> None:
        self._first_tokens: dict[UUID, int] = {}
        self._lock = threading.Lock()

    def on_token(self, wrapped: Any, manager: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with never_raises("a token was not timed", logging.DEBUG):
            run_id = manager.run_id
            if run_id not in self._first_tokens and is_token_event(args, kwargs):
                self._remember(run_id)
        return wrapped(*args, **kwargs)

    def on_end(self, wrapped: Any, manager: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with never_raises("likelihoods were not taken", logging.DEBUG):
            result: LLMResult = args[0] if args else kwargs["response"]
            first_token = self._first_tokens.pop(manager.run_id, None)
            if spans := spans_of(manager.handlers, manager.run_id):
                _add(spans, likelihoods_of(result), first_token)
        return wrapped(*args, **kwargs)

    def on_error(self, wrapped: Any, manager: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._first_tokens.pop(getattr(manager, "run_id", None), None)  # type: ignore[arg-type]
        return wrapped(*args, **kwargs)

    def _remember(self, run_id: UUID) -> None:
        with self._lock:
            self._first_tokens[run_id] = time.time_ns()
            # A run that is abandoned neither ends nor fails.
            while len(self._first_tokens) > _MAX_RUNS:
                del self._first_tokens[next(iter(self._first_tokens))]


def _add(spans: list[Span], attributes: Mapping[str, Any], first_token: int | None) -> None:
    direct = bridges.current() is not None
    for span in spans:
        context = span.get_span_context()
        values = dict(attributes)
        started = getattr(span, "start_time", None)
        if first_token is not None and started is not None:
            values[TIME_TO_FIRST_TOKEN] = max(first_token - started, 0) / 1e9
        if not values or not context.trace_flags.sampled:
            continue
        if direct:
            key = (f"{context.trace_id:032x}", f"{context.span_id:016x}")
            bridges.offer([LogEvent(key, Content(values))])
        else:
            for name in (TOKENS, LIKELIHOODS):
                if name in values:
                    values[name] = orjson.dumps(values[name]).decode()
            span.set_attributes(values)
