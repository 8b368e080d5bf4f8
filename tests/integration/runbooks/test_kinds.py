"""Steps that ask or change real servers: Prometheus, Alertmanager, PostgreSQL."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from opsconsole.actions.action import Outcome
from opsconsole.actions.confirmation import Confirmation
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import AlertmanagerSettings, Environment, PostgresSettings, PrometheusSettings
from opsconsole.runbooks.run import Run
from tests.servers import PostgresServer, WebServer, start_alertmanager
from tests.unit.runbooks.conftest import *  # noqa: F403 - the fixtures of runs
from tests.unit.runbooks.conftest import Begin, Write
from tests.unit.runbooks.test_kinds import HOSTILE
from tests.unit.runbooks.test_run import NONE, YES, Screen, at

HEAD = "---\nrunbook: 1\nid: trial\ntitle: Trial\nparams: {X: {default: prometheus}}\n---\n"


def prom(query: str, more: str) -> str:
    return f'{HEAD}```promql {{"name":"ask","timeout":"20s",{more}}}\n{query}\n```\n'


@pytest.fixture
def watched(environment: Environment, prometheus: WebServer) -> Environment:
    return replace(environment, prometheus=PrometheusSettings(prometheus.url))


async def asked(begin: Begin, write: Write, where: Environment, text: str, **values: str) -> tuple[Any, bytes, Run]:
    run = begin(write(text), values, environment=where)
    screen = Screen(run)
    return await run.execute(at(run), NONE, screen), screen.output, run


class TestPrometheus:
    @pytest.mark.parametrize(
        ("query", "more", "outcome", "detail"),
        [
            ('up{job="$X"}', '"until":"=1","every":"100ms"', Outcome.OK, "1 series: 1"),
            ('up{job="dead"}', '"until":"=0","every":"100ms"', Outcome.OK, "1 series: 0"),
            ("vector(3)", '"until":">2","every":"100ms","expect":"<9"', Outcome.OK, "1 series: 3"),
            ("vector(3)", '"expect":">2"', Outcome.OK, "1 series: 3"),
            ("vector(3)", '"expect":">3"', Outcome.FAILED, "{} is 3, expected >3"),
            ("vector(3)", '"expectValue":"<=0.5"', Outcome.FAILED, "{} is 3, expected <=0.5"),
            ("vector(0) / vector(0)", '"expect":"!=1"', Outcome.FAILED, "{} is NaN, expected !=1"),
            ("nothing_at_all", '"expect":">0"', Outcome.FAILED, "no data, expected >0"),
            ("nothing_at_all", '"expectRows":"=0"', Outcome.OK, "0 series"),
            ("nothing_at_all", '"title":"x"', Outcome.WARN, "no data"),
            ("vector(3)", '"expect":" 3$"', Outcome.OK, "1 series: 3"),
            ("sum(", '"expect":">0"', Outcome.FAILED, "parse error"),
            ("1 + 1", '"expect":"=2"', Outcome.OK, "1 series: 2"),
        ],
    )
    async def test_what_is_asked_decides(
        self, begin: Begin, write: Write, watched: Environment, query: str, more: str, outcome: Outcome, detail: str
    ) -> None:
        result, _, _ = await asked(begin, write, watched, prom(query, more))
        assert result.outcome is outcome, result
        assert detail in result.detail

    @pytest.mark.parametrize(
        ("more", "detail"),
        [
            ('"until":">3"', "{} is 3, expected >3"),
            ('"until":">2","expect":"=5"', "{} is 3, expected =5"),  # both have to hold
            ('"until":">2","expect":"nothing"', "the output does not have nothing"),
        ],
    )
    async def test_what_does_not_come_true_times_out_and_says_what_it_saw(
        self, begin: Begin, write: Write, watched: Environment, more: str, detail: str
    ) -> None:
        text = prom("vector(3)", f'{more},"every":"50ms"').replace("20s", "1s")
        result, _, _ = await asked(begin, write, watched, text)
        assert result.outcome is Outcome.TIMED_OUT
        assert detail in result.detail

    @pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
    async def test_a_value_is_a_label_s_value_and_nothing_else(
        self, begin: Begin, write: Write, watched: Environment, value: str
    ) -> None:
        query = 'label_replace(vector(1), "l", "$1", "", "") or up{job="$X", a!="}"} or up{job=~"$X"} or vector(7)'
        result, output, run = await asked(begin, write, watched, prom(query, '"expectRows":"=1"'), X=value)
        assert (result.outcome, output) == (Outcome.OK, b"{} 1\n"), run.command(at(run))

    async def test_without_a_prometheus_it_says_so(self, begin: Begin, write: Write, environment: Environment) -> None:
        result, _, _ = await asked(begin, write, environment, prom("up", '"expect":">0"'))
        assert (result.outcome, result.detail) == (Outcome.FAILED, "ask: no prometheus is configured in production")


def action(name: str, arguments: str, more: str = "") -> str:
    attributes = f'"name":"do","kind":"action","action":"{name}","timeout":"20s","excludeFromRunAll":"true"{more}'
    return f"{HEAD}```text {{{attributes}}}\n{arguments}\n```\n"


@pytest.fixture(scope="module")
def alertmanager() -> Iterator[WebServer]:
    with start_alertmanager() as server:
        yield server


async def test_an_alert_is_silenced_and_the_silence_ended(
    begin: Begin, write: Write, environment: Environment, alertmanager: WebServer
) -> None:
    where = replace(environment, alertmanager=AlertmanagerSettings(alertmanager.url))
    value = 'it\'s "X" $(id)'
    text = action("alert.silence", "alertname: $X\nlabel: job=$X\nduration: 30m\ncomment: restart of $X")
    text = text.replace('"excl', '"capture":["SILENCE"],"captureRegex":"silenceID\\\\W+([0-9a-f-]+)","excl')
    run = begin(write(text), {"X": value}, environment=where)
    assert f'"value": {json.dumps(value)}' in run.command(at(run))
    result = await run.execute(at(run), YES, Screen(run))
    assert result.outcome is Outcome.OK, result
    assert "the silence is active" in result.detail
    made = await silence(alertmanager, run.values["SILENCE"])
    assert made["comment"] == f"restart of {value}"
    matchers = sorted((one["name"], one["value"], one["isRegex"]) for one in made["matchers"])
    assert matchers == [("alertname", value, False), ("job", value, False)]
    run = begin(write(action("alert.unsilence", f"id: {made['id']}")), environment=where)
    result = await run.execute(at(run), YES, Screen(run))
    assert result.outcome is Outcome.OK, result
    assert (await silence(alertmanager, made["id"]))["status"]["state"] == "expired"


async def silence(server: WebServer, silence_id: str) -> Any:
    def get() -> Any:
        with urllib.request.urlopen(f"{server.url}/api/v2/silence/{silence_id}", timeout=5) as answer:
            return json.load(answer)

    return await asyncio.to_thread(get)


class TestSessions:
    @pytest.fixture
    def where(self, environment: Environment, postgres: PostgresServer) -> Environment:
        database = PostgresSettings("app", SecretRef.of(postgres.dsn()))
        return replace(environment, postgres=MappingProxyType({"app": database}))

    async def busy(self, postgres: PostgresServer) -> tuple[Any, "asyncio.Future[Any]", int, str]:
        """A session that sleeps: connection, what it does, process id, when it began."""
        import psycopg

        connection = await psycopg.AsyncConnection.connect(postgres.dsn(), autocommit=True)
        query = "select pid, backend_start::text from pg_stat_activity where pid = pg_backend_pid()"
        pid, began = await (await connection.execute(query)).fetchone()  # type: ignore[misc]
        return connection, asyncio.ensure_future(connection.execute("select pg_sleep(60)")), pid, began

    async def test_a_statement_is_cancelled_and_the_session_stays(
        self, begin: Begin, write: Write, where: Environment, postgres: PostgresServer
    ) -> None:
        import psycopg

        connection, work, pid, began = await self.busy(postgres)
        text = action("postgres.cancel", f"pid: {pid}\nbackend_start: {began}")
        result, output, _ = await self.done(begin, write, where, text, YES)
        assert result.outcome is Outcome.OK, (result, output)
        with pytest.raises(psycopg.errors.QueryCanceled):
            await work
        await connection.execute("select 1")
        await connection.close()

    async def test_a_session_is_ended_and_it_takes_its_number_typed(
        self, begin: Begin, write: Write, where: Environment, postgres: PostgresServer
    ) -> None:
        import psycopg

        _, work, pid, began = await self.busy(postgres)
        text = action("postgres.terminate", f"pid: {pid}\nbackend_start: {began}", f',"confirm":"type:{pid}"')
        result, _, _ = await self.done(begin, write, where, text, YES)
        assert result.outcome is Outcome.DECLINED
        result, _, _ = await self.done(begin, write, where, text, Confirmation.typed(str(pid)))
        assert (result.outcome, "gone" in result.detail) == (Outcome.OK, True)
        with pytest.raises(psycopg.OperationalError):
            await work

    async def test_a_later_session_of_that_number_is_left_alone(
        self, begin: Begin, write: Write, where: Environment, postgres: PostgresServer
    ) -> None:
        connection, work, pid, _ = await self.busy(postgres)
        text = action("postgres.cancel", f"pid: {pid}\nbackend_start: 2020-01-01 00:00:00+00")
        result, _, _ = await self.done(begin, write, where, text, YES)
        assert (result.outcome, result.detail) == (Outcome.FAILED, "there is no such session any more")
        assert not work.done()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await connection.close()

    async def done(
        self, begin: Begin, write: Write, where: Environment, text: str, said: Confirmation
    ) -> tuple[Any, bytes, Run]:
        run = begin(write(text), environment=where)
        screen = Screen(run)
        return await run.execute(at(run), said, screen), screen.output, run


async def test_several_statements_are_one_transaction(
    begin: Begin, write: Write, environment: Environment, postgres: PostgresServer
) -> None:
    database = PostgresSettings("app", SecretRef.of(postgres.dsn()))
    where = replace(environment, postgres=MappingProxyType({"app": database}))
    postgres.psql("create table if not exists txn_trial (n int)")
    attributes = '"name":"do","risk":"write","timeout":"9s","txn":"true","excludeFromRunAll":"true"'
    for last, outcome, count in (("select 1 / 0", Outcome.FAILED, "0"), ("select 1", Outcome.OK, "1")):
        text = f"{HEAD}```sql {{{attributes}}}\ninsert into txn_trial values (1);\n{last};\n```\n"
        run = begin(write(text), environment=where)
        assert (await run.execute(at(run), YES, Screen(run))).outcome is outcome
        assert postgres.psql("select count(*) from txn_trial") == count
    postgres.psql("drop table txn_trial")
