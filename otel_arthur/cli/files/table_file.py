"""A file of rows that a person gives: JSON lines, or CSV as spreadsheets write it. Read in bounded memory."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Final, TypeVar, cast

import orjson

from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.cli.terminal.output import plural, say

MAX_LINE: Final = 16 * 1024 * 1024
"""Bytes of a line; a longer one is no row. Characters of a cell of CSV, which may have several lines."""
_MAX_HEADER: Final = 128 * 1024
"""Characters of the header of CSV."""
MAX_PROBLEMS: Final = 20
"""More bad lines than these are not looked for."""
_BOM: Final = b"\xef\xbb\xbf"
_KINDS: Final = {
    b"\xff\xfe\0\0": "UTF-32; save it as UTF-8",
    b"\xff\xfe": "UTF-16; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
    b"PK\x03\x04": "a zip archive or a workbook of a spreadsheet; save it as CSV UTF-8",
    b"\x1f\x8b": "compressed with gzip; decompress it",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; decompress it",
}
_CSV_ENDINGS: Final = (".csv", ".tsv")
_JSON_ENDINGS: Final = (".json", ".jsonl", ".ndjson")

_R = TypeVar("_R")
Row = tuple[int, Mapping[str, Any]]
"""The number of a line, from 1, and what it holds. A cell of CSV is a text."""


def kind_of(value: Any) -> str:
    """What a value of a row is, in words for a person."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, str):
        return "a text" if value.strip() else "an empty text"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"


class BadRow(ValueError):
    """What is wrong with a row; the message names the field, what it is and what it should be."""


