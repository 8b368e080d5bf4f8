"""Asking Airflow: faults that a real one cannot be made to show."""

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Result
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import AirflowSettings, Environment
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.asking import DOWN, Airflow
from opsconsole.sources.airflow import client
from opsconsole.sources.airflow.client import AirflowError, AirflowSource, path
from opsconsole.sources.airflow.errors import detail_of, refusal
from opsconsole.sources.airflow.login import Login

HUNG_UP = 0
"""The status of no answer at all: the connection is closed."""
LAST = 1
"""That of a 200 after which nobody listens any more."""
Answer = tuple[int, Any]
"""(status, what becomes JSON); a list of bytes is sent as it is, piece by piece."""


@dataclass
class Fake:
    """Something that answers as an Airflow would, and keeps what it was asked."""

    url: str
    answers: dict[str, Callable[["Fake", str, dict[str, list[str]], dict[str, str]], Answer]]
    asked: list[str] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    """Somebody is waiting for what hangs."""
    released: threading.Event = field(default_factory=threading.Event)
    """Until this is set, what hangs hangs."""


@contextmanager
def fake(**answers: Callable[..., Answer]) -> Iterator[Fake]:
    """An Airflow 3 with these answers, by the last part of the path."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            made.asked.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content: Any
            find = made.answers.get(parts.path.rpartition("/")[2])
            if find is None:
                status, content = 404, {"detail": "Not Found"}
            else:
                status, content = find(made, self.command, parse_qs(parts.query), dict(self.headers))
            body = content if isinstance(content, list) else [json.dumps(content).encode()]
            if status == HUNG_UP:
                return
            if status == LAST:
                server.shutdown()
                server.socket.close()
                status = 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://login.example/")
            self.end_headers()
            for piece in body:
                self.wfile.write(piece)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known: dict[str, Callable[..., Answer]] = {"version": lambda *_: (200, {"version": "3.1.0"}), **answers}
    made = Fake(f"http://127.0.0.1:{server.server_port}", known)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.released.set()
        server.shutdown()
        server.server_close()


def dags(many: int, page: int) -> Callable[..., Answer]:
    """A list of `many` DAGs that gives no more than `page` at once."""

    def answer(_: Fake, __: str, query: dict[str, list[str]], ___: dict[str, str]) -> Answer:
        offset, limit = int(query["offset"][0]), min(page, int(query["limit"][0]))
        ids = [{"dag_id": f"dag-{number}"} for number in range(offset, min(many, offset + limit))]
        return 200, {"dags": ids, "total_entries": many}

    return answer


async def test_all_pages_come_whatever_their_size() -> None:
    with fake(dags=dags(250, 40)) as server:
        source = AirflowSource(AirflowSettings(url=server.url))
        page = await source.pages("/dags", "dags", lambda entry: entry["dag_id"], most=1000)
        assert list(page.entries) == [f"dag-{number}" for number in range(250)]
        assert not page.cut
        some = await source.pages("/dags", "dags", lambda entry: entry["dag_id"], most=70)
        assert (len(some.entries), some.cut, some.total) == (70, True, 250)
        await source.close()


async def test_equal_questions_at_once_are_asked_once() -> None:
    def slow(server: Fake, *_: object) -> Answer:
        server.came.set()
        server.released.wait(10)
        return 200, {"pools": [], "total_entries": 0}

    with fake(pools=slow) as server:
        source = AirflowSource(AirflowSettings(url=server.url))
        asking = [asyncio.create_task(source.get("/pools")) for _ in range(5)]
        assert await asyncio.to_thread(server.came.wait, 10)
        server.released.set()
        assert len(await asyncio.gather(*asking)) == 5
        assert server.asked == ["GET /api/v2/version", "GET /api/v2/pools"]
        await source.close()


async def test_what_is_no_airflow_is_said_to_be_none() -> None:
    with fake(version=lambda *_: (200, ["none"])) as server:
        source = AirflowSource(AirflowSettings(url=server.url))
        with pytest.raises(SourceError, match="is no Airflow 2 or 3"):
            await source.version()
        await source.close()


async def test_a_token_in_a_file_is_read_again_when_it_is_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")

    def only_new(_: Fake, __: str, ___: object, headers: dict[str, str]) -> Answer:
        if headers.get("Authorization") != "Bearer new":
            return 401, {"detail": "Token Expired"}
        return 200, {"pools": [], "total_entries": 0}

    with fake(pools=only_new) as server:
        source = AirflowSource(AirflowSettings(url=server.url, bearer_token=SecretRef(file=token)))
        with pytest.raises(AirflowError, match="401: the token is not let in: Token Expired"):
            await source.get("/pools")
        token.write_text("new")
        assert await source.get("/pools") == {"pools": [], "total_entries": 0}
        await source.close()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"bearer_token": SecretRef(file=Path("t"))},
            "the token: wrong or expired: put a new one into file t, it",
        ),
        ({"bearer_token": SecretRef(env="T")}, "the token: wrong or expired: a new one belongs into $T; token_command"),
        ({"bearer_token": SecretRef(command=("vault", "x"))}, "the token: command vault gave it, asked again just now"),
        ({"username": "jane", "password": SecretRef(env="P")}, "user jane: the password is that of $P"),
        ({}, "a request without credentials: set username and password, token or token_command"),
    ],
)
def test_whoever_is_not_let_in_is_told_where_the_credentials_belong(settings: dict[str, Any], said: str) -> None:
    login = Login("airflow", AirflowSettings(url="http://a", **settings))
    assert f"{login.who}: {login.remedy}".startswith(said)
    error = refusal("airflow", 401, b"", "see it", login.who, login.remedy)
    assert (error.message, error.hint) == (f"401: {login.who} is not let in", login.remedy)


@pytest.mark.parametrize(("holds", "sent_for"), [(6, 4.0), (60, 40.0), (3600, 3570.0)])
async def test_a_token_is_renewed_before_its_end_however_soon_that_is(holds: int, sent_for: float) -> None:
    now, given = [1000.0], list[str]()

    async def hand_out(*_: object) -> tuple[int, bytes]:
        claims = json.dumps({"iat": 5, "exp": 5 + holds, "jti": len(given)}).encode()
        given.append(f"x.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.y")
        return 201, json.dumps({"access_token": given[-1]}).encode()

    settings = AirflowSettings(url="http://a", username="ops", password=SecretRef.of("secret"))
    login = Login("airflow", settings, clock=lambda: now[0])
    for after, tokens in ((0.0, 1), (sent_for - 0.1, 1), (sent_for + 0.1, 2)):
        now[0] = 1000.0 + after
        assert await login.headers(3, hand_out) == {"Authorization": f"Bearer {given[-1]}"}
        assert len(given) == tokens


async def test_whoever_is_refused_at_once_logs_in_once() -> None:
    given = ["first", "second"]

    def hand_out(*_: object) -> Answer:
        return 201, {"access_token": given[0]}

    def let_in(_: Fake, __: str, ___: object, headers: dict[str, str]) -> Answer:
        # Airflow 3 says 403 of a token that it does not take.
        known = headers.get("Authorization") == f"Bearer {given[0]}"
        return (200, {"ok": True}) if known else (403, {"detail": "Invalid JWT token"})

    parts = ["one", "two", "three"]
    with fake(token=hand_out, log=let_in, **dict.fromkeys(parts, let_in)) as server:
        settings = AirflowSettings(url=server.url, username="ops", password=SecretRef.of("secret"))
        source = AirflowSource(settings)
        for logins in (1, 2):
            assert await asyncio.gather(*(source.get(f"/{part}") for part in parts)) == [{"ok": True}] * 3
            assert server.asked.count("POST /auth/token") == logins
            given.append(given.pop(0))  # from now on only the other one counts
        assert [one async for one in source.lines("/log", accept="text/plain", what="read")] == ['{"ok": true}']
        assert server.asked.count("POST /auth/token") == 3
        await source.close()


async def test_a_log_in_page_is_no_answer() -> None:
    with fake(pools=lambda *_: (302, {})) as server:
        source = AirflowSource(AirflowSettings(url=server.url))
        with pytest.raises(AirflowError, match=r"somewhere else \(302\): a log-in page\?"):
            await source.get("/pools")
        await source.close()


def hang(server: Fake, *_: object) -> Answer:
    server.released.wait(10)
    return 200, {"dag_run_id": "late"}


async def triggered(server: Fake) -> Result:
    """How it ended to trigger the DAG `load` there."""
    environment = Environment("test", Path("s"), Path("r"), airflow=AirflowSettings(url=server.url, timeout=2.0))
    registration = registry.find("airflow.trigger")
    assert registration is not None
    return await registration.build({"dag": "load"}, environment).runner.run(lambda piece: None)


@pytest.mark.parametrize(
    ("answer", "outcome", "why"),
    [
        (hang, "unknown", "no answer within 2 s"),
        (lambda *_: (HUNG_UP, None), "unknown", "connection closed"),
        (lambda *_: (502, None), "unknown", "answered 502"),  # a proxy gave up; Airflow may go on
        (lambda *_: (503, None), "unknown", "503"),
        (lambda *_: (500, None), "unknown", "answered 500"),
        (lambda *_: (200, [b"<html>"]), "unknown", "not what Airflow gives"),
        (lambda *_: (200, {"run": 1}), "unknown", "has no dag_run_id"),
        (lambda *_: (429, None), "failed", "429"),
        (lambda *_: (409, {"detail": "exists"}), "failed", "exists"),
        (lambda *_: (403, {"detail": "Forbidden"}), "refused", "may not trigger load"),
    ],
)
async def test_what_was_sent_and_not_answered_is_unknown_and_not_sent_again(
    answer: Callable[..., Answer], outcome: str, why: str
) -> None:
    load = {"dag_id": "load", "is_paused": False}
    with fake(load=lambda *_: (200, load), details=lambda *_: (200, load), dagRuns=answer) as server:
        result = await triggered(server)
        assert (result.outcome, why in result.detail) == (outcome, True), result.detail
        assert ("whether it was done is not known" in result.detail) == (outcome == "unknown")
        assert [one for one in server.asked if one.startswith("POST")] == ["POST /api/v2/dags/load/dagRuns"]


async def test_what_was_sent_and_called_off_before_the_answer_is_unknown() -> None:
    load = {"dag_id": "load", "is_paused": False}

    def waits(server: Fake, *_: object) -> Answer:
        server.came.set()
        return hang(server)

    with fake(load=lambda *_: (200, load), details=lambda *_: (200, load), dagRuns=waits) as server:
        triggering = asyncio.create_task(triggered(server))
        assert await asyncio.to_thread(server.came.wait, 10)
        triggering.cancel()
        result = await triggering
    assert (result.outcome, "is to be seen in Airflow" in result.detail) == ("unknown", True)


async def test_where_no_connection_came_to_be_nothing_was_changed() -> None:
    load = {"dag_id": "load", "is_paused": False}
    with fake(load=lambda *_: (200, load), details=lambda *_: (LAST, load)) as server:
        result = await triggered(server)
    assert (result.outcome, result.detail.startswith("nothing was changed: airflow: connection refused")) == (
        "failed", True,
    ), result.detail  # fmt: skip


async def test_an_airflow_that_is_upgraded_while_somebody_looks_is_asked_as_what_it_is_now() -> None:
    listed = {"dags": [], "dag_runs": [], "total_entries": 0}
    installed = ["/api/v1/", "2.11.0"]

    def only_in(answer: Any) -> Callable[..., Answer]:
        def find(server: Fake, *_: object) -> Answer:
            found = installed[0] in server.asked[-1]
            return (200, answer() if callable(answer) else answer) if found else (404, {"detail": "Not Found"})

        return find

    version = only_in(lambda: {"version": installed[1]})
    with fake(version=version, dags=only_in(listed), dagRuns=only_in(listed)) as server:
        source = AirflowSource(AirflowSettings(url=server.url))
        airflow = Airflow(source, None)
        assert (await airflow.survey()).origin.version == "2.11.0"
        installed[:] = ["/api/v2/", "3.1.0"]
        with pytest.raises(SourceError, match=r"Airflow 2\.11\.0 is gone: another version answers") as caught:
            await airflow.survey()
        assert caught.value.kind in DOWN
        assert (await airflow.survey()).origin.version == "3.1.0"
        assert "order_by=-run_after" in server.asked[-1]
        await source.close()


async def test_what_is_not_there_in_the_same_version_is_just_not_there() -> None:
    with fake() as server:
        source = AirflowSource(AirflowSettings(url=server.url))
        with pytest.raises(AirflowError, match="404: could not read it"):
            await source.get("/dags/nope")
        await source.close()


async def test_of_too_many_failures_the_latest_are_asked_for_where_airflow_knows_an_order() -> None:
    def answer(_: Fake, __: str, query: dict[str, list[str]], ___: dict[str, str]) -> Answer:
        if "order_by" in query:
            return 400, {"detail": "Extra query parameter(s) order_by not in spec"}
        return 200, {"task_instances": [], "total_entries": 0}

    with fake(taskInstances=answer) as server:
        source = AirflowSource(AirflowSettings(url=server.url))
        airflow = Airflow(source, None)
        for _ in range(2):
            assert (await airflow.failures(0.0)).value == ()
        asked = [one for one in server.asked if "taskInstances" in one]
        assert ["order_by=-end_date" in one for one in asked] == [True, False, False]
        await source.close()


async def test_a_log_of_any_length_passes_line_by_line() -> None:
    line = b"x" * 99 + b"\n"
    pieces = [line * 10_000 for _ in range(20)]  # 20 MB
    with fake(log=lambda *_: (200, [*pieces, b"y" * 3_000_000, b"\nend"])) as server:
        source = AirflowSource(AirflowSettings(url=server.url))
        count, longest, last = 0, 0, ""
        async for text in source.lines("/log", accept="text/plain", what="read the log"):
            count, longest, last = count + 1, max(longest, len(text)), text
        assert (count > 200_000, last) == (True, "end")
        assert longest < 2 * 1024 * 1024
        await source.close()


async def test_what_is_a_thousand_times_as_long_as_it_came_is_no_longer_in_one_piece() -> None:
    """Airflow compresses, and 50 MB of one character come in one chunk."""

    async def chunks() -> AsyncIterator[str]:
        yield "before\nx" + "x" * 5_000_000
        yield "y\nafter"

    lines = [line async for line in client.lines_of(chunks())]
    assert (lines[0], lines[-1]) == ("before", "after")
    assert max(map(len, lines)) < 2 * 1024 * 1024
    assert "".join(lines[1:-1]) == "x" * 5_000_001 + "y"


async def test_who_waits_for_a_log_is_more_patient_than_the_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(server: Fake, *_: object) -> Answer:
        server.came.set()
        server.released.wait(10)
        return 200, [b"the log"]

    async def read() -> list[str]:
        return [line async for line in source.lines("/log", accept="text/plain", what="read the log")]

    with fake(log=slow) as server:
        source = AirflowSource(AirflowSettings(url=server.url, timeout=0.3))
        reading = asyncio.create_task(read())
        assert await asyncio.to_thread(server.came.wait, 10)
        done, _ = await asyncio.wait({reading}, timeout=0.5)  # longer than the time-out of everything else
        assert not done
        server.released.set()
        assert await reading == ["the log"]
        monkeypatch.setattr(client, "_PATIENCE", 0.3)
        server.released.clear()
        with pytest.raises(SourceError, match=r"no answer within 0\.3 s"):
            await read()
        await source.close()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"detail": "Forbidden"}', "Forbidden"),
        (b'{"detail": [{"loc": ["body", "conf"], "msg": "no dict"}, {"msg": "odd"}]}', "conf: no dict; odd"),
        (b'{"detail": null, "title": "Bad Request"}', "Bad Request"),
        (b'{"detail": {"reason": "x", "message": "gone"}}', "gone"),
        (b'{"detail": "\\u001b[2J"}', "␛[2J"),
        (b"<html>", ""),
        (b"[]", ""),
    ],
)
def test_what_a_refusal_says(body: bytes, said: str) -> None:
    assert detail_of(body) == said


def test_a_part_of_a_path_stays_one_part() -> None:
    assert (
        path("dags", "a/b?c#d", "dagRuns", "manual__2026+00:00") == "/dags/a%2Fb%3Fc%23d/dagRuns/manual__2026%2B00%3A00"
    )
