"""`ArthurCompletionHook`: full content from the official GenAI instrumentations, for Arthur alone.

Entry point ``arthur`` in the group ``opentelemetry_genai_completion_hook``, chosen by
``OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=arthur``. Source: ``opentelemetry-util-genai``,
``CompletionHook``: it is called with the messages just before the span ends, whether or not content
is captured into spans or events. So prompts need not travel to any other backend.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, cast

from opentelemetry.trace import Span

from otel_arthur.genai.events.log_events import Content, LogEvent
from otel_arthur.process.never_raises import never_raises
from otel_arthur.sdk import bridge as bridges

_MAX_DEPTH = 16


class ArthurCompletionHook:
    """Hands the content of a call to the span exporter, by the id of the call's span."""

    def on_completion(
        self,
        *,
        inputs: Iterable[Any] = (),
        outputs: Iterable[Any] = (),
        system_instruction: Iterable[Any] = (),
        span: Span | None = None,
        **_: Any,
    ) -> None:
        """Called on the application's thread: cheap, and never raises. Media are named, not kept."""
        with never_raises("the content of a call was not taken", logging.DEBUG):
            context = span.get_span_context() if span is not None else None
            # A span that is not sampled never reaches an exporter.
            if context is None or not context.is_valid or not context.trace_flags.sampled:
                return
            attributes = {
                "gen_ai.input.messages": _plain(list(inputs or ())),
                "gen_ai.output.messages": _plain(list(outputs or ())),
                "gen_ai.system_instructions": _plain(list(system_instruction or ())),
            }
            content = Content({key: value for key, value in attributes.items() if value})
            if content.attributes:
                key = (f"{context.trace_id:032x}", f"{context.span_id:016x}")
                bridges.offer([LogEvent(key, content)])


_SCALARS = frozenset({str, int, float, bool, type(None)})


def _plain(value: Any, depth: int = 0) -> Any:
    """Messages as the structures that they become in an attribute, without the bytes of media."""
    if type(value) in _SCALARS:
        return value
    if depth > _MAX_DEPTH or isinstance(value, bytes | bytearray):
        return None
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in cast("Iterable[Any]", value)]
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {field: _plain(getattr(value, field), depth + 1) for field in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, Any]", value)
        return {str(key): _plain(item, depth + 1) for key, item in mapping.items()}
    return str(value)
