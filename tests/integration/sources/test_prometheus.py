"""Both clients against real servers: Prometheus (plain, TLS, basic authentication) and VictoriaMetrics."""

import asyncio
import math
import re
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PrometheusSettings
from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Matrix, Scalar, Text, Value, Vector
from opsconsole.sources.prometheus import PrometheusSource
from opsconsole.sources.prometheus_sync import PrometheusSync
from tests.servers import WebServer, start_prometheus

# Half a minute of work without any data; between two series the server looks whether anybody still waits.
HEAVY = " or ".join(f"label_replace(vector(1), 'n', '{n}', '', '')" for n in range(100))
HEAVY = f"quantile_over_time(0.5, ({HEAVY})[20m:1s])"


@asynccontextmanager
async def source_of(settings: PrometheusSettings) -> AsyncIterator[PrometheusSource]:
    source = PrometheusSource(settings)
    try:
        yield source
    finally:
        await source.close()


async def both(settings: PrometheusSettings, text: str, *, window: float = 0, step: float = 0) -> Value:
    """The value that both clients agree on."""
    query = Query("prometheus", text, window=window, step=step, end=math.floor(time.time()))
    async with source_of(settings) as source:
        live = (await source.read(query)).value
    sync = PrometheusSync(settings)
    blocking = await asyncio.to_thread(sync.read, query)
    sync.close()
    assert repr(blocking.value) == repr(live)  # repr, for NaN is not equal to itself
    return live


async def each_failure(settings: PrometheusSettings, text: str = "up") -> tuple[SourceError, SourceError]:
    async with source_of(settings) as source:
        with pytest.raises(SourceError) as live:
            await source.instant(text)
    with pytest.raises(SourceError) as blocking:
        await asyncio.to_thread(PrometheusSync(settings).instant, text)
    return live.value, blocking.value


async def both_fail(settings: PrometheusSettings, text: str = "up") -> SourceError:
    """The failure that both clients report in the same words."""
    live, blocking = await each_failure(settings, text)
    # VictoriaMetrics puts the time of the query into the text.
    assert (blocking.kind, undated(blocking)) == (live.kind, undated(live))
    return live


def undated(error: SourceError) -> str:
    return re.sub(r"time=\d+", "", str(error))


@pytest.fixture
def scraped(prometheus: WebServer) -> PrometheusSettings:
    """A Prometheus that has scraped itself at least twice."""
    sync = PrometheusSync(PrometheusSettings(prometheus.url))
    until(lambda: samples(sync.instant("count_over_time(up[5m]) >= 2").value) == 2)
    sync.close()
    return PrometheusSettings(prometheus.url)


def samples(value: Value) -> int:
    assert isinstance(value, Vector)
    return len(value.samples)


