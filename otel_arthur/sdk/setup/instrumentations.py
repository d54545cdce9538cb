"""The LLM libraries that we know, and which packages record their calls: the best first."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any, Final

_logger = logging.getLogger("otel_arthur")

GROUP: Final = "opentelemetry_instrumentor"


@dataclass(frozen=True, slots=True)
class Library:
    """A library whose calls can be recorded."""

    name: str
    """What people call it."""
    packages: tuple[str, ...]
    """If one of these is installed, the library is."""
    recorders: tuple[str, ...]
    """Packages that record its calls; one is enough."""
    by_itself: str = ""
    """What to do where the library writes spans by itself."""
    is_framework: bool = False
    """It calls the libraries of providers, which may be instrumented too."""
    has_other_uses: bool = False
    """That it is installed does not mean that it calls a model."""


def _library(
    name: str,
    otel: str,
    inference: str,
    *packages: str,
    own: str = "",
    framework: bool = False,
    other: bool = False,
) -> Library:
    """A row: the ends of the names of OpenTelemetry's and OpenLLMetry's packages, and of OpenInference's."""
    recorders = (
        *(f"opentelemetry-instrumentation-{end}" for end in otel.split()),
        *(f"openinference-instrumentation-{end}" for end in inference.split()),
    )
    return Library(name, packages or (name,), recorders, own, framework, other)


_ALWAYS: Final = "otel_arthur.instrument() in your code, or opentelemetry-instrument before its command"
_LOGS: Final = "pip install opentelemetry-instrumentation-logging, set its logger to INFO"
_KERNEL: Final = "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true"

LIBRARIES: Final = (
    _library(
        "langchain", "langchain genai-langchain", "langchain", "langchain", "langchain-core", framework=True
    ),
    _library(
        "llama-index", "llamaindex genai-llama-index", "llama-index", "llama-index-core", framework=True
    ),
    _library("crewai", "crewai", "crewai", framework=True),
    _library("haystack", "haystack", "haystack", "haystack-ai", framework=True),
    _library("dspy", "genai-dspy", "dspy", framework=True),
    _library("litellm", "", "litellm", own='litellm.callbacks = ["otel"]', framework=True),
    _library(
        "pydantic-ai", "", "", "pydantic-ai", "pydantic-ai-slim", own="Agent.instrument_all()", framework=True
    ),
    _library("openai-agents", "openai-agents genai-openai-agents", "openai-agents", framework=True),
    _library("strands-agents", "", "", own=_ALWAYS, framework=True),
    _library("google-adk", "", "google-adk", own=_ALWAYS, framework=True),
    _library(
        "agent-framework", "", "", "agent-framework-core", own="export ENABLE_OTEL=true", framework=True
    ),
    _library(
        "semantic-kernel", "", "", own=f"export {_KERNEL} OTEL_LOGS_EXPORTER=arthur, {_LOGS}", framework=True
    ),
    _library("smolagents", "genai-smolagents", "smolagents", framework=True),
    _library("agno", "genai-agno", "agno", framework=True),
    _library("openai", "openai genai-openai openai-v2", "openai"),
    _library("anthropic", "anthropic genai-anthropic", "anthropic"),
    _library("google-genai", "google-genai", "google-genai"),
    _library("google-generativeai", "google-generativeai", ""),
    _library("vertexai", "vertexai", "vertexai", "google-cloud-aiplatform", other=True),
    _library("bedrock", "bedrock genai-bedrock", "bedrock", "boto3", other=True),
    _library("mistralai", "mistralai", "mistralai"),
    _library("cohere", "cohere", "cohere"),
    _library("groq", "groq", "groq"),
    _library("ollama", "ollama", "ollama"),
    _library("together", "together", "together"),
    _library("replicate", "replicate", ""),
    _library("watsonx", "watsonx", "", "ibm-watsonx-ai"),
)


def installed(package: str) -> str | None:
    """The version of a package that is there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def installed_libraries() -> list[Library]:
    return [library for library in LIBRARIES if any(map(installed, library.packages))]


def recorders_of(library: Library) -> list[EntryPoint]:
    """The instrumentations of a library that are installed, the best first."""
    by_package = _by_package()
    return [entry for package in library.recorders for entry in by_package.get(package, ())]


def chosen() -> list[EntryPoint]:
    """One instrumentation for each library that is installed.

    Where there is none, one line says so, unless one of the libraries writes spans by itself.
    """
    there = installed_libraries()
    entries = [recorders[0] for library in there if (recorders := recorders_of(library))]
    if not entries and not any(library.by_itself for library in there):
        package = next((one.recorders[0] for one in there if not one.has_other_uses), None)
        _logger.warning(
            "otel-arthur: no instrumentation of an LLM library is installed; %s",
            f"pip install {package}" if package else "`otel-arthur check` says which libraries are there",
        )
    return entries


def trouble_of(entry: EntryPoint) -> str:
    """Why an instrumentation cannot work with what is installed; empty where it can. Imports it."""
    try:
        from opentelemetry.instrumentation.dependencies import get_dependency_conflicts

        instrumentor: Any = entry.load()()
        conflict = get_dependency_conflicts(instrumentor.instrumentation_dependencies())
    except Exception as error:  # somebody else's code may raise anything
        return f"it cannot be imported ({type(error).__name__}: {str(error)[:200]})"
    if conflict is None:
        return ""
    return f"it wants {conflict.required}, and here is {conflict.found or 'none'}"


def lacking_for_the_command(entry: EntryPoint) -> str:
    """A package without which ``opentelemetry-instrument`` passes over an instrumentation.

    The command wants all of the extra ``instruments``, an instrumentor its own list. Empty if nothing lacks.
    """
    from opentelemetry.instrumentation.dependencies import get_dist_dependency_conflicts

    conflict = None if entry.dist is None else get_dist_dependency_conflicts(entry.dist)
    return "" if conflict is None else str(conflict.required or "").partition(";")[0].strip()


def _by_package() -> Mapping[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        if entry.dist is not None:
            found.setdefault(entry.dist.name.lower().replace("_", "-"), []).append(entry)
    return found
