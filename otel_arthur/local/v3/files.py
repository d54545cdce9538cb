"""Bulk uploads: ``POST /models/{id}/inferences/file`` with parquet or JSON files.

The SDK's ``send_bulk_inferences`` sends parts named ``inference_data``, ``send_bulk_ground_truths``
parts named ``ground_truth_data``, each with rows that are flat (a column per attribute, beside the
reserved ones) or nested as in the other requests.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import islice
from typing import IO, Any, Final, cast

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from otel_arthur.local.bodies import bounded, loaded
from otel_arthur.local.store import Store
from otel_arthur.local.v3.ingestion import Result, ingest_ground_truth, ingest_inferences
from otel_arthur.local.v3.models import Model
from otel_arthur.local.v3.rows import nested

_INFERENCES: Final = "inference_data"
_GROUND_TRUTHS: Final = "ground_truth_data"
_PARQUET_MAGIC: Final = b"PAR1"
_CHUNK_ROWS: Final = 1000


async def ingest_files(
    request: Request, store: Store, model: Model, *, limit: int, accept_duplicates: bool
) -> list[Result]:
    """All rows of all files, checked and kept; one result per row, in order.

    Raises:
        HTTPException: 400 for a form or file that cannot be read, 413 over `limit` bytes,
            415 for parquet where pyarrow is not installed.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(400, "the body must be multipart/form-data with one or more files")
    try:
        form = await MultiPartParser(request.headers, cast("Any", bounded(request, limit))).parse()
    except (MultiPartException, ValueError) as error:
        raise HTTPException(400, f"the multipart body cannot be read: {error}") from None
    try:
        return await run_in_threadpool(_ingest_form, form, store, model, accept_duplicates)
    finally:
        await form.close()


def _ingest_form(form: FormData, store: Store, model: Model, accept_duplicates: bool) -> list[Result]:
    batch_id = form.get("batch_id")
    batch_id = batch_id if isinstance(batch_id, str) and batch_id else None
    files = [(name, part) for name, part in form.multi_items() if name in (_INFERENCES, _GROUND_TRUTHS)]
    if not files:
        raise HTTPException(400, f"no file: send parts named {_INFERENCES!r} or {_GROUND_TRUTHS!r}")
    results: list[Result] = []
    for name, part in files:
        rows = (nested(row, model, batch_id) for row in _rows(part))
        while chunk := list(islice(rows, _CHUNK_ROWS)):
            if name == _INFERENCES:
                results += ingest_inferences(store, model, chunk, accept_duplicates=accept_duplicates)
            else:
                results += ingest_ground_truth(store, model, chunk)
    return results


def _rows(part: UploadFile | str) -> Iterator[Any]:
    if isinstance(part, str):
        yield from _json_rows(part.encode())
        return
    start = part.file.read(len(_PARQUET_MAGIC))
    part.file.seek(0)
    yield from _parquet_rows(part.file) if start == _PARQUET_MAGIC else _json_rows(part.file.read())


def _json_rows(content: bytes) -> Iterator[Any]:
    """A JSON array, one object, or one object a line."""
    try:
        whole = loaded(content)
    except orjson.JSONDecodeError:
        try:
            yield from [orjson.loads(line) for line in content.splitlines() if line.strip()]
        except orjson.JSONDecodeError as error:
            raise HTTPException(400, f"a file is neither parquet, JSON nor JSON lines: {error}") from None
        return
    yield from cast("list[Any]", whole) if isinstance(whole, list) else [whole]


def _parquet_rows(file: IO[bytes]) -> Iterator[Any]:
    try:
        from pyarrow import ArrowException, parquet  # type: ignore[reportMissingImports]
    except ModuleNotFoundError:
        raise HTTPException(
            415, "parquet needs pyarrow beside local Arthur (pip install pyarrow); JSON files work without"
        ) from None
    reader: Any = cast("Any", parquet)
    try:
        for batch in reader.ParquetFile(file).iter_batches(batch_size=_CHUNK_ROWS):
            for row in batch.to_pylist():
                yield {name: _json_value(value) for name, value in row.items()}
    except cast("type[Exception]", ArrowException) as error:
        raise HTTPException(400, f"the parquet file cannot be read: {error}") from None


def _json_value(value: Any) -> Any:
    """A parquet value as the JSON requests would have it: NaN is null, times are text, maps are objects."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        # pandas writes UTC moments without a zone.
        return (value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)).isoformat()
    if isinstance(value, list):
        items = cast("list[Any]", value)
        if items and all(isinstance(item, tuple) for item in items):
            return _json_value(dict(items))
        return [_json_value(item) for item in items]
    if isinstance(value, dict):
        # Maps written as structs have every key of the column; keys of other rows are null.
        entries = cast("dict[str, Any]", value).items()
        return {key: _json_value(item) for key, item in entries if item is not None}
    return value
