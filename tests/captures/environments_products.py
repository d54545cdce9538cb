"""What is recorded of products for observability, and of frameworks in other languages.

As ``environments.py``. An environment in ``NODE_ENVIRONMENTS`` is made by npm; its programs are ``.mjs``.
"""

from __future__ import annotations

from tests.captures.environments import Mode, Recording

_SDK = ["opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-common==1.45.2"]
_OPENAI = "openai==2.54.0"

ENVIRONMENTS: dict[str, list[str]] = {
    "openlit": [
        "openlit==1.45.0",
        _OPENAI,
        "opentelemetry-sdk==1.45.1",
        "opentelemetry-exporter-otlp-proto-common==1.45.1",
    ],
    # The last versions that wrote words into events.
    "openlit-old": ["openlit==1.33.8", "openai==1.109.1", "setuptools<81", *_SDK],
    "agentops": ["agentops==0.4.21", _OPENAI, *_SDK],
    "langwatch": ["langwatch==1.4.0", _OPENAI, *_SDK],
    "netra": [
        "netra-sdk==1.2.2",
        _OPENAI,
        "opentelemetry-sdk==1.41.1",
        "opentelemetry-exporter-otlp-proto-common==1.41.1",
    ],
    "oi-groq": ["openinference-instrumentation-groq==0.1.33", "groq==1.7.0", *_SDK],
    "oi-portkey": ["openinference-instrumentation-portkey==0.1.22", "portkey-ai==2.3.4", *_SDK],
    "oi-dspy": ["openinference-instrumentation-dspy==0.1.48", "dspy==3.4.1", *_SDK],
    "oi-autogen": [
        "openinference-instrumentation-autogen-agentchat==0.1.22",
        *("autogen-agentchat==0.7.5", "autogen-ext[openai]==0.7.5"),
        *_SDK,
    ],
    "openai-agents": [
        "openinference-instrumentation-openai-agents==2.6.0",
        *("logfire==5.4.0", "openai-agents==0.24.0"),
        *_SDK,
    ],
    "langtrace": ["langtrace-python-sdk==3.8.21", "importlib-metadata", _OPENAI, *_SDK],
}
NODE_SDK = [
    "@opentelemetry/sdk-trace-node@2.12.0",
    "@opentelemetry/resources@2.12.1",
    "@opentelemetry/otlp-transformer@0.223.1",
]
_NODE_SDK_1 = [
    "@opentelemetry/sdk-trace-node@1.30.1",
    "@opentelemetry/resources@1.30.1",
    "@opentelemetry/otlp-transformer@0.57.2",
]
_NODE_OPENAI = "openai@7.59.0"
NODE_ENVIRONMENTS: dict[str, list[str]] = {
    "langfuse-js": ["@langfuse/openai@5.11.1", "@langfuse/otel@5.11.1", _NODE_OPENAI, *NODE_SDK],
    "openlit-js": ["openlit@1.15.0", _NODE_OPENAI, *NODE_SDK],
    # The last major version that writes OpenTelemetry's spans.
    "sentry-js": ["@sentry/node@10.78.0", _NODE_OPENAI, *NODE_SDK],
    "ai-sdk-7": [
        *("ai@7.0.173", "@ai-sdk/otel@1.0.173", "@ai-sdk/openai@4.0.118", "zod@4.6.7"),
        *NODE_SDK,
    ],
    "traceloop-ai-sdk": [
        "@traceloop/node-server-sdk@0.27.0",
        *("ai@6.0.326", "@ai-sdk/openai@3.0.141", "zod@4.6.7"),
        *NODE_SDK,
    ],
    "mastra": [
        *("@mastra/core@1.71.0", "@mastra/observability@1.17.9", "@mastra/otel-exporter@1.4.0"),
        *("@ai-sdk/openai@4.0.118", "zod@4.6.7"),
        *NODE_SDK,
    ],
    # It brings version 1 of the SDK.
    "genkit-js": ["genkit@1.42.0", "@genkit-ai/compat-oai@1.42.0", *_NODE_SDK_1],
    # Neither knows a newer client of OpenAI's.
    "traceloop-js": ["@traceloop/node-server-sdk@0.27.0", "openai@6.30.1", *NODE_SDK],
    "langtrace-js": [
        "@langtrase/typescript-sdk@6.3.7",
        "openai@5.7.0",
        *_NODE_SDK_1,
    ],
}

_DEFAULT = {"default": Mode()}
_OI = "openinference.instrumentation"
_PRODUCTS = "instrumentors_of_products"


_ASKED = (
    *("a_invoke", "b_stream", "c_multiturn", "d_tools", "e_err429", "g_unicode", "i_n2"),
    *("l_responses", "m_embeddings", "q_metadata", "v_responses_stream"),
)
_NO_RESPONSES = tuple(name for name in _ASKED if "responses" not in name)
_AI_SDK = (
    *("a_invoke", "b_stream", "c_multiturn", "d_tools", "e_err429", "g_unicode"),
    *("l_responses", "m_embeddings"),
)
# Its streams count tokens by a vocabulary that is fetched from the network.
_NO_STREAMS = tuple(name for name in _ASKED if "stream" not in name)


