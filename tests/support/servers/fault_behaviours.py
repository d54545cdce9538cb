"""What a `FaultServer` does with one request: each behaviour is a function of the exchange.

Compose them freely: ``server.script(reset_after_reading(), status(503, {"Retry-After": "2"}), accept())``.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.support.servers.fault_exchange import HTML, JSON, Behaviour, Exchange


def accepted_answer(rows: Sequence[JSON]) -> JSON:
    """The body of a 207 that takes every row."""
    return {
        "counts": {"success": len(rows), "failure": 0, "total": len(rows)},
        "results": [{"message": "success", "status": 200} for _ in rows],
    }


def accept() -> Behaviour:
    """As Arthur and as the Engine: each row taken, other calls answered."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        rows = exchange.request.rows
        if exchange.request.is_of_spans:
            exchange.accepted(rows)
            exchange.answer_json(200, {})
        elif rows or exchange.request.path.partition("?")[0].endswith("/inferences"):
            exchange.accepted(rows)
            exchange.answer_json(207, accepted_answer(rows))
        else:
            exchange.answer_json(*exchange.ordinary(exchange.request))

    return behave


def status(code: int, headers: Mapping[str, str] | None = None, body: Any = None) -> Behaviour:
    """A status with a JSON body, as in ``status(429, {"Retry-After": "3"})``."""
    return answer(code, json.dumps({"error": f"scripted {code}"} if body is None else body).encode(), headers)


def answer(code: int, body: bytes, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Any status with any bytes."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.answer(code, body, headers)

    return behave


def html(code: int = 200) -> Behaviour:
    """A page of a proxy or a login form in Arthur's place."""
    return answer(code, HTML, {"Content-Type": "text/html"})


def truncated_json() -> Behaviour:
    """Half of the answer, as a whole: the rows are taken but the JSON ends in the middle."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.accepted(exchange.request.rows)
        body = json.dumps(accepted_answer(exchange.request.rows)).encode()
        exchange.answer(207, body[: len(body) // 2], {"Content-Type": "application/json"})

    return behave


def cut_body() -> Behaviour:
    """A reset in the middle of an answer whose rows are taken."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.accepted(exchange.request.rows)
        body = json.dumps(accepted_answer(exchange.request.rows)).encode()
        exchange.sock.sendall(exchange.head(207, len(body)) + body[: len(body) // 2])
        exchange.reset()

    return behave


def row_statuses(*statuses: int | tuple[int, str]) -> Behaviour:
    """A 207 with these statuses in turn, repeated over the rows; rows of 2xx are taken."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        rows = exchange.request.rows
        given = [statuses[index % len(statuses)] for index in range(len(rows))]
        results = [
            {"status": item, "message": "scripted"}
            if isinstance(item, int)
            else {"status": item[0], "message": item[1]}
            for item in given
        ]
        taken = [row for row, result in zip(rows, results, strict=True) if 200 <= result["status"] < 300]
        exchange.accepted(taken)
        counts = {"success": len(taken), "failure": len(rows) - len(taken), "total": len(rows)}
        exchange.answer_json(207, {"counts": counts, "results": results})

    return behave


def refuse_rows(reason: Callable[[JSON], tuple[int, str] | None]) -> Behaviour:
    """A 207 in which `reason` gives the status and message of each row that is not taken."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        rows = exchange.request.rows
        verdicts = [reason(row) for row in rows]
        taken = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict is None]
        exchange.accepted(taken)
        results = [
            {"status": code, "message": text} for code, text in (v or (200, "success") for v in verdicts)
        ]
        counts = {"success": len(taken), "failure": len(rows) - len(taken), "total": len(rows)}
        exchange.answer_json(207, {"counts": counts, "results": results})

    return behave


def reply(body: Callable[[Sequence[JSON]], Any], code: int = 207, *, taken: bool = True) -> Behaviour:
    """A JSON body made from the rows: wrong lengths, contradicting counts."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        if taken:
            exchange.accepted(exchange.request.rows)
        exchange.answer_json(code, body(exchange.request.rows))

    return behave


def at_most(limit: int, otherwise: Behaviour | None = None) -> Behaviour:
    """413 for a body above `limit` bytes."""
    within = otherwise or accept()
    too_large = status(413)

    def behave(exchange: Exchange) -> None:
        length = int(exchange.request.headers.get("content-length", "0"))
        (too_large if length > limit else within)(exchange)

    return behave


def reset_before_reading() -> Behaviour:
    """A reset as soon as the head is there: no row is taken."""

    def behave(exchange: Exchange) -> None:
        exchange.reset()

    return behave


def reset_after_reading() -> Behaviour:
    """A reset once the whole request is read, before any row is taken."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.reset()

    return behave


def lose_answer() -> Behaviour:
    """The rows are taken, then the connection is reset: a lost acknowledgement."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.accepted(exchange.request.rows)
        exchange.reset()

    return behave


def hang(seconds: float | None = None) -> Behaviour:
    """Read, then say nothing until the server stops (or for a while), and close."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.stopping.wait(seconds)
        exchange.close()

    return behave


def never_read() -> Behaviour:
    """Leave the body unread, so that a large one fills the socket's buffers."""

    def behave(exchange: Exchange) -> None:
        exchange.stopping.wait()
        exchange.close()

    return behave


def delay(seconds: float, then: Behaviour | None = None) -> Behaviour:
    """A slow Arthur."""
    after = then or accept()

    def behave(exchange: Exchange) -> None:
        exchange.stopping.wait(seconds)
        after(exchange)

    return behave


def hold(until: threading.Event, then: Behaviour | None = None) -> Behaviour:
    """An Arthur that answers once `until` is set."""
    after = then or accept()

    def behave(exchange: Exchange) -> None:
        while not (until.wait(0.02) or exchange.stopping.is_set()):
            pass
        after(exchange)

    return behave


def drip(interval: float = 0.05, *, body_only: bool = False) -> Behaviour:
    """An endless answer, one byte per `interval`: of the head, or of the body after a whole head."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.sock.sendall(
            exchange.head(207, 1 << 30) if body_only else b"HTTP/1.1 207 Multi-Status\r\nX-Drip: "
        )
        while not exchange.stopping.wait(interval):
            exchange.sock.sendall(b" " if body_only else b"x")
        exchange.close()

    return behave


def flood(mebibytes: int, *, compressed: bool = False) -> Behaviour:
    """A body of that many MiB of spaces; compressed, it is small on the wire."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        if compressed:
            body = gzip.compress(b" " * (mebibytes << 20))
            exchange.answer(207, body, {"Content-Encoding": "gzip"})
            return
        exchange.sock.sendall(exchange.head(207, mebibytes << 20))
        for _ in range(mebibytes):
            exchange.sock.sendall(b" " * (1 << 20))

    return behave


def redirect(location: str, code: int = 307) -> Behaviour:
    """To another address."""
    return answer(code, b"", {"Location": location})


def garbage() -> Behaviour:
    """Bytes that are no HTTP."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.sock.sendall(b"\x00\x01\x02 not http \r\n\r\n")
        exchange.close()

    return behave
