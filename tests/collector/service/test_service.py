"""The collector as operators meet it: durable answers, routes, health, metrics, secrets, a bad start."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import grpc
import pytest
import requests
from google.rpc import error_details_pb2, status_pb2

from tests.collector.posting import PROTOBUF, Start, post
from tests.support.processes.running import finished
from tests.support.servers.account import Account
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.spans.otlp_requests import (
    METHODS,
    all_spans,
    ids,
    llm_request,
    plain_request,
    status_details,
)
from tests.support.waiting import PATIENCE, eventually


def test_an_answer_means_that_it_is_on_disk(collector: Start, account: Account, model_id: str) -> None:
    """Arthur is down, the collector is killed right after its answer; the next one sends what was taken."""
    ours = collector()
    account.arthur.stop()
    request = llm_request(3)
    assert post(ours, request).status_code == 200
    ours.stop(signal.SIGKILL)
    account.arthur.start()
    ours.start()
    eventually(lambda: account.count(model_id) == 3, "what the killed one had taken")
    assert set(account.inferences(model_id)) == set(ids(request))
    assert ours.stop() == 0


def test_a_full_spool_refuses_or_passes_as_configured(collector: Start, account: Account) -> None:
    account.arthur.stop()
    large = llm_request(4, text="x" * 300_000)
    with HTTPServerBehind() as behind:
        forward = f"{{endpoint: '{behind.url}'}}"
        passing = collector(forward=forward, spool="{directory: ./passing, max_mb: 0.5, on_full: pass}")
        refusing = collector(
            name="refusing", forward=forward, spool="{directory: ./refusing, max_mb: 0.5, on_full: refuse}"
        )
        end = collector(name="end", spool="{directory: ./end, max_mb: 0.5, on_full: pass}")
        assert post(passing, large).status_code == 200
        assert len(behind.got) == 1
        assert passing.metrics()['otelcol_exporter_enqueue_failed_spans{exporter="arthur"}'] > 0
        for collector_ in (refusing, end):  # where nothing follows, passing would be losing
            response = post(collector_, large)
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) >= 1
        assert len(behind.got) == 1
        with grpc.insecure_channel(end.grpc) as channel, pytest.raises(grpc.RpcError) as error:
            channel.unary_unary(METHODS["traces"])(large.SerializeToString(), timeout=PATIENCE)
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE
        details = status_pb2.Status.FromString(status_details(error.value))
        info = error_details_pb2.RetryInfo()
        assert details.details[0].Unpack(info)
        assert info.retry_delay.seconds >= 1
        assert post(refusing, plain_request()).status_code == 200


def test_calls_are_routed_to_models(collector: Start, account: Account) -> None:
    support, other = account.onboard("support"), account.onboard("0042")
    ours = collector(
        arthur=f"""
  endpoint: {account.url}
  api_key: {account.api_key}
  models:
    - {{match: {{service.name: "support-*", deployment.environment.name: prod}}, model_id: "{support}"}}
    - {{match: {{gen_ai.request.model: "gpt-3*"}}, model_id: nowhere}}
    - {{match: {{service.name: "shop*"}}, model_id: {other}}}"""
    )
    wanted = llm_request(2, "support-eu", **{"deployment.environment.name": "prod"})
    staging = llm_request(1, "support-eu", **{"deployment.environment.name": "staging"})
    shop = llm_request(1, "shop")
    for request in (wanted, staging, shop):
        assert post(ours, request).status_code == 200
    metrics = ours.metrics()
    assert metrics['otelcol_arthur_calls{outcome="taken"}'] == 3
    assert metrics['otelcol_arthur_calls{outcome="unmatched"}'] == 1
    assert post(ours, staging).status_code == 200
    ours.stop()
    warnings = [line for line in ours.lines if "match no model" in line["msg"]]
    assert len(warnings) == 1
    assert set(account.inferences(support)) == set(ids(wanted))
    assert set(account.inferences(other)) == set(ids(shop))


def test_one_process_serves_several_organisations(collector: Start, account: Account) -> None:
    from otel_arthur.local import LocalArthur

    with LocalArthur(port=0) as second_arthur:
        # Two accounts at one address: the second's key is refused by the first, so nothing is mixed up.
        mine = account.onboard("mine")
        ours = collector(
            arthur=f"""
  endpoint: {account.url}
  api_key: {account.api_key}
  models:
    - {{match: {{service.name: theirs}}, model_id: {mine}, api_key: {second_arthur.api_key}}}
    - {{model_id: {mine}}}"""
        )
        theirs, our_own = llm_request(1, "theirs"), llm_request(1, "mine")
        assert post(ours, theirs).status_code == 200
        assert post(ours, our_own).status_code == 200
        ours.stop()
        assert set(account.inferences(mine)) == set(ids(our_own))


def test_no_secret_and_no_content_in_logs_or_metrics(collector: Start, account: Account) -> None:
    ours = collector(
        receivers="{otlp: {http: {endpoint: '127.0.0.1:0', auth: {bearer_token: tokensecret}}}}",
        forward="{endpoint: 'http://127.0.0.1:1', headers: {x-key: headersecret}}",
    )
    response = post(ours, llm_request(text="promptsecret"), Authorization="Bearer tokensecret")
    assert response.status_code == 503
    requests.post(
        f"{ours.http}/v1/traces",
        data=b'{"promptsecret gen_ai.',
        headers={"Content-Type": "application/json", "Authorization": "Bearer tokensecret"},
        timeout=PATIENCE,
    )
    pages = "".join(
        requests.get(f"http://{ours.addresses[name]}{path}", timeout=PATIENCE).text
        for name, path in (("metrics", "/metrics"), ("health", "/healthz"), ("health", "/readyz"))
    )
    ours.stop()
    said = pages + repr(ours.lines)
    for secret in ("tokensecret", "headersecret", "promptsecret", account.api_key):
        assert secret not in said


def test_counts_under_the_collectors_names(collector: Start) -> None:
    ours = collector()
    post(ours, llm_request(3))
    post(ours, plain_request(4))
    requests.post(f"{ours.http}/v1/traces", data=b"\xff\xff", headers=PROTOBUF, timeout=PATIENCE)
    with grpc.insecure_channel(ours.grpc) as channel:
        channel.unary_unary(METHODS["traces"])(plain_request(2).SerializeToString(), timeout=PATIENCE)
    metrics = ours.metrics()
    labels = 'receiver="otlp",transport='
    assert metrics[f'otelcol_receiver_accepted_spans{{{labels}"http"}}'] == 7
    assert metrics[f'otelcol_receiver_accepted_spans{{{labels}"grpc"}}'] == 2
    assert metrics['otelcol_exporter_queue_capacity{exporter="arthur"}'] == 512 * 1024 * 1024
    for name in ("process_uptime", "process_memory_rss", "process_cpu_seconds"):
        assert metrics[f"otelcol_{name}"] > 0


def refusal(configuration: Path) -> str:
    """The last line of a collector that does not start."""
    done = finished([sys.executable, "-m", "otel_arthur", "collector", "--config", str(configuration)])
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_an_address_in_use_is_one_line_and_exit_code_1(collector: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for transport in ("http", "grpc"):
            path = tmp_path / f"{transport}.yaml"
            path.write_text(
                f"receivers: {{otlp: {{{transport}: {{endpoint: '127.0.0.1:{port}'}}}}}}\n"
                "arthur: {api_key: k, models: [{model_id: m}]}\n"
                f"spool: {{directory: '{tmp_path / 'spool'}'}}\n"
            )
            assert str(port) in refusal(path)


def test_failed_spans_are_counted_and_do_not_cost_their_request(
    collector: Start, account: Account, model_id: str
) -> None:
    request = llm_request(3)
    spans = all_spans(request)
    spans[0].trace_id = b"short"
    for number in range(30_000):
        spans[1].attributes.add(key=f"k{number}").value.int_value = number
    good = ids(request)[2]
    with HTTPServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        assert post(ours, request).status_code == 200
        assert behind.got[0].body == request.SerializeToString()
        metrics = ours.metrics()
        ours.stop()
    assert metrics['otelcol_arthur_spans_skipped{reason="invalid id"}'] == 1
    assert metrics['otelcol_arthur_spans_skipped{reason="too many attributes"}'] == 1
    assert set(account.inferences(model_id)) == {good}


def test_a_spool_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    """Falling back to memory would make the answers untrue."""
    (tmp_path / "file").write_text("")
    path = tmp_path / "c.yaml"
    path.write_text(
        "receivers: {otlp: {http: {endpoint: '127.0.0.1:0'}}}\n"
        f"arthur: {{api_key: k, models: [{{model_id: m}}]}}\nspool: {{directory: '{tmp_path}/file/spool'}}\n"
    )
    assert f"the spool's folder {tmp_path}/file/spool cannot be written" in refusal(path)


def test_a_folder_that_is_taken_away_is_said_as_that(collector: Start, tmp_path: Path) -> None:
    spool = tmp_path / "taken"
    ours = collector(spool=f"{{directory: '{spool}'}}")
    assert post(ours, llm_request(1)).status_code == 200
    page = f"http://{ours.addresses['health']}/readyz"
    assert requests.get(page, timeout=PATIENCE).status_code == 200
    spool.rename(tmp_path / "elsewhere")
    spool.write_text("a file in its place")
    assert post(ours, llm_request(1)).status_code == 503
    eventually(lambda: requests.get(page, timeout=PATIENCE).status_code == 503, "it is not ready")
    trouble = requests.get(page, timeout=PATIENCE).json()["trouble"]
    assert str(spool) in trouble
    assert "full" not in trouble
    spool.unlink()
    eventually(lambda: requests.get(page, timeout=PATIENCE).status_code == 200, "it is ready again")
    ours.stop()
