"""Many rows into the store, answered row by row as a 207 does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from typing import Any, TypedDict, TypeVar

from otel_arthur.local.store import Store
from otel_arthur.local.v3.models import Model
from otel_arthur.local.v3.rows import GroundTruthRow, InferenceRow, read_ground_truth, read_inference
from otel_arthur.local.v3.value_types import Refused

_Row = TypeVar("_Row", InferenceRow, GroundTruthRow)


class Result(TypedDict):
    message: str
    status: int


def multi_status(results: Sequence[Result]) -> dict[str, Any]:
    """The body of a 207: ``counts``, and ``results`` in the order of the request's rows."""
    success = sum(result["status"] == 200 for result in results)
    counts = {"success": success, "failure": len(results) - success, "total": len(results)}
    return {"counts": counts, "results": list(results)}


def ingest_inferences(
    store: Store, model: Model, rows: Iterable[Any], *, accept_duplicates: bool
) -> list[Result]:
    """Check and keep inferences; a bad row does not keep its neighbours out."""
    return _ingest(
        rows,
        model,
        read_inference,
        lambda good: store.add_inferences(model.id, good, accept_duplicates=accept_duplicates),
        (409, "an inference with partner_inference_id {!r} already exists"),
    )


def ingest_ground_truth(store: Store, model: Model, rows: Iterable[Any]) -> list[Result]:
    """Check and keep ground truth of known inferences."""
    return _ingest(
        rows,
        model,
        read_ground_truth,
        lambda good: store.add_ground_truth(model.id, good),
        (404, "no inference with partner_inference_id {!r}"),
    )


def _ingest(
    rows: Iterable[Any],
    model: Model,
    read: Callable[[Any, Model, str], _Row],
    keep: Callable[[Sequence[_Row]], list[bool]],
    refusal: tuple[int, str],
) -> list[Result]:
    """Check and keep rows; `refusal` is status and message of those that the store does not keep."""
    now = datetime.now(timezone.utc).isoformat(timespec="microseconds")
    status, message = refusal
    results: list[Result] = []
    good: list[tuple[int, _Row]] = []
    for index, row in enumerate(rows):
        results.append({"message": "success", "status": 200})
        try:
            good.append((index, read(row, model, now)))
        except Refused as error:
            results[index] = {"message": error.detail, "status": error.status_code}
    for (index, row), kept in zip(good, keep([row for _, row in good]), strict=True):
        if not kept:
            results[index] = {"message": message.format(row.partner_inference_id), "status": status}
    return results
