"""The two faces of Arthur that a delivery may speak to; a `FaultServer` has both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from otel_arthur.configuration import EngineConfiguration
from otel_arthur.genai.call import LLMCall
from tests.support.servers.fault_server import MODEL_ID
from tests.support.spans.llm_calls import ids_of

DOUBT = 1.0
"""Seconds until the Engine is asked after a lost answer."""


@dataclass(frozen=True)
class Face:
    """One of them, as tests that both must pass see it."""

    arguments: Callable[..., dict[str, Any]]
    """Of a `Configuration`, by the address, and the file of certificate authorities if there is one."""
    variables: Callable[[str], dict[str, str]]
    """The same for a program."""
    ids_of: Callable[[Iterable[LLMCall]], list[str]]
    """What the server stores of calls."""
    rows: str
    """How the log calls what waits."""
    times: int
    """How often a row is stored whose process is killed between acceptance and its books."""


def _v3(url: str, certificate: str | None = None) -> dict[str, Any]:
    known = {"api_key": "k", "organization_id": "o", "model_id": MODEL_ID}
    return {"endpoint": url, "certificate": certificate, **known}


def _engine(url: str, certificate: str | None = None) -> dict[str, Any]:
    engine = EngineConfiguration(endpoint=url, api_key="k", doubt=DOUBT, certificate=certificate)
    return {"engine": engine, "is_v3_target": False}


def _variables(**settings: str) -> dict[str, str]:
    return {f"OTEL_EXPORTER_ARTHUR_{name.upper()}": value for name, value in settings.items()}


V3 = Face(
    _v3,
    lambda url: _variables(endpoint=url, api_key="k", organization_id="o", model_id=MODEL_ID),
    lambda calls: ids_of([*calls]),
    "Inferences wait",
    times=2,
)
ENGINE = Face(
    _engine,
    lambda url: _variables(engine_endpoint=url, engine_api_key="k", engine_doubt=str(DOUBT)),
    lambda calls: [f"{call.trace_id}-{call.span_id}" for call in calls],
    "Spans wait",
    times=1,
)
