"""Arthur's v3 API as the ``arthurai`` SDK 3.33.3 uses it, over the store.

Errors are ``{"error": "..."}``. Arthur's own API has no ``GET /models/{id}/inferences``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_arthur.http.encoding import mapping
from otel_arthur.local.authentication import Credentials
from otel_arthur.local.bodies import answer, json_body
from otel_arthur.local.store import ModelExists, Store
from otel_arthur.local.v3.files import ingest_files
from otel_arthur.local.v3.ingestion import ingest_ground_truth, ingest_inferences, multi_status
from otel_arthur.local.v3.models import Model, new_document
from otel_arthur.local.v3.query import read_count
from otel_arthur.local.v3.value_types import json_type

PREFIX: Final = "/api/v3"
_LARGEST_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints."""

    store: Store
    credentials: Credentials
    accept_duplicates: bool = False
    max_body_bytes: int = 32 * 1024 * 1024
    max_file_bytes: int = 256 * 1024 * 1024
    """The size of one bulk upload, which goes to disk, not into memory."""

    def routes(self) -> list[Route]:
        inferences = "/models/{model_id}/inferences"
        return [
            Route(f"{PREFIX}/login", self.login, methods=["POST"]),
            self._reading("/users/me", self.user),
            self._reading("/users/me/auth_info", self.auth_info),
            self._reading("/models", self.list_models),
            self._reading("/models/{model_id}", self.get_model),
            self._reading(inferences, self.list_inferences),
            self._writing("/models", self.create_model),
            self._writing(inferences, self.send_inferences),
            self._writing(inferences, self.send_ground_truth, "PATCH"),
            self._writing(f"{inferences}/query", self.query),
            Route(f"{PREFIX}{inferences}/file", self.send_files, methods=["POST"]),
        ]

    async def login(self, request: Request) -> Response:
        """``POST /login``: the token comes in the cookie ``Authorization``."""
        given = mapping(await json_body(request, self.max_body_bytes))
        if not self.credentials.may_log_in(given.get("login"), given.get("password")):
            raise HTTPException(401, "login or password is wrong")
        response = answer({"id": "local", "login": self.credentials.login})
        response.set_cookie(
            "Authorization",
            self.credentials.new_token(),
            max_age=int(self.credentials.token_lifetime),
            httponly=True,
            samesite="strict",
        )
        return response

    def user(self, request: Request) -> Response:
        me = {"id": "local", "login": self.credentials.login}
        return answer({**me, "organization_id": self.credentials.organization_id})

    def auth_info(self, request: Request) -> Response:
        nothing: dict[str, Any] = {"first_name": "", "last_name": "", "email": "", "roles": []}
        organizations = [self.credentials.organization_id]
        me = {"issuer": "local", "username": self.credentials.login}
        return answer({**me, **nothing, "organization_ids": organizations})

    def list_models(self, request: Request) -> Response:
        """``GET /models``: all of them on one page."""
        data = [_document(model, request) for model in self.store.models()]
        return answer({"data": data, "page": 1, "page_size": len(data), "total_count": len(data)})

    def create_model(self, request: Request, body: Any) -> Response:
        """``POST /models``: provisioned at once."""
        document = new_document(body)
        try:
            self.store.add_model(document)
        except ModelExists as error:
            raise HTTPException(409, f"a model with partner_model_id {str(error)!r} already exists") from None
        return answer(document, 201)

    def get_model(self, request: Request) -> Response:
        """``GET /models/{id}`` by ``id_type`` ``id`` (default) or ``partner_model_id``."""
        id_type = request.query_params.get("id_type", "id")
        if id_type not in ("id", "partner_model_id"):
            raise HTTPException(400, f"id_type {id_type!r} is neither 'id' nor 'partner_model_id'")
        return answer(_document(self._model(request, by_partner_id=id_type != "id"), request))

    def send_inferences(self, request: Request, body: Any) -> Response:
        model, rows = self._model(request), _rows(body)
        results = ingest_inferences(self.store, model, rows, accept_duplicates=self.accept_duplicates)
        return answer(multi_status(results), 207)

    def send_ground_truth(self, request: Request, body: Any) -> Response:
        model, rows = self._model(request), _rows(body)
        return answer(multi_status(ingest_ground_truth(self.store, model, rows)), 207)

    async def send_files(self, request: Request) -> Response:
        self._admit(request)
        model = await run_in_threadpool(self._model, request)
        results = await ingest_files(
            request, self.store, model, limit=self.max_file_bytes, accept_duplicates=self.accept_duplicates
        )
        # The SDK adds up the counts of several files only where `failures` is there too.
        failures = [{"row": row, **one} for row, one in enumerate(results) if one["status"] != 200]
        return answer({**multi_status(results), "failures": failures}, 207)

    def query(self, request: Request, body: Any) -> Response:
        model = self._model(request)
        count = self.store.count(model.id, read_count(body, model))
        return answer({"query_result": [{"count": count}]})

    def list_inferences(self, request: Request) -> Response:
        """``GET /models/{id}/inferences?limit=&offset=&search=``, newest first (not in Arthur's API)."""
        model = self._model(request)
        limit = _number(request, "limit", 100, 1, _LARGEST_PAGE)
        offset = _number(request, "offset", 0, 0, 2**62)
        search = request.query_params.get("search", "")
        page = self.store.inferences(model.id, search=search, limit=limit, offset=offset)
        inferences = [asdict(one) for one in page.inferences]
        return answer({"total": page.total, "limit": limit, "offset": offset, "inferences": inferences})

    def _reading(self, path: str, endpoint: Callable[[Request], Response]) -> Route:
        def read(request: Request) -> Response:
            self._admit(request)
            return endpoint(request)

        return Route(f"{PREFIX}{path}", read, methods=["GET"])

    def _writing(
        self, path: str, endpoint: Callable[[Request, Any], Response], method: str = "POST"
    ) -> Route:
        async def write(request: Request) -> Response:
            self._admit(request)
            return await run_in_threadpool(endpoint, request, await json_body(request, self.max_body_bytes))

        return Route(f"{PREFIX}{path}", write, methods=[method])

    def _admit(self, request: Request) -> None:
        """Refuse a request without the API key, or for another organisation."""
        problem = self.credentials.problem(request.headers.get("authorization"))
        if problem is not None:
            raise HTTPException(401, problem)
        organization = request.headers.get("arthur-organization-id")
        if organization is not None and organization != self.credentials.organization_id:
            raise HTTPException(403, "the key does not belong to the organization of Arthur-Organization-ID")

    def _model(self, request: Request, *, by_partner_id: bool = False) -> Model:
        identifier = request.path_params["model_id"]
        model = self.store.model(identifier, by_partner_id=by_partner_id)
        if model is None:
            raise HTTPException(404, f"model {identifier!r} not found")
        return model


def _rows(body: Any) -> list[Any]:
    if not isinstance(body, list):
        raise HTTPException(400, f"the body must be an array of rows, not {json_type(body)}")
    return cast("list[Any]", body)


def _document(model: Model, request: Request) -> dict[str, Any]:
    """A model's document; ``attributes`` only where asked for."""
    document = dict(model.document)
    if "attributes" not in request.query_params.get("expand", "").split(","):
        del document["attributes"]
    return document


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:20]) <= most):
        raise HTTPException(400, f"{name} {text!r} is not a number from {least} to {most}")
    return int(text)
