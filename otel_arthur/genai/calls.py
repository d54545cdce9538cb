"""Which spans are calls to a language model, by all that is on the span, not by one spelling of one name.

A dialect whose spans say their kind has a row for that (`kind_in`); all others, and spans that do not say it,
are decided by `operation`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from otel_arthur.genai.span import STATUS_ERROR, SpanView

Operation: TypeAlias = Callable[[SpanView], "str | None"]
"""The operation when a span is one call to a language model, `IF_SAID` when its words decide, else None."""

IF_SAID: Final = "?"
"""The span is a call if it has a question, and an answer or a failure."""

_OPERATIONS: Final[Mapping[str, str]] = {
    "chat": "chat",
    "textcompletion": "text_completion",
    "generatecontent": "generate_content",
    # Not of the registry, but written before it was closed.
    "completion": "text_completion",
    "completions": "text_completion",
    "chatcompletions": "chat",
    "chatcompletion": "chat",
    "responses": "chat",
    "llmrequest": "chat",
}
"""``gen_ai.operation.name`` without case and separators -> ours."""
_NO_CALL = re.compile(
    r"agent|tool|workflow|task|chain|loop|cycle|execute|retriev|embed|rerank|moderat|vector|guardrail|memory|step|image|speech"
    r"|transcri|search|plan|handoff|session|crew|graph|evaluat"
)
"""In the name of an operation that is none, or is around calls."""
_NO_LANGUAGE = re.compile(r"embed|rerank|moderation", re.IGNORECASE)
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_AROUND = frozenset({"gen_ai.agent.name", "gen_ai.tool.name", "traceloop.span.kind"})
"""Attributes of spans around calls, unless they name the operation."""
_SAID = frozenset({"gen_ai.input.messages", "gen_ai.output.messages"})
_ANSWERED = frozenset(
    {
        "gen_ai.output.messages",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.id",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
    }
)


def operation(view: SpanView) -> str | None:
    """By ``gen_ai.operation.name``; without one, by a model and what an answer or a failure leaves."""
    attributes = view.attributes
    name = attributes.get("gen_ai.operation.name")
    if name is not None:
        return _OPERATIONS.get(name) or named(name) if isinstance(name, str) else None
    if not _AROUND.isdisjoint(attributes):
        return None
    if "gen_ai.request.model" not in attributes and "gen_ai.response.model" not in attributes:
        return IF_SAID if attributes.keys() >= _SAID else None
    return "chat" if not _ANSWERED.isdisjoint(attributes) or has_failed(view) else IF_SAID


def named(name: str) -> str | None:
    """The operation of this name; of one that nobody listed, `IF_SAID` unless it names something else."""
    spelled = _SEPARATORS.sub("", name.lower())
    return _OPERATIONS.get(spelled) or (None if _NO_CALL.search(spelled) else IF_SAID)


def kind_in(
    attribute: str,
    kinds: Mapping[str, str],
    otherwise: Operation | None = None,
    or_named: bool = False,
) -> Operation:
    """By an attribute that says what a span is, compared without case and quotes.

    Args:
        attribute: where the kind stands.
        kinds: kinds that are calls -> operation; `IF_SAID` and ``None`` count as for `operation`.
        otherwise: decides where the attribute is absent; without it such a span is no call.
        or_named: the operation's name, where it is one of a call, is more exact.
    """

    def decide(view: SpanView) -> str | None:
        kind = view.attributes.get(attribute)
        if kind is None:
            return None if otherwise is None else otherwise(view)
        operation = kinds.get(kind.strip('"').lower()) if isinstance(kind, str) else None
        if operation is None or not or_named:
            return operation
        return _OPERATIONS.get(str(view.attributes.get("gen_ai.operation.name")), operation)

    return decide


def ending(attribute: str, ends: Mapping[str, str]) -> Operation:
    """By how an attribute ends: end -> operation; any other span is no call."""

    def decide(view: SpanView) -> str | None:
        said = view.attributes.get(attribute)
        if not isinstance(said, str):
            return None
        return next((operation for end, operation in ends.items() if said.endswith(end)), None)

    return decide


def has_failed(view: SpanView) -> bool:
    """Whether a span says that its call failed, by its status or by ``error.type``."""
    return view.status_code == STATUS_ERROR or bool(view.attributes.get("error.type"))


def says_failed(view: SpanView, failure: Mapping[str, str]) -> bool:
    """Whether a span says so by its dialect's own word."""
    return any(view.attributes.get(attribute) == word for attribute, word in failure.items())


def has_exception(view: SpanView) -> bool:
    """Whether an exception was recorded: a failure, where no answer came."""
    return any(event.name == "exception" for event in view.events)


def is_of_no_language_model(view: SpanView, models: tuple[Any, ...]) -> bool:
    """Whether a span without an answer is an embedding, rerank or moderation, by its name or its model."""
    names = (view.name, view.attributes.get("gen_ai.operation.name"), *models)
    return any(isinstance(name, str) and _NO_LANGUAGE.search(name) for name in names)
