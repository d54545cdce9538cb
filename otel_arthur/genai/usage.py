"""One algebra of token counts: totals include their parts, whatever an instrumentation counted.

`docs/reading.md` has the table: which provider counts what, and which instrumentation passes that on or adds
up. A count is mended only where the numbers themselves, or who wrote them, prove that a part is outside.
`counted` and the functions `of_…` are the rows `usage` of dialects that count in a way of their own.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

from msgspec.structs import replace

from otel_arthur.genai.attributes import SpanAttributes, as_map, count
from otel_arthur.genai.call import Usage
from otel_arthur.genai.tables.dialect import Conversation

BEDROCK: Final = "opentelemetry.instrumentation.bedrock"
_WITH_THOUGHTS_BESIDE = ("gcp.gemini", "gcp.vertex_ai", "gcp.gen_ai", "vertex_ai", "gemini", "google")
"""Beginnings of the providers whose count of the answer lacks the thoughts, which their total has."""
_PARTS = ("reads", "writes", "thoughts")
_SETS = tuple(
    map(
        frozenset,
        # The cache is left out as a whole before it is in part.
        (("reads", "writes"), ("thoughts",), _PARTS, *combinations(_PARTS, 2), ("reads",), ("writes",)),
    )
)


def inclusive(
    usage: Usage,
    provider: str | None = None,
    *,
    cache_outside: bool = False,
    reasoning_outside: bool = False,
) -> Usage:
    """`usage` with cache reads and writes in `input`, reasoning in `output`, and a total of both.

    Args:
        usage: the counts as they were reported.
        provider: who served the model.
        cache_outside: the counts are known to exclude what was read from and put into a cache.
        reasoning_outside: they are known to exclude the reasoning.

    Else the parts are taken as included, unless a part exceeds its whole, or the total that was reported
    comes out only with the part added.
    """
    tokens_in, tokens_out, total = usage.input, usage.output, usage.total
    if not (usage.cached or usage.cache_write or usage.reasoning):
        # Nothing can be missing, as mostly.
        if tokens_in is None or tokens_out is None or total == tokens_in + tokens_out:
            return usage
        if total is None:
            total = tokens_in + tokens_out
            return Usage(tokens_in, tokens_out, total, usage.cached, usage.cache_write, usage.reasoning)
    reads, writes, thoughts = usage.cached or 0, usage.cache_write or 0, usage.reasoning or 0
    if tokens_in is None or tokens_out is None:
        missing = frozenset[str]()
    else:
        missing = _missing((total or 0) - tokens_in - tokens_out, reads, writes, thoughts)
    if tokens_in is not None:
        if cache_outside or reads + writes > tokens_in:
            tokens_in += reads + writes
        else:
            tokens_in += reads * ("reads" in missing) + writes * ("writes" in missing)
    if tokens_out is not None and (reasoning_outside or thoughts > tokens_out or "thoughts" in missing):
        tokens_out += thoughts
    if tokens_in is None or tokens_out is None:
        return Usage(tokens_in, tokens_out, total, usage.cached, usage.cache_write, usage.reasoning)
    if total is not None and total > tokens_in + tokens_out and _thinks_beside(provider):
        tokens_out = total - tokens_in
    total = max(total or 0, tokens_in + tokens_out)
    return Usage(tokens_in, tokens_out, total, usage.cached, usage.cache_write, usage.reasoning)


def counted(usage: Usage, *_: object) -> Usage:
    """Counts that are all zero are those of a stream that nobody counted: a dialect's `usage`."""
    return Usage() if usage.input == usage.output == 0 and not usage.total else usage


def of_ai_sdk(usage: Usage, _: Conversation, attributes: SpanAttributes) -> Usage:
    """Up to version 5 counts are the provider's own: Anthropic's and Bedrock's exclude the cache.

    Some versions between add it up, which the provider's own counts tell where they are recorded.
    """
    metadata = attributes.document("ai.response.providerMetadata")
    own = as_map(as_map(metadata.get("anthropic")).get("usage"))
    if count(own.get("input_tokens")) is not None:
        return inclusive(usage, cache_outside=usage.input == count(own["input_tokens"]))
    provider = str(attributes.get("ai.model.provider") or "")
    details = any(key.startswith("ai.usage.inputTokenDetails.") for key in attributes.attributes)
    outside = not details and provider.startswith(("anthropic", "amazon-bedrock", "bedrock"))
    return inclusive(usage, cache_outside=outside)


def of_openllmetry(usage: Usage, conversation: Conversation, attributes: SpanAttributes) -> Usage:
    """Undo LangChain's n-fold count: each choice repeats the call's usage, and all are summed.

    Bedrock's counts are its own, which exclude the cache, and their sum is the instrumentation's.
    """
    if attributes.view.scope == BEDROCK:
        return inclusive(usage, cache_outside=True)
    n = len(conversation.choices)
    if n < 2 or attributes.view.scope != "opentelemetry.instrumentation.langchain":
        return usage
    if any(count is not None and count % n for count in (usage.input, usage.output, usage.total)):
        return usage
    return replace(
        usage,
        input=_divided(usage.input, n),
        output=_divided(usage.output, n),
        total=_divided(usage.total, n),
        cached=_divided(usage.cached, n),
        cache_write=_divided(usage.cache_write, n),
        reasoning=_divided(usage.reasoning, n),
    )


def _divided(count: int | None, n: int) -> int | None:
    return None if count is None else count // n


def of_google_adk(usage: Usage, _: Conversation, attributes: SpanAttributes) -> Usage:
    """Undo the thoughts that ADK adds to the counts of LiteLLM's models, which include them."""
    model = attributes.get("gen_ai.request.model")
    of_litellm = isinstance(model, str) and model.startswith(("openai/", "azure/"))
    if not of_litellm or usage.output is None or not usage.reasoning or usage.total is not None:
        return usage
    return replace(usage, output=max(usage.output - usage.reasoning, usage.reasoning))


def _missing(rest: int, reads: int, writes: int, thoughts: int) -> frozenset[str]:
    """The parts that make up what a total has beyond the counts of input and output."""
    if rest > 0:
        parts = {"reads": reads, "writes": writes, "thoughts": thoughts}
        for chosen in _SETS:
            if sum([parts[name] for name in chosen]) == rest:
                return chosen
    return frozenset()


def _thinks_beside(provider: str | None) -> bool:
    return provider is not None and provider.lower().startswith(_WITH_THOUGHTS_BESIDE)
