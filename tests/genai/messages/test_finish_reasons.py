"""Every provider's word for why a model stopped, in the four common ones."""

from __future__ import annotations

import pytest

from otel_arthur.genai.call import Choice, Message
from otel_arthur.genai.messages.finish_reasons import SPELLINGS, finish_reason_of
from otel_arthur.genai.tables.words import with_reasons
from tests.support.paths import ROOT

READING = ROOT / "docs" / "reading.md"


@pytest.mark.parametrize(
    ("common", "given"),
    [(common, spelling) for common, spellings in SPELLINGS.items() for spelling in spellings],
)
def test_a_spelling_is_known_whatever_its_case_and_separators(common: str, given: str) -> None:
    camel = given.title().replace("_", "")
    for form in (given, given.upper(), given.replace("_", "-"), camel, f"FinishReason.{given.upper()}"):
        assert finish_reason_of(form) == common
    for form in (f"FINISH_REASON_{given.upper()}", f"[{given}]", f"<FinishReason.{given.upper()}: 1>"):
        assert finish_reason_of(form) == common


@pytest.mark.parametrize(
    ("given", "common"),
    [
        (1, "stop"),
        (2, "length"),
        ("3", "content_filter"),
        ("REASON_MAX_LEN", "length"),
        # LangChain, of a stream with several choices.
        ("stopstop", "stop"),
        ("tool_callstool_callstool_calls", "tool_calls"),
        ("<|endoftext|>", "stop"),
        ("CompletionsFinishReason.TOKEN_LIMIT_REACHED", "length"),
        # No reasons at all.
        *(
            (value, None)
            for value in ("error", "FinishReason.ERROR", "unknown", "", "null", None, True, 0, [])
        ),
        # Unknown ones are passed on.
        ("MALFORMED_FUNCTION_CALL", "malformed_function_call"),
        ("Insufficient_System_Resource", "insufficient_system_resource"),
        ("other", "other"),
        ("time limit. reached", "time limit. reached"),
        (77, "77"),
    ],
)
def test_other_forms_of_a_reason(given: object, common: str | None) -> None:
    assert finish_reason_of(given) == common


def test_reasons_beside_the_answers() -> None:
    assert _with(["stop", "max_tokens"], None, None) == ["stop", "length"]
    assert _with(["end_turn"], None, None) == ["stop", "stop"]
    assert _with("end_turn", None, None) == ["stop", "stop"]
    # Of several, one that ends says that the others had not.
    assert _with(["stop"], None, "stop") == [None, "stop"]


def _with(beside: object, *own: str | None) -> list[str | None]:
    choices = [Choice(Message("assistant", ()), reason) for reason in own]
    return [choice.finish_reason for choice in with_reasons(choices, beside)]


def test_the_page_has_every_spelling() -> None:
    page = READING.read_text()
    for common, spellings in SPELLINGS.items():
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{common}` |")]
        assert row.split("`")[3::2] == sorted({*spellings})
