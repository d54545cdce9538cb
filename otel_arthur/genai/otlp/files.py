"""OTLP export files: which signal and which encoding a file's bytes are, found from the bytes.

Of a file no more than a piece of some megabytes is in memory at once, however large its messages are.

Source: opentelemetry-proto, "OTLP/JSON Protobuf Encoding"; the Collector's file exporter (JSON
lines, or messages that each follow their length as four big-endian bytes, each compressed or not).
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from typing import IO, Any, cast

from otel_arthur.genai.otlp.json.texts import PIECE, documents
from otel_arthur.genai.otlp.json.tolerated import tolerated
from otel_arthur.genai.otlp.json.typed import Export
from otel_arthur.genai.otlp.pieces import Cut, pieces
from otel_arthur.genai.otlp.spoiled import HINT, OTLPError, Spoiled

_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_FIRST_FIELD = b"\n"
"""All three requests of OTLP have but one field, and this is its tag. A length never begins so."""
_JSON = re.compile(rb'\s*\{\s*(\}|"[^"\x00-\x1f]*"|\Z)|[ \t\r]*\[|\n\s*\[\s*[\[\]{}"]')
"""How JSON begins. A message of protobuf may begin with a line feed and a brace, but does not go on so."""
MAX_MESSAGE = 128 * 1024**2
"""Bytes of one message behind its length, after decompression, and of one value; a Collector's largest are
a few."""
_BUFFER = 256 * 1024
_RECORDS, _METRICS = "traces and logs", "metrics"


class EmptyExport(OTLPError):
    """There is nothing in it: protobuf's form of an export without spans."""


def exports_in(stream: IO[bytes], spoiled: Spoiled) -> Iterator[Export]:
    """The exports in a file, in order, in pieces; metrics beside them are passed over.

    Args:
        stream: the file, compressed or not.
        spoiled: told what is passed over because it cannot be read.

    Raises:
        EmptyExport: there is not a byte.
        OTLPError: nothing in it can be read.
        OSError: the file cannot be read.
    """
    seen: set[str] = set()
    with _read_errors():
        yield from _exports(inflated(stream), seen, spoiled)
    if not seen:
        raise EmptyExport("it is empty")
    if seen == {_METRICS}:
        raise OTLPError("it holds metrics, and no traces or logs")


def inflated(stream: IO[bytes]) -> BufferedReader:
    """What a file holds, read as it is asked for; compressed or not."""
    plain = BufferedReader(cast("Any", stream), _BUFFER)
    head = plain.peek(4)[:4]
    if head[:2] == _GZIP:
        return BufferedReader(cast("Any", gzip.GzipFile(fileobj=plain)), _BUFFER)
    if head != _ZSTD:
        return plain
    try:
        from otel_arthur.genai.otlp.zstd import WINDOW, ZstdFile
    except ImportError:
        raise OTLPError("it is compressed with zstd; pip install backports.zstd to read it") from None
    return BufferedReader(cast("Any", ZstdFile(plain, options=WINDOW)), _BUFFER)


