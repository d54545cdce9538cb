"""The pages about calls: overview, list, one call, one conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from otel_arthur.local.bodies import answer
from otel_arthur.local.dashboard.calls import PAGE_SIZE, Calls, Sums
from otel_arthur.local.dashboard.exports import Exports
from otel_arthur.local.dashboard.rendering import HERE, render
from otel_arthur.local.dashboard.shown import Shelf
from otel_arthur.local.dashboard.visitors import Visitors
from otel_arthur.local.dashboard.wanted import LABELS, LAST, NONE, ORDERS, Wanted
from otel_arthur.local.engine.traces import Traces

_MOST_TURNS: Final = 200
"""Calls of one conversation on a page."""
_WORST: Final = 5
_REASONS: Final = 8
_BREAKDOWNS: Final = {
    "model": "model",
    "service": "service",
    "finish": "finish_reason",
    "error": "error_type",
}
"""Filter -> column of `calls` by which the overview breaks the calls down."""
_CHOICES: Final = ("status", "model", "service", "finish_reason")
"""Columns whose values the list's form offers."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages, for the visitors that `visitors` lets in."""

    traces: Traces
    visitors: Visitors
    api_key: str

    def routes(self) -> list[Route | Mount]:
        exports = Exports(self.traces)
        pages = {
            "/": self.overview,
            "/overview.json": self.points,
            "/version": self.version,
            "/calls": self.list,
            "/calls.csv": exports.csv,
            "/calls.jsonl": exports.json_lines,
            "/calls/{number:int}": self.call,
            "/conversation": self.conversation,
        }
        routes = [Route(path, self.visitors.guarded(page), methods=["GET"]) for path, page in pages.items()]
        return [*routes, Mount("/static", StaticFiles(directory=HERE / "static"))]

    def overview(self, request: Request) -> Response:
        version = self._calls.version()  # read first: a page may be newer than its version, never older
        wanted = Wanted.of(request.query_params)
        shelf = Shelf(self.traces)
        found = self._calls.sums_by(wanted, [*_BREAKDOWNS.values()])
        breakdowns = {name: found[column] for name, column in _BREAKDOWNS.items()}
        breakdowns["error"] = [one for one in breakdowns["error"] if one.name is not None]
        slowest = Wanted({**wanted.filters, "slower": "0"}, "duration")
        failed = Wanted({**wanted.filters, "status": "error"})
        dearest = Wanted({**wanted.filters, "tokens": "1"}, "tokens")
        worst = {"Latest failures": failed, "Slowest calls": slowest, "Calls with the most tokens": dearest}
        lines = {
            title: (one, [shelf.line(call) for call in self._calls.page(one)[:_WORST]])
            for title, one in worst.items()
        }
        return self._page(
            "overview.html",
            wanted,
            request,
            shelf,
            version=version,
            sums=self._calls.sums(wanted),
            breakdowns=breakdowns,
            reasons=self._calls.reasons(wanted)[:_REASONS],
            worst=lines,
        )

    def points(self, request: Request) -> Response:
        """The data of the charts, as columns over time in seconds."""
        step, rows = self._calls.over_time(Wanted.of(request.query_params))
        found = dict(rows)
        times = range(rows[0][0], rows[-1][0] + 1, step) if rows else range(0)
        every = [found.get(time, Sums(None)) for time in times]
        columns = {
            "calls": [one.calls for one in every],
            "failed": [one.failed for one in every],
            "in": [one.tokens_in for one in every],
            "out": [one.tokens_out for one in every],
            **{
                f"{name}{share}": [
                    getattr(one, column)[place] if getattr(one, column) else None for one in every
                ]
                for name, column in (("p", "durations"), ("first", "first_tokens"))
                for place, share in enumerate((50, 95, 99))
            },
        }
        body = {"step": step / 1000, "times": [time / 1000 for time in times], **columns}
        return answer(body)

    def version(self, _: Request) -> Response:
        """A value that changes when there are new calls."""
        return Response(self._calls.version(), media_type="text/plain")

    def list(self, request: Request) -> Response:
        version = self._calls.version()
        wanted = Wanted.of(request.query_params)
        shelf = Shelf(self.traces)
        total = self._calls.count(wanted)
        lines = [shelf.line(call) for call in self._calls.page(wanted)]
        return self._page(
            "calls.html",
            wanted,
            request,
            shelf,
            version=version,
            lines=lines,
            total=total,
            pages=max(1, -(-total // PAGE_SIZE)),
            choices={column: self._calls.values(column) for column in _CHOICES},
            orders=ORDERS,
        )

    def call(self, request: Request) -> Response:
        number, wanted = request.path_params["number"], Wanted.of(request.query_params)
        call = self._calls.call(number) if number < 2**63 else None
        if call is None:
            return render("missing.html", 404, what="call", number=number)
        before, after = self._calls.neighbours(wanted, call)
        shown = Shelf(self.traces).shown(call)
        is_whole = "whole" in request.query_params
        return render(
            "call.html", shown=shown, call=call, wanted=wanted, before=before, after=after, is_whole=is_whole
        )

    def conversation(self, request: Request) -> Response:
        name = request.query_params.get("id", "")
        wanted = Wanted({"conversation": name}, is_up=True)
        found = self._calls.after(wanted, (-(2**62), 0), _MOST_TURNS) if name else []
        if not found:
            return render("missing.html", 404, what="conversation", number=name)
        shelf = Shelf(self.traces)
        return render(
            "conversation.html",
            name=name,
            wanted=wanted,
            sums=self._calls.sums(wanted),
            shown=[shelf.shown(call) for call in found],
            is_whole="whole" in request.query_params,
        )

    def _page(self, template: str, wanted: Wanted, request: Request, shelf: Shelf, **more: Any) -> Response:
        models = shelf.models
        only = next(iter(models)) if len(models) == 1 else "$(otel-arthur onboard my-application)"
        exports = {
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": f"{request.url.scheme}://{request.url.netloc}",
            "OTEL_EXPORTER_ARTHUR_API_KEY": self.api_key,
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": only,
        }
        return render(
            template,
            wanted=wanted,
            is_empty=self._calls.is_empty(),
            exports=exports,
            names={**{model.id: model.name for model in models.values()}, **dict(self.traces.tasks())},
            absent=NONE,
            labels=LABELS,
            last=LAST,
            **more,
        )

    @property
    def _calls(self) -> Calls:
        return Calls(self.traces.store)
