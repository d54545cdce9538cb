"""The distro: ``OTEL_TRACES_EXPORTER=arthur`` alone sets everything up under ``opentelemetry-instrument``.

Our distro takes its place in two cases:

- ``OTEL_PYTHON_DISTRO=arthur`` names the distro. Then traces and log events both go to Arthur.
- ``arthur`` is named as an exporter (in ``OTEL_TRACES_EXPORTER``, ``OTEL_LOGS_EXPORTER`` or the file of
  ``OTEL_CONFIG_FILE``), and no other distro is installed. Then the named exporters are used.

Otherwise the installed package changes nothing.

The distro never switches the capture of content into spans or events on, because spans and events reach
every other backend too. The completion hook gives the content to Arthur alone.
"""

from __future__ import annotations

import logging
import os
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.instrumentation.distro import BaseDistro

_logger = logging.getLogger("otel_arthur")

NAME = "arthur"
DISTRO = "OTEL_PYTHON_DISTRO"
CONFIG_FILE = "OTEL_CONFIG_FILE"
EXPORTERS = {"OTEL_TRACES_EXPORTER": "arthur", "OTEL_LOGS_EXPORTER": "arthur"}
"""Variable -> its value where the distro is named and the variable is unset or empty."""

_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_HOOK = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"
_FILE_BYTES = 1 << 20
_COMPONENT = re.compile(r"""^[^#\n]*(?<![\w.-])["']?arthur["']?[ \t]*:""", re.MULTILINE)
"""A component called ``arthur`` in a declarative configuration, in YAML or JSON."""


def load_distro() -> BaseDistro | None:
    """The entry point in the group ``opentelemetry_distro``: our distro, or None where it is not wanted.

    Source: ``opentelemetry.instrumentation.auto_instrumentation._load._load_distro`` (0.60 to 0.66). The
    loader passes over an entry point that returns no distro.
    """
    named = os.environ.get(DISTRO) == NAME
    if not named and not (is_exporter_named() and is_only_distro()):
        return None
    from opentelemetry.instrumentation.distro import BaseDistro

    class ArthurDistro(BaseDistro):
        def _configure(self, **kwargs: Any) -> None:
            set_defaults(EXPORTERS if named else {})
            _set_up_sdk()
            _flush_on_sigterm()

    return ArthurDistro()


def is_exporter_named() -> bool:
    """Whether ``arthur`` is an exporter in one of the variables, or in the file of ``OTEL_CONFIG_FILE``."""
    return any(NAME in named_exporters(variable) for variable in EXPORTERS) or _is_in_config_file()


def is_only_distro() -> bool:
    """Whether no other package registers a distro."""
    return not other_distros()


def other_distros() -> list[str]:
    """The distros of other packages, by their names in the group ``opentelemetry_distro``."""
    return sorted({entry.name for entry in entry_points(group="opentelemetry_distro")} - {NAME})


def named_exporters(variable: str) -> list[str]:
    """The names in a list such as ``"console, arthur"``; without ``none`` and empty names."""
    names = (name.strip() for name in os.environ.get(variable, "").split(","))
    return [name for name in names if name and name.lower() != "none"]


def set_defaults(exporters: dict[str, str]) -> None:
    """Set the variables that have no value: the given exporters, and the completion hook.

    The hook is a default only where nobody decided about the capture of content.
    """
    hook = {} if os.environ.get(_CONTENT) else {_HOOK: NAME}
    for name, value in {**exporters, **hook}.items():
        if not os.environ.get(name):
            os.environ[name] = value


def _is_in_config_file() -> bool:
    path = os.environ.get(CONFIG_FILE)
    if not path:
        return False
    try:
        # A pipe would wait for its writer, and its content could be read only once.
        if not Path(path).is_file():
            return False
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            return _COMPONENT.search(file.read(_FILE_BYTES)) is not None
    except (OSError, ValueError):
        return False


def _set_up_sdk() -> None:
    """Set the SDK up where no other package would, as ``opentelemetry-distro`` does."""
    if entry_points(group="opentelemetry_configurator"):
        return
    from otel_arthur.sdk.sdk_setup import set_up

    set_up()


def _flush_on_sigterm() -> None:
    """Have a process that ends by SIGTERM export its spans first, unless somebody handles the signal."""
    from otel_arthur.configuration import Configuration

    if is_exporter_named() and Configuration.from_environment().flush_on_sigterm is not False:
        from otel_arthur.process.sigterm import flush_on_sigterm

        flush_on_sigterm()
