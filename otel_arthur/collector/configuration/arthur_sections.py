"""The ``arthur`` and ``spool`` sections: where inferences go, and which call goes to which model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from otel_arthur.collector.configuration.document import Section
from otel_arthur.configuration import SETTINGS, Configuration, Problem, resolve
from otel_arthur.configuration.setting import Setting
from otel_arthur.inference.redaction.redactors import checked

_CREDENTIALS: Final = tuple(
    setting for setting in SETTINGS if setting.field in ("api_key", "login", "password")
)


@dataclass(frozen=True, slots=True)
class ModelRoute:
    """Calls that match go to one model. No match at all takes every call."""

    match: tuple[tuple[str, str], ...]
    """Attribute of the span or its resource, and the shell-style pattern that its value must fit."""
    model_id: str
    destination: Configuration = field(repr=False)
    """Endpoint, organisation and credentials; one delivery serves all routes that share them."""


@dataclass(frozen=True, slots=True)
class TaskRoute:
    """Calls that match go to one task of the Engine. No match at all takes every call."""

    match: tuple[tuple[str, str], ...]
    """As in `ModelRoute`."""
    task_id: str | None
    """None means the task with the service's name."""


def read_settings(*, is_v3_target: bool, **sections: Section) -> Configuration:
    """The settings that have a key in one of the sections. Nothing comes from ``OTEL_EXPORTER_ARTHUR_…``."""
    given = _given(SETTINGS, sections)
    configuration = checked(Configuration.from_environment({}, is_v3_target, **given))
    _report(configuration.problems, SETTINGS, sections)
    return configuration


def read_values(settings: Iterable[Setting], **sections: Section) -> dict[str, Any]:
    """The values of settings by field, for those that are set."""
    settings = tuple(settings)
    values, problems = resolve(settings, {}, _given(settings, sections))
    _report(problems, settings, sections)
    return values


def read_routes(
    section: Section, connection: Configuration
) -> tuple[tuple[ModelRoute, ...], tuple[TaskRoute, ...]]:
    """The list under ``models``, in order; a route may have credentials and an organisation of its own.

    Returns:
        The routes, and those of them that name a task of the Engine.
    """
    routes: list[ModelRoute] = []
    tasks: list[TaskRoute] = []
    for item in section.sections("models"):
        match = tuple(item.pairs("match").items())
        model_id = item.text("model_id")
        if model_id is None:
            item.problem("model_id" if "model_id" in item else None, "needs a model_id")
        own = read_values(_CREDENTIALS, arthur=item)
        organization = item.text("organization_id")
        task_id = item.text("task_id")
        if task_id is not None and connection.engine is None:
            item.problem("task_id", "needs a section engine, with the endpoint of the Arthur Engine")
        elif task_id is not None:
            tasks.append(TaskRoute(match, task_id))
        if routes and not routes[-1].match:
            item.problem(None, "is never reached: the route before it has no match and takes every call")
        destination = connection
        if own:
            # Another key is another account, and takes none of the common credentials.
            destination = replace(connection, **{"api_key": None, "login": None, "password": None, **own})
        if organization:
            destination = replace(destination, organization_id=organization)
        if model_id is not None:
            if not (destination.api_key or (destination.login and destination.password)):
                section.problem(
                    "api_key" if "api_key" in section else None,
                    "needs an api_key (or api_key_file, or login and password); "
                    "write api_key: ${env:ARTHUR_API_KEY}",
                )
            routes.append(ModelRoute(match, model_id, destination))
    if not routes and not section.sections("models"):
        section.problem(
            None,
            "needs models, a list such as - {model_id: ...} (`otel-arthur onboard NAME` creates a model)",
        )
    return tuple(routes), tuple(tasks)


def read_tasks(section: Section) -> tuple[TaskRoute, ...]:
    """The list under ``engine.tasks``, in order."""
    tasks: list[TaskRoute] = []
    for item in section.sections("tasks"):
        match = tuple(item.pairs("match").items())
        task_id = item.text("task_id")
        if task_id is None:
            item.problem(None, "needs a task_id")
        else:
            tasks.append(TaskRoute(match, task_id))
    return tuple(tasks)


def _given(settings: Iterable[Setting], sections: Mapping[str, Section]) -> dict[str, Any]:
    """The section's values by the names of the settings."""
    given: dict[str, Any] = {}
    for setting in settings:
        section, _, key = setting.key.partition(".")
        if section in sections:
            given[setting.name] = sections[section].value(key)
    return given


def _report(
    problems: Iterable[Problem], settings: Iterable[Setting], sections: Mapping[str, Section]
) -> None:
    keys = {setting.name: setting.key for setting in settings}
    for problem in problems:
        section, _, key = keys[problem.setting].partition(".")
        sections[section].problem(key, problem.what)
