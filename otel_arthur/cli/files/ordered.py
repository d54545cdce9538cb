"""Texts about the spans of files, printed in the order of the files, though the spans come by time."""

from __future__ import annotations

from collections import Counter
from tempfile import SpooledTemporaryFile
from typing import IO

import orjson

from otel_arthur.cli.files.verdicts import Verdicts
from otel_arthur.cli.terminal.output import put

_AT_ONCE = 32
_IN_MEMORY = 1024 * 1024


class Ordered:
    """Prints `limit` texts at most, some at once. Texts that wait for a file before theirs do so on disk."""

    def __init__(self, verdicts: Verdicts, limit: int | None) -> None:
        self._verdicts = verdicts
        verdicts.before_reading = self._flush
        self._texts: list[str] = []
        self._limit = limit
        self._file = 0
        self._waiting: dict[int, IO[bytes]] = {}
        self._counts: Counter[int] = Counter()
        self.printed = 0

    @property
    def is_full(self) -> bool:
        """Whether no more is printed."""
        return self.printed == self._limit

    def put(self, file: int, text: str) -> None:
        """Print a text about a span of a file as soon as it is its turn."""
        if file > self._file:
            self._turn_to(self._verdicts.first_file)
        if file <= self._file:
            self._print(text)
        elif self._counts[file] != self._limit:
            self._counts[file] += 1
            if file not in self._waiting:
                self._waiting[file] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
            self._waiting[file].write(orjson.dumps(text, option=orjson.OPT_APPEND_NEWLINE))

    def end(self) -> None:
        """Print what still waits."""
        self._turn_to(max(self._waiting, default=0))
        self._flush()

    def _turn_to(self, file: int) -> None:
        for number in sorted(self._waiting):
            if number <= file:
                with self._waiting.pop(number) as waiting:
                    waiting.seek(0)
                    for line in waiting:
                        self._print(orjson.loads(line))
        self._file = max(self._file, file)

    def _print(self, text: str) -> None:
        if not self.is_full:
            self._texts.append(text)
            self.printed += 1
            if len(self._texts) >= _AT_ONCE:
                self._flush()

    def _flush(self) -> None:
        if self._texts:
            put("".join(self._texts))
            self._texts.clear()
