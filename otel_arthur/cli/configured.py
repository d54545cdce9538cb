"""The configuration of a command: a bad setting that matters to the command ends the command.

The exporter falls back to a default. A person at a terminal can mend the setting first, before a key or a
text goes to a wrong address.
"""

from __future__ import annotations

from typing import Any, Final

from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.cli.terminal.output import say_error
from otel_arthur.configuration import PROTECTED, Configuration, Problem

CONNECTION: Final = (
    *("endpoint", "api_key", "api_key_file", "login", "password", "organization_id"),
    *("timeout", "compression", "certificate", "insecure"),
)
"""The settings that matter to a command that talks to Arthur."""
MODELS: Final = ("model_id", "models", "attributes", "errors")
"""The settings that matter to a command that sends to the configured models."""
SPOOL: Final = ("spool_dir", "spool_max_mb")
"""The settings that matter to a command that opens the spool."""
READING: Final = ("input_format", "attributes", "redact", "content", "max_text_length")
"""The settings that matter to a command that makes inferences of spans."""
SENDING: Final = (*CONNECTION, *MODELS, *SPOOL, "spool_max_age", "duplicate_window", *PROTECTED)
"""The settings that matter to a command that sends what is in the spool."""


def configured(*settings: str, **arguments: Any) -> Configuration:
    """The configuration, with one line on stderr for each bad value of `settings`.

    Args:
        settings: the names of the settings that matter to the command.
        **arguments: what the command's options say; None where they were not given.

    Raises:
        WrongUse: something is bad.
    """
    configuration = Configuration.from_environment(**arguments)
    if "redact" in settings:
        from otel_arthur.inference.redaction.redactors import checked

        configuration = checked(configuration)
    refuse([as_error(problem) for problem in configuration.problems_with(*settings)])
    return configuration


_OPTIONS: Final = {"endpoint": "--endpoint", "spool_dir": "--dir", "model_id": "--model"}


def as_error(problem: Problem, file: str = "") -> str:
    """A problem as a command reports it: its arguments are options, or keys of `file` where one is read."""
    source, argument = problem.source, problem.source.removeprefix("argument ")
    if argument != source:
        source = f"{argument} in {file}" if file else _OPTIONS.get(problem.setting, source)
    return f"{source}: it {problem.what}"


def refuse(problems: list[str]) -> None:
    """End the command with one line for each of `problems`, if there are any.

    Raises:
        WrongUse: the last of them.
    """
    for problem in problems[:-1]:
        say_error(problem)
    if problems:
        raise WrongUse(problems[-1])
