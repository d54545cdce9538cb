"""What is recorded: the environments, the instrumentations in them, and the modes of each.

A new row here is a new dialect, version or switch in the captures; nothing else has to change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_LANGCHAIN = [
    "langchain==1.4.7",
    "langchain-core==1.7.2",
    "langchain-openai==1.7.3",
    "langgraph==1.2.22",
    "openai==3.54.0",
    "numpy==2.4.6",
]
_MAIN_ROAD = [
    "langchain==1.5.2",
    "langchain-core==1.8.3",
    "langchain-openai==1.7.4",
    "langchain-anthropic==1.7.10",
    "langgraph==1.2.24",
    "openai==3.57.0",
    "anthropic==2.14.0",
]
_OPENINFERENCE = [
    "openinference-instrumentation==0.1.72",
    "openinference-semantic-conventions==0.1.42",
    "openinference-instrumentation-langchain==0.1.80",
    "openinference-instrumentation-openai==0.1.66",
]

ENVIRONMENTS: dict[str, list[str]] = {
    "main-road": [
        *_MAIN_ROAD,
        "opentelemetry-sdk==1.45.2",
        "opentelemetry-exporter-otlp-proto-common==1.45.2",
        "opentelemetry-instrumentation-langchain==0.62.4",
    ],
    "2026-11": [
        *_LANGCHAIN,
        *_OPENINFERENCE,
        "opentelemetry-sdk==1.45.2",
        "opentelemetry-exporter-otlp-proto-common==1.45.2",
        "opentelemetry-instrumentation==0.66b2",
        "opentelemetry-instrumentation-langchain==0.62.4",
        "opentelemetry-instrumentation-openai==0.62.4",
        "opentelemetry-instrumentation-genai-langchain==1.3b0",
        "opentelemetry-instrumentation-genai-openai==1.3b0",
        "opentelemetry-util-genai==1.3b0",
    ],
    # The last but one release before OpenLLMetry changed to messages in JSON; it needs an old SDK.
    "2025-12": [
        *_LANGCHAIN,
        "opentelemetry-sdk==1.38.0",
        "opentelemetry-exporter-otlp-proto-common==1.38.0",
        "opentelemetry-instrumentation-langchain==0.53.4",
        "opentelemetry-instrumentation-openai==0.53.4",
    ],
}


@dataclass(frozen=True, slots=True)
class Mode:
    """Switches of one recording: environment variables, and arguments of the instrumentor."""

    environ: dict[str, str] = field(default_factory=dict[str, str])
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Recording:
    """One folder of captures: ``program`` under ``instrumentors`` in each of ``modes``.

    ``instrumentors`` are ``module:Class``. With ``scenarios`` only those are run.
    """

    folder: str
    environment: str
    program: str
    instrumentors: list[str]
    modes: dict[str, Mode]
    scenarios: tuple[str, ...] = ()


_OLL_LANGCHAIN = "opentelemetry.instrumentation.langchain:LangchainInstrumentor"
_OLL_OPENAI = "opentelemetry.instrumentation.openai:OpenAIInstrumentor"
_GENAI_LANGCHAIN = "opentelemetry.instrumentation.genai.langchain:LangChainInstrumentor"
_GENAI_OPENAI = "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor"
_OI_LANGCHAIN = "openinference.instrumentation.langchain:LangChainInstrumentor"
_OI_OPENAI = "openinference.instrumentation.openai:OpenAIInstrumentor"

_DEFAULT = {"default": Mode()}
_OLL_MODES = {"default": Mode(), "content_false": Mode({"TRACELOOP_TRACE_CONTENT": "false"})}
_GENAI_MODES = {
    "default": Mode(),
    **{
        mode: Mode({"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": mode})
        for mode in ("span_only", "event_only", "span_and_event")
    },
}
_OI_MODES = {
    "default": Mode(),
    "hidden": Mode({"OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_OUTPUTS": "true"}),
    "genai_semconv": Mode({"OPENINFERENCE_ENABLE_GENAI_SEMCONV": "true"}),
}
_SPAN_ONLY = {"default": _GENAI_MODES["span_only"]}
_PAIR_SCENARIOS = (
    "a_invoke",
    "b_stream",
    "d_agent",
    "e_err429",
    "f_lcel",
    "i_n2",
    "j_batch",
    "k_async",
    "l_responses",
    "r_user_span",
)
_LANGCHAIN_PROGRAM, _OPENAI_PROGRAM = "scenarios_langchain.py", "scenarios_openai.py"


def _pair(name: str, first: str, second: str) -> Recording:
    """Two instrumentations active for the same calls."""
    return Recording(
        f"pair-{name}", "2026-11", _LANGCHAIN_PROGRAM, [first, second], _SPAN_ONLY, _PAIR_SCENARIOS
    )


RECORDINGS = [
    Recording(
        "main-road-1.5.2",
        "main-road",
        "scenarios_main_road.py",
        [_OLL_LANGCHAIN],
        {api: Mode({"CAPTURED_API": api}) for api in ("chat", "responses", "anthropic")},
    ),
    Recording(
        "oll-langchain-0.62.4",
        "2026-11",
        _LANGCHAIN_PROGRAM,
        [_OLL_LANGCHAIN],
        _OLL_MODES | {"events": Mode(arguments={"use_attributes": False})},
    ),
    Recording("oll-langchain-0.53.4", "2025-12", _LANGCHAIN_PROGRAM, [_OLL_LANGCHAIN], _DEFAULT),
    Recording("oll-openai-0.62.4", "2026-11", _OPENAI_PROGRAM, [_OLL_OPENAI], _OLL_MODES),
    Recording("oll-openai-0.53.4", "2025-12", _OPENAI_PROGRAM, [_OLL_OPENAI], _DEFAULT),
    Recording("genai-langchain-1.3b0", "2026-11", _LANGCHAIN_PROGRAM, [_GENAI_LANGCHAIN], _GENAI_MODES),
    Recording("genai-openai-1.3b0", "2026-11", _OPENAI_PROGRAM, [_GENAI_OPENAI], _GENAI_MODES),
    Recording("oi-langchain-0.1.80", "2026-11", _LANGCHAIN_PROGRAM, [_OI_LANGCHAIN], _OI_MODES),
    Recording("oi-openai-0.1.66", "2026-11", _OPENAI_PROGRAM, [_OI_OPENAI], _OI_MODES),
    _pair("oll-langchain+oll-openai", _OLL_LANGCHAIN, _OLL_OPENAI),
    _pair("oll-langchain+genai-openai", _OLL_LANGCHAIN, _GENAI_OPENAI),
    _pair("oll-langchain+oi-openai", _OLL_LANGCHAIN, _OI_OPENAI),
    _pair("genai-langchain+genai-openai", _GENAI_LANGCHAIN, _GENAI_OPENAI),
    _pair("genai-langchain+oll-openai", _GENAI_LANGCHAIN, _OLL_OPENAI),
    _pair("genai-langchain+oi-openai", _GENAI_LANGCHAIN, _OI_OPENAI),
    _pair("oi-langchain+oi-openai", _OI_LANGCHAIN, _OI_OPENAI),
    _pair("oi-langchain+oll-openai", _OI_LANGCHAIN, _OLL_OPENAI),
    _pair("oi-langchain+genai-openai", _OI_LANGCHAIN, _GENAI_OPENAI),
    _pair("oll-langchain+genai-langchain", _OLL_LANGCHAIN, _GENAI_LANGCHAIN),
    _pair("oll-langchain+oi-langchain", _OLL_LANGCHAIN, _OI_LANGCHAIN),
]
