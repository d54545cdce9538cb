"""Text from outside made fit for a person's terminal: no character of it moves, hides or forges anything.

Escape sequences can clear a screen and write a clipboard (OSC 52), bidirectional controls can make a line
read otherwise than it is (Unicode Technical Report 36), and a line break in a name can forge a log line.
"""

from __future__ import annotations

import logging
from traceback import format_exception

_C0_AND_C1 = (*range(0x20), *range(0x7F, 0xA0))
_LINES_AND_BIDI = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
_SURROGATES = range(0xD800, 0xE000)
_SIGNS = {code: repr(chr(code))[1:-1] for code in (*_C0_AND_C1, *_LINES_AND_BIDI, *_SURROGATES)}
"""Each character that must not reach a terminal, and its escape in Python: ``\\x1b``, ``\\u202e``."""
_SIGNS_BUT_LINES = {code: sign for code, sign in _SIGNS.items() if code != 0x0A}
_IN_JSON = {code: f"\\u{code:04x}" for code in _SIGNS if code not in (0x0A, 0x0D, 0x20, 0x09)}


def printable(text: str, *, keep_lines: bool = False) -> str:
    """`text` with its control characters as visible signs.

    Args:
        keep_lines: leave line feeds as they are, for a text that may have several lines.
    """
    return text if text.isprintable() else text.translate(_SIGNS_BUT_LINES if keep_lines else _SIGNS)


def printable_json(document: bytes) -> bytes:
    """A JSON document with C1 and bidirectional controls escaped; its meaning stays the same.

    Encoders escape C0 alone, as JSON demands no more (RFC 8259, section 7).
    """
    if document.isascii() and b"\x7f" not in document:
        return document
    return document.decode().translate(_IN_JSON).encode()


def one_line(record: logging.LogRecord) -> bool:
    """A filter for loggers: the record's message becomes printable. Always True."""
    message = record.getMessage()
    if not message.isprintable():
        record.msg, record.args = printable(message), ()
    if record.exc_info and record.exc_info[1] is not None and not record.exc_text:
        trace = "".join(format_exception(record.exc_info[1])).rstrip()
        record.exc_text = printable(trace, keep_lines=True)
    return True
