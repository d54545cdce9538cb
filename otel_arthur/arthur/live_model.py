"""Sending through a live ``arthurai.ArthurModel``, for applications that have one (SDK 3.33.3).

The SDK is never imported here: its model and its errors are recognised by their names.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from otel_arthur.arthur.errors import Refused, error_for
from otel_arthur.arthur.models import Attribute, Model
from otel_arthur.arthur.rows import RowResult, read_rows
from otel_arthur.http.errors import Unavailable
from otel_arthur.process.per_process import PerProcess

_SDK_LOGGERS = ("arthurai.core.models", "arthurai.client.http.requests")
"""Loggers of the SDK, which log refused rows as errors, and whole requests for debugging."""
_STATUS = re.compile(r"\s*(\d{3})\b")


class LiveModel:
    """A client that is bound to one model, whichever model a method names.

    While Arthur hangs, a request takes the SDK's 300 s for each try: only our own threads wait.

    Args:
        model: an ``ArthurModel`` that is saved.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        # The SDK's session was not made for several threads.
        self._locks = PerProcess(self._new_lock)
        self._locks.get()
        for name in _SDK_LOGGERS:
            logging.getLogger(name).addFilter(_is_ours_to_say)

    @property
    def model_id(self) -> str:
        """Arthur's id of the model; empty while it is not saved."""
        return str(self._model.id or "")

    def organization_id(self) -> str:
        """Empty: the SDK does not tell the organization."""
        return ""

    def model(self, model_id: str, *, timeout: float | None = None) -> Model:
        """The model as the SDK has it; no request is sent."""
        attributes = [
            Attribute(
                name=str(attribute.name),
                value_type=_word(attribute.value_type),
                stage=_word(attribute.stage),
                implicit=bool(getattr(attribute, "implicit", False)),
            )
            for attribute in self._model.attributes
        ]
        return Model(id=self.model_id, attributes=tuple(attributes))

    def send_inferences(
        self, model_id: str, rows: Sequence[bytes], *, timeout: float | None = None
    ) -> list[RowResult]:
        """``ArthurModel.send_inferences``; errors as `ArthurClient` has them."""
        return self._send(self._model.send_inferences, rows)

    def send_ground_truth(
        self, model_id: str, rows: Sequence[bytes], *, timeout: float | None = None
    ) -> list[RowResult]:
        """``ArthurModel.update_inference_ground_truths``."""
        return self._send(self._model.update_inference_ground_truths, rows)

    def close(self) -> None:
        """The model is the application's."""

    def _new_lock(self) -> threading.Lock:
        if self._locks.is_inherited:
            _forget_connections(self._model)
        return threading.Lock()

    def _send(self, present: Callable[..., Any], rows: Sequence[bytes]) -> list[RowResult]:
        what = f"sending to model {self.model_id} through the SDK"
        try:
            with self._locks.get():
                _quiet.sending = True
                answer: Mapping[str, Any] = present([orjson.loads(row) for row in rows], fail_silently=True)
        except Exception as error:
            raise _translated(error, what) from None
        finally:
            _quiet.sending = False
        return read_rows(answer, len(rows), what)


class _Quiet(threading.local):
    """Whether this thread sends: then the SDK logs nothing, since we report each row's outcome."""

    sending = False


_quiet = _Quiet()


def _forget_connections(model: Any) -> None:
    """In a child: open connections are the parent's, and two processes must not share one."""
    session = getattr(getattr(model, "_client", None), "session", None)
    if session is not None:
        session.close()


def _is_ours_to_say(_record: logging.LogRecord) -> bool:
    return not _quiet.sending


def _word(value: Any) -> str:
    """The wire's word of one of the SDK's enumerations, which are strings too."""
    return str(getattr(value, "value", value))


def _translated(error: Exception, what: str) -> Exception:
    """One of our errors. The SDK's own text may quote the request, so only its status is used."""
    match = _STATUS.match(str(error))
    if match is not None:
        return error_for(int(match[1]), what)
    names = {kind.__name__ for kind in type(error).__mro__}
    if "ArthurUserError" in names:
        # The SDK checks rows before it sends them: as if Arthur had refused the request.
        return Refused(f"{what}: refused by the SDK ({type(error).__name__})", status=400)
    return Unavailable(f"{what}: failed ({type(error).__name__})")
