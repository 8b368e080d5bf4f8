"""What the operator is told when Prometheus does not answer as it should, and that nothing hangs or piles up."""

import asyncio
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PrometheusSettings
from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Vector
from opsconsole.sources import prometheus_wire as wire
from opsconsole.sources.prometheus import PrometheusSource
from tests.faults import FaultServer, Request, refusing_port, success

UP = Query("prometheus", "up")


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second more than the time-out: these servers have no reason of their own to tell."""
    monkeypatch.setattr("opsconsole.sources.prometheus._GRACE", 0.0)


async def failure(source: PrometheusSource, query: Query = UP) -> SourceError:
    try:
        with pytest.raises(SourceError) as caught:
            await source.read(query)
    finally:
        await source.close()
    return caught.value


def source_of(server: FaultServer, *, timeout: float = 5.0, body_limit: int = 4_000_000) -> PrometheusSource:
    return PrometheusSource(PrometheusSettings(server.url, timeout=timeout), body_limit=body_limit)


@pytest.mark.parametrize(
    ("mode", "kind", "message"),
    [
        ("html", "garbage", "answered HTML, not the Prometheus API (a proxy or login page?) at {url}"),
        ("text", "garbage", "answered something else, not the Prometheus API (another program on that port?) at {url}"),
        (
            "garbage",
            "garbage",
            "answered something else, not the Prometheus API (another program on that port?) at {url}",
        ),
        (
            "noise",
            "garbage",
            "answered something else, not the Prometheus API (another program on that port?) at {url}",
        ),
        ("huge", "garbage", "answer larger than 3 MiB at {url}"),
        ("500", "internal", "answered HTTP 500 at {url}"),
        ("502", "unreachable", "answered HTTP 502 at {url}"),
        ("redirect", "garbage", "redirected (HTTP 302) to http://login.example/sso (a login page?) at {url}"),
        ("401", "refused", "wants credentials it did not get (HTTP 401) at {url}"),
        ("403", "refused", "forbids this (HTTP 403) at {url}"),
        ("close", "unreachable", "connection closed by {place} before the whole answer"),
        ("cut", "unreachable", "connection closed by {place} before the whole answer"),
        ("not-http", "garbage", "answered something that is not HTTP at {place}"),
    ],
)
async def test_every_fault_has_its_reason(mode: str, kind: str, message: str) -> None:
    with FaultServer(mode) as server:
        error = await failure(source_of(server))
    place = server.url.removeprefix("http://")
    assert (error.kind, error.message) == (kind, message.format(url=server.url, place=place))


async def test_a_refused_connection_names_the_address() -> None:
    with refusing_port() as port:
        error = await failure(PrometheusSource(PrometheusSettings(f"http://127.0.0.1:{port}")))
    assert str(error) == f"prometheus: connection refused at 127.0.0.1:{port}"


async def test_an_unknown_host_is_said_to_be_unknown() -> None:
    error = await failure(PrometheusSource(PrometheusSettings("http://prometheus.invalid:9090")))
    assert (error.kind, error.message) == ("unreachable", "the name prometheus.invalid cannot be resolved")


@pytest.mark.parametrize("mode", ["hang", "trickle"])
async def test_a_server_that_does_not_finish_is_given_up_in_time(mode: str) -> None:
    with FaultServer(mode) as server:
        started = time.monotonic()
        error = await failure(source_of(server, timeout=0.2))
        assert time.monotonic() - started < 3
        await asyncio.to_thread(server.wait_for, lambda server: server.hung_up == 1)
    assert (error.kind, error.message) == ("timeout", f"no answer within 0.2 s from 127.0.0.1:{server.port}")


async def test_a_flood_of_garbage_is_not_swallowed() -> None:
    with FaultServer("noise") as server:
        await failure(source_of(server))
        await asyncio.to_thread(server.wait_for, lambda server: server.hung_up == 1)
        assert server.sent < 20_000_000


async def test_the_source_recovers_with_the_server() -> None:
    with FaultServer("html") as server:
        source = source_of(server)
        for mode in ("html", "500", "close", "not-http", "cut"):
            server.mode = mode
            with pytest.raises(SourceError):
                await source.read(UP)
        server.mode = "ok"
        answer = await source.read(UP)
        await source.close()
    assert isinstance(answer.value, Vector)
    assert answer.value.samples[0].value == 1


async def test_equal_questions_under_way_are_one_request() -> None:
    with FaultServer("hang") as server:
        source = source_of(server, timeout=30)
        asking = [asyncio.create_task(source.read(UP)) for _ in range(5)]
        await asyncio.to_thread(server.wait_for, lambda server: len(server.requests) == 1)
        for task in asking[:4]:
            task.cancel()
        await asyncio.wait(asking[:4])
        assert server.hung_up == 0, "one still waits"
        asking[4].cancel()
        await asyncio.wait(asking[4:])
        await asyncio.to_thread(server.wait_for, lambda server: server.hung_up == 1)
        assert len(server.requests) == 1
        assert all(task.cancelled() for task in asking)
        server.mode = "ok"
        assert (await source.read(UP)).took < 5
        await source.close()


async def test_closing_tells_those_who_wait() -> None:
    with FaultServer("hang") as server:
        source = source_of(server, timeout=30)
        asking = asyncio.create_task(source.read(UP))
        await asyncio.to_thread(server.wait_for, lambda server: len(server.requests) == 1)
        await source.close()
        with pytest.raises(SourceError) as caught:
            await asking
        assert caught.value.kind == "gone"
        server.mode = "ok"
        assert (await source.read(UP)).took < 5, "a closed source can be used again"
        await source.close()


async def test_no_more_than_the_limit_are_under_way() -> None:
    with FaultServer("hang") as server:
        settings = PrometheusSettings(server.url, timeout=0.3, max_concurrency=2)
        source = PrometheusSource(settings)
        asking = [asyncio.create_task(source.read(Query("prometheus", f"up + {n}"))) for n in range(6)]
        await asyncio.to_thread(server.wait_for, lambda server: len(server.requests) == 2)
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        await source.close()
    kinds = {outcome.kind for outcome in outcomes if isinstance(outcome, SourceError)}
    assert len([outcome for outcome in outcomes if isinstance(outcome, SourceError)]) == 6
    assert kinds <= {"timeout", "overloaded"}


async def test_queries_go_as_post_and_as_get_where_post_is_refused() -> None:
    with FaultServer("ok") as server:
        source = source_of(server)
        await source.read(UP)
        server.mode = "405"
        await source.read(UP)
        await source.read(UP)
        await source.close()
    assert [request.method for request in server.requests] == ["POST", "POST", "GET", "GET"]
    first, get = server.requests[0], server.requests[2]
    assert first.path == "/api/v1/query"
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(first.body.decode()) == {"query": ["up"], "timeout": ["5000ms"]}
    assert get.path == "/api/v1/query?query=up&timeout=5000ms"


async def test_a_url_prefix_and_headers_are_kept() -> None:
    with FaultServer("ok") as server:
        settings = PrometheusSettings(
            server.url + "/prometheus/",
            headers={"X-Scope-OrgID": SecretRef.of("ops")},
            username="ann",
            password=SecretRef.of("pä:ss"),
        )
        source = PrometheusSource(settings)
        await source.read(UP)
        await source.close()
    request = server.requests[0]
    assert request.path == "/prometheus/api/v1/query"
    assert request.headers["x-scope-orgid"] == "ops"
    assert request.headers["authorization"] == "Basic YW5uOnDDpDpzcw=="


async def test_a_rotated_token_is_read_again_once(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    with FaultServer("401") as server:
        source = PrometheusSource(PrometheusSettings(server.url, bearer_token=SecretRef(file=token)))
        with pytest.raises(SourceError) as caught:
            await source.read(UP)
        assert caught.value.kind == "refused"
        assert len(server.requests) == 1, "the same token again would only be refused again"
        token.write_text("good\n")
        await source.read(UP)
        assert [request.headers["authorization"] for request in server.requests[1:]] == ["Bearer old", "Bearer good"]
        await source.close()


async def test_a_token_command_runs_once_for_all_who_were_refused(tmp_path: Path) -> None:
    counter = tmp_path / "count"
    script = (
        f"open({str(counter)!r}, 'a').write('x'); print('good' if len(open({str(counter)!r}).read()) > 1 else 'old')"
    )
    token = SecretRef(command=(sys.executable, "-c", script))
    with FaultServer("401") as server:
        source = PrometheusSource(PrometheusSettings(server.url, bearer_token=token))
        await asyncio.gather(*(source.read(Query("prometheus", f"up + {n}")) for n in range(4)))
        await source.close()
    assert counter.read_text() == "xx"


async def test_no_secret_is_told(tmp_path: Path) -> None:
    settings = PrometheusSettings("http://127.0.0.1:1", bearer_token=SecretRef.of("hush\nhush-hush"))
    error = await failure(PrometheusSource(settings))
    assert error.kind == "refused"
    assert "hush" not in f"{error!r} {error} {error.hint}"
    missing = PrometheusSettings("http://127.0.0.1:1", bearer_token=SecretRef(file=tmp_path / "none"))
    error = await failure(PrometheusSource(missing))
    assert (error.kind, error.message) == (
        "refused",
        f"secret file {tmp_path / 'none'} cannot be read: No such file or directory",
    )


async def test_warnings_and_infos_are_kept_and_cleaned() -> None:
    def partial(_: Request) -> tuple[int, str, bytes]:
        return (
            200,
            "application/json",
            success(warnings=["store \x1b[31m gone"], infos=["metric might not be a counter"]),
        )

    with FaultServer("ok", partial) as server:
        source = source_of(server)
        answer = await source.read(UP)
        await source.close()
    assert answer.warnings == ("store ␛[31m gone",)
    assert answer.infos == ("metric might not be a counter",)


async def test_what_the_server_reports_is_passed_on() -> None:
    def parse_error(_: Request) -> tuple[int, str, bytes]:
        return 400, "application/json", b'{"status":"error","errorType":"bad_data","error":"1:4: parse error"}'

    with FaultServer("ok", parse_error) as server:
        error = await failure(source_of(server))
    assert (error.kind, error.message) == ("bad-query", "1:4: parse error")


async def test_a_large_answer_is_parsed_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    real = wire.envelope

    def watched(status: int, content_type: str, body: bytes, asked: wire.Asked) -> wire.Envelope:
        threads.append(threading.current_thread())
        return real(status, content_type, body, asked)

    monkeypatch.setattr(wire, "envelope", watched)
    series = [{"metric": {"n": str(n)}, "value": [1.0, "1"]} for n in range(10_000)]
    body = success({"resultType": "vector", "result": series})
    with FaultServer("ok", lambda _: (200, "application/json", body)) as server:
        source = source_of(server)
        answer = await source.read(UP)
        server.answer = lambda _: (200, "application/json", success())
        await source.read(UP)
        await source.close()
    assert isinstance(answer.value, Vector)
    assert len(answer.value.samples) == 10_000
    assert [thread is threading.main_thread() for thread in threads] == [False, True]


def test_a_source_serves_one_event_loop_after_the_other() -> None:
    with FaultServer("ok") as server:
        source = source_of(server)
        for _ in range(3):
            assert isinstance(asyncio.run(source.read(UP)).value, Vector)
    assert len(server.requests) == 3
