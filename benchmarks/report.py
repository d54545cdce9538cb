"""All benchmarks as one page: docs/benchmarks.md, with plots beside it.

    python benchmarks/report.py            # under ten minutes on a machine that does nothing else
    python benchmarks/report.py --quick    # a minute: to see that all of it runs

Each section is a program of this folder that can be run by itself; the page says with which options.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "otel-arthur"})
ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
PLOTS = ROOT / "docs" / "benchmarks"
OURS, OTLP = "Arthur", "OTLP over HTTP"
ALL = [OTLP, "OTLP over HTTP, gzip", "OTLP over gRPC", OURS]
SIZES = {"1 kB": 300, "2.6 kB": 1300, "10 kB": 8_700, "100 kB": 98_700, "1 MB": 998_700}
"""Of a span -> characters of question and answer."""
_PATH = re.compile(r"(?<![\w.:/])/(?:[\w.@+-]+/)+[\w.@+-]*|\b[A-Za-z]:\\\S+")
NOX = ROOT / ".cache" / "nox"
Summaries = Mapping[str, Mapping[str, float]]


class Page:
    """The page as it grows."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.began = time.monotonic()
        self.lines: list[str] = []

    def say(self, *lines: str) -> None:
        self.lines += lines

    def section(self, title: str, text: str, *commands: Sequence[str]) -> None:
        print(f"{time.monotonic() - self.began:4.0f} s  {title}", flush=True)
        self.say(f"## {title}", "", text, "")
        self.say("```", *[f"python {shlex.join(command)}" for command in commands], "```", "")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.say(f"| {' | '.join(head)} |", f"|{'---|' * len(head)}")
        self.say(*[f"| {' | '.join(row)} |" for row in rows], "")

    def plot(self, name: str, title: str, draw: Any, label: str) -> None:
        figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
        draw(axes)
        axes.set_title(title)
        axes.set_ylabel(label)
        if axes.get_yscale() == "linear":
            axes.set_ylim(bottom=0)
        figure.savefig(PLOTS / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)
        self.say(f"![{title}](benchmarks/{name}.svg)", "")

    def run(self, command: Sequence[str], python: str = sys.executable, seconds: float = 300.0) -> str | None:
        """What a program of this folder prints; None where it cannot be run, which is said."""
        options: Any = {"capture_output": True, "text": True, "timeout": seconds, "check": True, "cwd": ROOT}
        variables = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}"}
        try:
            return subprocess.run([python, *command], env=variables, **options).stdout
        except subprocess.CalledProcessError as error:
            if error.stdout and not error.stderr.strip():
                return error.stdout  # It has measured, and says itself what is amiss.
            why: str = error.stderr.strip().rpartition("\n")[2]
        except (subprocess.TimeoutExpired, OSError) as error:
            why = type(error).__name__
        self.say(f"Not measured here: {_PATH.sub('…', why)}", "")
        return None

    def costs(self, options: Sequence[str], python: str = sys.executable) -> Summaries | None:
        """What `exporters.py` finds."""
        out = self.run([*self.command(options), "--json"], python)
        return None if out is None else json.loads(out.splitlines()[-1])

    def command(self, options: Sequence[str]) -> list[str]:
        few = ["--rounds", "2", "--spans", "512"] if self.quick else []
        return ["benchmarks/exporters.py", *options, *few]


def side_by_side(page: Page) -> None:
    options = ["--exporter", *ALL]
    rows = ["benchmarks/arthurai_rows.py"]
    page.section(
        "Exporters side by side",
        "One LLM span of 2.6 kB by the conventions of today, batches of 512, spool on disk and duplicate "
        "window on; CPU of all threads, `export()` on a thread of its own. `arthurai` sends dicts that are "
        "ready, and keeps nothing on disk.",
        page.command(options),
        rows,
    )
    found = dict(page.costs(options) or {})
    sdk = NOX / "arthurai" / "bin" / "python"
    if sdk.exists() and (out := page.run(rows, str(sdk))):
        found["arthurai, from ready dicts"] = json.loads(out.splitlines()[-1])
    _bars(page, "exporters", "CPU per LLM span of 2.6 kB", found)


