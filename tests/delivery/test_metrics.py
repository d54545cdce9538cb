"""The delivery's metrics say what its counters say, under semconv's names."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.servers.fault_behaviours import refuse_rows
from tests.support.servers.fault_server import FaultServer

PROGRAM = """
import json, sys
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
from pathlib import Path
from tests.support.spans.llm_calls import llm_call, llm_calls
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
delivery = Delivery(Configuration(endpoint=sys.argv[1], api_key="k", organization_id="o", model_id="m",
                                  spool_dir=Path(sys.argv[2]), duplicate_window=0.0))
calls = llm_calls(8)
delivery.submit([*calls, llm_call("poison")])
delivery.submit(calls)
delivery.skip("no content", 2)
assert delivery.flush(120)
found = {}
for resource in reader.get_metrics_data().resource_metrics:
    for scope in resource.scope_metrics:
        for metric in scope.metrics:
            for point in metric.data.data_points:
                attributes = {k: v for k, v in point.attributes.items() if not k.startswith("otel.component")}
                value = getattr(point, "value", None)
                key = metric.name + json.dumps(attributes, sort_keys=True)
                found[key] = point.count if value is None else value
print(json.dumps(found))
delivery.shutdown(5)
"""


def test_metrics_agree_with_what_happened(server: FaultServer, spool_dir: Path) -> None:
    server.always(
        refuse_rows(lambda row: (400, "bad") if "poison" in row["inference_data"]["input_text"] else None)
    )
    done = finished(
        [sys.executable, "-c", PROGRAM, server.url, str(spool_dir)], env={"PYTHONPATH": str(ROOT), "PATH": ""}
    )
    assert done.returncode == 0, done.stderr
    found = orjson.loads(done.stdout)
    assert found["otel.sdk.exporter.span.exported{}"] == 8
    assert found['otel.sdk.exporter.span.exported{"error.type": "rejected"}'] == 1
    assert found["otel.sdk.exporter.span.inflight{}"] == 0
    assert found["otel.sdk.exporter.operation.duration{}"] == len(server.sends)
    assert found['otel_arthur.inferences{"otel_arthur.outcome": "sent"}'] == 8
    assert found['otel_arthur.inferences{"otel_arthur.outcome": "known"}'] == 8
    assert found['otel_arthur.inferences{"otel_arthur.outcome": "dead_letter"}'] == 1
    skipped = '{"otel_arthur.outcome": "skipped", "otel_arthur.reason": "no content"}'
    assert found["otel_arthur.inferences" + skipped] == 2
    assert found["otel_arthur.spool.inferences{}"] == 0
    assert found["otel_arthur.spool.size{}"] > 0


LEVELS = """
import gc, sys, weakref
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
from pathlib import Path
from tests.support.spans.llm_calls import llm_calls
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
def level():
    found = []
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if metric.name == "otel_arthur.spool.inferences":
                    found += [point.value for point in metric.data.data_points]
    return sorted(found)
def delivery(count):
    made = Delivery(Configuration(endpoint=sys.argv[1], spool_dir=Path(sys.argv[2]) / str(count)))
    made.submit(llm_calls(count))
    return made
kept, dropped = delivery(3), delivery(5)
print(level())
gone = weakref.ref(dropped)
dropped.shutdown(1)
del dropped
gc.collect()
print(gone(), level())
"""


def test_a_delivery_is_let_go_and_its_gauges_with_it(server: FaultServer, spool_dir: Path) -> None:
    done = finished(
        [sys.executable, "-c", LEVELS, server.url, str(spool_dir)], env={"PYTHONPATH": str(ROOT), "PATH": ""}
    )
    assert done.stdout.splitlines() == ["[3, 5]", "None [3]"], done.stderr
