"""Redactors by name: built-in patterns, or the application's own callable.

A redactor that fails withholds the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Final

from otel_arthur.configuration import Configuration, Problem
from otel_arthur.inference.redaction.patterns import PATTERNS

Redactor = Callable[[str], str]

WITHHELD: Final = "[withheld: redaction failed]"
"""Stands for a text whose redaction failed."""


def checked(configuration: Configuration) -> Configuration:
    """The configuration, with a problem for each redactor that cannot be used.

    Imports the modules of dotted paths, which `Configuration.from_environment` does not.
    """
    if configuration.problems_with("redact"):
        return configuration
    problems: list[Problem] = []
    for name in configuration.redact:
        try:
            named(name)
        except LookupError as error:
            what = f"holds a wrong name: {error.args[0]}"
            problems.append(Problem("OTEL_EXPORTER_ARTHUR_REDACT", "redact", what, is_protected=True))
    if not problems:
        return configuration
    return replace(configuration, problems=(*configuration.problems, *problems))


def redactor_of(names: Sequence[str], failed: Callable[[], None] = lambda: None) -> Redactor | None:
    """The redactors of these names one after the other; None for no name.

    Where one of them cannot be used, each text is withheld.

    Args:
        names: of built-in patterns, or dotted paths as in ``package.module.function``.
        failed: called each time that a text was kept back.
    """
    try:
        redactors = [named(name) for name in names]
    except LookupError:
        return _withheld
    if not redactors:
        return None

    def redact(text: str) -> str:
        try:
            for redactor in redactors:
                text = redactor(text)
                if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                    raise TypeError("a redactor must return a text")  # noqa: TRY301
        except Exception:  # the application's code: whatever it raises, the text stays here
            failed()
            return WITHHELD
        return text

    return redact


def named(name: str) -> Redactor:
    """The redactor of this name.

    Raises:
        LookupError: with one line that says why it cannot be used.
    """
    builtin = PATTERNS.get(name.lower())
    if builtin is not None:
        return builtin
    module, _, attribute = name.replace(":", ".").rpartition(".")
    try:
        if not module:
            raise LookupError("no pattern of this name")  # noqa: TRY301
        found = getattr(import_module(module), attribute)
        if not callable(found):
            raise TypeError("not callable")  # noqa: TRY301
    except Exception as error:  # the application's module may raise anything on import
        raise LookupError(
            f"the redactor {name} cannot be used ({type(error).__name__}); "
            f"name one of {', '.join(PATTERNS)} or the dotted path of a callable"
        ) from None
    return found  # type: ignore[no-any-return]


def _withheld(_text: str) -> str:
    return WITHHELD
