"""Whether the advice of a call without its messages is true: the other half of `make recapture`.

Each package is run with its switch off; what the reader says of its calls is set, to the letter; the package
is run again, and each of its calls must have its messages.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import click

from otel_arthur.genai.duplicates.verdicts import judge
from tests.captures import recapture
from tests.captures.environments import Mode, Recording
from tests.captures.places import RECORDINGS, newest_place, place_of, requirements_of
from tests.captures.scenarios import scenarios_in
from tests.support.paths import CACHE, CAPTURES

ADVISED = CACHE / "advised"
_BY_NAME = {recording.folder: recording for recording in RECORDINGS}
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_OI_HIDDEN = {"OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_OUTPUTS": "true"}

OFF: dict[str, Mode] = {
    recording.folder: mode
    for recording in RECORDINGS
    for name, mode in recording.modes.items()
    if name in ("content_false", "hidden")
} | {
    folder: Mode(next(iter(_BY_NAME[folder].modes.values())).environ | variables)
    for folders, variables in (
        ("genai-langchain-1.3b0 genai-openai-1.3b0", {}),
        ("genai-anthropic-1.3b0", {_CONTENT: "no_content"}),
        ("oi-anthropic-3.1.0 oi-llama-index-4.6.1", _OI_HIDDEN),
        ("oll-anthropic-0.62.4 agentops-0.4.21", {"TRACELOOP_TRACE_CONTENT": "false"}),
        ("laminar-0.8.2", {"LMNR_TRACE_CONTENT": "false"}),
        ("netra-1.2.2", {"NETRA_TRACE_CONTENT": "false", "TRACELOOP_TRACE_CONTENT": "false"}),
        ("traceai-0.1.10", {"FI_HIDE_INPUTS": "true", "FI_HIDE_OUTPUTS": "true"}),
        ("langsmith-langchain-0.15.0", {"LANGSMITH_HIDE_INPUTS": "true", "LANGSMITH_HIDE_OUTPUTS": "true"}),
    )
    for folder in folders.split()
}
OFF["oi-js-langchain-4.1.1"] = Mode(arguments={"hideInputs": True, "hideOutputs": True})
"""Recording -> how its package records no messages; where that is its default, what else it needs."""

IN_CODE: dict[str, dict[str, Any]] = {
    "include_content=True": {"include_content": True},
    "recordInputs: true": {"recordInputs": True},
    "recordOutputs: true": {"recordOutputs": True},
    "captureMessageContent: true": {"captureMessageContent": True},
    "sendDefaultPii: true": {"sendDefaultPii": True},
    "hideInputs: false and hideOutputs: false": {"hideInputs": False, "hideOutputs": False},
    "setVerbose(true)": {"verbose": True},
    "quarkus.langchain4j.tracing.include-prompt=true": {"include": True},
    "ObservationFilter": {"by": "words"},
}
"""What advice names that is set in an application's code -> the argument by which a program here has it."""

_VARIABLE = re.compile(r"\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)=(\w+)")
_SCENARIOS = ("a_invoke", "b_stream", "g_unicode")


class Found(NamedTuple):
    """Calls of a mode that a server answered."""

    served: int
    told: int
    """With messages."""
    reasons: tuple[str, ...]
    """Why messages of spans are lacking, each once."""


HEAD = """
## Advice of calls without messages

Each package is run with its switch for messages off; what `otel-arthur` says of its calls is set to the
letter, in the environment or in the program's code; the last column counts the calls that then have their
messages.

| recording | date | package | advice | set in | calls with messages |
|---|---|---|---|---|---|
"""


def found_in(folder: Path) -> Found:
    """The calls recorded in the folder of a mode."""
    manifest = json.loads((folder / "manifest.json").read_text())
    served = sum(call["status"] == 200 for calls in manifest["scenarios"].values() for call in calls)
    verdicts = [verdict for views in scenarios_in(folder) for verdict in judge(views)]
    told = sum(verdict.decision == "inference" for verdict in verdicts)
    reasons = dict.fromkeys(verdict.reason for verdict in verdicts if verdict.reading.content_missing)
    return Found(served, told, tuple(reasons))


def advice_of(reason: str) -> str:
    """What a reason says to set, the first of several ways; empty where it names nothing."""
    return reason.partition("not recorded: set ")[2].partition(", or ")[0]


def followed(advice: str, off: Mode) -> tuple[Mode, str]:
    """A mode with what the advice says, and where that is set; advice that nothing here can set leaves it."""
    variables = dict(_VARIABLE.findall(advice))
    in_code = [arguments for words, arguments in IN_CODE.items() if words in advice]
    arguments = dict(chain.from_iterable(one.items() for one in (off.arguments, *in_code)))
    return Mode(off.environ | variables, arguments), " and ".join(
        [*["environment"] * bool(variables), *["code"] * bool(in_code)]
    )


def row_of(recording: Recording, environments: Path) -> str:
    """The page's row of a recording whose switch is off, and then as its advice says.

    A package whose newest version writes no call of this program's is run in the recorded version.
    """
    begin, off = f"| `{recording.folder}` | {date.today()} |", OFF[recording.folder]
    try:
        place = newest_place(recording, environments)
        without = _run(recording, "off", off, place)
    except click.ClickException:
        without = Found(0, 0, ())
    try:
        if not without.told and not without.reasons:
            place = place_of(recording)
            without = _run(recording, "off", off, place)
        begin += f" {_version(recording)} |"
        advice = " and ".join(dict.fromkeys(filter(None, map(advice_of, without.reasons))))
        if not without.reasons:
            return f"{begin} its switch hides nothing | | |"
        mode, where = followed(advice, off)
        if not where:
            return f"{begin} {'; '.join(without.reasons)} | | |"
        then = _run(recording, "advised", mode, place)
    except click.ClickException as error:
        return f"{begin} {error.message.replace('|', '/')} | | |"
    is_true = then.told >= then.served and not then.reasons
    return f"{begin} `{advice}` | {where} | {'' if is_true else 'only '}{then.told} of {then.served} |"


def _run(recording: Recording, name: str, mode: Mode, place: Path) -> Found:
    recorded = next((CAPTURES / recording.folder).glob("*/manifest.json"))
    known = json.loads(recorded.read_text())["scenarios"]
    scenarios = tuple(scenario for scenario in _SCENARIOS if scenario in known)
    recapture.run(replace(recording, modes={name: mode}, scenarios=scenarios), name, place, ADVISED)
    return found_in(ADVISED / recording.folder / name)


def _version(recording: Recording) -> str:
    """The package that writes the spans, as far as it can be told, and its version."""
    packages = json.loads((ADVISED / recording.folder / "off" / "manifest.json").read_text())["packages"]
    modules = [re.sub(r"[._]", "-", one.partition(":")[0]) for one in recording.instrumentors]
    first = requirements_of(recording)[0]
    named = [name for name in packages if any(one in name.replace("_", "-").lower() for one in modules)]
    named = named or [name for name in packages if first.startswith(name)]
    return ", ".join(f"{name} {packages[name]}" for name in named or list(packages)[:1])