def until(condition: Callable[[], bool], timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


async def test_every_kind_of_answer(scraped: PrometheusSettings) -> None:
    vector = await both(scraped, "up")
    assert isinstance(vector, Vector)
    assert {sample.labels["job"]: sample.value for sample in vector.samples} == {"prometheus": 1, "dead": 0}
    scalar = await both(scraped, "1 + 1")
    assert isinstance(scalar, Scalar)
    assert scalar.value == 2
    text = await both(scraped, '"hi"')
    assert isinstance(text, Text)
    assert text.text == "hi"
    odd = await both(
        scraped, "label_replace(vector(0/0), 'k', 'nan', '', '') or label_replace(vector(1/0), 'k', 'inf', '', '')"
    )
    assert isinstance(odd, Vector)
    assert {str(sample.value) for sample in odd.samples} == {"nan", "inf"}
    matrix = await both(scraped, "up", window=60, step=1)
    assert isinstance(matrix, Matrix)
    assert len(matrix.series) == 2
    assert all(at == round(at) for at, _ in matrix.series[0].points)
    assert await both(scraped, "nothing_of_that_name") == Vector(())
    empty = await both(scraped, "nothing_of_that_name", window=60)
    assert empty == Matrix(())


async def test_errors_are_those_of_the_server(scraped: PrometheusSettings) -> None:
    error = await both_fail(scraped, "up{")
    assert error.kind == "bad-query"
    assert "parse error" in error.message
    error = await both_fail(scraped, "label_replace(up, '-', '', '', '')")
    assert error.kind == "bad-query"


async def test_a_long_query_fits(scraped: PrometheusSettings) -> None:
    text = " or ".join(f'up{{job="prometheus", x!="{n:050}"}}' for n in range(300))
    async with source_of(scraped) as source:
        assert samples((await source.instant(text)).value) == 1


async def test_a_year_by_the_second_is_asked_for_in_steps_that_are_allowed(scraped: PrometheusSettings) -> None:
    matrix = await both(scraped, "vector(1)", window=365 * 86_400, step=1)
    assert isinstance(matrix, Matrix)
    assert 10_000 < len(matrix.series[0].points) <= 11_001


async def test_the_servers_own_timeout_is_told(scraped: PrometheusSettings) -> None:
    async with source_of(PrometheusSettings(scraped.url, timeout=0.3)) as source:
        with pytest.raises(SourceError) as caught:
            await source.range(HEAVY, start=1e9, end=1e9 + 500, step=1)
    assert caught.value.kind == "timeout"


async def test_metadata_and_targets_from_both(scraped: PrometheusSettings) -> None:
    sync = PrometheusSync(scraped)
    async with source_of(scraped) as source:
        assert await source.label_values("job") == ("dead", "prometheus") == sync.label_values("job")
        assert await source.label_values("job", 'up{job!="dead"}') == ("prometheus",)
        assert sync.label_values("job", 'up{job!="dead"}') == ("prometheus",)
        assert await source.label_values("no_such_label") == () == sync.label_values("no_such_label")
        (build,) = await source.metadata("prometheus_build_info")
        assert build.kind == "gauge"
        assert (build,) == sync.metadata("prometheus_build_info")
        assert len(await source.metadata()) == len(sync.metadata()) > 50
        health = {target.labels["job"]: target for target in await source.targets()}
        assert health["prometheus"].health == "up"
        assert "connection refused" in health["dead"].last_error
        assert {target.labels["job"] for target in sync.targets()} == {"dead", "prometheus"}
        found = await source.probe()
        assert found == sync.probe()
        assert (found.product, found.version[0]) == ("Prometheus", "2")
        assert {"targets", "rules"} <= found.features
    sync.close()


async def test_cancelling_makes_the_server_stop(scraped: PrometheusSettings) -> None:
    def under_way() -> int:
        with urllib.request.urlopen(f"{scraped.url}/metrics", timeout=5) as response:
            (count,) = re.findall(rb"^prometheus_engine_queries (\d+)", response.read(), re.MULTILINE)
            return int(count)

    async with source_of(PrometheusSettings(scraped.url, timeout=60)) as source:
        asking = asyncio.create_task(source.range(HEAVY, start=1e9, end=1e9 + 500, step=1))
        await asyncio.to_thread(until, lambda: under_way() == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        # By itself it takes half a minute; it looks up between two series only.
        await asyncio.to_thread(until, lambda: under_way() == 0, 20)


async def test_a_prometheus_that_goes_hangs_and_comes_back() -> None:
    with start_prometheus() as server:
        settings = PrometheusSettings(server.url, timeout=0.5)
        async with source_of(settings) as source:
            await source.instant("1")
            server.program.stop()
            with pytest.raises(SourceError, match=f"connection refused at 127.0.0.1:{server.port}"):
                await source.instant("1")
            server.program.start()
            assert isinstance((await source.instant("1")).value, Scalar)
            server.program.freeze()
            with pytest.raises(SourceError, match=r"no answer within 0\.5 s"):
                await source.instant("1")
            server.program.thaw()
            assert isinstance((await source.instant("1")).value, Scalar)


async def test_connections_that_were_lost_are_replaced(scraped: PrometheusSettings) -> None:
    async with source_of(PrometheusSettings(scraped.url, timeout=5, max_concurrency=2)) as source:
        await source.instant("1")
        lost = source._client
        assert lost is not None
        for _ in range(2):  # answers that nobody ever reads or closes
            await lost.send(lost.build_request("GET", f"{scraped.url}/api/v1/query?query=1"), stream=True)
        with pytest.raises(SourceError, match="no connection to"):
            await source.instant("2")
        assert isinstance((await source.instant("3")).value, Scalar)
        assert lost.is_closed


async def test_a_path_before_the_api(tmp_path: Path) -> None:
    with start_prometheus(
        options=["--web.external-url=http://x/prometheus"], ready_path="/prometheus/-/ready"
    ) as server:
        assert isinstance(await both(PrometheusSettings(server.url + "/prometheus"), "1"), Scalar)
        error = await both_fail(PrometheusSettings(server.url))
        assert error.message == f"answered HTTP 404 at {server.url}"
        assert "path" in error.hint


# --- VictoriaMetrics


async def test_victoria_metrics_answers_the_same_questions(victoria_metrics: WebServer) -> None:
    now = math.floor(time.time())
    lines = "".join(f'stock{{place="{p}"}} {n} {(now - 60 + n) * 1000}\n' for p in "ab" for n in range(60))
    request = urllib.request.Request(f"{victoria_metrics.url}/api/v1/import/prometheus", data=lines.encode())
    (await asyncio.to_thread(urllib.request.urlopen, request, timeout=5)).close()
    flush = f"{victoria_metrics.url}/internal/force_flush"  # else it shows new series after some seconds
    (await asyncio.to_thread(urllib.request.urlopen, flush, timeout=5)).close()
    for url in (victoria_metrics.url, victoria_metrics.url + "/prometheus"):
        settings = PrometheusSettings(url)
        sync = PrometheusSync(settings)
        await asyncio.to_thread(until, lambda sync=sync: samples(sync.instant("stock").value) == 2)  # type: ignore[misc]
        async with source_of(settings) as source:
            assert await source.label_values("place") == ("a", "b") == sync.label_values("place")
            assert await source.label_values("place", 'stock{place!="a"}') == ("b",)
            found = await source.probe()
            assert found.product == "VictoriaMetrics" == sync.probe().product
            matrix = (await source.read(Query("prometheus", "sum(stock)", window=50, step=5, end=now))).value
            assert isinstance(matrix, Matrix)
            assert matrix.series[0].points
            assert await source.targets() == ()
        error = await both_fail(settings, "sum(")
        assert error.kind == "bad-query"
        sync.close()


# --- TLS and authentication, by Prometheus' own web configuration


@dataclass(frozen=True)
class Certificates:
    """A CA, what it signed for the server and for one client, and another CA."""

    folder: Path

    def __getitem__(self, name: str) -> Path:
        return self.folder / name


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for ca in ("ca", "other"):
        openssl(
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={ca}",
            "-keyout",
            f"{ca}.key",
            "-out",
            f"{ca}.pem",
        )
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name, ca in (("server", "ca"), ("client", "ca"), ("stranger", "other")):
        openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            f"/CN={name}",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
        )
        openssl(
            "x509",
            "-req",
            "-in",
            f"{name}.csr",
            "-CA",
            f"{ca}.pem",
            "-CAkey",
            f"{ca}.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "names",
            "-out",
            f"{name}.pem",
        )
    return Certificates(folder)


# bcrypt of "test", from Prometheus' documentation
BASIC = "basic_auth_users: {ann: $2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay}\n"


@pytest.fixture(scope="module")
def tls(certificates: Certificates) -> Iterator[WebServer]:
    server = f"cert_file: {certificates['server.pem']}, key_file: {certificates['server.key']}"
    client = f"client_auth_type: RequireAndVerifyClientCert, client_ca_file: {certificates['ca.pem']}"
    config = f"tls_server_config: {{{server}, {client}}}\n"
    with start_prometheus(web_config=config, scheme="https") as running:
        yield running


async def test_a_client_certificate_lets_in(tls: WebServer, certificates: Certificates) -> None:
    ca = certificates["ca.pem"]
    client, key = certificates["client.pem"], certificates["client.key"]
    assert isinstance(await both(PrometheusSettings(tls.url, ca=ca, certificate=client, key=key), "1"), Scalar)
    place = f"127.0.0.1:{tls.port}"
    for error in await each_failure(PrometheusSettings(tls.url, ca=ca)):
        assert "want a client certificate?" in str(error) or "wants a client certificate" in str(error)
    stranger, its_key = certificates["stranger.pem"], certificates["stranger.key"]
    for error in await each_failure(PrometheusSettings(tls.url, ca=ca, certificate=stranger, key=its_key)):
        assert "certificate" in str(error)
    error = await both_fail(PrometheusSettings(tls.url, certificate=client, key=key))
    assert error.kind == "refused"
    assert error.message.startswith(f"the certificate of {place} is not trusted")
    error = await both_fail(PrometheusSettings(tls.url.replace("https", "http"), certificate=client, key=key))
    assert (error.kind, error.message) == ("garbage", f"answered HTTP 400 at http://{place}")
    error = await both_fail(PrometheusSettings(tls.url, ca=certificates["none.pem"]))
    assert error.message == f"CA file {certificates['none.pem']} cannot be used: No such file or directory"


async def test_https_to_a_server_that_speaks_http(scraped: PrometheusSettings) -> None:
    error = await both_fail(PrometheusSettings(scraped.url.replace("http", "https")))
    assert (error.kind, error.hint) == ("garbage", "http instead of https?")


async def test_basic_authentication() -> None:
    with start_prometheus(web_config=BASIC) as server:
        ann = PrometheusSettings(server.url, username="ann", password=SecretRef.of("test"))
        assert isinstance(await both(ann, "1"), Scalar)
        for wrong in (
            PrometheusSettings(server.url),
            PrometheusSettings(server.url, username="ann", password=SecretRef.of("guess")),
        ):
            error = await both_fail(wrong)
            assert (error.kind, error.message) == (
                "refused",
                f"wants credentials it did not get (HTTP 401) at {server.url}",
            )
