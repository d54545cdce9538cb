"""What ``otel-arthur check`` says of Arthur Engine."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

from otel_arthur.cli.commands.check.marked_call import marked_call
from otel_arthur.cli.commands.check.report import Report
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.configuration import EngineConfiguration
from otel_arthur.engine.client import EngineClient, Forbidden
from otel_arthur.engine.intake import span_of
from otel_arthur.engine.presenting import trouble_of
from otel_arthur.engine.requests import request_of
from otel_arthur.http.errors import ArthurError
from otel_arthur.inference.privacy import TextRules

_PARENTS = {
    "cut": "of other services are cut; where those send to the Engine too, each evaluation runs twice: "
    "set OTEL_EXPORTER_ARTHUR_ENGINE_REMOTE_PARENT=keep",
    "keep": "of other services are kept: a trace is evaluated only where those send to the Engine too",
}
_NOTHING = b"\n\x00"
"""A request of one resource without spans: the Engine takes the request and stores nothing."""
_SERVICE = "otel-arthur check"


def check_engine(report: Report, engine: EngineConfiguration, timeout: float, send: bool) -> None:
    """Say whether the Engine can be reached, what its key may do, and which task gets the calls.

    Raises:
        WrongUse: the key is missing, or a task is configured that is not there.
        WorkFailed: the Engine cannot be reached, or it refuses.
    """
    if engine.missing is not None:
        raise WrongUse(engine.missing)
    try:
        with closing(EngineClient(engine, timeout)) as client:
            report.well("engine", engine.endpoint)
            _present(client, _NOTHING)
            report.well("key", "the key may send traces")
            _say_what_may_be_asked(report, client, engine.task_id)
            report.well("task", engine.task_id or "the one that is called as service.name")
            report.well("parents", _PARENTS[engine.remote_parent])
            if send:
                call = marked_call(service_name=None if engine.task_id else _SERVICE)
                span = span_of(call, TextRules(), Counter())
                request = request_of(span, call.service_name, engine.task_id, Counter())
                _present(client, request.SerializeToString())
                report.well("sent", "one marked span was accepted")
    except ArthurError as error:
        raise WorkFailed(str(error)) from None


def _present(client: EngineClient, body: bytes) -> None:
    status = client.send(body)
    if status == 500:
        raise WorkFailed(
            "the Engine failed (500); OTEL_EXPORTER_ARTHUR_ENGINE_TASK_ID must name a task that is there"
        )
    if status not in range(200, 300):
        raise WorkFailed(trouble_of(status).text)


def _say_what_may_be_asked(report: Report, client: EngineClient, task_id: str | None) -> None:
    try:
        is_there = client.task_of(_SERVICE) is not None if task_id is None else client.has_task(task_id)
    except Forbidden:
        report.doubt(
            "key",
            "the key may not ask which spans are stored: spans whose answer was lost are presented again",
            "use a key with the role TASK-ADMIN",
        )
    except ValueError as error:
        raise WorkFailed(str(error)) from None
    else:
        report.well("key", "the key may ask which spans are stored")
        if task_id is not None and not is_there:
            raise WrongUse(f"the Engine has no task {task_id}; check OTEL_EXPORTER_ARTHUR_ENGINE_TASK_ID")
