"""The reference pages that are made of the code: commands, fields, metrics.

``make tables`` writes them anew; `test_documentation.py` checks that they are true. Settings are made by
`tests.configuration.tables`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from otel_arthur.arthur import onboarding
from otel_arthur.cli import cli
from otel_arthur.collector.service import telemetry
from otel_arthur.delivery.books import metrics
from otel_arthur.inference.fields import FIELDS
from otel_arthur.spool.outcomes import RECEIVED, Outcome
from tests.support.paths import ROOT

FOLDER = ROOT / "docs" / "reference"
MADE = "<!-- Generated from the code by `make tables`. -->\n"
COMMANDS = """# Commands

`otel-arthur COMMAND`, or `python -m otel_arthur COMMAND`. Exit 0 is success, 1 says that the work failed, 2
that the use or the configuration is wrong. An error is one line on standard error.
"""
FIELDS_PAGE = """# Fields of an inference

Only what the Arthur model has an attribute for is sent: `otel-arthur check` lists it, `otel-arthur onboard
--fields` chooses it. The first text attributes of the stages `PIPELINE_INPUT` and `PREDICTED_VALUE` take the
input and the output, whatever their names are. `TOKENS` and `TOKEN_LIKELIHOODS` are found by their type, all
others by their name. [Redaction](../redaction.md) says what each field holds then.

| field | type | stage | holds |
|---|---|---|---|
"""
METRICS = """# Metrics

## Of the exporter

On the global meter provider, where the application has one (`OTEL_METRICS_EXPORTER`). `otel.component.name`
tells one exporter from another. `otel_arthur.outcome` is what became of an inference (OUTCOMES),
`otel_arthur.reason` why.

| metric | kind | unit | |
|---|---|---|---|
"""
OF_THE_COLLECTOR = """
## Of the collector

`/metrics`, in Prometheus' form ([labels](../collector.md#metrics-and-logs)). The processor's metrics:
[its documentation](../../collector/arthurprocessor/documentation.md).

| metric | |
|---|---|
"""


def files() -> dict[Path, str]:
    """What each page should hold."""
    commands = COMMANDS + "".join(
        _command(command, name) for name, command in commands_of(cli, "otel-arthur")
    )
    fields = FIELDS_PAGE + "".join(
        f"| `{field.name}` | `{field.value_type}` | `{field.stage}` | {field.description} |\n"
        for field in FIELDS.values()
    )
    types = ", ".join(f"`{name}`" for name in onboarding.METADATA_TYPES)
    fields += f"\nFields of your own (`onboard --attribute NAME:TYPE`) may have these types: {types}.\n"
    # Rows are moved by the spool, which no process measures.
    measured = [RECEIVED, *(outcome.value for outcome in Outcome if outcome is not Outcome.MOVED)]
    outcomes = ", ".join(f"`{outcome}`" for outcome in measured)
    told = METRICS.replace("OUTCOMES", outcomes) + "".join(_instruments()) + OF_THE_COLLECTOR
    told += "".join(f"| `{name}` | {text} |\n" for name, text in telemetry._HELP.items())
    pages = {"commands": commands, "fields": fields, "metrics": told}
    return {FOLDER / f"{name}.md": MADE + text for name, text in pages.items()}


def commands_of(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    """Each command below a group, with its whole name."""
    context = click.Context(group, info_name=name)
    for part in group.list_commands(context):
        command = group.get_command(context, part)
        assert command is not None
        yield f"{name} {part}", command
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{name} {part}")


def _command(command: click.Command, name: str) -> str:
    arguments = "".join(f" {_argument(one)}" for one in command.params if isinstance(one, click.Argument))
    options = [one for one in command.params if isinstance(one, click.Option)]
    text = f"\n## {name}\n\n```\n{name}{' [OPTIONS]' * bool(options)}{arguments}\n```\n\n"
    text += inspect.cleandoc(command.help or "").replace(chr(8), "") + "\n"
    if options:
        text += "\n| option | default | |\n|---|---|---|\n" + "".join(map(_option, options))
    if command.epilog:
        text += f"\n```\n{inspect.cleandoc(command.epilog).replace(chr(8), '').strip()}\n```\n"
    return text


def _argument(argument: click.Argument) -> str:
    return f"{(argument.name or '').upper().rstrip('S')}{'...' * (argument.nargs == -1)}"


def _option(option: click.Option) -> str:
    value = "" if option.is_flag else f" {(option.metavar or option.type.name.split()[0]).upper()}"
    if isinstance(option.type, click.Choice):
        value = " " + "\\|".join(map(str, option.type.choices))
    default = option.show_default if isinstance(option.show_default, str) else option.default
    shown = "" if not option.show_default or default is None else f"`{default}`"
    says = " ".join((option.help or "").split())
    return f"| `{', '.join(option.opts)}{value}` | {shown} | {says} |\n"


def _instruments() -> Iterator[str]:
    """A row for each instrument, from the calls that make them."""
    for node in ast.walk(ast.parse(inspect.getsource(metrics))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not node.func.attr.startswith("create_"):
            continue
        constants = [one.value for one in node.args if isinstance(one, ast.Constant)]
        named = {one.arg: one.value.value for one in node.keywords if isinstance(one.value, ast.Constant)}
        name = constants[0]
        unit, says = (*constants[1:], *(named[key] for key in ("unit", "description") if key in named))
        kind = node.func.attr.removeprefix("create_").replace("_", " ")
        yield f"| `{name}` | {kind} | `{unit}` | {says} |\n"


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
