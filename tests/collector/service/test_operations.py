"""What an operator takes from ``collector/``: manifests fit their schemas, watched metrics exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.support.environments.stock_collector import PROCESSOR

FOLDER = PROCESSOR.parent
MANIFESTS = sorted((FOLDER / "kubernetes").glob("*.yaml"))
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
