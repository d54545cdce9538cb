"""What is recorded of frameworks in Go, Java, Kotlin and JavaScript that ask for programs of their own.

As ``environments.py``; ``places.py`` says how the registry of each table is asked.
"""

from __future__ import annotations

from tests.captures.environments import Mode, Recording
from tests.captures.environments_products import NODE_SDK

ENVIRONMENTS: dict[str, list[str]] = {}
NODE_ENVIRONMENTS: dict[str, list[str]] = {
    "langchain-js": [
        *("@langchain/core@1.4.0", "@langchain/openai@1.5.8"),
        "@arizeai/openinference-instrumentation-langchain@4.1.1",
        *NODE_SDK,
    ],
    # It knows no newer LangChain.
    "langwatch-js": ["langwatch@0.16.1", "@langchain/core@0.3.80", "@langchain/openai@0.6.17", *NODE_SDK],
    "adk-js": ["@google/adk@2.0.0", "zod@4.6.7", *NODE_SDK],
    "gemini-cli": ["@google/gemini-cli@0.61.0"],
}
GO_ENVIRONMENTS: dict[str, list[str]] = {
    "genkit-go": [
        "github.com/firebase/genkit/go@v1.4.0",
        "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp@v1.47.0",
    ],
}
_JAVA_SDK = [
    "io.opentelemetry:opentelemetry-bom:1.68.0",
    "io.opentelemetry:opentelemetry-sdk",
    "io.opentelemetry:opentelemetry-exporter-otlp",
]
_SPRING = [
    *(
        "org.springframework.ai:spring-ai-starter-model-openai",
        "io.opentelemetry:opentelemetry-exporter-otlp",
    ),
    "org.springframework.boot:spring-boot-starter-actuator",
    "io.micrometer:micrometer-tracing-bridge-otel",
]
MAVEN_ENVIRONMENTS: dict[str, list[str]] = {
    "koog": [
        *(
            f"ai.koog:{name}-jvm:1.1.1"
            for name in (
                "agents-features-opentelemetry",
                "agents-core",
                "prompt-executor-openai-client",
                "http-client-ktor",
            )
        ),
        "org.jetbrains.kotlin:kotlin-compiler-embeddable:2.3.21",
        "org.jetbrains.kotlin:kotlin-serialization-compiler-plugin-embeddable:2.3.21",
        "io.opentelemetry:opentelemetry-exporter-otlp:1.61.0",
    ],
    # Its listener of models, over LangChain4j's own client: a whole application would be built by Quarkus.
    "quarkus-langchain4j": [
        "io.quarkiverse.langchain4j:quarkus-langchain4j-core:1.7.0",
        "dev.langchain4j:langchain4j-open-ai:1.11.0",
        *_JAVA_SDK,
    ],
    "spring-ai-1": [
        *(
            "org.springframework.boot:spring-boot-dependencies:3.5.7",
            "org.springframework.ai:spring-ai-bom:1.1.2",
        ),
        *_SPRING,
    ],
    "spring-ai-2": [
        *(
            "org.springframework.boot:spring-boot-dependencies:4.0.7",
            "org.springframework.ai:spring-ai-bom:2.0.1",
        ),
        *(*_SPRING, "org.springframework.boot:spring-boot-starter-opentelemetry"),
    ],
    "adk-java": ["com.google.adk:google-adk:1.8.0", *_JAVA_SDK],
}

_DEFAULT = {"default": Mode()}

RECORDINGS = [
    Recording(
        "oi-js-langchain-4.1.1", "langchain-js", "scenarios_langchain.mjs", ["openinference"], _DEFAULT
    ),
    Recording(
        "langwatch-js-langchain-0.16.1", "langwatch-js", "scenarios_langchain.mjs", ["langwatch"], _DEFAULT
    ),
    Recording(
        "adk-js-2.0.0",
        "adk-js",
        "scenarios_adk.mjs",
        ["provided"],
        _DEFAULT | {"content_false": Mode({"ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS": "false"})},
    ),
    Recording(
        "adk-java-1.8.0",
        "adk-java",
        "ScenariosAdk.java",
        [],
        _DEFAULT | {"content_false": Mode({"ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS": "false"})},
    ),
    Recording("genkit-go-1.4.0", "genkit-go", "scenarios_genkit.go", [], _DEFAULT),
    Recording(
        "gemini-cli-0.61.0",
        "gemini-cli",
        "scenarios_gemini_cli.mjs",
        [],
        {"default": Mode({"GEMINI_TELEMETRY_TRACES_ENABLED": "true"}), "content_false": Mode()},
    ),
    Recording(
        "koog-1.1.1",
        "koog",
        "ScenariosKoog.kt",
        [],
        {"default": Mode(), "content_false": Mode(arguments={"verbose": False})},
    ),
    Recording(
        "quarkus-langchain4j-1.7.0",
        "quarkus-langchain4j",
        "ScenariosLangChain4j.java",
        [],
        {"default": Mode(arguments={"include": True}), "content_false": Mode()},
    ),
    *(
        Recording(
            f"spring-ai-{version}",
            environment,
            "ScenariosSpringAi.java",
            [],
            {
                "default": Mode(arguments={"by": "words"}),
                "logged": Mode(arguments={"observations": True}),
                "content_false": Mode(),
            },
        )
        for version, environment in (("1.1.2", "spring-ai-1"), ("2.0.1", "spring-ai-2"))
    ),
]
