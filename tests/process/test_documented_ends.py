"""The table of ends in docs/spool.md: each row names tests, and each of those tests exists."""

from __future__ import annotations

import re

from tests.support.paths import ROOT

TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
}


def test_each_documented_end_is_held_by_tests() -> None:
    text = (ROOT / "docs/spool.md").read_text()
    table = text.split("| held by |\n")[1].split("\n\n")[0].splitlines()[1:]
    assert len(table) >= 8
    for row in table:
        named = re.findall(r"`(test_\w+)`", row.split("|")[-2])
        assert named, row
        assert set(named) <= TESTS, row
