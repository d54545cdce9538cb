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

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from otel_arthur.sdk.setup.variables import DISTRO, EXPORTERS, NAME, is_exporter_named, set_defaults

if TYPE_CHECKING:
    from opentelemetry.instrumentation.distro import BaseDistro


def load_distro() -> BaseDistro | None:
    """The entry point in the group ``opentelemetry_distro``: our distro, or None where it is not wanted.

    Source: ``opentelemetry.instrumentation.auto_instrumentation._load._load_distro`` (0.60 to 0.66). The
    loader passes over an entry point that returns no distro.
    """
    named = os.environ.get(DISTRO) == NAME
    if not named and not (is_exporter_named() and not other_distros()):
        return None
    from opentelemetry.instrumentation.distro import BaseDistro

    class ArthurDistro(BaseDistro):
        def _configure(self, **kwargs: Any) -> None:
            set_defaults(EXPORTERS if named else {})
            _set_up_sdk()
            _flush_on_sigterm()

    return ArthurDistro()


def other_distros() -> list[str]:
    """The distros of other packages, by their names in the group ``opentelemetry_distro``."""
    return sorted({entry.name for entry in entry_points(group="opentelemetry_distro")} - {NAME})


def _set_up_sdk() -> None:
    """Set the SDK up where no other package would, as ``opentelemetry-distro`` does."""
    if entry_points(group="opentelemetry_configurator"):
        return
    from otel_arthur.sdk.setup.exporters import set_up

    set_up()


def _flush_on_sigterm() -> None:
    """Have a process that ends by SIGTERM export its spans first, unless somebody handles the signal."""
    from otel_arthur.configuration import Configuration

    if is_exporter_named() and Configuration.from_environment().flush_on_sigterm is not False:
        from otel_arthur.process.sigterm import flush_on_sigterm

        flush_on_sigterm()
