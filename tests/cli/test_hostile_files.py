"""Commands meet files that are no exports, files without end, and outputs that take nothing."""

from __future__ import annotations

import gzip
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_arthur.genai.otlp import zstd
from otel_arthur.spool.spool import Spool
from tests.support.paths import CAPTURES
from tests.support.waiting import PATIENCE

TRACE = CAPTURES / "genai-langchain-1.3b0" / "span_only" / "a_invoke.pb"
MEMORY = 1536 * 1024**2
"""Bytes of address space, of which the interpreter with its libraries takes about half."""
SETTINGS = {
    "OTEL_EXPORTER_ARTHUR_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
    "OTEL_EXPORTER_ARTHUR_MODEL_ID": "m",
    "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": "off",
}
READERS = (("inspect",), ("replay", "--dry-run"), ("ground-truth",))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/zero, /dev/full and rlimits")


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(*arguments: str | Path, **more: object) -> subprocess.CompletedProcess[str]:
    options: dict[str, object] = {"stdout": subprocess.PIPE, "env": SETTINGS, **more}
    return subprocess.run(
        [sys.executable, "-m", "otel_arthur", *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=limit_memory,
        **options,  # type: ignore[call-overload]
    )


def sparse(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(4 * 1024**3)


def bomb(compress: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """A gigabyte of blanks behind the beginning of an export."""

    def write(file: Path) -> None:
        part = compress(b" " * 64 * 1024**2)
        file.write_bytes(compress(b'{"resourceSpans":') + part * 16)

    return write


FILES: dict[str, Callable[[Path], object]] = {
    "/dev/zero": lambda file: file.symlink_to("/dev/zero"),
    "sparse": sparse,
    "gzip bomb": bomb(lambda data: gzip.compress(data, 1)),
    "zstd bomb": bomb(zstd.compress),
    "UTF-16": lambda file: file.write_bytes('{"resourceSpans": []}'.encode("utf-16")),
    "zip": lambda file: file.write_bytes(b"PK\x03\x04" + b"x" * 100),
    "long line": lambda file: file.write_bytes(b'{"a": "' + b"x" * (130 * 1024**2)),
    "folder": lambda file: file.mkdir(),
}


@pytest.mark.parametrize(
    ("command", "name"),
    # An export of traces may be UTF-16; a table of ground truth may not.
    [(one, name) for one in READERS for name in FILES if name != "UTF-16" or one[0] == "ground-truth"],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_one_line_in_bounded_memory(tmp_path: Path, command: tuple[str, ...], name: str) -> None:
    file = tmp_path / "file"
    FILES[name](file)
    done = run(*command, file)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"Error: {file}")
    assert "MemoryError" not in done.stderr


def test_standard_input_without_end() -> None:
    with Path("/dev/zero").open("rb") as zeros:
        assert run("inspect", "-", stdin=zeros).returncode == 2


PRINTING = [("inspect", TRACE), ("inspect", "--format", "json", TRACE), ("collector", "--help")]


@pytest.mark.parametrize("arguments", PRINTING)
def test_a_full_disk_on_standard_output_is_named(arguments: tuple[str | Path, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(*arguments, stdout=full)
    assert done.returncode == 1
    assert "standard output cannot be written (No space left on device)" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", PRINTING[:2])
def test_a_reader_that_has_gone_is_no_error(arguments: tuple[str | Path, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run(*arguments, stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("take", [("status", "--json"), ("status",), ("dead-letters", "list")], ids=" ".join)
def test_the_spool_is_not_blamed_for_standard_output(tmp_path: Path, take: tuple[str, ...]) -> None:
    spool = {**SETTINGS, "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path)}
    Spool(tmp_path, 1024**2).close()
    with Path("/dev/full").open("wb") as full:
        done = run("spool", *take, stdout=full, env=spool)
    assert done.returncode == 1
    assert "standard output cannot be written" in done.stderr
    assert "the spool in" not in done.stderr


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("socks5://127.0.0.1:1", "HTTPS_PROXY names a SOCKS proxy"),
        ("::not a proxy::", "HTTPS_PROXY is no address of a proxy"),
        ("foo://x:1", "HTTPS_PROXY is no address of a proxy"),
        ("127.0.0.1:1", "the proxy that HTTPS_PROXY names"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(proxy: str, said: str) -> None:
    endpoint = {"OTEL_EXPORTER_ARTHUR_ENDPOINT": "https://arthur.invalid", "HTTPS_PROXY": proxy}
    done = run("models", env=SETTINGS | endpoint)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
