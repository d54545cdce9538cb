"""OTLP exports given on the command line: the exports in each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import blake2b
from io import RawIOBase
from pathlib import Path
from typing import IO, Any, cast

import click

from otel_arthur.cli.terminal import new_console
from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.cli.terminal.output import say
from otel_arthur.genai.otlp.files import EmptyExport, exports_in
from otel_arthur.genai.otlp.json.typed import Export
from otel_arthur.genai.otlp.spoiled import OTLPError, Spoiled

_AT_ONCE = 1024 * 1024

FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True)

FORMATS = (
    "FILE is an OTLP export of traces, logs or both: binary protobuf, OTLP/JSON, or JSON lines or "
    "length-prefixed protobuf as a Collector's file exporter writes them, plain or compressed with gzip "
    "or zstd; a folder stands for the files in it, - for standard input. Log events give their content to "
    "the spans of all files."
)
"""For the help of commands that take such files."""


class TraceFiles:
    """Files as they were named; ``-`` is standard input, and a folder the files in it, by name.

    An empty file is an export without spans (OTLP: an empty request succeeds). A line on stderr names such
    a file, and the parts of a file that cannot be read; the rest is read. Each method that reads raises
    WrongUse for a file that cannot be read, or is no trace or log export; the message names the file.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [one for name in names for one in _files_of(name)]
        self.told: Callable[[int], object] = lambda _bytes: None
        """Called with the number of bytes that were read."""

    def is_read_once(self, name: str) -> bool:
        """Whether it is standard input, a pipe or a device: what it holds can't be looked at again."""
        return name == "-" or (Path(name).exists() and not Path(name).is_file())

    def digest(self, name: str) -> bytes | None:
        """Of the bytes of a file; None of what is read once."""
        if self.is_read_once(name):
            return None
        digest = blake2b(digest_size=16)
        with self._opened(name) as file:
            while part := file.read(_AT_ONCE):
                digest.update(part)
        return digest.digest()

    def size(self) -> int | None:
        """Bytes of all files; None where that is unknown."""
        if any(map(self.is_read_once, self.names)):
            return None
        return sum(Path(name).stat().st_size for name in self.names if Path(name).exists())

    def exports(self, name: str) -> Iterator[Export]:
        """The exports in a file."""
        spoiled = Spoiled()
        try:
            yield from self._exports(name, lambda part: self.told(len(part)), spoiled)
        except EmptyExport as error:
            say(f"Note: {_told(name)}: {error}", err=True)
        if spoiled.counts:
            say(f"Note: {_told(name)}: not all could be read: {spoiled}", err=True)

    def first(self, name: str) -> Export | None:
        """The first export of a file that can be looked at again; nothing is said of what it lacks."""
        try:
            return next(self._exports(name, lambda _part: None, Spoiled()), None)
        except EmptyExport:
            return None

    def _exports(self, name: str, read: Callable[[bytes], object], spoiled: Spoiled) -> Iterator[Export]:
        try:
            with self._opened(name) as file:
                yield from exports_in(cast("IO[bytes]", _Watched(file, read)), spoiled)
        except EmptyExport:
            raise
        except OTLPError as error:
            raise WrongUse(f"{_told(name)}: {error}") from None
        except OSError as error:
            raise WrongUse(f"{_told(name)}: {error.strerror or type(error).__name__}") from None

    def _opened(self, name: str) -> AbstractContextManager[IO[bytes]]:
        if name == "-":
            return nullcontext(sys.stdin.buffer)
        try:
            return Path(name).open("rb")
        except OSError as error:
            raise WrongUse(f"{name}: {error.strerror or type(error).__name__}") from None


@contextmanager
def reading(files: TraceFiles, *, is_shown: bool) -> Generator[None]:
    """Show on stderr how much of the files is read, if that is a terminal and `is_shown`."""
    if not is_shown or not sys.stderr.isatty():
        yield
        return
    from rich.progress import Progress

    with Progress(console=new_console(err=True), transient=True) as progress:
        task = progress.add_task("Reading", total=files.size())
        files.told = lambda count: progress.advance(task, count)
        yield


def _files_of(name: str) -> list[str]:
    folder = Path(name)
    if name == "-" or not folder.is_dir():
        return [name]
    try:
        files = sorted(str(one) for one in folder.iterdir() if one.is_file() and one.name[0] != ".")
    except OSError as error:
        raise WrongUse(f"{name}: {error.strerror or type(error).__name__}") from None
    if not files:
        raise WrongUse(f"{name}: there is no file in the folder; name a file, or a folder of exports")
    return files


def _told(name: str) -> str:
    """A file's name for people."""
    return "standard input" if name == "-" else name


class _Watched(RawIOBase):
    """A file that reports the bytes read; closing it does not close the file below."""

    def __init__(self, file: Any, read: Callable[[bytes], object]) -> None:
        self._file = file
        self._tell = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part: bytes = self._file.read1(len(buffer))
        self._tell(part)
        buffer[: len(part)] = part
        return len(part)
