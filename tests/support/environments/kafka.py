"""Apache Kafka for the fault checks: its jars by Maven, once, under ``.cache/kafka/``."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.support.paths import CACHE
from tests.support.processes.running import finished

VERSION = "4.3.1"
LIBRARIES = CACHE / "kafka" / VERSION
_NEEDED = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.kafka", "kafka-tools", VERSION),
    ("org.slf4j", "slf4j-nop", "1.7.36"),
)
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>otel-arthur</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>{dependencies}</dependencies></project>
"""


def provision() -> str:
    """Fetch the jars where they are missing; returns why that cannot be, or an empty text."""
    if LIBRARIES.exists():
        return ""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    LIBRARIES.parent.mkdir(parents=True, exist_ok=True)
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>"
        "</dependency>"
        for group, name, version in _NEEDED
    )
    with tempfile.TemporaryDirectory(dir=LIBRARIES.parent) as folder:
        (Path(folder) / "pom.xml").write_text(_POM.format(dependencies=dependencies))
        command = ["mvn", "-q", "dependency:copy-dependencies", "-DoutputDirectory=libraries"]
        done = finished(command, cwd=folder)
        if done.returncode:
            return f"Maven did not bring Kafka {VERSION}: {done.stdout[-500:]}"
        # In one step, so that what was cut short is never taken for all of it.
        (Path(folder) / "libraries").replace(LIBRARIES)
    return ""


if __name__ == "__main__":
    print(provision() or LIBRARIES)
