"""What an operator takes from ``collector/``: manifests fit their schemas, watched metrics exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.support.environments.stock_collector import NO_GO, PROCESSOR

FOLDER = PROCESSOR.parent
MANIFESTS = sorted((FOLDER / "kubernetes").glob("gateway*.yaml"))
_METRIC = re.compile(r"otelcol_(processor_arthur_[a-z_]+)")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_fit_the_schemas_of_kubernetes(path: Path) -> None:
    documents = list(yaml.safe_load_all(path.read_text()))
    for document in documents:
        kubernetes_validate.validate(document, "1.31", strict=True)
    kinds = {document["kind"] for document in documents}
    assert {"StatefulSet", "PodDisruptionBudget", "NetworkPolicy"} <= kinds
    (pods,) = (document["spec"] for document in documents if document["kind"] == "StatefulSet")
    assert pods["volumeClaimTemplates"]
    for container in pods["template"]["spec"]["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["livenessProbe"]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_hold_configurations_that_can_be_used(path: Path) -> None:
    """The Collector's part is what the shipped one has; the core's is read by the core itself."""
    from otel_arthur.collector.configuration.sections import parse

    shipped = yaml.safe_load((FOLDER / "otelcol-processor.yaml").read_text())
    (data,) = (d["data"] for d in yaml.safe_load_all(path.read_text()) if d["kind"] == "ConfigMap")
    collector = yaml.safe_load(data["config.yaml"])
    for name, pipeline in collector["service"]["pipelines"].items():
        assert pipeline["processors"] == shipped["service"]["pipelines"][name]["processors"]
    sections = data.get("core.yaml") or json.dumps(
        {key: collector["processors"]["arthur"][key] for key in ("arthur", "spool")}
    )
    assert parse(path.name, sections, {"ARTHUR_API_KEY": "k"}, is_core=True).routes


OPERATOR = "github.com/open-telemetry/opentelemetry-operator@v0.140.0"


@pytest.mark.collector
@pytest.mark.timeout(900)
def test_resources_fit_the_schemas_of_the_operator() -> None:
    """Those in its Go module, which the Operator installs; a field that they do not have is wrong too."""
    if shutil.which("go") is None:
        pytest.skip(NO_GO)
    done = subprocess.run(["go", "mod", "download", "-json", OPERATOR], capture_output=True, check=True)
    schemas = Path(json.loads(done.stdout)["Dir"]) / "config" / "crd" / "bases"
    checked = set[str]()
    for resource in yaml.safe_load_all((FOLDER / "kubernetes" / "operator.yaml").read_text()):
        plural = f"{resource['kind'].lower()}s"
        definition = yaml.safe_load((schemas / f"opentelemetry.io_{plural}.yaml").read_text())
        version = resource["apiVersion"].partition("/")[2]
        (schema,) = (one["schema"] for one in definition["spec"]["versions"] if one["name"] == version)
        jsonschema.validate(resource, _strict(schema["openAPIV3Schema"], is_top=True))
        checked.add(resource["kind"])
    assert checked == {"OpenTelemetryCollector", "Instrumentation"}


def _strict(schema: Any, *, is_top: bool = False) -> Any:
    """A schema that takes no field which it does not name."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        strict["type"] = ["integer", "string"]
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    # What a resource is called is Kubernetes' own matter, and not in the schema.
    if isinstance(schema.get("properties"), dict) and not is_open:
        strict["additionalProperties"] = False
    if is_top:
        strict["properties"]["metadata"] = {"type": "object"}
    return strict


def test_the_operators_collector_is_the_gateway() -> None:
    (gateway,) = (
        yaml.safe_load(one["data"]["config.yaml"])
        for one in yaml.safe_load_all((FOLDER / "kubernetes" / "gateway.yaml").read_text())
        if one["kind"] == "ConfigMap"
    )
    collector, _ = yaml.safe_load_all((FOLDER / "kubernetes" / "operator.yaml").read_text())
    assert collector["spec"]["config"] == gateway


def test_every_metric_that_is_watched_exists() -> None:
    known = set(yaml.safe_load((PROCESSOR / "metadata.yaml").read_text())["telemetry"]["metrics"])
    watched = {
        name for path in (FOLDER / "monitoring").iterdir() for name in _METRIC.findall(path.read_text())
    }
    assert watched
    assert watched <= known
    rules = yaml.safe_load((FOLDER / "monitoring" / "alerts.yaml").read_text())["groups"][0]["rules"]
    assert all(rule["expr"] and rule["annotations"]["summary"] for rule in rules)
    assert json.loads((FOLDER / "monitoring" / "dashboard.json").read_text())["panels"]
