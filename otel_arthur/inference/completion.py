"""Two rows of one call: the row that is sent takes the fields that it lacks from the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypedDict

import msgspec
import orjson

from otel_arthur.genai.duplicates.completion import TAKEN

_FAILURE: Final = ("status", "error_type", "error_message")
_NOT_TAKEN: Final = frozenset({"model", *_FAILURE})
_NAMES: Final = (*TAKEN, *_NOT_TAKEN)


def _decoder() -> Callable[[bytes], Any]:
    """Decodes what is looked at of a row: no words."""
    values: Any = TypedDict("values", dict.fromkeys(_NAMES, Any), total=False)  # type: ignore[operator]
    return msgspec.json.Decoder(msgspec.defstruct("Row", [("inference_data", values)])).decode


_decode: Final = _decoder()


def completed_row(row: bytes, others: Iterable[bytes]) -> bytes:
    """A row with what it lacks, as `genai.duplicates.completion.completed` has it; the same bytes if nothing.

    Fields are known by their names in the catalogue, which a model's attributes have too.
    """
    before: dict[str, Any] = _decode(row).inference_data
    values = before
    for other in others:
        found: dict[str, Any] = _decode(other).inference_data
        if found == values:
            continue
        values = dict(values)
        if missing := found.keys() - values.keys() - _NOT_TAKEN:
            values.update({name: found[name] for name in TAKEN if name in missing})
        if "model" in found and values.get("model") in (None, values.get("request_model")):
            values["model"] = found["model"]
        if found.get("status") == "error" != values.get("status"):
            values.update({name: found[name] for name in _FAILURE if name in found})
    if values == before:
        return row
    news = {name: value for name, value in values.items() if name not in before or value != before[name]}
    if news.keys().isdisjoint(before) and row.endswith(b"}}") and not row.endswith(b"{}}"):
        return b"%s,%s}}" % (row[:-2], orjson.dumps(news)[1:-1])
    record: dict[str, Any] = orjson.loads(row)
    record["inference_data"].update(news)
    return orjson.dumps(record)
