"""Anthropic's SDK, which records its own calls: the conventions, with the finish reason under its own name.

Reference: anthropics/anthropic-sdk-python, ``_tracing.py``. Detects: its scope. Messages are recorded only
where the application or a variable says so, and of streams only those that the SDK puts together.
"""

from __future__ import annotations

from msgspec.structs import replace

from otel_arthur.genai.bag import Bag
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.messages.finish_reasons import finish_reason_of


def _conversation(bag: Bag) -> Conversation:
    told = semconv.conversation(bag)
    reason = finish_reason_of(bag.take("finish_reasons", ("anthropic.message.stop_reason",)))
    return Conversation(
        told.messages,
        tuple([replace(choice, finish_reason=choice.finish_reason or reason) for choice in told.choices]),
    )


DIALECT = Dialect(
    name="anthropic-sdk",
    reference="https://github.com/anthropics/anthropic-sdk-python",
    scopes=("com.anthropic.sdk.",),
    operation=semconv.operation,
    keys=semconv.KEYS,
    conversation=_conversation,
    content_switch="ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE=content",
)
