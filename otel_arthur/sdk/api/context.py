"""`context`: whose call it is, said by the application for any framework."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor

from otel_arthur.genai.stated import ATTRIBUTES, CONVERSATION, STATED, USER
from otel_arthur.inference.fields import FIELDS
from otel_arthur.process.never_raises import never_raises
from otel_arthur.sdk.watching import watch

_logger = logging.getLogger("otel_arthur")
_PLAIN = (str, bool, int, float)
Value: TypeAlias = "str | bool | int | float | list[str] | list[int] | list[float]"


@contextmanager
def context(
    *, user_id: str | None = None, conversation_id: str | None = None, **own: Value | None
) -> Generator[None, None, None]:
    """Say whose calls the LLM calls inside are, whatever framework makes them.

    ::

        with otel_arthur.context(user_id="u-17", conversation_id="c-4", tenant="acme"):
            chain.invoke("…")

    Each span that starts inside gets the attributes ``user.id``, ``session.id`` and those of `own`, which
    every other backend of your spans sees too. Blocks may be nested: the inner one adds to the outer one.
    Works across threads and tasks that inherit the context. Never raises: a bad value is one line in the log.

    Args:
        user_id: fills the field ``user_id``, also where the framework names another.
        conversation_id: fills ``conversation_id``, likewise.
        **own: attributes of your Arthur model (``otel-arthur onboard NAME --attribute tenant:STRING``); the
            Arthur Engine has them in the span's metadata.
    """
    watch(_ContextProcessor, "context() says nothing")
    values = {**_values.get(), **_accepted({USER: user_id, CONVERSATION: conversation_id, **own})}
    token = _values.set(values)
    try:
        yield
    finally:
        _values.reset(token)


_values: ContextVar[Mapping[str, Value]] = ContextVar("otel_arthur_context", default=MappingProxyType({}))


class _ContextProcessor(SpanProcessor):
    """Sees spans start on the application's thread, where the block that they belong to is known."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        values = _values.get()
        if not values:
            return
        with never_raises("a span does not say what context() was given"):
            span.set_attributes({ATTRIBUTES.get(name, name): value for name, value in values.items()})
            span.set_attribute(STATED, list(values))


def _accepted(given: Mapping[str, Any]) -> dict[str, Value]:
    accepted: dict[str, Value] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in FIELDS and name not in ATTRIBUTES:
            problem = "is a field that the call itself fills; choose another name"
        elif not _is_plain(value):
            problem = (
                f"is of type {type(value).__name__}; give a text, a number, a boolean or a list of these"
            )
        else:
            accepted[name] = str(value) if name in ATTRIBUTES else value
            continue
        _logger.warning("otel-arthur: context: argument %s %s", name, problem)
    return accepted


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        items = cast("list[Any]", value)
        return any(all(isinstance(item, kind) for item in items) for kind in _PLAIN)
    return isinstance(value, _PLAIN)
