"""Attribute values that the Engine can store.

One bad value (NUL in a text, NaN or infinity, a count beyond 32 bits) loses the whole request at the Engine,
and a ``/`` in a key the span. So every value passes this module, and each mending is counted.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

from otel_arthur.genai.json_text import clean
from otel_arthur.http.encoding import encode

Value: TypeAlias = str | bool | int | float | list[str]
LARGEST_COUNT: Final = 2**31 - 1
_NO_NUMBER: Final = ("NaN", "Infinity")
_MARKS: Final = (b"null", "\ufffd".encode())
"""The output of `encode` for NaN and infinity, and for characters that the Engine cannot store."""


class SafeAttributes:
    """The attributes of one span. Each value is made safe when it is set.

    Args:
        mended: kind of mending -> number of values, of all spans.
    """

    __slots__ = ("_mended", "values")

    def __init__(self, mended: Counter[str]) -> None:
        self.values: dict[str, Value] = {}
        self._mended = mended

    def put(self, key: str, value: Value | None) -> None:
        """Set an attribute; None, NaN and infinity set nothing."""
        if value is None:
            return
        if isinstance(value, str):
            self.values[key] = self.text(value)
        elif isinstance(value, list):
            self.values[key] = [self.text(item) for item in value]
        elif isinstance(value, float) and not math.isfinite(value):
            self._mended["no number"] += 1
        else:
            self.values[key] = value

    def put_count(self, key: str, count: int | None) -> None:
        """Set a number of tokens: a whole number from 0 to `LARGEST_COUNT`."""
        if count is None:
            return
        if not 0 <= count <= LARGEST_COUNT:
            self._mended["count"] += 1
        self.values[key] = min(max(count, 0), LARGEST_COUNT)

    def put_json(self, key: str, value: Any, *, safe_keys: bool = False) -> None:
        """Set an attribute to JSON text: `value` itself if it is JSON text already.

        Args:
            safe_keys: a ``/`` in a key becomes ``_``.
        """
        if value is None:
            return
        if isinstance(value, str):
            self.put(key, self._json_text(value))
            return
        written = encode(value)
        # Only a value that may be bad is searched: most values are good.
        if any(mark in written for mark in _MARKS) or (safe_keys and b"/" in written):
            written = encode(self._safe(value, safe_keys))
        self.values[key] = written.decode()

    def text(self, value: str) -> str:
        """The text without NUL and lone surrogates."""
        if value.isascii() and "\x00" not in value:
            return value
        try:
            value.encode()
        except UnicodeEncodeError:
            self._mended["surrogate"] += 1
            value = clean(value)
        if "\x00" in value:
            self._mended["NUL"] += 1
            value = value.replace("\x00", "\ufffd")
        return value

    def _json_text(self, text: str) -> str:
        """A text that the Engine would parse: NaN, infinity and NUL may hide in JSON that Python takes."""
        if "\\u0000" not in text and not any(word in text for word in _NO_NUMBER):
            return text
        try:
            return encode(self._safe(json.loads(text), False)).decode()
        except (ValueError, RecursionError):
            return text

    def _safe(self, value: Any, safe_keys: bool) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, float) and not math.isfinite(value):
            self._mended["no number"] += 1
            return None
        if isinstance(value, Mapping):
            entries = cast("Mapping[Any, Any]", value)
            return {
                self._key(str(key), safe_keys): self._safe(item, safe_keys) for key, item in entries.items()
            }
        if isinstance(value, list | tuple):
            return [self._safe(item, safe_keys) for item in cast("list[Any]", value)]
        return value

    def _key(self, key: str, safe: bool) -> str:
        if safe and "/" in key:
            self._mended["key"] += 1
            key = key.replace("/", "_")
        return self.text(key)
