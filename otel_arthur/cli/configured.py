"""The configuration of a command: what is bad in it and matters to the command is said, not passed over.

The exporter falls back to a default; a person at a terminal is told instead, before a key or a text goes
to an address that was not meant.
"""

from __future__ import annotations

from typing import Any, Final

from otel_arthur.cli.errors import WrongUse
from otel_arthur.cli.output import say_error
from otel_arthur.configuration import PROTECTED, Configuration, Problem

CONNECTION: Final = (
    *("endpoint", "api_key", "login", "password", "organization_id"),
    *("timeout", "compression", "certificate", "insecure"),
)
"""Fields that matter to whoever talks to Arthur."""
MODELS: Final = ("model_id", "routes", "attributes", "errors")
"""To whoever sends to the configured models."""
SPOOL: Final = ("spool_dir", "spool_max_bytes")
"""To whoever opens the spool."""
READING: Final = ("input_format", "attributes", "redact", "content", "max_text_length")
"""To whoever makes inferences of spans."""
SENDING: Final = (*CONNECTION, *MODELS, *SPOOL, "spool_max_age", "duplicate_window", *PROTECTED)
"""To whoever sends what is in the spool."""


def configured(*fields: str, **arguments: Any) -> Configuration:
    """The configuration, with one line on stderr for each bad value of `fields`.

    Args:
        fields: those of `Configuration` that matter.
        **arguments: what the command's options say; None where they were not given.

    Raises:
        WrongUse: something is bad.
    """
    configuration = Configuration.from_environment(**arguments)
    if "redact" in fields:
        from otel_arthur.inference.redaction.redactors import checked

        configuration = checked(configuration)
    refuse([as_error(problem) for problem in configuration.problems_with(*fields)])
    return configuration


_OPTIONS: Final = {"endpoint": "--endpoint", "spool_dir": "--dir", "model_id": "--model"}


def as_error(problem: Problem) -> str:
    """A problem in the words of who is refused: nothing is ignored, and arguments are options."""
    argument = problem.source.removeprefix("argument ")
    return f"{_OPTIONS.get(argument, argument)}: {problem.what}"


def refuse(problems: list[str]) -> None:
    """End the command with one line for each of `problems`, if there are any.

    Raises:
        WrongUse: the last of them.
    """
    for problem in problems[:-1]:
        say_error(problem)
    if problems:
        raise WrongUse(problems[-1])
