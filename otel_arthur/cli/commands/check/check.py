"""``otel-arthur check``: the doctor names what is missing, the next command, and each attribute's source."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from otel_arthur.arthur.client import ArthurClient
from otel_arthur.arthur.models import Model
from otel_arthur.arthur.rows import Outcome
from otel_arthur.cli.commands.check.application import examine_packages
from otel_arthur.cli.commands.check.declarative import settings_in_file
from otel_arthur.cli.commands.check.engine import check_engine
from otel_arthur.cli.commands.check.marked_call import marked_call
from otel_arthur.cli.commands.check.report import RED, YELLOW, Report
from otel_arthur.cli.commands.check.spool import examine_spool
from otel_arthur.cli.commands.check.variables import examine_variables, examine_way
from otel_arthur.cli.configured import as_error, refuse
from otel_arthur.cli.connection import connected, fitting_schema
from otel_arthur.cli.terminal import new_console
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import plural, say, say_error
from otel_arthur.configuration import Configuration
from otel_arthur.inference.build import build
from otel_arthur.inference.fields import FIELDS
from otel_arthur.inference.redaction.redactors import checked
from otel_arthur.inference.schema import Schema
from otel_arthur.sdk.distro import other_distros
from otel_arthur.sdk.setup.variables import DISTRO, NAME

_ADDRESSES = tuple(
    f"{target}{name}" for target in ("", "engine_") for name in ("endpoint", "certificate", "insecure")
)


@click.command(epilog="Example: OTEL_EXPORTER_ARTHUR_MODEL_ID=... otel-arthur check --send")
@click.option("--send", is_flag=True, help="Send one call, marked as a check, to each target.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: level, findings, models.")
def command(send: bool, as_json: bool) -> None:
    """The doctor. Run it where the application runs, with the application's Python and variables.

    The doctor looks at the LLM libraries and their instrumentations, at OpenTelemetry's variables, and at
    the configuration as the exporter would read it; then it logs in. Green is well, yellow may miss
    something, red loses calls; the next command stands below. Exit 1 with a red line, 2 with a bad setting,
    even if the exporter would go on without the setting.
    """
    report = Report(as_json)
    try:
        examine_packages(report)
        examine_variables(report)
        _examine_configuration(report, send)
    except click.ClickException as error:
        if not as_json:
            raise
        report.fault("configuration" if isinstance(error, WrongUse) else "arthur", error.format_message())
        report.end()
        sys.exit(error.exit_code)
    report.end()
    if not as_json:
        faults = sum(one["level"] == RED for one in report.findings)
        doubts = sum(one["level"] == YELLOW for one in report.findings)
        if not send:
            say("Nothing was sent; --send sends one marked call.")
        say(f"{report.level}: {plural(faults, 'fault')}, {plural(doubts, 'doubt')}")
    if report.level == RED:
        sys.exit(WorkFailed.exit_code)


def _examine_configuration(report: Report, send: bool) -> None:
    file, settings = settings_in_file()
    configuration = checked(Configuration.from_environment(**settings))
    refuse([as_error(problem, file) for problem in configuration.problems_with(*_ADDRESSES)])
    problems = [as_error(problem, file) for problem in configuration.problems]
    for problem in problems:
        # The exporter goes on without the bad setting; so does the doctor, to say all that is wrong at once.
        if report.as_json:
            report.fault("configuration", problem)
        else:
            say_error(problem)
    for note in configuration.notes:
        report.doubt("note", note)
    if configuration.missing is not None:
        raise WrongUse(configuration.missing)
    examine_way(report, configuration)
    if configuration.engine is not None:
        check_engine(report, configuration.engine, configuration.timeout, send)
    organization, unfilled = None, list[str]()
    if configuration.is_v3_target:
        organization, unfilled = _check_platform(report, configuration, send)
    examine_spool(report, configuration, organization)
    if trap := _other_distro():
        report.doubt("distro", trap, f"export {DISTRO}={NAME}")
    refuse([f"OTEL_EXPORTER_ARTHUR_ATTRIBUTES fills {name}, which no model has" for name in unfilled])
    if problems:
        report.end()
        sys.exit(WrongUse.exit_code)


def _check_platform(report: Report, configuration: Configuration, send: bool) -> tuple[str, list[str]]:
    """Show what fills each model's attributes.

    Returns:
        The organization, and the configured attributes that no model has.
    """
    unused = dict(configuration.attributes)
    with connected(configuration) as client:
        organization = client.organization_id()
        report.well("endpoint", configuration.endpoint)
        report.well("organization", organization)
        for pattern, model_id in _models(configuration).items():
            model = client.model(model_id)
            schema = fitting_schema(model, configuration)
            _show_model(report, pattern, model, schema, configuration)
            for slot in schema.slots:
                unused.pop(slot.field, None)
            if send:
                _send_marked(client, model, schema)
                report.well("sent", "one marked inference was accepted")
    return organization, list(unused)


def _other_distro() -> str:
    """The trap of two distros: OpenTelemetry takes one of them, which asks for OTLP exporters or for
    nothing."""
    others = [] if os.environ.get(DISTRO) == NAME else other_distros()
    return f"{', '.join(others)} is installed too and sets other exporters up" if others else ""


def _models(configuration: Configuration) -> Mapping[str, str]:
    """Pattern -> model id for every model that calls may go to; an empty pattern is all others."""
    models = {route.pattern: route.model_id for route in configuration.routes}
    return {**models, **({"": configuration.model_id} if configuration.model_id else {})}


def _show_model(
    report: Report, pattern: str, model: Model, schema: Schema, configuration: Configuration
) -> None:
    name = model.display_name or model.partner_model_id or ""
    report.well("model", f"{model.id} {name}" + (f" for {pattern}" if pattern else ""))
    rows = [
        *(
            (slot.attribute, slot.value_type, _source(slot.field, schema, configuration))
            for slot in schema.slots
        ),
        *((name, kind, "ground truth, when you send it") for name, kind in schema.ground_truth.items()),
    ]
    known = {slot.field for slot in schema.slots}
    lacking = [name for name in FIELDS if name not in known]
    attributes: list[dict[str, Any]] = [
        {"name": name, "type": kind, "filled_from": source} for name, kind, source in rows
    ]
    report.models.append(
        {"id": model.id, "name": name, "pattern": pattern, "attributes": attributes, "not_sent": lacking}
    )
    if not report.as_json:
        new_console().table(("attribute", "type", "filled from"), rows)
        if lacking:
            say(f"not sent, for the model has no such attribute: {', '.join(lacking)}")


def _source(field: str, schema: Schema, configuration: Configuration) -> str:
    if field in schema.unfilled:
        return f"otel_arthur.context({field}=...) in your code, or OTEL_EXPORTER_ARTHUR_ATTRIBUTES"
    if field in configuration.attributes:
        return f"attribute {configuration.attributes[field]}"
    return f"{field}: {FIELDS[field].description}" if field in FIELDS else field


def _send_marked(client: ArthurClient, model: Model, schema: Schema) -> None:
    call = marked_call()
    rows = [inference.as_json() for inference in build(call, schema)]
    for result in client.send_inferences(model.id, rows):
        if result.outcome is not Outcome.ACCEPTED:
            raise WorkFailed(f"model {model.id} refused the inference: {result.status} {result.message}")
