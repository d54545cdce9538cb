"""What an exporter's arguments come to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from otel_arthur.arthur.clients import is_model
from otel_arthur.configuration import Configuration, Problem
from otel_arthur.process.never_raises import never_raises

if TYPE_CHECKING:
    from otel_arthur.configuration.arguments import Settings


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
        _record_likelihoods()
    return configuration, arthur_model


def _record_likelihoods() -> None:
    with never_raises("argument likelihoods is ignored; pip install 'otel-arthur[langchain]'"):
        from otel_arthur.sdk.likelihoods.instrumentor import watch

        watch()
