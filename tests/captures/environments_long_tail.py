"""What is recorded beside the main instrumentations: frameworks and products that write spans of their own.

As ``environments.py``. An environment in ``NODE_ENVIRONMENTS`` is made by npm; its programs are ``.mjs``.
"""

from __future__ import annotations

from tests.captures.environments import Mode, Recording

_ENCODER = "opentelemetry-exporter-otlp-proto-common==1.45.2"
_SDK = ["opentelemetry-sdk==1.45.2", _ENCODER]
_OPENAI = "openai==3.54.0"

ENVIRONMENTS: dict[str, list[str]] = {
    "pydantic-ai": ["pydantic-ai-slim[openai]==2.68.0", _OPENAI, *_SDK],
    # It imports an API of OpenTelemetry's that later versions do not have.
    "pydantic-ai-1": [
        "pydantic-ai-slim[openai]==1.9.1",
        _OPENAI,
        "opentelemetry-sdk==1.38.0",
        "opentelemetry-exporter-otlp-proto-common==1.38.0",
    ],
    "litellm": [
        "litellm==1.106.2",
        "mcp==2.1.1",
        "openai==2.54.0",
        "opentelemetry-exporter-otlp==1.45.2",
        *_SDK,
    ],
    "strands": ["strands-agents[openai]==1.62.0", "openai==2.54.0", "opentelemetry-sdk==1.45.1", _ENCODER],
    "google-adk": [
        "google-adk==2.13.0",
        "litellm==1.106.2",
        "mcp==2.1.1",
        "opentelemetry-sdk==1.44.0",
        _ENCODER,
    ],
    "agent-framework": [
        "agent-framework-core==1.23.0",
        "agent-framework-openai==1.17.0",
        _OPENAI,
        *_SDK,
    ],
    "semantic-kernel": ["semantic-kernel==1.45.0", _OPENAI, *_SDK],
    "logfire": ["logfire==5.2.0", _OPENAI, *_SDK],
    "langfuse": ["langfuse==5.0.4", _OPENAI, *_SDK],
    "mlflow": [
        "mlflow-tracing==3.17.2",
        # What its autologging imports and its package does not require.
        *("numpy==2.4.6", "pandas==3.1.1", "PyYAML==6.0.3", "sqlparse==0.6.1"),
        "opentelemetry-exporter-otlp-proto-http==1.45.2",
        _OPENAI,
        *_SDK,
    ],
    "langsmith": [
        "langsmith[otel]==0.15.0",
        "langchain==1.4.7",
        "langchain-core==1.7.2",
        "langchain-openai==1.7.3",
        "langgraph==1.2.22",
        "numpy==2.4.6",
        _OPENAI,
        *_SDK,
    ],
}
ENVIRONMENTS["anthropic"] = [
    "anthropic==2.12.0",
    "openinference-instrumentation-anthropic==3.1.0",
    "opentelemetry-instrumentation-genai-anthropic==1.3b0",
    *_SDK,
]
# OpenLLMetry's does not yet know the client that instruments itself.
ENVIRONMENTS["anthropic-0"] = [
    "anthropic==0.125.0",
    "opentelemetry-instrumentation-anthropic==0.62.4",
    *_SDK,
]
ENVIRONMENTS["llama-index"] = [
    "llama-index-core==0.14.25",
    "llama-index-llms-openai==0.8.3",
    "openinference-instrumentation-llama-index==4.6.1",
    *_SDK,
]
ENVIRONMENTS["llama-index-events"] = [
    "llama-index-core==0.14.25",
    "llama-index-llms-openai==0.8.3",
    "llama-index-observability-otel==0.7.0",
    _ENCODER,
]
ENVIRONMENTS["haystack"] = ["haystack-ai==3.0.0", "opentelemetry-haystack==2.0.0", *_SDK]
ENVIRONMENTS["traceai"] = ["traceai_openai==0.1.10", "openai==2.54.0", *_SDK]
ENVIRONMENTS["laminar"] = [
    "lmnr==0.8.2",
    "openai==2.54.0",
    "opentelemetry-exporter-otlp-proto-common==1.45.1",
]
ENVIRONMENTS["monocle"] = ["monocle_apptrace==0.8.15", "openai==2.54.0", _ENCODER]
NODE_ENVIRONMENTS: dict[str, list[str]] = {
    "vercel-ai": [
        "ai@6.0.326",
        "@ai-sdk/openai@3.0.141",
        "zod@4.6.7",
        "@opentelemetry/sdk-trace-node@2.12.0",
        "@opentelemetry/resources@2.12.1",
        "@opentelemetry/otlp-transformer@0.223.1",
    ],
}

_DEFAULT = {"default": Mode()}
_LATEST = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
_KERNEL = "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"
_NOWHERE = "http://127.0.0.1:9"
_MLFLOW = {
    "MLFLOW_USE_DEFAULT_TRACER_PROVIDER": "false",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{_NOWHERE}/v1/traces",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
}
_LANGSMITH = {
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_OTEL_ENABLED": "true",
    "LANGSMITH_OTEL_ONLY": "true",
    "LANGSMITH_API_KEY": "test",
    "LANGSMITH_ENDPOINT": _NOWHERE,
}
_BACKENDS = "instrumentors_of_backends"


def _own(folder: str, environment: str, program: str, modes: dict[str, Mode]) -> Recording:
    """A framework that instruments itself: its program has the instrumentor."""
    module = program.removesuffix(".py")
    return Recording(folder, environment, program, [f"{module}:Instrumentor"], modes)


