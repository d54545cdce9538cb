"""What the doctor says of OpenTelemetry's own variables: what hides calls, their words, or the exporter."""

from __future__ import annotations

import difflib
import os
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

from otel_arthur.cli.commands.check.declarative import examine_file
from otel_arthur.cli.commands.check.report import Report
from otel_arthur.configuration import Configuration
from otel_arthur.sdk.setup.exporters import fault_of
from otel_arthur.sdk.setup.variables import EXPORTERS, NAME, named_exporters

_NO_SPANS = ("always_off", "parentbased_always_off")
_SOME_SPANS = ("traceidratio", "parentbased_traceidratio")
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_HIDING = {
    "TRACELOOP_TRACE_CONTENT": ("false", "0"),
    "OPENINFERENCE_HIDE_INPUTS": ("true", "1"),
    "OPENINFERENCE_HIDE_OUTPUTS": ("true", "1"),
    "OPENINFERENCE_HIDE_INPUT_MESSAGES": ("true", "1"),
    "OPENINFERENCE_HIDE_OUTPUT_MESSAGES": ("true", "1"),
}
"""Variable -> values with which an instrumentation leaves words out."""


def examine_variables(report: Report) -> None:
    """The SDK's switches, exporters, sampler, limits, and content."""
    if _is("OTEL_SDK_DISABLED", "true"):
        report.fault("sdk", "OTEL_SDK_DISABLED switches everything off", "unset OTEL_SDK_DISABLED")
    _examine_exporters(report)
    sampler, share = os.environ.get("OTEL_TRACES_SAMPLER", ""), os.environ.get("OTEL_TRACES_SAMPLER_ARG", "1")
    if sampler in _NO_SPANS:
        report.fault(
            "sampler", f"OTEL_TRACES_SAMPLER={sampler} hides every call", "unset OTEL_TRACES_SAMPLER"
        )
    elif sampler in _SOME_SPANS and share not in ("1", "1.0", ""):
        text = f"OTEL_TRACES_SAMPLER={sampler} with {share} hides the calls of all other traces"
        report.doubt("sampler", text, "unset OTEL_TRACES_SAMPLER OTEL_TRACES_SAMPLER_ARG")
    for name in ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"):
        if os.environ.get(name):
            report.doubt("limits", f"{name}={os.environ[name]} cuts long prompts", f"unset {name}")
    _examine_content(report)


def _examine_exporters(report: Report) -> None:
    if examine_file(report):
        return
    is_decided = False
    for variable in EXPORTERS:
        if NAME in named_exporters(variable):
            is_decided = True
            report.well("exporter", f"{variable} names arthur")
    for variable in (*EXPORTERS, "OTEL_METRICS_EXPORTER"):
        for name in named_exporters(variable):
            fault = fault_of(name, variable)
            if fault and variable in EXPORTERS and _is_close_to_ours(name):
                is_decided = True
                names = ",".join(NAME if one == name else one for one in named_exporters(variable))
                text = f"{variable} names {name}, which is no exporter; did you mean {NAME}?"
                report.fault("exporter", text, f"export {variable}={names}")
            elif fault:
                report.doubt("exporter", f"{variable} names {name}, and {fault}")
    if not is_decided:
        report.doubt(
            "exporter",
            "no variable names arthur: nothing is sent, unless your code calls otel_arthur.instrument()",
            "export OTEL_TRACES_EXPORTER=arthur",
        )


def _is_close_to_ours(name: str) -> bool:
    return bool(difflib.get_close_matches(name.lower(), (NAME,)))


def _examine_content(report: Report) -> None:
    hiding = [name for name, values in _HIDING.items() if _is(name, *values)]
    for name in hiding:
        text = f"{name}={os.environ[name]} leaves words out, so that those calls are skipped"
        report.doubt("content", text, f"unset {name}")
    if not hiding:
        chosen = os.environ.get(_CONTENT)
        text = f"{_CONTENT}={chosen}" if chosen else "no variable leaves prompts or answers out"
        report.well("content", text)


def examine_way(report: Report, configuration: Configuration) -> None:
    """Proxies, certificates and content of the way to each target."""
    targets = [("", configuration.endpoint, configuration.insecure, configuration.certificate)]
    engine = configuration.engine
    if engine is not None:
        targets.append(("ENGINE_", engine.endpoint, engine.insecure, engine.certificate))
    for name, endpoint, insecure, certificate in targets if configuration.is_v3_target else targets[1:]:
        proxy = select_proxy(endpoint, get_environ_proxies(endpoint, no_proxy=None))
        if proxy:
            report.well("proxy", f"{endpoint} is reached through {_without_secrets(proxy)}")
        if insecure:
            text = f"OTEL_EXPORTER_ARTHUR_{name}INSECURE skips the check of {endpoint}'s certificate"
            report.doubt("tls", text, f"unset OTEL_EXPORTER_ARTHUR_{name}INSECURE")
        elif certificate:
            report.well("tls", f"authorities of {certificate}")
    if configuration.content == "metadata" and not configuration.problems_with("content"):
        report.doubt("content", "OTEL_EXPORTER_ARTHUR_CONTENT=metadata sends no words")
    if configuration.sample_ratio < 1:
        text = f"OTEL_EXPORTER_ARTHUR_SAMPLE_RATIO sends {configuration.sample_ratio:.0%} of the traces"
        report.doubt("sampler", text, "unset OTEL_EXPORTER_ARTHUR_SAMPLE_RATIO")


def _is(name: str, *values: str) -> bool:
    return os.environ.get(name, "").strip().lower() in values


def _without_secrets(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
