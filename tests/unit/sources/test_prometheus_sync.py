"""The blocking side says the same as the asynchronous one, and is as bounded."""

import time
from pathlib import Path

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PrometheusSettings
from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Vector
from opsconsole.sources.prometheus_sync import PrometheusSync
from tests.faults import FaultServer, Request, refusing_port, success

FOREIGN = "answered something else, not the Prometheus API (another program on that port?) at {url}"


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsconsole.sources.prometheus_session._GRACE", 0.0)


def source_of(server: FaultServer, *, timeout: float = 5.0) -> PrometheusSync:
    return PrometheusSync(PrometheusSettings(server.url, timeout=timeout), body_limit=4_000_000)


def failure(source: PrometheusSync) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source.instant("up")
    source.close()
    return caught.value


@pytest.mark.parametrize(
    ("mode", "kind", "message"),
    [
        ("html", "garbage", "answered HTML, not the Prometheus API (a proxy or login page?) at {url}"),
        ("text", "garbage", FOREIGN),
        ("garbage", "garbage", FOREIGN),
        ("noise", "garbage", FOREIGN),
        ("huge", "garbage", "answer larger than 3 MiB at {url}"),
        ("500", "internal", "answered HTTP 500 at {url}"),
        ("redirect", "garbage", "redirected (HTTP 302) to http://login.example/sso (a login page?) at {url}"),
        ("401", "refused", "wants credentials it did not get (HTTP 401) at {url}"),
        ("403", "refused", "forbids this (HTTP 403) at {url}"),
        ("close", "unreachable", "connection closed by {place} before the whole answer"),
        ("cut", "unreachable", "connection closed by {place} before the whole answer"),
        ("not-http", "garbage", "answered something that is not HTTP at {place}"),
    ],
)  # fmt: skip
def test_every_fault_has_its_reason(mode: str, kind: str, message: str) -> None:
    with FaultServer(mode) as server:
        error = failure(source_of(server))
        assert len(server.requests) <= 1, "nothing is asked twice"
    assert (error.kind, error.message) == (
        kind, message.format(url=server.url, place=server.url.removeprefix("http://"))
    )  # fmt: skip


def test_a_refused_connection_and_an_unknown_host_are_named() -> None:
    with refusing_port() as port:
        error = failure(PrometheusSync(PrometheusSettings(f"http://127.0.0.1:{port}")))
        assert str(error) == f"prometheus: connection refused at 127.0.0.1:{port}"
    error = failure(PrometheusSync(PrometheusSettings("http://prometheus.invalid:9090")))
    assert error.message == "the name prometheus.invalid cannot be resolved"


@pytest.mark.parametrize("mode", ["hang", "trickle"])
def test_a_server_that_does_not_finish_is_given_up_in_time(mode: str) -> None:
    with FaultServer(mode) as server:
        started = time.monotonic()
        error = failure(source_of(server, timeout=0.2))
        assert time.monotonic() - started < 3
        assert (error.kind, error.message) == ("timeout", f"no answer within 0.2 s from 127.0.0.1:{server.port}")


def test_the_body_of_a_timed_out_query_is_kept_and_the_query_not_repeated() -> None:
    body = b'{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}'
    with FaultServer("ok", lambda _: (503, "application/json", body)) as server:
        started = time.monotonic()
        error = failure(source_of(server))
        assert len(server.requests) == 1
        assert time.monotonic() - started < 1
    assert (error.kind, error.message) == ("timeout", "query timed out in expression evaluation")


def test_warnings_types_and_the_url_prefix_are_kept() -> None:
    def partial(_: Request) -> tuple[int, str, bytes]:
        return 200, "application/json", success(warnings=["half of it"], infos=["by the way"])

    with FaultServer("ok", partial) as server:
        settings = PrometheusSettings(server.url + "/prometheus", headers={"X-Scope-OrgID": SecretRef.of("ops")})
        source = PrometheusSync(settings)
        answer = source.read(Query("prometheus", "up", end=12.5))
        source.close()
    assert isinstance(answer.value, Vector)
    assert answer.value.samples[0].value == 1.0
    assert (answer.warnings, answer.infos) == (("half of it",), ("by the way",))
    assert server.requests[0].path == "/prometheus/api/v1/query?query=up&time=12.5&timeout=5000ms"
    assert server.requests[0].headers["x-scope-orgid"] == "ops"


def test_the_end_of_a_range_is_that_of_the_clock() -> None:
    now = [1_000_000.0]
    with FaultServer(
        "ok", lambda _: (200, "application/json", success({"resultType": "matrix", "result": []}))
    ) as server:
        source = PrometheusSync(PrometheusSettings(server.url), clock=lambda: now[0])
        source.read(Query("prometheus", "up", window=600, step=60))
        now[0] += 86_400
        source.read(Query("prometheus", "up", window=600, step=60))
        source.close()
    assert "start=999360&end=999960&step=60" in server.requests[0].path
    assert "start=1085760&end=1086360&step=60" in server.requests[1].path


def test_a_rotated_token_is_read_again_and_netrc_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc, token = tmp_path / "netrc", tmp_path / "token"
    netrc.write_text("machine 127.0.0.1 login eve password x\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    token.write_text("old")
    with FaultServer("401") as server:
        source = PrometheusSync(PrometheusSettings(server.url, bearer_token=SecretRef(file=token)))
        with pytest.raises(SourceError):
            source.instant("up")
        token.write_text("good")
        source.instant("up")
        source.close()
    assert [request.headers["authorization"] for request in server.requests] == [
        "Bearer old",
        "Bearer old",
        "Bearer good",
    ]
