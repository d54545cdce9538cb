"""A secret in any attribute of any dialect leaves only where docs/redaction.md says that it may."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from otel_arthur.genai.dialects import DIALECTS
from otel_arthur.genai.reading import read
from otel_arthur.genai.span import SpanView
from otel_arthur.inference.build import Builder
from otel_arthur.inference.fields import FIELDS
from otel_arthur.inference.privacy import FINISH_REASONS, NAME_LENGTH, Privacy, TextRules
from tests.genai.matrix.truth import captures, views_of
from tests.support.paths import ROOT
from tests.support.spans.llm_calls import llm_call

PAGE = ROOT / "docs" / "redaction.md"
SECRET = "zq9 patient has gout"
MASK = "[masked]"
OWN = "own_attribute"
FIRST_LEAVES = 8
"""Texts of one attribute that get the secret in turn: a history of many messages repeats itself."""

TREATMENT = {
    Privacy.WORDS: ("redacted", "withheld"),
    Privacy.NAME: ("redacted", f"one line of at most {NAME_LENGTH} characters"),
    Privacy.FINISH_REASON: ("redacted", f"only {', '.join(sorted(FINISH_REASONS))}"),
    Privacy.ERROR_TYPE: ("redacted", "the name of a class, else `_OTHER`"),
    Privacy.IDENTIFIER: ("as it is", f"one line of at most {NAME_LENGTH} characters"),
    Privacy.MEASURE: ("as it is", "as it is"),
}


@cache
def spans() -> dict[str, list[SpanView]]:
    """Dialect -> recorded LLM spans, at most a dozen of each."""
    found: dict[str, list[SpanView]] = {}
    for capture in captures():
        for view in views_of(capture):
            reading = read(view)
            if reading.call is not None and len(of := found.setdefault(reading.call.dialect, [])) < 12:
                of.append(view)
    return found


def planted(value: Any) -> Iterator[Any]:
    """The value with the secret in each of its texts, one at a time."""
    if isinstance(value, str):
        try:
            document = json.loads(value) if value[:1] in "[{" else None
        except ValueError:
            document = None
        if document is None:
            yield f"{value} {SECRET}"
        else:
            yield from map(json.dumps, planted(document))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from ({**value, key: other} for other in planted(item))
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from ([*value[:position], other, *value[position + 1 :]] for other in planted(item))


def with_a_secret(view: SpanView) -> Iterator[tuple[str, SpanView]]:
    """The span with the secret in each attribute of its own, its events, its resource and its status."""
    for key, value in view.attributes.items():
        for position, other in enumerate(planted(value)):
            if position < FIRST_LEAVES:
                yield key, replace(view, attributes={**view.attributes, key: other})
    for number, event in enumerate(view.events):
        for key, value in event.attributes.items():
            for position, other in enumerate(planted(value)):
                if position < FIRST_LEAVES:
                    events = list(view.events)
                    events[number] = replace(event, attributes={**event.attributes, key: other})
                    yield f"{event.name} {key}", replace(view, events=events)
    for key, value in view.resource.items():
        yield from ((key, replace(view, resource={**view.resource, key: other})) for other in planted(value))
    yield "status", replace(view, status_code=2, status_message=SECRET)


def leaks(dialect: str, rules: TextRules, is_secret: Callable[[str, Any], bool]) -> set[str]:
    """The fields in which a planted secret was found, with the attribute that it came from."""
    builder = Builder(None, rules)
    found: set[str] = set()
    for view in spans()[dialect]:
        for key, hostile in with_a_secret(view):
            call = read(hostile, {OWN: key}).call
            for inference in builder.inferences(call) if call is not None else ():
                found |= {
                    f"{field} from {key}"
                    for field, value in inference.data.items()
                    if is_secret(field, value)
                }
    return found


def privacy_of(field: str) -> Privacy:
    return FIELDS[field].privacy if field in FIELDS else Privacy.WORDS


# By name: to read all that is recorded takes a second, in each process that collects the tests.
RECORDED = sorted({dialect.name for dialect in DIALECTS} - {"braintrust"})


def test_each_dialect_has_recorded_spans() -> None:
    assert sorted(spans()) == RECORDED


@pytest.mark.parametrize("dialect", RECORDED)
def test_redaction_sees_every_text_but_identifiers(dialect: str) -> None:
    rules = TextRules(redact=lambda text: text.replace("zq9", MASK))
    assert (
        leaks(dialect, rules, lambda field, value: "zq9" in str(value) and privacy_of(field).is_redacted)
        == set()
    )


@pytest.mark.parametrize("dialect", RECORDED)
def test_metadata_holds_no_words(dialect: str) -> None:
    may_hold = (Privacy.NAME, Privacy.IDENTIFIER)
    rules = TextRules(metadata_only=True)
    assert (
        leaks(dialect, rules, lambda field, value: "zq9" in str(value) and privacy_of(field) not in may_hold)
        == set()
    )


def test_names_in_metadata_are_one_short_line() -> None:
    name = "first\nsecond\u2028third " + "x" * 1000
    call = llm_call("hello", user_id=name, conversation_id=name, service_name=name)
    (inference,) = Builder(None, TextRules(metadata_only=True)).inferences(call)
    for field in ("user_id", "conversation_id", "service_name"):
        assert inference.data[field] == ("first second third " + "x" * 1000)[:NAME_LENGTH]


def test_error_types_in_metadata_are_names_of_classes() -> None:
    builder = Builder(None, TextRules(metadata_only=True))
    for given, sent in (
        ("openai.RateLimitError", "openai.RateLimitError"),
        ("429", "429"),
        (SECRET, "_OTHER"),
    ):
        (inference,) = builder.inferences(llm_call("hello", failed=True, error_type=given))
        assert inference.data["error_type"] == sent


def page() -> str:
    rows = [
        f"| `{field.name}` | {field.privacy.value} | {' | '.join(TREATMENT[field.privacy])} |"
        for field in FIELDS.values()
    ]
    own = f"| your own attributes | {Privacy.WORDS.value} | {' | '.join(TREATMENT[Privacy.WORDS])} |"
    before = PAGE.read_text(encoding="utf-8").partition("<!-- table")[0]
    return (
        f"{before}<!-- table: written by tests/inference/test_privacy.py -->\n"
        "| field | holds | with `REDACT` | with `CONTENT=metadata` |\n|---|---|---|---|\n"
        + "\n".join([*rows, own])
        + "\n"
    )


def test_the_page_shows_the_table() -> None:
    """To write it anew: ``python -m tests.inference.test_privacy``."""
    assert PAGE.read_text(encoding="utf-8") == page()


if __name__ == "__main__":
    Path(PAGE).write_text(page(), encoding="utf-8")
