"""The built-in patterns: what they mask, what they leave, and that their work grows with the text alone."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_arthur.inference.redaction.patterns import PATTERNS
from otel_arthur.inference.redaction.redactors import redactor_of

KEPT = [
    "Call me at 10:30 or 1234 5678",
    "4111 1111 1111 1112 fails the check digit",
    "order 0000000000000000",
    "a @ b, user@localhost, @handle",
    "the key of success, skiing, task-force, monkey-business",
    "2026-11-22T12:00:00.250000+00:00",
    "",
]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("email", "write to Jane.Doe+x@mail.example.co.uk!", "write to [email]!"),
        ("email", "müller@straße.example and a@b.io", "[email] and [email]"),
        ("card", "card 4111 1111 1111 1111.", "card [card]."),
        ("card", "5500-0000-0000-0004/378282246310005", "[card]/[card]"),
        ("key", "use sk-proj-abcdefghijklmnop1234 now", "use [key] now"),
        ("key", "Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [key]"),
        ("key", "AKIAIOSFODNN7EXAMPLE", "[key]"),
        ("key", "ghp_0123456789abcdefghij0123456789", "[key]"),
        ("key", "password=hunter2 next", "password=[key] next"),
        ("key", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "[key]"),
        ("key", "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nrest", "[key]\nrest"),
    ],
)
def test_patterns(name: str, text: str, expected: str) -> None:
    assert PATTERNS[name](text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_text_is_kept(text: str) -> None:
    redact = redactor_of(list(PATTERNS))
    assert redact is not None
    assert redact(text) == text


WHOLE = {
    "email": [r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,63}"],
    "key": [
        r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
        r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}",
        r"\bghp_[\w-]{16,}",
    ],
}
"""The same patterns as plain expressions, one after the other: right, and too slow for hostile text."""
PIECES = st.sampled_from(
    [
        "a",
        "Jane.Doe",
        "@",
        "mail",
        ".",
        "example",
        "com",
        " ",
        "-",
        "_",
        "eyJ",
        "hbGciOiJIUzI",
        "ghp_",
        "0123456789abcdef",
        "\n",
        "ß",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "x" * 70,
    ]
)


@pytest.mark.parametrize("name", WHOLE)
@given(pieces=st.lists(PIECES, max_size=25), ahead=st.sampled_from([0, 16_300, 16_384, 17_400]))
def test_what_is_masked_is_what_plain_expressions_find(name: str, pieces: list[str], ahead: int) -> None:
    """Also across the windows in which a long text is searched."""
    text = "y " * (ahead // 2) + "".join(pieces)
    expected = text
    for expression in WHOLE[name]:
        expected = re.sub(expression, f"[{name}]", expected, flags=re.DOTALL)
    assert PATTERNS[name](text) == expected


def cost(redact: Callable[[str], str], text: str) -> float:
    """Seconds of this thread's CPU, the best of three: whatever else the machine does, work is in it."""
    costs = []
    for _ in range(3):
        began = time.thread_time()
        redact(text)
        costs.append(time.thread_time() - began)
    return min(costs)


FRAGMENTS = [
    "a",
    "a.",
    "1",
    "1 ",
    "1-",
    "@",
    "a@",
    ".",
    "-",
    "_",
    " ",
    "\n",
    "Z",
    "eyJ",
    "eyJ-",
    "key-",
    "sk-a",
    "sk-",
    "password=",
    "earer ",
    "AKIA",
    "AIza",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "PRIVATE KEY",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", PATTERNS)
def test_twice_the_text_costs_at_most_two_and_a_half_times(name: str) -> None:
    """Held over five doublings, so that a square stands out: 1,024 times the work, and not 98."""
    chosen = random.Random(name)
    hostile = list(FRAGMENTS) + [
        "".join(chosen.choices(FRAGMENTS, k=chosen.randint(2, 5))) for _ in range(40)
    ]
    for fragment in hostile:
        small = fragment * max(1, 8_000 // len(fragment))
        # A floor for the small text: below it, the clock's step is all that is measured.
        assert cost(PATTERNS[name], small * 32) < 2.5**5 * max(cost(PATTERNS[name], small), 1e-3), fragment


def test_a_text_of_many_matches_is_masked_to_its_end() -> None:
    assert PATTERNS["email"]("a@b.cc " * 10_000 + "end") == "[email] " * 10_000 + "end"