@contextmanager
def _read_errors() -> Generator[None, None, None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise OTLPError(f"its compression is damaged: {error}") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":  # of a package that may not be there
            raise
        raise OTLPError(f"its compression is damaged: {error}") from None


def _exports(stream: BufferedReader, seen: set[str], spoiled: Spoiled) -> Iterator[Export]:
    head = stream.peek(4)
    if head.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
        head = stream.peek(4)
    if (encoding := _utf16(head)) is not None:
        text = _bounded(stream.read(MAX_MESSAGE + 1)).decode(encoding, "replace")
        stream = BufferedReader(cast("Any", BytesIO(text.encode())))
        head = stream.peek(4)
    if head[:4] == _ZIP:
        raise OTLPError("it is a zip archive; give the files in it")
    if _JSON.match(head):
        yield from _from_json(stream, seen, spoiled)
    elif head[:1] == _FIRST_FIELD:
        yield from _from_binary(stream, seen, spoiled)
    elif len(head) >= 4 and 0 < int.from_bytes(head[:4], "big") <= MAX_MESSAGE:
        yield from _from_messages(stream, seen, spoiled)
    elif head.strip():
        raise OTLPError(f"it is no OTLP export, neither protobuf nor JSON; {HINT}")


def _utf16(head: bytes) -> str | None:
    """The encoding of JSON in two bytes a character, with its mark or without."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if head[:2] in (b"{\0", b"[\0"):
        return "utf-16-le"
    return "utf-16-be" if head[:2] in (b"\0{", b"\0[") else None


def _from_messages(stream: IO[bytes], seen: set[str], spoiled: Spoiled) -> Iterator[Export]:
    """The messages that each follow their length."""
    failure: OTLPError | None = None
    for number, piece in enumerate(_length_prefixed(stream, spoiled), 1):
        try:
            inside = inflated(BytesIO(piece))
            is_json = _JSON.match(inside.peek(4)) is not None
            yield from (_from_json if is_json else _from_binary)(inside, seen, spoiled)
        except OTLPError as error:
            failure = failure or error
            spoiled.add("a message that cannot be read", f"message {number}: {error}")
    if failure is not None and not seen:
        raise failure


def _bounded(message: bytes) -> bytes:
    if len(message) > MAX_MESSAGE:
        raise OTLPError(f"a message in it is longer than {MAX_MESSAGE // 1024**2} MB; {HINT}")
    return message


def _length_prefixed(stream: IO[bytes], spoiled: Spoiled) -> Iterator[bytes]:
    """The messages that each follow their length; the last one may be cut short."""
    whole = 0
    while prefix := stream.read(4):
        length = int.from_bytes(prefix, "big")
        message = stream.read(length) if len(prefix) == 4 and 0 < length <= MAX_MESSAGE else b""
        if not message or len(message) < length:
            if not whole:
                raise OTLPError(f"it is no OTLP export, neither protobuf nor JSON; {HINT}")
            spoiled.add("a last message that is cut short", f"it comes after {whole} whole ones")
            return
        whole += 1
        yield message


def _from_json(stream: IO[bytes], seen: set[str], spoiled: Spoiled) -> Iterator[Export]:
    failure: OTLPError | None = None
    for where, document in documents(stream, MAX_MESSAGE, spoiled):
        try:
            export = document if isinstance(document, Export) else _of_document(document, where, spoiled)
        except OTLPError as error:
            failure = failure or OTLPError(f"{where}{error}")
            spoiled.add("a JSON object that is no export", str(failure))
            continue
        seen |= {_RECORDS} if export.has_records else {_METRICS}
        yield export
    if failure is not None and not seen:
        raise failure


def _of_document(document: Any, where: str, spoiled: Spoiled) -> Export:
    if not isinstance(document, dict):
        raise OTLPError(f"expected a JSON object, found {type(document).__name__}; {HINT}")
    export, bad = tolerated(cast("dict[str, Any]", document))
    if not export.has_records and not export.has_metrics:
        keys = ", ".join(sorted(map(str, cast("dict[str, Any]", document)))[:5])
        raise OTLPError(f"it is JSON but not OTLP: it has {keys} and no resourceSpans; {HINT}")
    for left_out, reason in bad:
        spoiled.add(left_out, f"{where}{reason}")
    return export


def _from_binary(stream: IO[bytes], seen: set[str], spoiled: Spoiled) -> Iterator[Export]:
    """One protobuf message. The three signals have the same outer form; their records tell them apart."""
    from otel_arthur.genai.otlp.signals import KINDS, export_of, told  # protobuf takes long to import

    kinds = KINDS
    try:
        for piece in pieces(stream, PIECE, MAX_MESSAGE):
            kinds, message, bad = told(piece, kinds)
            export = export_of(message)
            seen |= {_RECORDS} if export.has_records else {_METRICS}
            for left_out, count in (+bad).items() if export.has_records else ():
                spoiled.add(left_out, count=count)
            yield export
    except Cut as error:
        if not seen:
            raise OTLPError(f"it is no OTLP export, neither protobuf nor JSON; {HINT}") from None
        spoiled.add("the rest of a message", str(error))
