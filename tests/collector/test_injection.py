"""The `Instrumentation` resource without a cluster: an application that holds nothing of ours is injected.

The Operator copies the image's folder into the pod and puts two places of it on ``PYTHONPATH``
(opentelemetry-operator, ``internal/instrumentation/python.go``). Here that folder is what is installed here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import yaml

from tests.support.paths import ROOT
from tests.support.servers.account import Account
from tests.support.waiting import eventually

APPLICATION = """
from opentelemetry import trace

said = '[{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]'
attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.input.messages": said,
    "gen_ai.output.messages": said.replace("user", "assistant"),
}
with trace.get_tracer("app").start_as_current_span("chat gpt-4o", attributes=attributes):
    pass
"""


def test_an_application_that_is_injected_reports_its_calls(
    account: Account, model_id: str, tmp_path: Path
) -> None:
    _, instrumentation = yaml.safe_load_all((ROOT / "collector" / "kubernetes" / "operator.yaml").read_text())
    injected = sysconfig.get_path("purelib")
    # What the Operator sets where the resource does not: opentelemetry-operator, the same file.
    environment = {
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "support-bot",
        "OTEL_PROPAGATORS": ",".join(instrumentation["spec"]["propagators"]),
        **{one["name"]: one.get("value", "") for one in instrumentation["spec"]["python"]["env"]},
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": account.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": account.api_key,
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "spool"),
        # None of those that are installed here is meant.
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*",
        "PYTHONPATH": f"{injected}/opentelemetry/instrumentation/auto_instrumentation:{injected}:{ROOT}",
    }
    bare = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    ended = subprocess.run(
        [bare, "-c", APPLICATION],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    eventually(lambda: account.count(model_id) == 1, f"the call of the application: {ended.stderr}")
