"""The walls around the spool: SQL stays inside, and the spool knows of nothing outside."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

PACKAGE = ROOT / "otel_arthur"
HAVE_DATABASES = ("spool", "local")
"""Local Arthur is a server with a database of its own."""
SQL = re.compile(
    r"\b(SELECT\b.+\bFROM|INSERT\s+(OR\s+\w+\s+)?INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET|PRAGMA)\b", re.S
)


def modules(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text())


def imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def with_sql(folder: Path) -> list[str]:
    return [
        name
        for name, module in modules(folder)
        if any(
            isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
            for node in ast.walk(module)
        )
    ]


def test_there_is_no_sql_outside_the_spool() -> None:
    found = with_sql(PACKAGE)
    assert any(name.startswith("spool/") for name in found)
    assert [name for name in found if not name.startswith(HAVE_DATABASES)] == []


def test_nobody_outside_the_spool_works_on_its_insides() -> None:
    allowed = {
        # How long a disk may take.
        ("delivery/books/losses.py", "otel_arthur.spool.disk.index.database"),
        ("delivery/run.py", "otel_arthur.spool.disk.index.database"),
    }
    found = {
        (name, one)
        for name, module in modules(PACKAGE)
        if not name.startswith("spool/")
        for one in imported(module)
        if one.startswith("otel_arthur.spool.disk")
    }
    assert found == allowed


def test_the_spool_knows_of_nothing_outside() -> None:
    for name, module in modules(PACKAGE / "spool"):
        for one in imported(module):
            assert not one.startswith("otel_arthur") or one.startswith(
                ("otel_arthur.spool", "otel_arthur.process.", "otel_arthur.notices")
            ), f"{name} imports {one}"