def _without_words(switch: str) -> dict[str, Mode]:
    """As it is by default, and with the switch for words off."""
    return {"default": Mode(), "content_false": Mode({switch: "false"})}


def _openai(
    folder: str,
    environment: str,
    instrumentor: str,
    scenarios: tuple[str, ...] = _ASKED,
    modes: dict[str, Mode] = _DEFAULT,
) -> Recording:
    """A product over OpenAI's client for Python."""
    return Recording(folder, environment, "scenarios_openai.py", [instrumentor], modes, scenarios)


def _openai_js(folder: str, environment: str, instrumentor: str, modes: dict[str, Mode]) -> Recording:
    """A product over OpenAI's client for JavaScript: a function of ``instrumentors_of_node.mjs``."""
    return Recording(folder, environment, "scenarios_openai.mjs", [instrumentor], modes)


RECORDINGS = [
    _openai(
        "openlit-1.45.0",
        "openlit",
        f"{_PRODUCTS}:OpenLIT",
        modes={
            "default": Mode(),
            "content_false": Mode({"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "false"}),
        },
    ),
    _openai("openlit-1.33.8", "openlit-old", f"{_PRODUCTS}:OldOpenLIT", _NO_STREAMS),
    _openai(
        "agentops-0.4.21",
        "agentops",
        "agentops.instrumentation.providers.openai.instrumentor:OpenaiInstrumentor",
        _NO_RESPONSES,
    ),
    _openai("langwatch-1.4.0", "langwatch", f"{_PRODUCTS}:LangWatch", _NO_RESPONSES),
    _openai("netra-1.2.2", "netra", "netra.instrumentation.libraries.openai:NetraOpenAIInstrumentor"),
    _openai(
        "langtrace-3.8.21",
        "langtrace",
        "langtrace_python_sdk.instrumentation:OpenAIInstrumentation",
        modes=_without_words("TRACE_PROMPT_COMPLETION_DATA"),
    ),
    _openai_js("langfuse-js-5.11.1", "langfuse-js", "langfuse", _DEFAULT),
    _openai_js(
        "openlit-js-1.15.0",
        "openlit-js",
        "openlit",
        _DEFAULT | {"content_false": Mode(arguments={"captureMessageContent": False})},
    ),
    _openai_js(
        "sentry-js-10.78.0",
        "sentry-js",
        "sentry",
        {"default": Mode(arguments={"sendDefaultPii": True}), "content_false": Mode()},
    ),
    _openai_js("traceloop-js-0.27.0", "traceloop-js", "traceloop", _without_words("TRACELOOP_TRACE_CONTENT")),
    _openai_js("langtrace-js-6.3.7", "langtrace-js", "langtrace", _DEFAULT),
    *(
        Recording(folder, environment, "scenarios_vercel_ai.mjs", [instrumentor], modes, _AI_SDK)
        for folder, environment, instrumentor, modes in (
            (
                "ai-sdk-otel-1.0.173",
                "ai-sdk-7",
                "aiSdkOtel",
                {
                    "default": Mode(),
                    "legacy": Mode(arguments={"legacy": True}),
                    "content_false": Mode(arguments={"recordInputs": False, "recordOutputs": False}),
                },
            ),
            ("traceloop-ai-sdk-0.27.0", "traceloop-ai-sdk", "traceloop", _DEFAULT),
        )
    ),
    Recording("mastra-1.4.0", "mastra", "scenarios_mastra.mjs", [], _DEFAULT),
    Recording("genkit-js-1.42.0", "genkit-js", "scenarios_genkit.mjs", [], _DEFAULT),
    *(
        Recording(f"oi-{name}-{version}", f"oi-{name}", program, [f"{_OI}.{instrumentor}"], modes)
        for name, version, program, instrumentor, modes in (
            ("groq", "0.1.33", "scenarios_openai_like.py", "groq:GroqInstrumentor", _DEFAULT),
            ("portkey", "0.1.22", "scenarios_openai_like.py", "portkey:PortkeyInstrumentor", _DEFAULT),
            (
                *("dspy", "0.1.48", "scenarios_dspy.py", "dspy:DSPyInstrumentor"),
                {"default": Mode({"LITELLM_LOCAL_MODEL_COST_MAP": "True"})},
            ),
            (
                *("autogen", "0.1.22", "scenarios_autogen.py"),
                *("autogen_agentchat:AutogenAgentChatInstrumentor", _DEFAULT),
            ),
        )
    ),
    *(
        Recording(
            folder,
            "openai-agents",
            "scenarios_openai_agents.py",
            ["scenarios_openai_agents:Instrumentor"],
            {
                "default": Mode(arguments={"api": "responses", "by": by}),
                "chat": Mode(arguments={"api": "chat_completions", "by": by}),
            },
        )
        for folder, by in (("oi-openai-agents-2.6.0", "openinference"), ("logfire-agents-5.4.0", "logfire"))
    ),
]