class TableFile(AbstractContextManager["TableFile"]):
    """The rows of a file or of standard input (``-``). They can be read twice.

    What is wrong goes to `problems`. A note on standard error names what is left out, once.

    Args:
        ids: the columns of which CSV must have one set.
    """

    def __init__(self, name: str, ids: Sequence[tuple[str, ...]]) -> None:
        self._ids = ids
        self.name = "standard input" if name == "-" else name
        self.problems: list[str] = []
        """All that is wrong with the file, a line for each."""
        self._is_first = True
        self._opened = ExitStack()
        self._copy: IO[bytes] | None = None
        self.delimiter = ""
        """Of CSV, empty for JSON lines."""
        if name == "-":
            self._stream: IO[bytes] = sys.stdin.buffer
            self._copy = self._opened.enter_context(TemporaryFile())  # noqa: SIM115
        else:
            try:
                self._stream = self._opened.enter_context(Path(name).open("rb"))  # noqa: SIM115
            except OSError as error:
                raise WrongUse(f"{name}: {error.strerror or type(error).__name__}") from None
        # The limit is the whole process's, which may be another program's that calls the command.
        before = csv.field_size_limit(MAX_LINE)
        self._opened.callback(csv.field_size_limit, before)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def rows(self) -> Iterator[Row]:
        """The rows, from the first.

        Raises:
            WrongUse: it is no table; the message names file and line.
        """
        lines = self._lines()
        number, text = next(((number, text) for number, text in lines if text.strip()), (0, ""))
        if not number:
            return
        ending = Path(self.name).suffix.lower()
        is_json = ending in _JSON_ENDINGS or (ending not in _CSV_ENDINGS and text.lstrip()[0] in "{[")
        yield from self._json(number, text, lines) if is_json else self._csv(number, text, lines)
        self._is_first = False

    def read(self, parse: Callable[[Mapping[str, Any]], _R]) -> Iterator[_R]:
        """What `parse` makes of each row; a `BadRow` from it is a problem, and too many of them are the end.

        Raises:
            WrongUse: as in `rows`.
        """
        for number, row in self.rows():
            try:
                yield parse(row)
            except BadRow as error:
                self._problem(number, str(error))
            if self._has_too_many_problems:
                return

    def _lines(self) -> Iterator[tuple[int, str]]:
        stream = self._stream
        if not self._is_first:
            stream = self._copy or self._stream
            stream.seek(0)
        number = 0
        while True:
            try:
                line = stream.readline(MAX_LINE + 1)
            except OSError as error:
                raise WrongUse(f"{self.name}: {error.strerror or type(error).__name__}") from None
            if not line:
                return
            number += 1
            self._refuse_what_is_no_text(number, line)
            if self._copy is not None and self._is_first:
                self._copy.write(line)
            try:
                yield number, line.removeprefix(_BOM if number == 1 else b"").decode()
            except UnicodeDecodeError:
                raise WrongUse(
                    f"{self.name}, line {number}: it is not UTF-8; save the file as UTF-8"
                ) from None

    def _refuse_what_is_no_text(self, number: int, line: bytes) -> None:
        kind = next((kind for mark, kind in _KINDS.items() if number == 1 and line.startswith(mark)), None)
        if kind is not None:
            raise WrongUse(f"{self.name}: it is {kind}")
        if b"\0" in line[:4096]:
            raise WrongUse(f"{self.name}, line {number}: it holds bytes that are no text; save it as UTF-8")
        if len(line) > MAX_LINE:
            raise WrongUse(f"{self.name}, line {number}: longer than {MAX_LINE // 1024**2} MB")

    def _json(self, number: int, first: str, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
        for line, text in chain([(number, first)], lines):
            if self._has_too_many_problems:
                return
            if not text.strip():
                continue
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                what = f"not JSON ({error.msg}); write one object a line, or name a CSV file .csv"
                self._problem(line, what)
                continue
            if isinstance(value, dict):
                yield line, cast("dict[str, Any]", value)
            else:
                self._problem(line, f"{kind_of(value)}; each line must be a JSON object")

    def _csv(self, number: int, first: str, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
        separator = first.rstrip("\r\n")
        if separator[:4].lower() == "sep=" and len(separator) == 5 and separator[4] != '"':  # Excel's own
            self.delimiter = separator[4]
            number, first = next(lines, (number, ""))
        header = self._header(number, first)
        empty = without_name = 0
        # Strict: a quotation mark that is not closed would take the rest of the file for one cell.
        reader = csv.reader((text for _, text in lines), delimiter=self.delimiter, strict=True)
        line = number
        try:
            for cells in reader:
                line = number + reader.line_num
                if self._has_too_many_problems:
                    return
                if not any(cell.strip() for cell in cells):
                    empty += bool(cells)
                    continue
                if any(cell.strip() for cell in cells[len(header) :]):
                    self._problem(line, "more values than the header has names")
                    continue
                pairs = list(zip(header, cells, strict=False))
                without_name += any(not name and cell.strip() for name, cell in pairs)
                yield line, {name: cell for name, cell in pairs if name and cell}
        except csv.Error as error:
            raise WrongUse(f"{self.name}, line {line + 1}: {_why(error)}") from None
        if self._is_first and empty:
            say(f"Note: {self.name}: {plural(empty, 'empty line')} left out", err=True)
        if self._is_first and without_name:
            say(
                f"Note: {self.name}: a column without a name (an index?) is left out; name it to send it",
                err=True,
            )

    def _header(self, number: int, line: str) -> list[str]:
        """Learn delimiter and header."""
        if len(line) > _MAX_HEADER:
            raise WrongUse(f"{self.name}, line {number}, the header: longer than {_MAX_HEADER // 1024} kB")
        try:
            self.delimiter = self.delimiter or max(",;\t", key=lambda mark: len(_cells(line, mark)))
            header = [name.strip() for name in _cells(line, self.delimiter, strict=True)]
        except csv.Error as error:
            raise WrongUse(f"{self.name}, line {number}, the header: {_why(error)}") from None
        twice = {name for name in header if name and header.count(name) > 1}
        if twice:
            raise WrongUse(f"{self.name}: the header has the column {sorted(twice)[0]!r} twice")
        if header and not any({*columns} <= {*header} for columns in self._ids):
            first, *others = (" and ".join(columns) for columns in self._ids)
            raise WrongUse(f"{self.name}: no column {first}; give it, or {', or '.join(others)}")
        return header

    def _problem(self, number: int, what: str) -> None:
        self.problems.append(f"{self.name}, line {number}: {what}")

    @property
    def _has_too_many_problems(self) -> bool:
        return len(self.problems) >= MAX_PROBLEMS


def _cells(line: str, delimiter: str, *, strict: bool = False) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, strict=strict), list[str]())


def _why(error: csv.Error) -> str:
    """What is wrong with a row, and what may have caused it."""
    if "new-line" in str(error):
        return "a line ends with a carriage return alone; save the file as CSV UTF-8 with line feeds"
    return f"{error}; is a quotation mark missing?"
