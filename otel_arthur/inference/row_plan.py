"""`RowPlan`: the short way from a call to the rows of a model, where every value leaves as it is.

Made once for a model's slots: which paths an answer's values have, in the order of the model's attributes. It
makes the JSON that `Builder.inferences` and the encoder of requests come to, without a map in between. What
needs a longer look (a text with a NUL or a lone surrogate, a list, a value that must be coerced, redacted or
cut) is left to them: `tests/inference/test_row_plan.py` compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count
from operator import attrgetter, itemgetter
from typing import Any, Final, TypeAlias

import msgspec
import orjson
from msgspec import Struct

from otel_arthur.inference.fields import LIKELIHOODS, STRING, STRINGS, TEXT, TOKENS, Answer
from otel_arthur.inference.identity import partner_inference_id
from otel_arthur.inference.schema import Slot

_LARGE: Final = 8_192
"""Characters of all texts from which on the faster encoder of texts pays for a map."""
_LISTS: Final = (STRINGS, TOKENS, LIKELIHOODS)
_NAME: Final = re.compile(r"[\w .:/#@-]+", re.ASCII)
"""Names that stand in JSON as they are."""


WrittenRow: TypeAlias = tuple[str, bytes | bytearray, int]
"""Id, JSON as the request has it, and how many characters of the id name the call."""


class _Row(Struct, gc=False):
    partner_inference_id: str
    inference_timestamp: str
    inference_data: Struct


_encode_into = msgspec.json.Encoder().encode_into


class RowPlan:
    """See above. Not safe for threads.

    Args:
        copied: attribute -> path of the value in an `Answer`.
        types: attribute -> value type.
        required: attributes that are sent as an empty text where there is none.
    """

    __slots__ = ("_copies", "_data", "_lists", "_names", "_nothing", "_required", "_room", "_texts")

    def __init__(self, copied: Mapping[str, str], types: Mapping[str, str], required: Sequence[str]) -> None:
        self._names = tuple(copied)
        slots = {f"at_{place}": name for place, name in enumerate(copied)}
        self._data = msgspec.defstruct(
            "Data", [(slot, Any, None) for slot in slots], rename=slots, omit_defaults=True, gc=False
        )
        self._room = bytearray()
        # A getter of one name gives no tuple, but an input and an output are there in any case.
        self._copies = attrgetter(*copied.values())
        places = dict(zip(copied, count(), strict=False))
        self._required = tuple([places[name] for name in required])
        self._texts = itemgetter(*[place for name, place in places.items() if types[name] in (TEXT, STRING)])
        lists = [place for name, place in places.items() if types[name] in _LISTS]
        # A getter of one name gives no tuple: the first list stands for a second.
        self._lists = itemgetter(*lists, *lists[:1]) if lists else None
        self._nothing = (None,) * (len(lists) + 1)

    def rows(self, answers: Sequence[Answer], timestamp: str) -> list[WrittenRow] | None:
        """The rows of a call, or None where one of them takes the long way; they hold until the next call."""
        rows: list[WrittenRow] = []
        for answer in answers:
            values = self._copies(answer)
            for place in self._required:
                if values[place] is None:
                    return None
            is_large = len(answer.input_text) + len(answer.output_text or "") > _LARGE
            if self._has_nul(values, is_large):
                return None
            if self._lists is not None and self._lists(values) != self._nothing:
                return None
            call = answer.call
            identity = partner_inference_id(call.trace_id, call.span_id, answer.position)
            try:
                if is_large:
                    row = self._large(identity, timestamp, values)
                else:
                    # Into room that is there already: memory that grows with each text is dear.
                    _encode_into(_Row(identity, timestamp, self._data(*values)), self._room)
                    row = self._room if len(answers) == 1 else bytes(self._room)
            except (UnicodeEncodeError, TypeError):
                return None
            rows.append((identity, row, len(call.trace_id) + 1 + len(call.span_id)))
        return rows

    def _has_nul(self, values: Sequence[Any], is_large: bool) -> bool:
        texts = filter(None, self._texts(values))
        return any("\0" in text for text in texts) if is_large else "\0" in "".join(texts)

    def _large(self, identity: str, timestamp: str, values: Sequence[Any]) -> bytes:
        data = {name: value for name, value in zip(self._names, values, strict=True) if value is not None}
        row = {
            "partner_inference_id": identity,
            "inference_timestamp": timestamp,
            "inference_data": data,
        }
        return orjson.dumps(row)


def may_be_planned(slots: Sequence[Slot]) -> bool:
    """Whether the attributes of a model can be written by a plan."""
    names = [slot.attribute for slot in slots]
    has_both = {"input_text", "output_text"} <= {slot.field for slot in slots}
    return has_both and len(set(names)) == len(names) and all(map(_NAME.fullmatch, names))
