"""Many rows into the store, answered row by row as a 207 does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from typing import Any, TypedDict, TypeVar

from otel_arthur.local.store import Store
from otel_arthur.local.v3.models import Model
from otel_arthur.local.v3.rows import read_ground_truth, read_inference
from otel_arthur.local.v3.value_types import Refused

_Row = TypeVar("_Row")


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
    now = _now()
    return _ingest(
        rows,
        lambda row: read_inference(row, model, now),
        lambda good: store.add_inferences(model.id, good, accept_duplicates=accept_duplicates),
        lambda row: {
            "message": f"an inference with partner_inference_id {row.partner_inference_id!r} already exists",
            "status": 409,
        },
    )


def ingest_ground_truth(store: Store, model: Model, rows: Iterable[Any]) -> list[Result]:
    """Check and keep ground truth of known inferences."""
    now = _now()
    return _ingest(
        rows,
        lambda row: read_ground_truth(row, model, now),
        lambda good: store.add_ground_truth(model.id, good),
        lambda row: {
            "message": f"no inference with partner_inference_id {row.partner_inference_id!r}",
            "status": 404,
        },
    )


def _ingest(
    rows: Iterable[Any],
    read: Callable[[Any], _Row],
    keep: Callable[[Sequence[_Row]], list[bool]],
    refusal: Callable[[_Row], Result],
) -> list[Result]:
    results: list[Result] = []
    good: list[tuple[int, _Row]] = []
    for index, row in enumerate(rows):
        results.append({"message": "success", "status": 200})
        try:
            good.append((index, read(row)))
        except Refused as error:
            results[index] = {"message": error.detail, "status": error.status_code}
    for (index, row), kept in zip(good, keep([row for _, row in good]), strict=True):
        if not kept:
            results[index] = refusal(row)
    return results


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")
