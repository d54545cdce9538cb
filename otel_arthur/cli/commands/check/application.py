"""What the doctor says of the application's packages: LLM libraries, and what records their calls."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from otel_arthur.cli.commands.check.report import Report
from otel_arthur.sdk.setup.instrumentations import (
    Library,
    installed,
    installed_libraries,
    lacking_for_the_command,
    recorders_of,
    trouble_of,
)

_HANDLER: Final = "ArthurCallbackHandler"
_USE: Final = re.compile(rf"^\s*(from|import)\b.*{_HANDLER}|=\s*{_HANDLER}[(.]", re.MULTILINE)
_MOST_FILES: Final = 2_000
_MOST_BYTES: Final = 1 << 20
_PASSED_OVER: Final = ("node_modules", "site-packages", "__pycache__", "venv")
_OWN_SDK: Final = "arthur-observability-sdk"


def examine_packages(report: Report) -> None:
    """The libraries, their instrumentations, and what would count calls twice."""
    there = installed_libraries()
    if not there:
        report.doubt(
            "libraries",
            "no LLM library is installed in this environment",
            "run `otel-arthur check` with the Python that runs the application",
        )
    recorded = [library for library in there if recorders_of(library)]
    for library in there:
        _examine(library, report, [one.name for one in there if _records_calls_of(one, library)])
    both = [library.name for library in recorded]
    if len(both) > 1 and any(library.is_framework for library in recorded):
        report.well(
            "duplicates",
            f"{' and '.join(both)} are recorded: a call that goes through both is sent once, 10 s later",
        )
    if installed("opentelemetry-instrumentation") is None:
        report.doubt(
            "start",
            "opentelemetry-instrument is not installed",
            "pip install opentelemetry-instrumentation, or call otel_arthur.instrument() in your code",
        )
    else:
        start = "opentelemetry-instrument before the application's command, or otel_arthur.instrument() in it"
        report.well("start", f"nothing is recorded without {start}")
    _examine_old_handler(report)
    if version := installed(_OWN_SDK):
        report.doubt(
            "twice",
            f"{_OWN_SDK} {version} is installed: where it is set up too, the Engine counts each call twice",
            f"set up one of the two, or pip uninstall {_OWN_SDK}",
        )


def _records_calls_of(framework: Library, library: Library) -> bool:
    is_over = framework.name != "langchain" or installed(f"langchain-{library.name}") is not None
    is_recorded = bool(framework.by_itself or recorders_of(framework))
    return framework.is_framework and not library.is_framework and is_over and is_recorded


def _examine(library: Library, report: Report, frameworks: Sequence[str]) -> None:
    version = next(found for package in library.packages if (found := installed(package)))
    name = f"{library.name} {version}"
    entries = recorders_of(library)
    disabled = os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").replace(" ", "").split(",")
    for entry in entries:
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.name
        if entry.name in disabled or "*" in disabled:
            report.fault(
                library.name,
                f"{name}: OTEL_PYTHON_DISABLED_INSTRUMENTATIONS switches {package} off",
                f"take {entry.name} out of OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
            )
        elif trouble := trouble_of(entry):
            report.fault(
                library.name,
                f"{name}: {package} records nothing: {trouble}",
                f"pip install --upgrade {entry.dist.name if entry.dist else entry.name}",
            )
        elif lacking := lacking_for_the_command(entry):
            report.doubt(
                library.name,
                f"{name}: {package} records under otel_arthur.instrument() alone: opentelemetry-instrument "
                f"passes it over without {lacking}",
                f"pip install '{lacking}'",
            )
        else:
            report.well(library.name, f"{name} is recorded by {package}")
    if len(entries) > 1:
        report.doubt(
            library.name,
            f"{len(entries)} instrumentations record {library.name}; each call is sent once, and costs more",
            f"pip uninstall {entries[-1].dist.name if entries[-1].dist else entries[-1].name}",
        )
    elif not entries and library.by_itself:
        report.doubt(library.name, f"{name} writes spans by itself, where it is told to", library.by_itself)
    elif not entries and frameworks:
        where = " or ".join(frameworks)
        report.well(library.name, f"{name} is recorded where {where} calls it, and nowhere else")
    elif not entries and not library.has_other_uses:
        fix = f"pip install {library.recorders[0]}"
        report.doubt(library.name, f"{name}: nothing that is installed records its calls", fix)


def _examine_old_handler(report: Report) -> None:
    """The callback handler in the files below this folder: beside us, each call would count twice."""
    found = _first_use()
    if found is not None:
        text = f"{found} names {_HANDLER}: where it is still used, each call counts twice"
        report.doubt("twice", text, "remove the handler and its import")
    elif version := installed("arthurai"):
        report.doubt(
            "twice",
            f"arthurai {version} is installed: code that uses its {_HANDLER} counts each call twice",
            "remove the handler, then pip uninstall arthurai",
        )


def _first_use() -> str | None:
    seen = 0
    for folder, folders, files in os.walk("."):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _PASSED_OVER]
        for name in sorted(files):
            seen += 1
            if seen > _MOST_FILES:
                return None
            path = Path(folder, name)
            try:
                text = path.read_text(errors="replace") if _is_source(path) else ""
            except OSError:
                continue
            if use := _USE.search(text):
                return f"{path} line {text.count(chr(10), 0, use.end()) + 1}"
    return None


def _is_source(path: Path) -> bool:
    return path.suffix == ".py" and path.stat().st_size < _MOST_BYTES
