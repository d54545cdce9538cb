"""Which field is read from which instrumentation: `docs/compatibility.md`, from the captures themselves.

    python -m tests.genai.matrix.compatibility            # writes docs/compatibility.md

Every cell is computed: each recorded call is read and compared with what the server saw. A field that
an instrumentation does not record must have its reason in `ABSENT`, or the cell says WRONG and
the tests fail; so they do when a reader's line is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache

from tests.genai.matrix import long_tail
from tests.genai.matrix.truth import Capture, Comparison, captures, comparisons
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "compatibility.md"

FAMILIES: Mapping[str, Sequence[str]] = {
    "OpenLLMetry": (
        "oll-langchain-0.62.4/default",
        "oll-langchain-0.53.4/default",
        "oll-openai-0.62.4/default",
        "oll-openai-0.53.4/default",
    ),
    "OpenTelemetry (official)": (
        "genai-langchain-1.3b0/span_only",
        "genai-langchain-1.3b0/event_only",
        "genai-openai-1.3b0/span_only",
        "genai-openai-1.3b0/event_only",
    ),
    "OpenInference": (
        "oi-langchain-0.1.80/default",
        "oi-langchain-0.1.80/genai_semconv",
        "oi-openai-0.1.66/default",
        "oi-openai-0.1.66/genai_semconv",
    ),
    **{name: entry.columns for name, entry in long_tail.LONG_TAIL.items() if entry.verified},
}
"""Family -> its columns: a recording and the mode of it."""

UNVERIFIED: Mapping[str, str] = {
    **{name: entry.reference for name, entry in long_tail.LONG_TAIL.items() if not entry.verified},
    "Former official `opentelemetry-instrumentation-openai-v2`": (
        "https://github.com/open-telemetry/opentelemetry-python-contrib/tree/main/instrumentation-genai"
    ),
    "Microsoft.Extensions.AI for .NET, which follows the conventions": (
        "https://github.com/dotnet/extensions/tree/main/test/Libraries/Microsoft.Extensions.AI.Tests"
    ),
    "Braintrust's SDKs for Go, Java, Ruby and .NET; those for Python and JavaScript write no span of "
    "OpenTelemetry, but to Braintrust alone": (
        "https://www.braintrust.dev/docs/integrations/sdk-integrations/opentelemetry"
    ),
}
"""Read as their documentation says, on spans built from it; not run here."""


@dataclass(frozen=True)
class Absent:
    """Why a field is not on some spans. `instead` allows another value, which the reason explains."""

    columns: str
    fields: tuple[str, ...]
    scenarios: tuple[str, ...]
    reason: str
    instead: bool = False

    def covers(self, column: str, comparison: Comparison) -> bool:
        return (
            fnmatch(column, self.columns)
            and comparison.field in self.fields
            and any(fnmatch(comparison.capture.scenario, pattern) for pattern in self.scenarios)
            and (self.instead or comparison.found is None)
        )


COMPLETION = "for completion models"
ALL = ("*",)
FLAGGED = "in histories beyond the SDK's limit of 128 attributes; the call is flagged"
STREAMS = ("b_stream", "u_stream_no_usage", "v_responses_stream", "x_async_stream")
RESPONSES = ("l_responses", "v_responses_stream")
LIMIT = "in histories beyond the SDK's limit of 128 attributes: the oldest are dropped"
EARLY = ("provider", "request_model", "temperature", "max_tokens", "response_id")
NO_ID = ("b_stream", "u_stream_no_usage", "x_async_stream", "h_completion")

ABSENT: Sequence[Absent] = (
    Absent("oll-langchain-*", ("reasoning_tokens",), ALL, "not recorded"),
    Absent(
        "oll-langchain-*",
        ("time_to_first_token",),
        STREAMS,
        "not recorded; see OTEL_EXPORTER_ARTHUR_LIKELIHOODS",
    ),
    Absent(
        "oll-langchain-*",
        ("response_id",),
        (*NO_ID, *RESPONSES),
        "in streams, completions and the Responses API",
    ),
    Absent("oll-langchain-*", ("finish_reason",), RESPONSES, "with the Responses API"),
    Absent("oll-langchain-*", ("cached_tokens",), ("h_completion",), COMPLETION),
    Absent(
        "o?*-langchain-*",
        ("response_model",),
        (*STREAMS, *RESPONSES, "h_completion"),
        "in streams, completions and the Responses API it is the model asked for",
        instead=True,
    ),
    Absent("oll-*-0.53.4/*", EARLY, ("p_long_history",), LIMIT),
    Absent("oll-*-0.53.4/*", ("messages",), ("p_long_history",), FLAGGED, instead=True),
    Absent("oll-openai-*", ("reasoning_tokens",), (*STREAMS, "h_completion"), "in streams and completions"),
    Absent("oll-openai-0.53.4/*", ("finish_reason",), RESPONSES, "with the Responses API"),
    Absent("oll-openai-*", ("time_to_first_token",), ("v_responses_stream",), "with the Responses API"),
    Absent(
        "oll-openai-*",
        ("messages",),
        ("s_image",),
        "a message with an image is left out where no upload is set up",
        instead=True,
    ),
    Absent("genai-*", ("user_id",), ALL, "not recorded"),
    Absent("genai-langchain-*", ("response_id",), NO_ID, "in streams of chat completions"),
    Absent(
        "genai-langchain-*",
        ("finish_reason",),
        RESPONSES,
        "with the Responses API it is error, and dropped",
    ),
    Absent(
        "oi-langchain-*",
        ("time_to_first_token",),
        STREAMS,
        "not recorded; see OTEL_EXPORTER_ARTHUR_LIKELIHOODS",
    ),
    Absent("oi-langchain-*", ("response_id",), (*NO_ID, "i_n2"), "in streams, completions, several choices"),
    Absent("oi-langchain-*", ("cached_tokens", "reasoning_tokens"), ("h_completion",), COMPLETION),
    Absent("oi-*", EARLY, ("p_long_history",), LIMIT, instead=True),
    Absent("oi-*", ("messages",), ("p_long_history",), FLAGGED, instead=True),
    *(Absent(*row) for row in long_tail.ABSENT),
)


def column_of(capture: Capture) -> str:
    return f"{capture.recording}/{capture.mode}"


def columns() -> list[str]:
    return [column for family in FAMILIES.values() for column in family]


@cache
def results() -> dict[tuple[str, str], list[Comparison]]:
    """(column, field) -> every comparison of it."""
    found: dict[tuple[str, str], list[Comparison]] = {}
    wanted = set(columns())
    for capture in captures():
        column = column_of(capture)
        if column in wanted:
            for comparison in comparisons(capture):
                found.setdefault((column, comparison.field), []).append(comparison)
    return found


def unexplained(column: str, compared: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons that are neither right nor absent for a reason."""
    return [one for one in compared if not one.is_right and reason_of(column, one) is None]


def reason_of(column: str, comparison: Comparison) -> str | None:
    """Why a field is not what the server said, or None."""
    return next((row.reason for row in ABSENT if row.covers(column, comparison)), None)


def cell(column: str, compared: Sequence[Comparison]) -> str:
    """What the matrix says of a field: ``present``, or ``absent`` with the reason, or both."""
    if not compared:
        return "not exercised"
    wrong = [one for one in compared if not one.is_right]
    if unexplained(column, compared):
        return "WRONG"
    reasons = list(dict.fromkeys(reason_of(column, one) or "" for one in wrong))
    if not reasons:
        return "present"
    told = "; ".join(reasons)
    return f"absent ({told})" if len(wrong) == len(compared) else f"present; absent ({told})"


if __name__ == "__main__":
    from tests.genai.matrix.compatibility_page import page

    PAGE.write_text(page())
