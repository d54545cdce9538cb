"""What an exporter's arguments come to, and what is said of the configuration, once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from otel_arthur.arthur.clients import is_model
from otel_arthur.configuration import Configuration, Problem
from otel_arthur.process.never_raises import never_raises

if TYPE_CHECKING:
    from otel_arthur.configuration.arguments import Settings

_logger = logging.getLogger("otel_arthur")


def configured(arthur_model: Any, settings: Settings) -> tuple[Configuration, Any]:
    """The configuration that an exporter's arguments make, and the model where it is one.

    Token likelihoods are recorded from now on, where the arguments ask for them.
    """
    configuration = Configuration.from_environment(None, arthur_model is not None, **settings)
    if arthur_model is not None and not is_model(arthur_model):
        problem = Problem(
            "argument arthur_model",
            "arthur_model",
            f"is of type {type(arthur_model).__name__}; it must be an arthurai.ArthurModel",
        )
        configuration = replace(configuration, problems=(*configuration.problems, problem))
        arthur_model = None
    if configuration.likelihoods and settings.get("likelihoods") is not None:
        # By the variable, `opentelemetry-instrument` loads the instrumentor.
        with never_raises("argument likelihoods is ignored; pip install 'otel-arthur[langchain]'"):
            from otel_arthur.sdk.likelihoods.instrumentor import watch

            watch()
    return configuration, arthur_model


def report(configuration: Configuration, sender: Any = None, beside: Sequence[Configuration] = ()) -> None:
    """One line for each bad value, and one for why nothing is sent; never more, never an exception.

    Args:
        beside: earlier configurations, whose problems are in the log already.
    """
    said = {problem for other in beside for problem in other.problems}
    new = [problem for problem in configuration.problems if problem not in said]
    for problem in new:
        if not problem.is_protected:
            _logger.warning("otel-arthur: %s", problem)
    for note in configuration.notes:
        if not any(note in other.notes for other in beside):
            _logger.warning("otel-arthur: %s", note)
    reasons = [str(problem) for problem in new if problem.is_protected]
    if not beside:
        missing = configuration.missing
        if sender is not None:
            missing = (
                None if getattr(sender, "id", "unknown") else "call save() on the model before you pass it"
            )
        reasons += [missing] if missing is not None else []
    if reasons:
        withheld = any(problem.setting in ("content", "redact") for problem in configuration.unusable)
        _logger.warning(
            "otel-arthur: nothing is sent to Arthur yet: %s. Until then calls wait %s%s.",
            "; ".join(reasons),
            "in memory" if configuration.spool_dir is None else f"in {configuration.spool_dir}",
            ", without their texts" if withheld else "",
        )
