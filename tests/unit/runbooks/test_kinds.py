"""Steps of each kind, as runs carry them out."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from opsconsole.actions.action import Outcome, Runner
from opsconsole.actions.confirmation import Confirmation
from opsconsole.actions.runners.prom import PromRunner
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import AlertmanagerSettings, Environment, PrometheusSettings
from opsconsole.core.secret import Secret
from opsconsole.runbooks.execution import Surroundings
from opsconsole.runbooks.history import read_journal
from opsconsole.runbooks.judging import StepRunner
from opsconsole.runbooks.preparing import prepared
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.states import IllegalTransitionError, RunState, StepState
from tests.unit.runbooks.conftest import Begin, Write
from tests.unit.runbooks.test_run import NONE, YES, Screen, at, change, read, step_named

HEAD = "---\nrunbook: 1\nid: trial\ntitle: Trial\nparams: {X: {}, N: {type: int, default: 1}}\nsecrets: [TOKEN]\n---\n"
HOSTILE = [
    "'; drop table x;--", "$(id)", "`id`", "a\nb", "-rf", "--", "%s%n", "${X}", "\\", '"', '"}', "‘quoted’", "../..",
    "a/b", "a?b=c#d", "a&b=c", "\r\nX-Evil: 1", "{\"a\": 1}", "\u202e", "%2e%2e", "ä" * 2000,
]  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Keeps what it was asked, and answers what its path says."""

    seen: list[dict[str, Any]] = []

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body.decode()}
        Handler.seen.append(asked)
        first = self.path.partition("?")[0].split("/")[1]
        code = int(first) if first.isdigit() else 200
        if self.path == "/drop":
            self.connection.close()
            return
        self.send_response(code)
        if 300 <= code < 400:
            self.send_header("Location", self.path.partition("?to=")[2])
        answer = b'{"state": "queued", "id": "run-7"}' if code == 200 else b"no"
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def place() -> Iterator[str]:
    """host:port of a server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.seen = []
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def allowed(environment: Environment, place: str) -> Environment:
    return replace(environment, http_hosts=(place,))


def http(body: str, more: str = "") -> str:
    attributes = f'"name":"ask","timeout":"5s","env":["X","N","TOKEN"],"excludeFromRunAll":"true"{more}'
    return f"{HEAD}```http {{{attributes}}}\n{body}\n```\n"


def text(name: str, body: str, more: str) -> str:
    return f'```text {{"name":"{name}",{more}}}\n{body}\n```\n'


async def sent(begin: Begin, write: Write, allowed: Environment, body: str, x: str = "v", more: str = "") -> Any:
    """The result of one http step, and the run."""
    run = begin(write(http(body, more)), {"X": x}, environment=allowed, secrets={"TOKEN": Secret("s3cret-token")})
    screen = Screen(run)
    return await run.execute(at(run), YES, screen), run, screen


class TestHttp:
    async def test_a_request_is_sent_and_its_answer_kept(
        self, begin: Begin, write: Write, allowed: Environment, place: str
    ) -> None:
        body = (
            f'POST http://{place}/run/${{X}}?q=${{X}}\nX-Note: ${{X}}\n\n{{"note": "${{X}}", "n": ${{N}}, "x": ${{X}}}}'
        )
        result, _, screen = await sent(begin, write, allowed, body, "a b")
        assert (result.outcome, result.detail) == (Outcome.OK, "200 OK, 34 bytes")
        assert screen.output == b'{"state": "queued", "id": "run-7"}'
        asked = Handler.seen[0]
        assert (asked["method"], asked["path"], asked["headers"]["X-Note"]) == ("POST", "/run/a%20b?q=a%20b", "a b")
        assert json.loads(asked["body"]) == {"note": "a b", "n": 1, "x": "a b"}
        assert asked["headers"]["Content-Type"] == "application/json"

    @pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
    async def test_a_value_reaches_query_and_json_to_the_byte_and_changes_nothing_else(
        self, begin: Begin, write: Write, allowed: Environment, place: str, value: str
    ) -> None:
        from urllib.parse import parse_qsl, urlsplit

        body = f'POST http://{place}/fix?q=${{X}}&last=1\n\n{{"note": "<${{X}}>", "x": ${{X}}, "last": 1}}'
        result, _, _ = await sent(begin, write, allowed, body, value)
        assert result.outcome is Outcome.OK, result.detail
        asked = Handler.seen[0]
        assert parse_qsl(urlsplit(asked["path"]).query) == [("q", value), ("last", "1")]
        assert urlsplit(asked["path"]).path == "/fix"
        assert json.loads(asked["body"]) == {"note": f"<{value}>", "x": value, "last": 1}

    @pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
    async def test_a_value_is_one_segment_of_the_path_or_refused(
        self, begin: Begin, write: Write, allowed: Environment, place: str, value: str
    ) -> None:
        from urllib.parse import unquote

        result, _, _ = await sent(begin, write, allowed, f"DELETE http://{place}/a/${{X}}/b", value)
        if result.outcome is Outcome.OK:
            first, segment, last = Handler.seen[0]["path"].strip("/").split("/")
            assert (first, unquote(segment), last) == ("a", value, "b")
        else:
            assert value in ("../..", "%2e%2e") or ".." in value
            assert not Handler.seen

    @pytest.mark.parametrize("value", ["", ".", "..", "a/../../b"])
    async def test_a_value_that_would_change_the_path_is_refused(
        self, begin: Begin, write: Write, allowed: Environment, place: str, value: str
    ) -> None:
        result, _, _ = await sent(begin, write, allowed, f"DELETE http://{place}/silence/${{X}}", value)
        assert result.outcome is Outcome.FAILED
        assert "would change the path" in result.detail
        assert not Handler.seen

    @pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "ä", "\x01"])
    async def test_a_header_takes_no_line_break_and_no_control_character(
        self, begin: Begin, write: Write, allowed: Environment, place: str, value: str
    ) -> None:
        result, _, _ = await sent(begin, write, allowed, f"GET http://{place}/\nX-Note: ${{X}}", value)
        assert "no header can carry" in result.detail
        assert not Handler.seen

    async def test_a_host_that_is_not_listed_is_refused(
        self, begin: Begin, write: Write, environment: Environment, place: str
    ) -> None:
        result, _, _ = await sent(begin, write, environment, f"GET http://{place}/")
        assert result.outcome is Outcome.FAILED
        assert "http_hosts" in result.detail
        assert not Handler.seen

    @pytest.mark.parametrize(
        ("more", "path", "outcome"),
        [
            ("", "/404", Outcome.FAILED),
            (',"expectStatus":[200,404]', "/404", Outcome.OK),
            (',"expectStatus":"4xx"', "/418", Outcome.OK),
            (',"expectStatus":"404"', "/fine", Outcome.FAILED),
            (',"expect":"queued"', "/fine", Outcome.OK),
            (',"expect":"running"', "/fine", Outcome.FAILED),
            (',"reject":"queued"', "/fine", Outcome.FAILED),
        ],
    )
    async def test_status_and_body_decide(
        self, begin: Begin, write: Write, allowed: Environment, place: str, more: str, path: str, outcome: Outcome
    ) -> None:
        result, _, _ = await sent(begin, write, allowed, f"GET http://{place}{path}", more=more)
        assert result.outcome is outcome

    async def test_redirects_are_followed_for_get_and_within_the_list_only(
        self, begin: Begin, write: Write, allowed: Environment, place: str
    ) -> None:
        result, _, _ = await sent(begin, write, allowed, f"GET http://{place}/302?to=/fine")
        assert result.outcome is Outcome.OK
        result, _, _ = await sent(begin, write, allowed, f"GET http://{place}/302?to=http://127.0.0.1:9/x")
        assert "127.0.0.1:9 is not among http_hosts" in result.detail
        count = len(Handler.seen)
        result, _, _ = await sent(begin, write, allowed, f"POST http://{place}/307?to=/fine")
        assert result.outcome is Outcome.FAILED
        assert "not followed" in result.detail
        assert len(Handler.seen) == count + 1

    async def test_a_secret_goes_out_and_nowhere_else(
        self, begin: Begin, write: Write, allowed: Environment, place: str
    ) -> None:
        body = f"GET http://{place}/x?t=${{TOKEN}}\nAuthorization: Bearer ${{TOKEN}}"
        result, run, screen = await sent(begin, write, allowed, body)
        assert result.outcome is Outcome.OK
        assert Handler.seen[0]["headers"]["Authorization"] == "Bearer s3cret-token"
        run.finish()
        kept = b"".join(path.read_bytes() for path in run.folder.path.rglob("*") if path.is_file())
        assert b"s3cret-token" not in kept + screen.output
        assert b"Bearer ***" in kept

    async def test_what_belongs_to_a_source_is_sent_with_its_credentials(
        self, begin: Begin, write: Write, environment: Environment, place: str
    ) -> None:
        settings = AlertmanagerSettings(f"http://{place}/am", bearer_token=SecretRef.of("of-the-source"))
        inside = replace(environment, alertmanager=settings)
        result, _, _ = await sent(begin, write, inside, "GET ${OPS_ALERTMANAGER_URL}/api/v2/alerts")
        assert result.outcome is Outcome.OK
        assert Handler.seen[0]["path"] == "/am/api/v2/alerts"
        assert Handler.seen[0]["headers"]["Authorization"] == "Bearer of-the-source"
        result, _, _ = await sent(begin, write, inside, f"GET http://{place}/elsewhere")
        assert result.outcome is Outcome.FAILED

    async def test_a_change_without_an_answer_is_unknown_and_a_look_has_failed(
        self, begin: Begin, write: Write, allowed: Environment, place: str
    ) -> None:
        result, run, _ = await sent(begin, write, allowed, f"POST http://{place}/drop")
        assert (result.outcome, run.states["ask"]) == (Outcome.UNKNOWN, StepState.UNKNOWN)
        result, _, _ = await sent(begin, write, allowed, f"GET http://{place}/drop")
        assert result.outcome is Outcome.FAILED

    async def test_values_are_captured_from_the_body(
        self, begin: Begin, write: Write, allowed: Environment, place: str
    ) -> None:
        more = ',"capture":["RUN"],"captureRegex":"\\"id\\": \\"([^\\"]+)\\""'
        result, run, _ = await sent(begin, write, allowed, f"GET http://{place}/x", more=more)
        assert result.outcome is Outcome.OK
        assert run.values["RUN"] == "run-7"


async def test_a_choice_is_made_once_and_decides_what_follows(write: Write, begin: Begin) -> None:
    choice = text("which", "Which way?", '"kind":"choice","options":["retry","fail over"],"set":"WAY"')
    run = begin(
        write(
            choice
            + read("retry", "true", ',"when":"WAY=retry"')
            + read("over", 'echo "going to $WAY"', ',"when":"WAY=fail over"')
        )
    )
    which = at(run)
    with pytest.raises(ValueError, match="none of"):
        run.choose(which, "panic")
    with pytest.raises(IllegalTransitionError):
        await run.execute(which, YES, Screen(run))
    run.choose(which, "fail over")
    assert run.states == {"which": "done", "retry": "not-applicable", "over": "pending"}
    screen = Screen(run)
    await run.execute(at(run), NONE, screen)
    assert screen.output == b"going to fail over\n"
    record = next(one for one in read_journal(run.folder.path).records if one["ev"] == "choice")
    assert (record["reason"], record["captured"]) == ("fail over", {"WAY": "fail over"})
    with pytest.raises(IllegalTransitionError):
        run.choose(which, "retry")
    assert run.values["WAY"] == "fail over"


async def test_a_question_holds_the_walk_until_it_is_answered_with_yes(write: Write, begin: Begin) -> None:
    run = begin(write(text("sure", "Is the load balancer drained?", '"title":"drained"') + read("go", "true")))
    assert (await run.execute(at(run), NONE, Screen(run))).outcome is Outcome.DECLINED
    assert at(run).name == "sure"
    result = await run.execute(at(run), YES, Screen(run))
    assert (result.outcome, result.detail) == (Outcome.OK, "confirmed")
    assert at(run).name == "go"


async def test_waiting_takes_its_time_and_can_be_cancelled(write: Write, begin: Begin) -> None:
    run = begin(write(text("calm", "Let it settle.", '"kind":"wait","duration":"30ms"')))
    result = await run.execute(at(run), NONE, Screen(run))
    assert (result.outcome, result.duration >= 0.03) == (Outcome.OK, True)
    run = begin(write(text("calm", "", '"kind":"wait","duration":"1h"')))
    task = asyncio.ensure_future(run.execute(at(run), NONE, Screen(run)))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert run.states["calm"] is StepState.CANCELLED


async def test_waiting_for_a_step_tries_it_until_it_succeeds(write: Write, begin: Begin, tmp_path: Any) -> None:
    count = tmp_path / "n"
    look = read("look", f"echo x >> {count}; test $(wc -l < {count}) -ge 3", ',"critical":"false"')
    run = begin(write(look + text("up", "", '"kind":"wait","until":"step:look","every":"10ms","timeout":"10s"')))
    run.skip(at(run), "the wait does it")
    result = await run.execute(at(run), NONE, Screen(run))
    assert (result.outcome, result.detail) == (Outcome.OK, "met at try 3")


@pytest.mark.parametrize(
    ("pattern", "names", "captured"),
    [
        ("(\\\\w+)=(\\\\d+)", '["KEY","NUMBER"]', {"KEY": "jobs", "NUMBER": "12"}),
        ("(?P<NUMBER>\\\\d+)", '["NUMBER"]', {"NUMBER": "12"}),
        ("nothing (here)", '["KEY"]', None),
    ],
)
async def test_values_are_captured_by_a_pattern(
    write: Write, begin: Begin, pattern: str, names: str, captured: dict[str, str] | None
) -> None:
    run = begin(write(read("look", "echo jobs=12", f',"capture":{names},"captureRegex":"{pattern}"')))
    result = await run.execute(at(run), NONE, Screen(run))
    assert result.outcome is (Outcome.FAILED if captured is None else Outcome.OK)
    assert {name: run.values[name] for name in captured or {}} == (captured or {})


class TestRollback:
    def book(self, end: str = "false", more: str = "") -> str:
        steps = [
            change(name, "true", f',"undo":"un-{name}"') + change(f"un-{name}", f"echo un-{name}")
            for name in ("one", "two")
        ]
        return "".join(steps) + read("end", end, more)

    async def walked(self, run: Run) -> None:
        for _ in range(3):
            await run.execute(at(run), YES, Screen(run))

    async def test_undo_steps_run_in_reverse_order_once(self, write: Write, begin: Begin) -> None:
        run = begin(write(self.book()))
        assert run.rollback_plan() == []
        await self.walked(run)
        assert [step.name for step in run.rollback_plan()] == ["un-two", "un-one"]
        screen = Screen(run)

        async def yes(step: Any) -> Confirmation:
            return YES

        assert await run.rollback(yes, screen)
        assert screen.output == b"un-two\nun-one\n"
        assert run.rollback_plan() == []
        assert run.finish() is RunState.FAILED
        record = next(one for one in read_journal(run.folder.path).records if one["ev"] == "rollback")
        assert record["plan"] == ["un-two", "un-one"]

    async def test_what_was_not_tried_is_not_undone(self, write: Write, begin: Begin) -> None:
        run = begin(write(self.book()))
        run.skip(at(run), "not now")
        await run.execute(at(run), YES, Screen(run))
        assert [step.name for step in run.rollback_plan()] == ["un-two"]

    async def test_a_no_ends_the_rollback_and_what_is_left_stays_in_the_plan(self, write: Write, begin: Begin) -> None:
        run = begin(write(self.book()))
        await self.walked(run)
        answers = iter([YES, Confirmation.no("enough")])

        async def said(step: Any) -> Confirmation:
            return next(answers)

        assert not await run.rollback(said, Screen(run))
        assert [step.name for step in run.rollback_plan()] == ["un-one"]

    async def test_what_was_done_again_can_be_undone_again(self, write: Write, begin: Begin) -> None:
        run = begin(write(self.book()))
        await self.walked(run)

        async def yes(step: Any) -> Confirmation:
            return YES

        await run.rollback(yes, Screen(run))
        await run.execute(step_named(run, "one"), YES, Screen(run), again=True)
        assert [step.name for step in run.rollback_plan()] == ["un-one"]


@pytest.mark.parametrize("conn", ["", "prometheus", "eu", "prometheus/eu"])
def test_a_promql_step_names_which_prometheus_it_asks(conn: str, write: Write, environment: Environment) -> None:
    runner = _promql_step(conn, write, environment)
    assert isinstance(runner, StepRunner)
    assert isinstance(runner.inner, PromRunner)
    assert runner.inner.settings.url == ("http://eu" if conn.endswith("eu") else "http://one")


async def test_a_promql_step_on_one_that_is_not_there_says_which_are(write: Write, environment: Environment) -> None:
    result = await _promql_step("us", write, environment).run(lambda _: None)
    assert result.outcome is Outcome.FAILED
    assert result.detail == "ask: no prometheus 'us' in production; configured are prometheus, prometheus/eu"


def _promql_step(conn: str, write: Write, environment: Environment) -> Runner:
    both = replace(
        environment, prometheus=PrometheusSettings("http://one"), prometheuses={"eu": PrometheusSettings("http://eu")}
    )
    named = f',"conn":"{conn}"' if conn else ""
    book = write(f'```promql {{"name":"ask"{named},"timeout":"5s"}}\nup\n```\n')
    return prepared(book.steps[0], Surroundings.of(both, book, {}), {}, "run").runner