def dialects(page: Page) -> None:
    names = ("conventions", "langchain", "legacy", "openinference")
    options = [["--rounds", "5", "--dialect", name] for name in names]
    page.section(
        "Dialects",
        "The same call as instrumentations write it; `langchain` is OpenLLMetry's.",
        *[page.command(one) for one in options],
    )
    found = [(name, page.costs(one)) for name, one in zip(names, options, strict=True)]
    _against_otlp(page, "dialects", "CPU per LLM span, by dialect", found)


def sizes(page: Page) -> None:
    options: list[list[str]] = []
    for text in SIZES.values():
        count = max(min(20_000_000 // (text + 1300), 2048), 32)
        batch = min(count, 512 if text < 50_000 else 128)
        options.append(["--rounds", "3", "--text", str(text), "--spans", str(count), "--batch", str(batch)])
    page.section("Size of a span", "From 1 kB to 1 MB of messages.", *map(page.command, options))
    found = [(name, page.costs(one)) for name, one in zip(SIZES, options, strict=True)]
    _against_otlp(page, "sizes", "CPU per LLM span, by its size", found, is_log=True)


def batches(page: Page) -> None:
    options = {size: ["--rounds", "3", "--batch", size] for size in ("64", "512", "2048")}
    page.section(
        "Spans in a batch",
        "A batch is one append to the spool and one request.",
        *[page.command(one) for one in options.values()],
    )
    found = [(size, page.costs(one)) for size, one in options.items()]
    _against_otlp(page, "batches", "CPU per LLM span, by the size of a batch", found)


def told_twice(page: Page) -> None:
    options = ["--told-twice", "--rounds", "9"]
    page.section(
        "Two instrumentations at once",
        "Each call is written down twice, by a framework's instrumentation and by a provider's; one of the "
        "two becomes an inference.",
        page.command(options),
    )
    found = page.costs(options)
    if found:
        rows = [
            [name, f"{one['first']:.1f}", f"{one['last']:.1f}", f"{one['median']:.1f}", f"{one['ratio']:.2f}"]
            for name, one in found.items()
        ]
        page.table(["", "first round", "last round", "median, us a span", "of OTLP"], rows)


def pythons(page: Page) -> None:
    options = ["--rounds", "3"]
    page.section(
        "Pythons",
        "The oldest, that of development, and the newest, as far as this machine has them.",
        page.command(options),
    )
    probe = "import opentelemetry.exporter.otlp.proto.http, sys; print(sys.version.split()[0])"
    found: dict[str, Summaries | None] = {}
    others = sorted([str(one / "bin" / "python") for one in NOX.glob("exporters-3-*")])
    for python in (*others[:1], sys.executable, *others[-1:]):
        version = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=False)
        if version.returncode == 0 and (name := version.stdout.strip()) not in found:
            found[name] = page.costs(options, python)
    _against_otlp(page, "pythons", "CPU per LLM span, by Python", [*found.items()])


def start_up(page: Page) -> None:
    kinds = {
        OURS: "from otel_arthur import ArthurSpanExporter as E; E(endpoint='http://127.0.0.1:9')",
        OTLP: "from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as E; E()",
    }
    sdk = "import time, opentelemetry.sdk.trace.export; a = time.process_time(); {}; "
    sdk += "print(time.process_time() - a)"
    programs = {name: ["-c", sdk.format(code)] for name, code in kinds.items()}
    page.section(
        "Start-up",
        "Import and construction, the best of five processes, beside the SDK alone.",
        *programs.values(),
    )
    rows: list[list[str]] = []
    for name, program in programs.items():
        found = [page.run(program) for _ in range(5)]
        rows.append([name, f"{min(float(one or 'nan') for one in found) * 1e3:.0f} ms of CPU"])
    page.table(["", "more than the SDK"], rows)


def programs(page: Page) -> None:
    """Those that print their own words."""
    short = ["--rounds", "1" if page.quick else "3"]
    texts = {
        "The application's thread": (
            "What `span.end()` takes at worst while Arthur hangs.",
            ["benchmarks/span_end_latency.py", *short],
        ),
        "The collector": (
            "CPU of the service for a request of 100 spans.",
            ["benchmarks/collector/pass_through.py", "cost", "--rounds", "1" if page.quick else "2"],
        ),
        "The processor": (
            "CPU of a Collector with the processor `arthur`, beside one without, and beside the service.",
            ["benchmarks/collector/processor.py", *short, "--requests", "50" if page.quick else "100"],
        ),
        "Soak": (
            "Memory under load, with an outage of 3 seconds every 20. What a process remembers of the latest "
            "minutes fills up for three minutes: docs/faults.md has longer runs.",
            ["benchmarks/soak.py", "--seconds", "15" if page.quick else "60", "--rate", "500"],
        ),
    }
    for title, (text, command) in texts.items():
        page.section(title, text, command)
        if (out := page.run(command)) is not None:
            page.say("```", _PATH.sub("…", out.strip("\n")), "```", "")


def _bars(page: Page, name: str, title: str, found: Summaries) -> None:
    beside = found.get(OTLP, {}).get("median")
    rows: list[list[str]] = []
    for one, its in found.items():
        ratio = f"{its['median'] / beside:.2f}" if beside else ""
        rows.append([one, f"{its['median']:.1f}", f"{its['low']:.1f} to {its['high']:.1f}", ratio])
    page.table(["", "us of CPU a span", "quartiles", "of OTLP over HTTP"], rows)
    medians = [its["median"] for its in found.values()]
    page.plot(name, title, lambda axes: axes.bar([*found], medians, width=0.5), "microseconds")


def _against_otlp(
    page: Page, name: str, title: str, found: Sequence[tuple[str, Summaries | None]], *, is_log: bool = False
) -> None:
    known = [(one, its) for one, its in found if its]
    page.table(
        ["", f"{OURS}, us a span", f"{OTLP}, us a span", "ratio"],
        [
            [one, f"{its[OURS]['median']:.1f}", f"{its[OTLP]['median']:.1f}", f"{its[OURS]['ratio']:.2f}"]
            for one, its in known
        ],
    )

    def draw(axes: Any) -> None:
        for exporter in (OTLP, OURS):
            values = [its[exporter]["median"] for _, its in known]
            axes.plot([one for one, _ in known], values, marker="o", label=exporter)
        if is_log:
            axes.set_yscale("log")
        axes.legend()

    page.plot(name, title, draw, "microseconds")


def _machine() -> str:
    cpus = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", cpus.read_text()) if cpus.exists() else []
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    load = f", load {os.getloadavg()[0]:.1f} at the beginning" if hasattr(os, "getloadavg") else ""
    return (
        f"{date.today().isoformat()}, commit {commit or 'unknown'}, CPython {platform.python_version()}, "
        f"{os.cpu_count()} cores ({names[0] if names else platform.processor() or platform.machine()}), "
        f"{platform.system()} {platform.release()}{load}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    page = Page(parser.parse_args().quick)
    PLOTS.mkdir(exist_ok=True)
    page.say("# Benchmarks", "", "Written by `make bench`; do not edit.", "", f"{_machine()}.", "")
    page.say(
        "CPU is that of the process that exports, all threads; servers are in others. Absolute figures are "
        "this machine's; ratios are of one run, and hardly the machine's.",
        "",
    )
    for section in (side_by_side, dialects, sizes, batches, told_twice, pythons, start_up, programs):
        section(page)
    page.say(f"All of it took {(time.monotonic() - page.began) / 60:.1f} minutes.")
    PAGE.write_text("\n".join(page.lines) + "\n")


if __name__ == "__main__":
    main()
