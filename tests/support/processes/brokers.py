"""One broker of Apache Kafka, which is its own controller (KRaft), as a process."""

from __future__ import annotations

import base64
import signal
import socket
import subprocess
import uuid
from pathlib import Path

from tests.support.environments.kafka import LIBRARIES
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE, eventually


class Broker:
    """Keeps its data and its address from one start to the next."""

    def __init__(self, folder: Path) -> None:
        port, controller = free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        self._port = port
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "server.properties").write_text(
            "process.roles=broker,controller\nnode.id=1\n"
            f"controller.quorum.voters=1@127.0.0.1:{controller}\n"
            f"listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}\n"
            f"advertised.listeners=PLAINTEXT://{self.address}\n"
            f"controller.listener.names=CONTROLLER\nlog.dirs={folder / 'data'}\n"
            "offsets.topic.replication.factor=1\nauto.create.topics.enable=false\n"
        )
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", "server.properties")

    def start(self) -> Broker:
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_JAVA, "-Xmx384m", "kafka.Kafka", "server.properties"],
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        eventually(self._is_up, "the broker")
        return self

    def create_topic(self, name: str, partitions: int) -> None:
        self._java(
            "org.apache.kafka.tools.TopicCommand",
            *("--bootstrap-server", self.address, "--create", "--topic", name),
            *("--partitions", str(partitions)),
        )

    def stop(self, number: int = signal.SIGTERM) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(PATIENCE)

    def __enter__(self) -> Broker:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop(signal.SIGKILL)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "broker.log").read_text()[-2000:]
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self._port)) == 0

    def _java(self, *arguments: str) -> None:
        subprocess.run(
            [*_JAVA, *arguments], cwd=self._folder, check=True, capture_output=True, timeout=PATIENCE
        )


_JAVA = ("java", "-cp", f"{LIBRARIES}/*")