_CLIENT_CONTENT = {"ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content"}
_CLIENT_OFF = {"ANTHROPIC_OPEN_TELEMETRY": "false"}
_ANTHROPIC = "scenarios_anthropic.py"
_OI_ANTHROPIC = "openinference.instrumentation.anthropic:AnthropicInstrumentor"
_GENAI_ANTHROPIC = "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor"
_OLL_ANTHROPIC = "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor"

RECORDINGS = [
    _own(
        "haystack-3.0.0",
        "haystack",
        "scenarios_haystack.py",
        {"default": Mode({"HAYSTACK_CONTENT_TRACING_ENABLED": "true"}), "content_false": Mode()},
    ),
    Recording(
        "llama-index-events-0.7.0",
        "llama-index-events",
        "scenarios_llama_index.py",
        [f"{_BACKENDS}:LlamaIndexOpenTelemetry"],
        _DEFAULT,
    ),
    Recording(
        "traceai-0.1.10",
        "traceai",
        "scenarios_openai.py",
        ["traceai_openai:OpenAIInstrumentor"],
        _DEFAULT,
    ),
    Recording("laminar-0.8.2", "laminar", "scenarios_openai.py", [f"{_BACKENDS}:Laminar"], _DEFAULT),
    Recording("monocle-0.8.15", "monocle", "scenarios_openai.py", [f"{_BACKENDS}:Monocle"], _DEFAULT),
    _own(
        "anthropic-sdk-2.12.0",
        "anthropic",
        _ANTHROPIC,
        {"content": Mode(_CLIENT_CONTENT), "content_false": Mode()},
    ),
    Recording("oi-anthropic-3.1.0", "anthropic", _ANTHROPIC, [_OI_ANTHROPIC], {"default": Mode(_CLIENT_OFF)}),
    Recording(
        "genai-anthropic-1.3b0",
        "anthropic",
        _ANTHROPIC,
        [_GENAI_ANTHROPIC],
        {"span_only": Mode(_CLIENT_OFF | {_CONTENT: "span_only"})},
    ),
    Recording("oll-anthropic-0.62.4", "anthropic-0", _ANTHROPIC, [_OLL_ANTHROPIC], _DEFAULT),
    Recording(
        "oi-llama-index-4.6.1",
        "llama-index",
        "scenarios_llama_index.py",
        ["openinference.instrumentation.llama_index:LlamaIndexInstrumentor"],
        _DEFAULT,
    ),
    *(
        Recording(f"pair-{name}+anthropic-sdk", "anthropic", _ANTHROPIC, [instrumentor], modes)
        for name, instrumentor, modes in (
            ("oi-anthropic", _OI_ANTHROPIC, {"default": Mode(_CLIENT_CONTENT)}),
            (
                "genai-anthropic",
                _GENAI_ANTHROPIC,
                {"default": Mode(_CLIENT_CONTENT | {_CONTENT: "span_only"})},
            ),
        )
    ),
    _own(
        "pydantic-ai-2.68.0",
        "pydantic-ai",
        "scenarios_pydantic_ai.py",
        _DEFAULT | {"content_false": Mode(arguments={"include_content": False})},
    ),
    _own(
        "pydantic-ai-1.9.1",
        "pydantic-ai-1",
        "scenarios_pydantic_ai.py",
        {f"version_{version}": Mode(arguments={"version": version}) for version in (1, 2, 3)},
    ),
    _own(
        "litellm-1.106.2",
        "litellm",
        "scenarios_litellm.py",
        {
            "default": Mode(_OFFLINE),
            "latest": Mode(_OFFLINE | _LATEST),
            "content_false": Mode(_OFFLINE | {_CONTENT: "NO_CONTENT"}),
        },
    ),
    _own("strands-1.62.0", "strands", "scenarios_strands.py", _DEFAULT | {"latest": Mode(_LATEST)}),
    _own(
        "google-adk-2.13.0",
        "google-adk",
        "scenarios_adk.py",
        {
            "default": Mode(_OFFLINE),
            "content_false": Mode(_OFFLINE | {"ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS": "false"}),
            "span_only": Mode(_OFFLINE | _LATEST | {_CONTENT: "SPAN_ONLY"}),
        },
    ),
    _own(
        "agent-framework-1.23.0",
        "agent-framework",
        "scenarios_agent_framework.py",
        {"content_false": Mode(), "default": Mode(arguments={"enable_sensitive_data": True})},
    ),
    _own(
        "semantic-kernel-1.45.0",
        "semantic-kernel",
        "scenarios_semantic_kernel.py",
        {"content_false": Mode({_KERNEL: "true"}), "default": Mode({f"{_KERNEL}_SENSITIVE": "true"})},
    ),
    Recording(
        "logfire-5.2.0",
        "logfire",
        "scenarios_openai.py",
        [f"{_BACKENDS}:Logfire"],
        _DEFAULT | {"version_1": Mode(arguments={"version": 1})},
    ),
    Recording("langfuse-5.0.4", "langfuse", "scenarios_openai.py", [f"{_BACKENDS}:Langfuse"], _DEFAULT),
    Recording(
        "mlflow-3.17.2",
        "mlflow",
        "scenarios_openai.py",
        [f"{_BACKENDS}:MLflow"],
        {"default": Mode(_MLFLOW)},
    ),
    Recording(
        "langsmith-langchain-0.15.0",
        "langsmith",
        "scenarios_langsmith.py",
        ["scenarios_langsmith:Instrumentor"],
        {"default": Mode(_LANGSMITH)},
    ),
    Recording(
        "vercel-ai-6.0.326",
        "vercel-ai",
        "scenarios_vercel_ai.mjs",
        ["aiSdk"],
        _DEFAULT | {"content_false": Mode(arguments={"recordInputs": False, "recordOutputs": False})},
    ),
]
