"""What the doctor says of the file of ``OTEL_CONFIG_FILE``, which the SDK reads instead of its variables."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from otel_arthur.cli.commands.check.report import Report
from otel_arthur.sdk.setup.variables import CONFIG_FILE, NAME, is_named_in_file

_PACKAGE: Final = "opentelemetry-configuration"
_OF_NAMES: Final = ("required", "additionalProperties", "dependentRequired")
"""Rules of JSON Schema whose messages hold names of keys, and no values."""


def examine_file(report: Report) -> bool:
    """Whether a file decides what the SDK exports, so that its variables do not."""
    path = os.environ.get(CONFIG_FILE)
    if not path:
        return False
    from opentelemetry.sdk import environment_variables

    if not hasattr(environment_variables, CONFIG_FILE):
        text = f"this opentelemetry-sdk does not read {CONFIG_FILE} ({path})"
        report.doubt("exporter", text, f"pip install --upgrade opentelemetry-sdk {_PACKAGE}")
        return False
    fault, fix = _fault_of(path)
    if fault:
        report.fault("exporter", f"{CONFIG_FILE}: {path} {fault}; OpenTelemetry is not set up", fix)
    elif is_named_in_file():
        report.well("exporter", f"{CONFIG_FILE} names arthur, in {path}")
    else:
        report.doubt(
            "exporter",
            f"{CONFIG_FILE}: {path} has no exporter arthur: nothing is sent, unless your code calls "
            "otel_arthur.instrument()",
            "add an exporter arthur to the file (docs/declarative.md)",
        )
    return True


def settings_in_file() -> tuple[str, dict[str, Any]]:
    """The file that decides, and the settings of its first span exporter ``arthur``; empty without one."""
    path = os.environ.get(CONFIG_FILE, "")
    if not path or _fault_of(path)[0]:
        return "", {}
    from opentelemetry import configuration

    with _silent():
        provider: Any = configuration.load_config_file(path).tracer_provider
    for processor in provider.processors if provider is not None else ():
        exporter: Any = getattr(processor.batch or processor.simple, "exporter", None)
        components: dict[str, dict[Any, Any] | None] = getattr(exporter, "additional_properties", {})
        if NAME in components:
            # A key that is no text is no setting, and the doctor says so.
            return path, {str(key): value for key, value in (components[NAME] or {}).items()}
    return "", {}


def _fault_of(path: str) -> tuple[str, str]:
    """Why the SDK cannot use the file, as a predicate, and what to do; empty where it can.

    Source: ``opentelemetry.sdk._configuration`` and ``opentelemetry.configuration`` (1.44 and 1.45).
    """
    is_file = False
    try:
        is_file = Path(path).is_file()
        cause = "" if is_file else "is no file" if Path(path).exists() else "is not there"
    except (OSError, ValueError) as error:
        cause = f"cannot be looked at ({type(error).__name__})"
    if not is_file:
        return cause, f"export {CONFIG_FILE}=... a file that is there"
    try:
        from opentelemetry import configuration
    except Exception as error:  # it has an error of its own for what it lacks
        return f"cannot be read without {_PACKAGE} ({type(error).__name__})", f"pip install {_PACKAGE}"
    with _silent():
        try:
            configuration.load_config_file(path)
        except Exception as error:  # somebody else's reader, of any file
            return f"cannot be used: {_in_words(error)}", f"mend {path}"
    return "", ""


def _in_words(error: Exception) -> str:
    """Where the fault is, and which; never a value, for that may be a key."""
    cause: Any = error.__cause__
    if cause is None:
        return _first_line(error)
    place = getattr(cause, "problem_mark", None)
    if place is not None:
        return f"line {place.line + 1}: {cause.problem or cause.context}"
    if (line := getattr(cause, "lineno", None)) is not None:
        return f"line {line}: {cause.msg}"
    if (rule := getattr(cause, "validator", None)) is not None:
        where = ".".join(str(part) for part in cause.absolute_path) or "the file"
        wanted = f"must be of type {cause.validator_value}" if rule == "type" else f"breaks the rule {rule}"
        return f"{where}: {cause.message if rule in _OF_NAMES else wanted}"
    if isinstance(cause, OSError):
        return cause.strerror or type(cause).__name__
    return f"{_first_line(error).partition(':')[0]} ({type(cause).__name__})"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


@contextmanager
def _silent() -> Generator[None]:
    """The reader logs a fault with its traceback, and the lines of the file."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
