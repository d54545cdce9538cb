"""The page `docs/compatibility.md`, for people who choose or run an instrumentation.

By language a table, a row for each recording: what of its calls is read, and how their words come onto spans.
Below it, what each leaves out. Every cell is computed from the recordings; nobody writes one by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from tests.captures.places import LANGUAGES, RECORDINGS
from tests.genai.matrix.compatibility import FAMILIES, UNVERIFIED, reason_of, results
from tests.genai.matrix.truth import Capture, Comparison, calls_served, verdicts_of
from tests.support.paths import CAPTURES

_RECORDINGS = {recording.folder: recording for recording in RECORDINGS}
_ASPECTS: Mapping[str, Sequence[str]] = {
    "messages": ("messages", "answer"),
    "tools": ("tool_calls",),
    "tokens": ("input_tokens", "output_tokens"),
    "cache": ("cached_tokens",),
    "reasoning": ("reasoning_tokens",),
    "finish": ("finish_reason",),
    "first token": ("time_to_first_token",),
    "error type": ("error_type",),
}
_CLIENTS = (
    *("openai", "@ai-sdk/openai", "anthropic", "groq", "portkey-ai", "dspy", "langchain-core"),
    *("llama-index-core", "ai", "@mastra/core", "openai-agents", "autogen-agentchat"),
)
"""What was instrumented, of the packages of a recording."""
_QUIET = (
    *("OTEL_SEMCONV_STABILITY_OPT_IN", "LITELLM_LOCAL_MODEL_COST_MAP", "OTEL_EXPORTER", "MLFLOW_"),
    *("LANGSMITH_", "ANTHROPIC_OPEN_TELEMETRY=", "OPENINFERENCE_ENABLE"),
)
"""Variables of a recording that are no switch of words."""


@cache
def _manifest(column: str) -> Mapping[str, Any]:
    return json.loads((CAPTURES / column / "manifest.json").read_text())


def _language(column: str) -> str:
    return LANGUAGES[_RECORDINGS[column.partition("/")[0]].environment]


def _package(column: str) -> str:
    """The package that was recorded with its version: the one whose name is most like the folder's."""
    folder, _, version = column.partition("/")[0].rpartition("-")
    words = set(folder.replace("oi-", "openinference-").split("-"))
    packages = _manifest(column)["packages"]
    of_version = sorted(name for name, found in packages.items() if found == version) or sorted(packages)
    name = max(of_version, key=lambda name: len(words & set(re.split(r"[-@/_.:]", name))))
    clients = (
        _CLIENTS[:1] if "scenarios_openai." in _RECORDINGS[column.partition("/")[0]].program else _CLIENTS
    )
    over = [f"{client} {packages[client]}" for client in clients if client in packages and client != name]
    return f"`{name}` {version}" + (f" over {', '.join(over[:2])}" if over else "")


def _title(name: str, column: str) -> str:
    """The name for people, with what a mode of the recording is called."""
    mode = column.partition("/")[2]
    return name if mode in ("default", "content") else f"{name} (`{mode}`)"


def _mark(compared: Sequence[Comparison]) -> str:
    right = sum(one.is_right for one in compared)
    if not compared:
        return ""
    return "yes" if right == len(compared) else "part" if right else "no"


def _switch(column: str) -> str:
    """How the words came onto the recorded spans, and what our advice is where they are missing."""
    manifest = _manifest(column)
    switches = [f"{name}={value}" for name, value in manifest["environ"].items()]
    switches = [f"`{switch}`" for switch in switches if not switch.startswith(_QUIET)]
    names = ("sendDefaultPii", "enable_sensitive_data")
    switches += [f"`{name}`" for name in manifest["arguments"] if name in names]
    if switches:
        return ", ".join(switches)
    recording, _, mode = column.partition("/")
    verdict = verdicts_of(Capture(recording, mode, next(iter(manifest["scenarios"]))))[0]
    assert verdict.reading.dialect is not None
    advice = verdict.reading.dialect.advice_for(verdict.view)
    return f"recorded by default (missing? {advice})" if advice else "recorded by default"


def _streams(column: str) -> str:
    """Whether calls whose answers are streamed are whole: their answer is the server's."""
    compared = [
        one
        for one in results().get((column, "answer"), [])
        if any(call["streamed"] for call in calls_served(one.capture))
    ]
    return _mark(compared)


def _failures(column: str) -> str:
    """Whether refused calls are failures here."""
    recording, _, mode = column.partition("/")
    scenario = "e_err429" if "e_err429" in _manifest(column)["scenarios"] else "e_err400"
    if scenario not in _manifest(column)["scenarios"]:
        return ""
    decisions = [verdict.decision for verdict in verdicts_of(Capture(recording, mode, scenario))]
    return "yes" if "failed" in decisions else "no"


def _gaps(column: str) -> list[str]:
    """Per reason the fields that it explains, in words."""
    fields: dict[str, list[str]] = {}
    for (name, field), compared in results().items():
        if name == column:
            for reason in dict.fromkeys(reason_of(column, one) for one in compared if not one.is_right):
                fields.setdefault(reason or "WRONG", []).append(field.replace("_", " "))
    return [f"{', '.join(names)}: {reason}" for reason, names in fields.items()]


def page() -> str:
    """The whole of ``docs/compatibility.md``."""
    lines = [
        "# What is read from which instrumentation",
        "",
        "Each row is a run of the real packages against a test server that knows what it answered. `yes`:",
        "what the server said, in every recorded call; `part`: in some of them; `no`: in none; empty: not",
        "exercised. *Words* says what was set so that prompts and answers stand on the spans; where they are",
        "recorded by default, what to do if they are missing. A list below each table says what the packages",
        "leave out.",
        "",
        "`python -m tests.genai.matrix.compatibility` makes this page from `tests/captures`; a test fails",
        "when page and readers differ.",
    ]
    for language in dict.fromkeys(LANGUAGES.values()):
        rows = [(name, c) for name, columns in FAMILIES.items() for c in columns if _language(c) == language]
        lines += _table(language, rows)
        lines += ["", f"### What they leave out ({language})", ""]
        for name, column in rows:
            package, told = _package(column).partition(" over ")[0], "; ".join(_gaps(column)) or "nothing"
            lines.append(f"- **{_title(name, column)}**, {package}: {told}.")
    lines += ["", "## Not run here", ""]
    lines += ["Read as documented, tested on spans built from the documentation:", ""]
    lines += [f"- {name}: {reference}" for name, reference in UNVERIFIED.items()]
    return "\n".join([*lines, ""])


def _table(language: str, rows: Sequence[tuple[str, str]]) -> list[str]:
    heads = ["instrumentation", "package as it was run", *_ASPECTS, "streams", "failures", "words"]
    lines = ["", f"## {language}", "", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, column in rows:
        cells = [
            _mark([one for field in fields for one in results().get((column, field), [])])
            for fields in _ASPECTS.values()
        ]
        told = [_title(name, column), _package(column), *cells]
        lines.append("| " + " | ".join([*told, _streams(column), _failures(column), _switch(column)]) + " |")
    return lines
