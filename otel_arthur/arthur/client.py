"""Arthur's API as the bridge uses it: one method for each call, one attempt each.

The delivery retries. The client only renews the login once after a 401.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import quote

from otel_arthur.arthur import models
from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.errors import (
    AlreadyExists,
    InDoubt,
    NotFound,
    ProvisioningFailed,
    error_for,
    not_arthur,
    object_in,
)
from otel_arthur.arthur.models import Model
from otel_arthur.arthur.rows import RowResult, are_delivered, read_rows, says_exists
from otel_arthur.http.encoding import Body, encode, encode_rows, mapping
from otel_arthur.http.endpoint import API
from otel_arthur.http.errors import ArthurError, NotArthur, Unavailable
from otel_arthur.http.transport import Answer, Transport

if TYPE_CHECKING:
    from otel_arthur.configuration import Configuration

V3: Final = API("/api/v3", "OTEL_EXPORTER_ARTHUR")
Row = bytes | Mapping[str, Any]
"""A row of a request: a mapping, or its JSON as bytes, which are sent as they are."""

_MAX_DETAIL = 300
_PAGE_SIZE = 100
_MAX_PAGES = 1000
_POLL_SECONDS = 0.2
_MAX_POLL_SECONDS = 5.0


class _Read(NamedTuple):
    """An answer that accepted all rows."""

    body: bytes
    results: list[RowResult]


class ArthurClient:
    """Calls to one Arthur under one identity. Thread-safe; a forked child may go on using it.

    Each method raises the fitting `ArthurError`. `timeout` is the seconds that a call may take, with a login
    where one is needed; the default is the transport's.
    """

    def __init__(self, transport: Transport, authentication: Authentication) -> None:
        self._transport = transport
        self._authentication = authentication
        self._last: _Read | None = None
        """The last answer: most answers repeat it word for word."""

    @classmethod
    def from_configuration(cls, configuration: Configuration) -> ArthurClient:
        """A client by the user's settings; nothing is sent.

        Raises:
            ConfigurationError: the endpoint or the credentials cannot be used as given.
        """
        return cls(
            Transport(
                configuration.endpoint,
                V3,
                timeout=configuration.timeout,
                compression=configuration.compression,
                certificate=configuration.certificate,
                insecure=configuration.insecure,
            ),
            Authentication(
                api_key=configuration.api_key,
                login=configuration.login,
                password=configuration.password,
                organization_id=configuration.organization_id,
            ),
        )

    def __repr__(self) -> str:
        return f"ArthurClient({self._transport!r}, {self._authentication!r})"

    def organization_id(self) -> str:
        """The organization of all requests: the configured one, or the one that Arthur named."""
        return self._headers(self._deadline(None))["Arthur-Organization-ID"]

    def model(self, model_id: str, *, timeout: float | None = None) -> Model:
        """The model with its attributes; `NotFound` where there is none of this id."""
        try:
            return self._model(model_id, "id", timeout)
        except NotFound as error:
            raise NotFound(
                f"Arthur has no model {model_id!r} in this organization (404); check "
                "OTEL_EXPORTER_ARTHUR_MODEL_ID, or create a model with `otel-arthur onboard NAME`",
                status=error.status,
                detail=error.detail,
            ) from None

    def model_named(self, partner_model_id: str) -> Model:
        """The model of this partner model id, the name that its owner gave it."""
        return self._model(partner_model_id, "partner_model_id")

    def models(self) -> list[Model]:
        """All models that the credentials may see, page by page (``GET /models``)."""
        what = "listing models"
        found: dict[str, Model] = {}
        for page in range(1, _MAX_PAGES + 1):
            path = f"/models?expand=attributes&page={page}&page_size={_PAGE_SIZE}"
            listed = object_in(self._call("GET", path, what), what).get("data")
            items = cast("list[Any]", listed) if isinstance(listed, list) else []
            models = [model for model in map(Model.from_json, items) if model is not None]
            before = len(found)
            found.update((model.id, model) for model in models)
            # A server without pages answers each request with all models.
            if len(found) == before or len(models) < _PAGE_SIZE:
                break
        return list(found.values())

    def create_model(self, request: Mapping[str, Any]) -> Model:
        """Create a model; it may not be ready yet (`wait_until_ready`).

        Args:
            request: the body of ``POST /models``, as `onboarding.model_request` builds it.

        Raises:
            AlreadyExists: the name is taken.
        """
        name = str(request.get("partner_model_id", ""))
        what = f"creating model {name!r}"
        try:
            path = "/models?async_model_provisioning=True"
            answer = self._call("POST", path, what, body=encode(request))
        except ArthurError as error:
            if error.status is not None and says_exists(error.status, error.detail or ""):
                raise AlreadyExists(
                    f"{what}: a model of this name exists", model_id=self._id_of(name), status=error.status
                ) from None
            raise
        return _read_model(answer, what)

    def wait_until_ready(self, model_id: str, *, within: float = 120.0) -> Model:
        """The model once it takes inferences, polled for `within` seconds.

        Raises:
            ProvisioningFailed: the creation failed, or the model was archived.
            Unavailable: the model is not ready after `within` seconds.
        """
        import tenacity

        last: Model | None = None

        def ready() -> bool:
            nonlocal last
            last = self.model(model_id)
            if last.status in (models.CREATION_FAILED, models.ARCHIVED):
                raise ProvisioningFailed(f"model {model_id} is {last.status} and will not become ready")
            return last.is_ready

        polling = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda e: isinstance(e, ArthurError) and e.retryable)
            | tenacity.retry_if_result(lambda is_ready: not is_ready),
            wait=tenacity.wait_exponential(multiplier=_POLL_SECONDS, max=_MAX_POLL_SECONDS),
            stop=tenacity.stop_after_delay(within),
        )
        try:
            polling(ready)
        except tenacity.RetryError as error:
            if (cause := error.last_attempt.exception()) is not None:
                raise cause from None
        if last is None or not last.is_ready:
            status = last.status if last is not None else "unknown"
            raise Unavailable(f"model {model_id} is not ready after {within:g} s (status {status})")
        return last

    def send_inferences(
        self, model_id: str, rows: Sequence[Row], *, timeout: float | None = None
    ) -> list[RowResult]:
        """Present inferences; one result per row, in order.

        Raises:
            InDoubt: the answer does not have each row's outcome. Present the same rows again.
            PayloadTooLarge: fewer rows may fit.
        """
        return self._send("POST", model_id, rows, f"sending inferences to model {model_id}", timeout)

    def send_ground_truth(
        self, model_id: str, rows: Sequence[Row], *, timeout: float | None = None
    ) -> list[RowResult]:
        """Add ground truth to inferences that Arthur has; results and errors as `send_inferences`.

        A row is ``{"partner_inference_id", "ground_truth_timestamp", "ground_truth_data"}``.
        """
        return self._send("PATCH", model_id, rows, f"sending ground truth to model {model_id}", timeout)

    def close(self) -> None:
        self._transport.close()

    def stop(self) -> None:
        """Send nothing any more, from any thread; see `Transport.stop`."""
        self._transport.stop()

    def _model(self, identifier: str, id_type: str, timeout: float | None = None) -> Model:
        what = f"reading model {identifier!r}"
        path = f"{_path(identifier)}?id_type={id_type}&expand=attributes"
        return _read_model(self._call("GET", path, what, timeout=timeout), what)

    def _id_of(self, partner_model_id: str) -> str | None:
        try:
            return self.model_named(partner_model_id).id
        except ArthurError:
            return None

    def _send(
        self, method: str, model_id: str, rows: Sequence[Row], what: str, timeout: float | None
    ) -> list[RowResult]:
        if not rows:
            return []
        path = f"{_path(model_id)}/inferences"
        try:
            answer = self._call(method, path, what, body=encode_rows(rows), timeout=timeout)
        except ArthurError as error:
            # The error is about the whole request, and the request has only one row.
            if len(rows) == 1 and error.status is not None and says_exists(error.status, error.detail or ""):
                return [RowResult.of(error.status, error.detail or "")]
            raise
        if not answer.body.strip():
            raise InDoubt(f"{what}: the answer is empty", status=answer.status)
        last = self._last
        if last is not None and answer.body == last.body and len(rows) == len(last.results):
            return list(last.results)
        results = read_rows(object_in(answer, what), len(rows), what)
        self._last = _Read(answer.body, results) if are_delivered(results) else None
        return results

    def _call(
        self, method: str, path: str, what: str, *, body: Body | None = None, timeout: float | None = None
    ) -> Answer:
        deadline = self._deadline(timeout)
        headers = self._headers(deadline)
        answer = self._transport.request(method, path, body=body, headers=headers, deadline=deadline)
        if answer.status == 401 and self._authentication.renew(headers):
            headers = self._headers(deadline)
            answer = self._transport.request(method, path, body=body, headers=headers, deadline=deadline)
        if 200 <= answer.status < 300:
            return answer
        if answer.status == 404 and answer.json() is None:
            # Arthur's 404 is JSON; a page means that another server has the address.
            raise not_arthur(what, answer.status)
        raise error_for(answer.status, what, retry_after=answer.retry_after, detail=self._detail(answer))

    def _headers(self, deadline: float) -> dict[str, str]:
        return self._authentication.headers(self._transport, deadline)

    def _deadline(self, timeout: float | None) -> float:
        return time.monotonic() + (self._transport.timeout if timeout is None else timeout)

    def _detail(self, answer: Answer) -> str | None:
        """Arthur's own words on an error; None for a body that is no JSON of a known form."""
        given = mapping(answer.json())
        text = next(
            (given[key] for key in ("error", "message", "detail") if isinstance(given.get(key), str)), None
        )
        if text is None:
            return None
        return " ".join(self._authentication.scrub(text).split())[:_MAX_DETAIL]


def _path(model_id: str) -> str:
    return f"/models/{quote(model_id, safe='')}"


def _read_model(answer: Answer, what: str) -> Model:
    model = Model.from_json(object_in(answer, what))
    if model is None:
        raise NotArthur(f"{what}: the answer describes no model", status=answer.status)
    return model
