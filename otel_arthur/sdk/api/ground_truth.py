"""`record_ground_truth`: what the right answer was, sent when the application learns it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.http.encoding import encode
from otel_arthur.inference.identity import parse
from otel_arthur.inference.redaction.redactors import checked
from otel_arthur.notices import Notices
from otel_arthur.process.never_raises import never_raises
from otel_arthur.process.per_process import PerProcess
from otel_arthur.sdk import bridge as bridges
from otel_arthur.sdk.api.capture import is_sampled
from otel_arthur.sdk.setup.settings import report

_logger = logging.getLogger("otel_arthur")

NOT_SENT = "ground truth of a call that is not sent"
_notices: PerProcess[Notices] = PerProcess(Notices)
_own: tuple[Configuration, Delivery] | None = None
"""Of a process that has no exporter: a service that learns the right answers to what another one asked."""


def record_ground_truth(
    inference_id: str | None,
    values: Mapping[str, Any] | None = None,
    *,
    timestamp: datetime | None = None,
    **named_values: Any,
) -> bool:
    """Send the ground truth of an inference; returns whether it was taken for sending.

    Args:
        inference_id: the ``partner_inference_id``, from `inference_id` or `capture`. None stands for a call
            that is not sent: its ground truth is refused, and counted as skipped.
        values: ground truth attribute of the model -> value; or give them by name.
        timestamp: when it became known, with a timezone; default now.

    It is spooled and retried as inferences are, and waits for an inference that is still on its
    way. This returns once it is in the spool; `force_flush` waits until Arthur has it. A process
    without an exporter of ours is configured by the variables. Never raises: a bad call is one log
    line and False.
    """
    with never_raises("ground truth was not taken"):
        if inference_id is None or _is_left_out(inference_id):
            return _refuse_unsent()
        row = _row(inference_id, values, named_values, timestamp)
        if row is None:
            return False
        taken = delivery_in_use().submit_ground_truth([row])
        return bool(taken.spooled or taken.in_memory)
    return False


def _is_left_out(inference_id: Any) -> bool:
    """Whether the id is of a call that sampling leaves out."""
    parsed = parse(inference_id) if isinstance(inference_id, str) else None
    return parsed is not None and not is_sampled(parsed[0])


def _refuse_unsent() -> bool:
    delivery_in_use().skip(NOT_SENT)
    _notices.get().say(
        NOT_SENT,
        "ground truth is refused for calls that are not sent: their spans are not sampled, or "
        "OTEL_EXPORTER_ARTHUR_SAMPLE_RATIO leaves them out",
    )
    return False


def _row(
    inference_id: Any, values: Any, named_values: Mapping[str, Any], timestamp: Any
) -> dict[str, Any] | None:
    """What is sent; None where something cannot be, which is said."""
    if not isinstance(inference_id, str) or not inference_id:
        return _refused("inference_id", inference_id, "give the id that capture() or inference_id() gave")
    if not isinstance(values, Mapping | None):
        return _refused(
            "values", values, "give a mapping of ground truth attribute and value, or values by name"
        )
    if not isinstance(timestamp, datetime | None):
        return _refused("timestamp", timestamp, "give a datetime with a timezone")
    data: dict[Any, Any] = {**(values or {}), **named_values}
    if not data:
        _logger.warning("otel-arthur: ground truth is ignored: it has no value; give one by name")
        return None
    for name, value in data.items():
        if not isinstance(name, str):
            return _refused("values", name, "the names in it must be texts", "a name in argument")
        try:
            encode(value)
        except (TypeError, ValueError):
            return _refused(name, value, "a value must be a text, number, boolean or list", "value")
    moment = timestamp or datetime.now(timezone.utc)
    if moment.tzinfo is None:
        _logger.warning("otel-arthur: a ground truth timestamp needs a timezone; it is taken as UTC")
        moment = moment.replace(tzinfo=timezone.utc)
    return {
        "partner_inference_id": inference_id,
        "ground_truth_timestamp": moment.isoformat(),
        "ground_truth_data": data,
    }


def _refused(name: str, value: Any, fix: str, what: str = "argument") -> None:
    kind = "empty" if isinstance(value, str) else f"of type {type(value).__name__}"
    _logger.warning("otel-arthur: ground truth is ignored: %s %s is %s; %s", what, name, kind, fix)


def flush(timeout: float) -> bool:
    """Wait for what was recorded in a process without an exporter; whether all of it went."""
    return _own is None or _own[1].flush(timeout)


def delivery_in_use() -> Delivery:
    """The exporter's, if there is one; else one that is kept, and sends in the background until the exit."""
    global _own
    bridge = bridges.current()
    if bridge is not None:
        return bridge.delivery
    configuration = checked(Configuration.from_environment())
    if _own is None or _own[0] != configuration:
        report(configuration)
        _own = (configuration, Delivery(configuration))
    return _own[1]
