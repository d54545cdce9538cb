"""One algebra of token counts: totals include their parts, whatever an instrumentation counted.

OpenAI's `prompt_tokens` include what was read from a cache and its `completion_tokens` the
reasoning; Anthropic's and Bedrock's `input_tokens` exclude both cache reads and writes; Gemini's
`candidates_token_count` excludes the thoughts. Instrumentations pass on or add up, so a count is
mended only where the numbers themselves, or the dialect, prove that a part is outside.
"""

from __future__ import annotations

from otel_arthur.genai.call import Usage


def inclusive(usage: Usage, cache_outside: bool = False, reasoning_outside: bool = False) -> Usage:
    """`usage` with cache reads and writes in `input`, reasoning in `output`, and a total of both.

    `cache_outside` and `reasoning_outside` say that the dialect's counts are known to exclude
    them. Else they are taken as included, unless a part exceeds its whole, or the total that was
    reported comes out only with the part added.
    """
    if usage.cached is None and usage.cache_write is None and usage.reasoning is None:
        return _with_total(usage)
    cache = (usage.cached or 0) + (usage.cache_write or 0)
    reasoning = usage.reasoning or 0
    given_in, given_out, total = usage.input, usage.output, usage.total
    if given_in is not None and cache and not cache_outside:
        cache_outside = cache > given_in or _completes(total, given_in, given_out, cache, reasoning)
    if given_out is not None and reasoning and not reasoning_outside:
        reasoning_outside = reasoning > given_out or _completes(total, given_out, given_in, reasoning, cache)
    tokens_in = given_in + cache if given_in is not None and cache_outside else given_in
    tokens_out = given_out + reasoning if given_out is not None and reasoning_outside else given_out
    if tokens_in is not None and tokens_out is not None:
        total = max(total or 0, tokens_in + tokens_out)
    return Usage(tokens_in, tokens_out, total, usage.cached, usage.cache_write, usage.reasoning)


def _with_total(usage: Usage) -> Usage:
    tokens_in, tokens_out, total = usage.input, usage.output, usage.total
    if tokens_in is None or tokens_out is None or (total is not None and total >= tokens_in + tokens_out):
        return usage
    return Usage(tokens_in, tokens_out, tokens_in + tokens_out)


def _completes(total: int | None, whole: int, other: int | None, part: int, other_part: int) -> bool:
    """Whether the reported total is reached only if `part` comes on top of `whole`."""
    if total is None or other is None or total == whole + other:
        return False
    return total in (whole + other + part, whole + other + part + other_part)
