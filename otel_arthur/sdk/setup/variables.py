"""Which exporters the SDK's variables name, and ours where nobody decided."""

from __future__ import annotations

import os
import re
from pathlib import Path

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


def is_exporter_named() -> bool:
    """Whether ``arthur`` is an exporter in one of the variables, or in the file of ``OTEL_CONFIG_FILE``."""
    return any(NAME in named_exporters(variable) for variable in EXPORTERS) or is_named_in_file()


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


def is_named_in_file() -> bool:
    """Whether ``arthur`` is a component in the file of ``OTEL_CONFIG_FILE``."""
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
