"""Compares what the model server answered with what arrived in Arthur: each call exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from otel_arthur.demo.served_call import JSON, ServedCall

FAILED = "error"
"""The value of `status` in an inference whose call failed."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The comparison. ``unexpected`` holds duplicates and whatever else the server knows nothing of."""

    answered: int
    refused: int
    missing: tuple[ServedCall, ...]
    missing_refusals: tuple[ServedCall, ...]
    unexpected: tuple[JSON, ...]

    @property
    def exact(self) -> bool:
        """Every answered call arrived once, every refused one too, and nothing else."""
        return self.answered > 0 and not (self.missing or self.missing_refusals or self.unexpected)

    def complaints(self) -> list[str]:
        """One line for each thing that is wrong; empty when exact."""
        lines = [] if self.answered else ["the model server answered no call"]
        lines += [f"missing: {_described(call)}" for call in self.missing]
        lines += [f"missing: the failed call, {_described(call)}" for call in self.missing_refusals]
        lines += [
            f"unexpected: {row.get('partner_inference_id')} {str(data(row).get('output_text') or '')[:60]!r}"
            for row in self.unexpected
        ]
        return lines


def reconcile(served: Sequence[ServedCall], arrived: Sequence[JSON]) -> Reconciliation:
    """Match one to one; ``arrived`` are inferences as Arthur has them (with ``inference_data``).

    An answer is matched by its response id where the span had one (streamed spans have none), else by
    its text; a refusal by the model asked for. Each inference is used up by its match, so a second one
    for the same call is left over.
    """
    left = list(arrived)
    missing: list[ServedCall] = []
    answered = [call for call in served if call.answered]
    refused = [call for call in served if call.status != 200]

    # By id first: a text may occur twice, and must not use up a row that an id proves.
    by_text: list[tuple[ServedCall, str]] = []
    for call in answered:
        for text in call.texts or ("",):
            if _take(left, lambda row, c=call, t=text: _has_id(row, c) and _has_text(row, t)) is None:
                by_text.append((call, text))
    for call, text in by_text:
        if _take(left, lambda row, t=text: not data(row).get("response_id") and _has_text(row, t)) is None:
            missing.append(call)
    missing_refusals = [
        call
        for call in refused
        if _take(left, lambda row, c=call: _failed(row) and data(row).get("request_model") == c.model) is None
    ]
    # A call that was cut midway may have arrived as an answer or a failure, or not at all.
    for call in served:
        if call.status == 200 and not call.complete:
            _take(left, lambda row, c=call: _failed(row) or _has_id(row, c))
    return Reconciliation(len(answered), len(refused), tuple(missing), tuple(missing_refusals), tuple(left))


def data(row: JSON) -> JSON:
    return row.get("inference_data") or {}


def _take(rows: list[JSON], wanted: Callable[[JSON], bool]) -> JSON | None:
    for position, row in enumerate(rows):
        if wanted(row):
            return rows.pop(position)
    return None


def _failed(row: JSON) -> bool:
    return data(row).get("status") == FAILED


def _has_id(row: JSON, call: ServedCall) -> bool:
    return bool(call.response_id) and data(row).get("response_id") == call.response_id


def _has_text(row: JSON, text: str) -> bool:
    return not _failed(row) and (data(row).get("output_text") or "") == text


def _described(call: ServedCall) -> str:
    answer = f" {call.texts[0][:60]!r}" if call.texts else ""
    return f"{call.model} answered {call.status}{answer}{' (streamed)' if call.streamed else ''}"


def in_order(rows: Iterable[JSON]) -> list[JSON]:
    """Inferences by their time; RFC 3339 in UTC sorts as text."""
    return sorted(rows, key=lambda row: str(row.get("inference_timestamp")))
