"""Two pages to look at what arrived. Model output is hostile input: templates escape everything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from otel_arthur.inference import fields
from otel_arthur.local.dashboard.visitors import Visitors
from otel_arthur.local.store import Store, StoredInference
from otel_arthur.local.v3.models import Attribute, Model

_HERE: Final = Path(__file__).parent
PAGE_SIZE: Final = 50
_EXCERPT: Final = 160


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    time: str
    model: str
    identity: str
    input: str
    output: str
    has_ground_truth: bool
    repeated: bool


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages, for `visitors` that are let in."""

    store: Store
    visitors: Visitors

    def routes(self) -> list[Route | Mount]:
        return [
            Route("/", self.visitors.guarded(self.inferences), methods=["GET"]),
            Route("/inferences/{number:int}", self.visitors.guarded(self.inference), methods=["GET"]),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ]

    async def inferences(self, request: Request) -> Response:
        """The list: newest first, searchable, paged."""
        search = request.query_params.get("search", "").strip()
        model_id = request.query_params.get("model", "")
        page = page_number(request)
        models = {model.id: model for model in await run_in_threadpool(self.store.models)}
        found = await run_in_threadpool(
            self.store.inferences,
            model_id or None,
            search=search,
            limit=PAGE_SIZE,
            offset=(page - 1) * PAGE_SIZE,
        )
        pages = max(1, -(-found.total // PAGE_SIZE))

        def address(number: int) -> str:
            wanted = {"search": search, "model": model_id, "page": number if number > 1 else ""}
            return "/?" + urlencode({key: value for key, value in wanted.items() if value})

        return render(
            "inferences.html",
            lines=[_line(one, models[one.model_id]) for one in found.inferences],
            models=models.values(),
            model_id=model_id,
            search=search,
            total=found.total,
            page=page,
            pages=pages,
            newer=address(page - 1) if page > 1 else None,
            older=address(page + 1) if page < pages else None,
        )

    async def inference(self, request: Request) -> Response:
        number = request.path_params["number"]
        one = await run_in_threadpool(self.store.inference, number) if number < 2**63 else None
        if one is None:
            return render("missing.html", 404, what="inference", number=number)
        model = await run_in_threadpool(self.store.model, one.model_id)
        assert model is not None
        conversation = [
            (attribute, one.inference_data[attribute.name])
            for attribute in model.attributes.values()
            if attribute.is_required
        ]
        shown = {attribute.name for attribute, _ in conversation}
        return render(
            "inference.html",
            inference=one,
            model=model,
            conversation=conversation,
            values=_values(model, one.inference_data, shown),
            ground_truth=_values(model, one.ground_truth_data or {}, set()),
        )


def render(template: str, status: int = 200, **context: Any) -> Response:
    """A page."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(context), status)


def _line(one: StoredInference, model: Model) -> _Line:
    return _Line(
        number=one.number,
        time=one.inference_timestamp,
        model=str(model.document.get("display_name") or model.document["partner_model_id"]),
        identity=one.partner_inference_id,
        # The end of a history is what was asked last.
        input=_end_of(_text_of(one, model, fields.INPUT_STAGE)),
        output=_beginning_of(_text_of(one, model, fields.PREDICTED_STAGE)),
        has_ground_truth=one.ground_truth_data is not None,
        repeated=one.presentation > 1,
    )


def _end_of(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"… {text[-_EXCERPT:]}"


def _beginning_of(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]} …"


def _text_of(one: StoredInference, model: Model, stage: str) -> str:
    for attribute in model.attributes.values():
        if attribute.is_required and attribute.stage == stage:
            return str(one.inference_data[attribute.name])
    return ""


def _values(model: Model, data: dict[str, Any], but: set[str]) -> list[tuple[Attribute, Any]]:
    """Attributes with their values, in the model's order."""
    return [(one, data[one.name]) for one in model.attributes.values() if one.name in data.keys() - but]


def page_number(request: Request) -> int:
    """The page that is asked for, from 1."""
    text = request.query_params.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _readable_time(timestamp: str) -> str:
    """2026-11-22 12:00:00.250 of a stored timestamp, which is in UTC."""
    return timestamp[:23].replace("T", " ")


_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["time"] = _readable_time
