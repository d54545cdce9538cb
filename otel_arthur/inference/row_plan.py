"""`RowPlan`: the short way from a call to the rows of a model, where every value leaves as it is.

Made once for a model's slots: which of a choice's values it has, in the order of the model's attributes. It
makes the JSON that `Builder.inferences` and the encoder of requests come to, without a map in between. What
needs a longer look (a text with a NUL or a lone surrogate, a list, a value that must be coerced, redacted or
cut) is left to them: `tests/genai/test_plans.py` compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, TypeAlias

import msgspec
import orjson
from msgspec import Struct

from otel_arthur.genai.call import LLMCall
from otel_arthur.inference.fields import (
    FIELDS,
    LIKELIHOODS,
    OUTPUT_TEXT,
    PLACES,
    STRING,
    STRINGS,
    TEXT,
    TOKENS,
    Values,
)
from otel_arthur.inference.privacy import Privacy
from otel_arthur.inference.schema import Slot
from otel_arthur.inference.times import rfc3339

_LISTS: Final = (STRINGS, TOKENS, LIKELIHOODS)
_TEXTS: Final = {PLACES[field.name]: field for field in FIELDS.values() if field.value_type in (TEXT, STRING)}
_WORDS: Final = {place for place, field in _TEXTS.items() if field.privacy is Privacy.WORDS}
"""Values that may be long texts, which orjson writes in a fourth of msgspec's time."""
_NAME: Final = re.compile(r"[\w .:/#@-]+", re.ASCII)
"""Names that stand in JSON as they are."""


WrittenRow: TypeAlias = tuple[str, bytes | bytearray, int]
"""Id, JSON as the request has it, and how many characters of the id name the call."""


class _Row(Struct, gc=False):
    partner_inference_id: str
    inference_timestamp: str
    inference_data: Struct


_KEPT: Final = 4 * 1024 * 1024
"""Bytes of a row whose memory is kept for the next one."""
_encode_into = msgspec.json.Encoder().encode_into


def written(identity: str, end_ns: int, data: Struct, room: bytearray) -> bytes | bytearray:
    """The row of a call that ended at `end_ns`, as the request has it.

    Args:
        room: for the row, which holds until `room` is written to again. A very large row has memory of its
            own, and `room` gives back what it took: a builder lives as long as its thread.

    Raises:
        UnicodeEncodeError: a text is no Unicode.
    """
    _encode_into(_Row(identity, rfc3339(end_ns), data), room)
    if len(room) <= _KEPT:
        return room
    row = bytes(room)
    room.clear()
    return row


class RowPlan:
    """See above. Not safe for threads.

    Args:
        places: attribute -> place of its value (`fields.PLACES`).
        types: attribute -> value type.
        needs_answer: an empty text is sent where there is no answer.
    """

    __slots__ = ("_data", "_lists", "_names", "_needs_answer", "_nothing", "_room", "_values", "_words")

    def __init__(self, places: Mapping[str, int], types: Mapping[str, str], needs_answer: bool) -> None:
        self._data = data_of(tuple(places))
        self._room = bytearray()
        # A getter of one value gives no tuple, but an input and an output are there in any case.
        self._values = itemgetter(*places.values())
        self._needs_answer = needs_answer
        self._words = tuple(_WORDS.intersection(places.values()))
        names = _TEXTS.keys() - _WORDS
        self._names = itemgetter(*sorted(names))
        lists = [place for name, place in places.items() if types[name] in _LISTS]
        # The first list stands for a second.
        self._lists = itemgetter(*lists, *lists[:1]) if lists else None
        self._nothing = (None,) * (len(lists) + 1)

    def rows(self, call: LLMCall, choices: Sequence[Values]) -> list[WrittenRow] | None:
        """The rows of a call, or None where one of them takes the long way; they hold until the next call."""
        rows: list[WrittenRow] = []
        stem = f"{call.trace_id}-{call.span_id}"
        for position, values in enumerate(choices):
            if self._needs_answer and values[OUTPUT_TEXT] is None:
                return None
            if self._lists is not None and self._lists(values) != self._nothing:
                return None
            identity = f"{stem}-{position}"
            try:
                # A character in texts is found ten times as fast as the six that are written for it.
                if "\0" in "".join(filter(None, self._names(values))):
                    return None
                for place in self._words:
                    if text := values[place]:
                        if "\0" in text:
                            return None
                        values[place] = msgspec.Raw(orjson.dumps(text))
                # Into room that is there already: memory that grows with each text is dear.
                row = written(identity, call.end_ns, self._data(*self._values(values)), self._room)
                row = row if len(choices) == 1 else bytes(row)
            except (UnicodeEncodeError, TypeError):
                return None
            rows.append((identity, row, len(stem)))
        return rows


@lru_cache(maxsize=64)
def data_of(names: tuple[str, ...]) -> type[Struct]:
    """The data of a row. To make a class takes as long as to write four rows."""
    slots = {f"at_{place}": name for place, name in enumerate(names)}
    fields = [(slot, Any, None) for slot in slots]
    return msgspec.defstruct("Data", fields, rename=slots, omit_defaults=True, gc=False)


def may_be_planned(slots: Sequence[Slot]) -> bool:
    """Whether the attributes of a model can be written by a plan."""
    names = [slot.attribute for slot in slots]
    has_both = {"input_text", "output_text"} <= {slot.field for slot in slots}
    return has_both and len(set(names)) == len(names) and all(map(_NAME.fullmatch, names))
