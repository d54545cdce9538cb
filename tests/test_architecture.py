"""`docs/architecture.md` is true: the rooms, the direction of imports, the sizes of files and folders."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from tests.support.paths import ROOT

PACKAGE = ROOT / "otel_arthur"
PAGE = (ROOT / "docs" / "architecture.md").read_text()
MAX_LINES, MAX_FILES = 300, 12
"""Of a file; of a folder, beside `__init__.py` and `conftest.py`."""
A_FILE_EACH = {"otel_arthur/genai/dialects", "tests/captures/programs"}
"""Folders with one file for each dialect, or for each program that is recorded."""
FACES = ("__init__", "__main__")
"""What stands for the whole package, above all rooms."""


def lines_of_rooms() -> list[set[str]]:
    """The rooms of each line of the picture, from the top."""
    picture = PAGE.split("<!-- rooms, from the top -->")[1].split("<!-- end of rooms -->")[0]
    lines = [line for line in picture.splitlines() if line.strip() and not line.startswith("```")]
    # What a line holds stands before its rooms, with two blanks or more between.
    return [set(re.split(r"\s{2,}", line.strip())) - {line.split("  ")[0]} for line in lines]


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "otel_arthur":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("otel_arthur."):
            yield (node.module or "").split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (one.name.split(".")[1] for one in node.names if one.name.startswith("otel_arthur."))


def test_the_picture_has_every_room_once() -> None:
    rooms = [room for line in lines_of_rooms() for room in line]
    assert sorted(rooms) == sorted({room_of(path) for path in PACKAGE.rglob("*.py")} - {*FACES})


def test_imports_go_down_the_picture() -> None:
    floor = {room: -number for number, line in enumerate(lines_of_rooms()) for room in line}
    wrong = {
        f"{path.relative_to(ROOT)} imports {other}"
        for path in PACKAGE.rglob("*.py")
        if (room := room_of(path)) not in FACES
        for other in imported_rooms(path)
        if other != room and floor.get(other, 1) >= floor[room]
    }
    assert wrong == set()


def test_what_the_page_names_is_there() -> None:
    table = takewhile(lambda line: line.startswith("|"), PAGE.split("| room | holds |\n")[1].splitlines())
    missing: list[str] = []
    for line in list(table)[1:]:
        rooms, holds = line.strip("|").split(" | ")
        for room in re.findall(r"`([\w./]+)`", rooms):
            assert (PACKAGE / room).exists(), room
        inside = PACKAGE / re.findall(r"`([\w./]+)`", rooms)[0]
        names = re.findall(r"`([a-z_\d]+(?:/|\.py))`", holds)
        missing += [f"{inside.name}/{name}" for name in names if not (inside / name).exists()]
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def test_no_file_is_too_long_and_no_folder_too_full() -> None:
    files = [path for top in (PACKAGE, ROOT / "tests", ROOT / "benchmarks") for path in top.rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    long = {path: length for path, length in lengths.items() if length > MAX_LINES}
    assert not long, long
    in_rooms = (path for path in files if path.name not in {"__init__.py", "conftest.py"})
    counted = Counter(str(path.parent.relative_to(ROOT)) for path in in_rooms)
    full = {folder: number for folder, number in counted.items() if number > MAX_FILES}
    assert full.keys() - A_FILE_EACH == set(), full


def test_a_dialect_is_a_table_of_under_80_lines() -> None:
    tables = [path for path in (PACKAGE / "genai/dialects").glob("*.py") if path.name != "__init__.py"]
    assert tables
    lengths = {path.name: len(path.read_text().splitlines()) for path in tables}
    assert {name: length for name, length in lengths.items() if length >= 80} == {}
