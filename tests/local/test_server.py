"""The server's life: outages, restarts, many clients, and files that are not its own."""

from __future__ import annotations

import socket
import sqlite3
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from otel_arthur.local import LocalArthur, LocalArthurError, StoreError
from tests.support.processes.running import finished
from tests.support.servers.account import presentations
from tests.support.waiting import PATIENCE


def test_an_outage(api: Any, model_id: str, new_row: Any) -> None:
    arthur = api.arthur
    api.send(model_id, [new_row("before")])
    address = arthur.url
    arthur.stop()
    assert not arthur.is_running
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=PATIENCE)
    # What had arrived can still be looked at.
    assert presentations(arthur, model_id) == {"before": 1}
    arthur.start()
    assert arthur.url == address
    assert [one["status"] for one in api.send(model_id, [new_row("before"), new_row("after")])] == [409, 200]
    arthur.stop()
    arthur.stop()


def test_a_restart_with_the_same_file(tmp_path: Path, client_of: Any, new_row: Any) -> None:
    db = tmp_path / "deep" / "arthur.db"
    with LocalArthur(db=db) as first:
        api = client_of(first)
        model_id = api.onboard()
        api.send(model_id, [new_row("a")])
        token = api.call("POST", "/login", json={"login": "local", "password": first.api_key})
        login = token.cookies["Authorization"]
    with LocalArthur(port=first.port, db=db) as second:
        assert (second.url, second.api_key) == (first.url, first.api_key)
        assert second.organization_id == first.organization_id
        again = client_of(second)
        assert again.call("GET", "/users/me", headers={"Authorization": login}).status_code == 200
        assert [one["status"] for one in again.send(model_id, [new_row("a"), new_row("b")])] == [409, 200]
    with LocalArthur(db=db, api_key="mine", organization_id="o") as third:
        assert (third.api_key, third.organization_id) == ("mine", "o")
    assert [file.name for file in db.parent.iterdir()] == ["arthur.db"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_the_file_is_its_owners(tmp_path: Path) -> None:
    db = tmp_path / "deep" / "arthur.db"
    with LocalArthur(db=db):
        for path, mode in [(db.parent, 0o700), *((file, 0o600) for file in db.parent.iterdir())]:
            assert stat.S_IMODE(path.stat().st_mode) == mode


def test_each_server_has_its_own_key() -> None:
    with LocalArthur() as one, LocalArthur() as other:
        assert one.api_key != other.api_key
        assert one.port != other.port
        assert one.api_key not in repr(one.__dict__)


def test_a_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arthur = LocalArthur(port=port)
        with pytest.raises(LocalArthurError, match=f"127.0.0.1:{port}"), arthur:
            pass
    assert not arthur.is_running


def test_files_of_others(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("no database, but long enough to be looked at as one " * 50)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    newer = tmp_path / "newer.db"
    with LocalArthur(db=newer):
        pass
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for path, words in ((text, "not a database"), (other, "something else"), (newer, "newer otel-arthur")):
        before = path.read_bytes()
        with pytest.raises(StoreError, match=words) as caught:
            LocalArthur(db=path)
        assert str(path) in str(caught.value)
        assert path.read_bytes() == before
    with pytest.raises(StoreError, match="cannot open"):
        LocalArthur(db=tmp_path)


@pytest.mark.parametrize("in_file", [False, True])
def test_many_clients(tmp_path: Path, client_of: Any, new_row: Any, in_file: bool) -> None:
    clients, rounds = 8, 10
    with LocalArthur(db=tmp_path / "a.db" if in_file else ":memory:") as arthur:
        model_id = client_of(arthur).onboard()
        own = [client_of(arthur) for _ in range(clients)]
        together = threading.Barrier(clients)

        def post(number: int) -> int:
            together.wait()
            good = 0
            for round_number in range(rounds):
                rows = [new_row(f"shared-{round_number}"), new_row(f"{number}-{round_number}")]
                good += sum(one["status"] == 200 for one in own[number].send(model_id, rows))
            return good

        with ThreadPoolExecutor(clients) as pool:
            accepted = sum(pool.map(post, range(clients)))
        presented = presentations(arthur, model_id)
        # Of each shared id one row was taken, whoever came first.
        assert accepted == len(presented) == rounds + clients * rounds
        assert set(presented.values()) == {1}


def test_two_servers_on_one_file(tmp_path: Path, client_of: Any, new_row: Any) -> None:
    db = tmp_path / "shared.db"
    with LocalArthur(db=db) as one, LocalArthur(db=db) as other:
        assert one.api_key == other.api_key
        first, second = client_of(one), client_of(other)
        model_id = first.onboard()
        ids = [f"id-{number}" for number in range(50)]

        def post(client: Any) -> int:
            results = [client.send(model_id, [new_row(identity)])[0] for identity in ids]
            return sum(one["status"] == 200 for one in results)

        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(post, (first, second))) == len(ids)


def test_repeated_ids_accepted(client_of: Any, new_row: Any) -> None:
    with LocalArthur(accept_duplicates=True) as arthur:
        api = client_of(arthur)
        model_id = api.onboard()
        rows = [new_row("a"), new_row("a", duration=1.0), new_row("b"), new_row("a", unknown=1)]
        assert [one["status"] for one in api.send(model_id, rows)] == [200, 200, 200, 400]
        api.send(model_id, [new_row("a")])
        assert presentations(arthur, model_id) == {"a": 3, "b": 1}
        kept = api.stored(model_id)["inferences"]
        assert sorted(one["presentation"] for one in kept if one["partner_inference_id"] == "a") == [1, 2, 3]
        truth = {"partner_inference_id": "a", "ground_truth_data": {"rating": 1}}
        assert api.send_ground_truth(model_id, [truth])[0]["status"] == 200
        assert arthur.store.count(model_id, [("ground_truth_data", "rating")]) == 3


def test_stopping_does_not_wait_for_a_slow_client(api: Any, model_id: str) -> None:
    arthur = api.arthur
    head = (
        f"POST /api/v3/models/{model_id}/inferences HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {arthur.api_key}\r\nContent-Length: 100\r\n\r\n[".encode()
    )
    with socket.create_connection(("127.0.0.1", arthur.port), timeout=PATIENCE) as slow:
        slow.sendall(head)
        assert api.call("GET", "/models").status_code == 200
        arthur.stop()
        assert not [thread for thread in threading.enumerate() if thread.name == "local-arthur"]
    arthur.start()
    assert api.call("GET", "/models").status_code == 200


def test_nothing_is_printed(tmp_path: Path) -> None:
    code = """
import socket, requests
from otel_arthur.local import LocalArthur
with LocalArthur() as arthur:
    head = f"POST /api/v3/login HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 100\\r\\n\\r\\n[".encode()
    with socket.create_connection(("127.0.0.1", arthur.port)) as slow, requests.Session() as session:
        slow.sendall(head)
        session.get(arthur.url, timeout=120)
        with socket.create_connection(("127.0.0.1", arthur.port)) as noise:
            noise.sendall(b"noise\\r\\n\\r\\n")
            noise.recv(100)
        arthur.stop()
"""
    done = finished([sys.executable, "-W", "error", "-c", code])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
