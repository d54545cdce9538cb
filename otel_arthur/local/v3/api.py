"""Arthur's v3 API as the ``arthurai`` SDK 3.33.3 uses it, over the store.

Errors are ``{"error": "..."}``. What is ours alone and not Arthur's: ``GET /models/{id}/inferences``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_arthur.local.authentication import Credentials
from otel_arthur.local.bodies import json_body
from otel_arthur.local.store import ModelExists, Store
from otel_arthur.local.v3.files import ingest_files
from otel_arthur.local.v3.ingestion import Result, ingest_ground_truth, ingest_inferences, multi_status
from otel_arthur.local.v3.models import Model, ModelRefused, new_document
from otel_arthur.local.v3.query import QueryRefused, read_count
from otel_arthur.local.v3.value_types import json_type

PREFIX: Final = "/api/v3"
_LARGEST_PAGE: Final = 1000
_Endpoint = Callable[[Request], Awaitable[Response]]


def answer(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints."""

    store: Store
    credentials: Credentials
    accept_duplicates: bool = False
    max_body_bytes: int = 32 * 1024 * 1024
    max_file_bytes: int = 256 * 1024 * 1024
    """Of one bulk upload; it goes to disk, not into memory."""

    def routes(self) -> list[Route]:
        model = f"{PREFIX}/models/{{model_id}}"
        return [
            Route(f"{PREFIX}/login", self.login, methods=["POST"]),
            self._route("/users/me", self.user, "GET"),
            self._route("/users/me/auth_info", self.auth_info, "GET"),
            self._route("/models", self.list_models, "GET"),
            self._route("/models", self.create_model, "POST"),
            self._route("/models/{model_id}", self.get_model, "GET"),
            Route(f"{model}/inferences", self._guarded(self.list_inferences), methods=["GET"]),
            Route(f"{model}/inferences", self._guarded(self.send_inferences), methods=["POST"]),
            Route(f"{model}/inferences", self._guarded(self.send_ground_truth), methods=["PATCH"]),
            Route(f"{model}/inferences/query", self._guarded(self.query), methods=["POST"]),
            Route(f"{model}/inferences/file", self._guarded(self.send_files), methods=["POST"]),
        ]

    async def login(self, request: Request) -> Response:
        """``POST /login``: the token comes in the cookie ``Authorization``."""
        body = await json_body(request, self.max_body_bytes)
        given: dict[str, Any] = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
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

    async def user(self, request: Request) -> Response:
        me = {"id": "local", "login": self.credentials.login}
        return answer({**me, "organization_id": self.credentials.organization_id})

    async def auth_info(self, request: Request) -> Response:
        return answer(
            {
                "issuer": "local",
                "username": self.credentials.login,
                "first_name": "",
                "last_name": "",
                "email": "",
                "roles": [],
                "organization_ids": [self.credentials.organization_id],
            }
        )

    async def list_models(self, request: Request) -> Response:
        """``GET /models``: all of them on one page."""
        models = await run_in_threadpool(self.store.models)
        data = [_document(model, request) for model in models]
        return answer({"data": data, "page": 1, "page_size": len(data), "total_count": len(data)})

    async def create_model(self, request: Request) -> Response:
        """``POST /models``: provisioned at once."""
        try:
            document = new_document(await json_body(request, self.max_body_bytes))
            await run_in_threadpool(self.store.add_model, document)
        except ModelRefused as error:
            raise HTTPException(400, str(error)) from None
        except ModelExists as error:
            raise HTTPException(409, f"a model with partner_model_id {str(error)!r} already exists") from None
        return answer(document, 201)

    async def get_model(self, request: Request) -> Response:
        """``GET /models/{id}`` by ``id_type`` ``id`` (default) or ``partner_model_id``."""
        id_type = request.query_params.get("id_type", "id")
        if id_type not in ("id", "partner_model_id"):
            raise HTTPException(400, f"id_type {id_type!r} is neither 'id' nor 'partner_model_id'")
        return answer(_document(await self._model(request, by_partner_id=id_type != "id"), request))

    async def send_inferences(self, request: Request) -> Response:
        model = await self._model(request)
        rows = await self._rows(request)
        results = await run_in_threadpool(
            ingest_inferences, self.store, model, rows, accept_duplicates=self.accept_duplicates
        )
        return _multi_status(results)

    async def send_ground_truth(self, request: Request) -> Response:
        model = await self._model(request)
        rows = await self._rows(request)
        return _multi_status(await run_in_threadpool(ingest_ground_truth, self.store, model, rows))

    async def send_files(self, request: Request) -> Response:
        model = await self._model(request)
        results = await ingest_files(
            request, self.store, model, limit=self.max_file_bytes, accept_duplicates=self.accept_duplicates
        )
        # The SDK adds up the counts of several files only where `failures` is there too.
        failures = [{"row": row, **one} for row, one in enumerate(results) if one["status"] != 200]
        return answer({**multi_status(results), "failures": failures}, 207)

    async def query(self, request: Request) -> Response:
        model = await self._model(request)
        try:
            not_null = read_count(await json_body(request, self.max_body_bytes), model)
        except QueryRefused as error:
            raise HTTPException(400, str(error)) from None
        count = await run_in_threadpool(self.store.count, model.id, not_null)
        return answer({"query_result": [{"count": count}]})

    async def list_inferences(self, request: Request) -> Response:
        """``GET /models/{id}/inferences?limit=&offset=&search=``, newest first (not in Arthur's API)."""
        model = await self._model(request)
        limit = _number(request, "limit", 100, 1, _LARGEST_PAGE)
        offset = _number(request, "offset", 0, 0, 2**62)
        search = request.query_params.get("search", "")
        page = await run_in_threadpool(
            self.store.inferences, model.id, search=search, limit=limit, offset=offset
        )
        inferences = [asdict(one) for one in page.inferences]
        return answer({"total": page.total, "limit": limit, "offset": offset, "inferences": inferences})

    def _route(self, path: str, endpoint: _Endpoint, method: str) -> Route:
        return Route(f"{PREFIX}{path}", self._guarded(endpoint), methods=[method])

    def _guarded(self, endpoint: _Endpoint) -> _Endpoint:
        """The endpoint behind the API key and the organisation."""

        async def guarded(request: Request) -> Response:
            problem = self.credentials.problem(request.headers.get("authorization"))
            if problem is not None:
                raise HTTPException(401, problem)
            organization = request.headers.get("arthur-organization-id")
            if organization is not None and organization != self.credentials.organization_id:
                raise HTTPException(
                    403, "the key does not belong to the organization of Arthur-Organization-ID"
                )
            return await endpoint(request)

        return guarded

    async def _model(self, request: Request, *, by_partner_id: bool = False) -> Model:
        identifier = request.path_params["model_id"]
        model = await run_in_threadpool(self.store.model, identifier, by_partner_id=by_partner_id)
        if model is None:
            raise HTTPException(404, f"model {identifier!r} not found")
        return model

    async def _rows(self, request: Request) -> list[Any]:
        body = await json_body(request, self.max_body_bytes)
        if not isinstance(body, list):
            raise HTTPException(400, f"the body must be an array of rows, not {json_type(body)}")
        return cast("list[Any]", body)


def _document(model: Model, request: Request) -> dict[str, Any]:
    """A model's document; ``attributes`` only where asked for."""
    document = dict(model.document)
    if "attributes" not in request.query_params.get("expand", "").split(","):
        del document["attributes"]
    return document


def _multi_status(results: list[Result]) -> Response:
    return answer(multi_status(results), 207)


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:20]) <= most):
        raise HTTPException(400, f"{name} {text!r} is not a number from {least} to {most}")
    return int(text)
