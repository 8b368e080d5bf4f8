"""The same on a real Airflow 3 and a real Airflow 2, by the API and by the metadata database of each."""

import asyncio
import base64
import hashlib
import hmac
import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from opsconsole.cli.main import main
from opsconsole.config.secrets import SecretRef
from opsconsole.core.exit_codes import Exit
from opsconsole.core.reading import SourceError
from opsconsole.core.state import State
from opsconsole.pipelines.actions import change
from opsconsole.pipelines.actions import waiting as waits
from opsconsole.pipelines.actions.change import opened, settings_of
from opsconsole.pipelines.actions.clearing import Wish, preview
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.dependencies import Feed, feeds, starts, waiting
from opsconsole.pipelines.failures import read_failures
from opsconsole.pipelines.foresight import foresee
from opsconsole.pipelines.history import standings
from opsconsole.pipelines.log_absence import AbsenceFinder, NoLogError
from opsconsole.pipelines.model import Component, RunDetail, Survey, Task, Way
from opsconsole.pipelines.opening import open_pipelines
from opsconsole.pipelines.timing import timing
from opsconsole.pipelines.vitality import vitality
from opsconsole.runbooks.repair import Repair
from opsconsole.sources.airflow.client import AirflowError, AirflowSource
from opsconsole.sources.registry import Sources
from opsconsole.ui.pages.page import Order
from opsconsole.ui.pages.reading import PageReading
from opsconsole.ui.pipelines.dags import DagsPage
from tests.airflow_servers import JWT_SECRET, VIEWER
from tests.integration.pipelines.conftest import ODD, Story, action, done

KNOWN = [ODD, "eats", "fails", "feeds", "succeeds", "typed"]
"""Ids of all DAGs, in their order."""
pytestmark = pytest.mark.timeout(600)  # the first test of each version waits for its Airflow


async def detail_of(story: Story, way: str, dag: str, run: str) -> RunDetail:
    async with story.asked(way) as airflow:
        found = (await airflow.run(dag, run)).value
    assert found is not None
    return found


async def surveys(story: Story) -> tuple[Survey, Survey]:
    """All DAGs and runs, by the API and by the database, while the scheduler changed nothing."""
    async with story.asked("api") as api, story.asked("metadata") as metadata:
        before = (await api.survey()).value
        while True:
            told = await metadata.survey()
            after = await api.survey()
            if after.value == before:
                break
            before = after.value
    for one, way in ((after, Way.API), (told, Way.METADATA)):
        assert one.origin.way is way
        assert one.origin.version.startswith(str(story.server.version))
        assert one.ahead == 0.0, "both have the clock of this machine"
    return after.value, told.value


async def test_both_ways_tell_the_same_of_dags_and_runs(story: Story) -> None:
    by_api, by_metadata = await surveys(story)
    assert [one.dag_id for one in by_api.dags] == KNOWN
    assert by_api.dags == by_metadata.dags

    def told_of(runs: Any) -> list[Any]:
        return [(one.run_id, one.state, one.kind, one.run_after_at, one.logical_at, one.started_at, one.ended_at)
                for one in runs if one.ended]  # fmt: skip

    for dag in ("fails", "succeeds"):
        assert told_of(by_api.runs[dag]) == told_of(by_metadata.runs[dag]) != []
    first = by_api.runs["succeeds"][-1]
    assert (first.run_id, first.state, first.kind, json.loads(first.conf)) == (
        story.succeeded, "success", "manual", {"a": "ü"},
    )  # fmt: skip
    # Airflow 3 leaves the logical date of what is triggered without one empty; Airflow 2 always has one.
    assert (first.logical_at is None) == (story.server.version == 3)
    assert first.run_after_at is not None


async def test_both_ways_tell_who_feeds_whom_and_what_waits(story: Story) -> None:
    environment = story.environment("api")
    for dag in ("feeds", "eats"):
        assert (await done(action("airflow.unpause", environment, dag=dag))).outcome == "ok"
    fed = await done(action("airflow.trigger", environment, dag="feeds", wait="ended"))
    assert fed.outcome == "ok", fed.detail
    told = []
    for way in ("api", "metadata"):
        async with story.asked(way) as airflow:
            told.append((await airflow.lineage()).value)
    for lineage in told:
        assert feeds(lineage) == [Feed("feeds", "eats", "s3://lake/raw", enough=False)]
        assert starts(lineage, "eats") == "all of s3://lake/raw, (any of s3://lake/tariffs, s3://lake/weather)"
        (waits,) = waiting(lineage)
        assert waits.reason == (
            "has 1 of 3; waits for any of s3://lake/tariffs (from outside), s3://lake/weather (from outside)"
        )
    assert told[0].queued == told[1].queued
    assert told[0].awaited == told[1].awaited


async def test_both_ways_tell_the_same_parameters_and_a_value_that_does_not_suit_is_never_sent(story: Story) -> None:
    told = []
    for way in ("api", "metadata"):
        async with story.asked(way) as airflow:
            told.append((await airflow.params("typed")).value)
    by_name = [sorted(one, key=lambda param: param.name) for one in told]
    assert by_name[0] == by_name[1]
    # Version 1 of the API gives them by the alphabet, not as the DAG has them.
    assert [(one.name, one.default, one.required) for one in told[story.server.version == 2]] == [
        ("day", None, True), ("size", 3, False), ("kind", "full", False), ("note", None, False),
        ("fixed", "v1", False), ("plain", 5, False),
    ]  # fmt: skip
    environment = story.environment("api")
    wrong = await done(action("airflow.trigger", environment, dag="typed", conf='{"size": 11}'))
    assert (wrong.outcome, wrong.detail) == (
        "refused", "nothing was sent: day: a value is required (Day: the day to load); size: 11 is not at most 10",
    )  # fmt: skip
    right = await done(action("airflow.trigger", environment, dag="typed", conf='{"day": "2026-11-21", "size": 10}'))
    assert right.outcome == "ok", right.detail


@pytest.mark.parametrize("dag", ["succeeds", "fails"])
async def test_both_ways_tell_the_same_of_tasks_and_tries(story: Story, dag: str) -> None:
    run = story.succeeded if dag == "succeeds" else story.failed
    by_api, by_metadata = [await detail_of(story, way, dag, run) for way in ("api", "metadata")]
    assert by_api.structure == by_metadata.structure != {}

    def told_of(one: Task) -> tuple[Any, ...]:
        return (one.title, one.state, one.try_number, one.max_tries, one.pool, one.queue, one.hostname, one.queued_at,
                one.started_at, one.ended_at)  # fmt: skip

    assert sorted(map(told_of, by_api.tasks)) == sorted(map(told_of, by_metadata.tasks))
    if dag == "succeeds":
        assert {one.title for one in by_api.tasks} == {"extract", "load[0]", "load[1]", "load[2]"}
        return
    (failed,) = [one for one in by_api.tasks if one.task_id == "transform"]
    tries = []
    for way in ("api", "metadata"):
        async with story.asked(way) as airflow:
            tries.append((await airflow.tries(failed)).value)
    assert tries[0] == tries[1]
    assert [(one.number, one.state) for one in tries[0]] == [(1, "failed"), (2, "failed")]


async def alive_parts(airflow: Airflow) -> tuple[Component, ...]:
    """The parts, once all that run have given a sign of life: on a busy machine a heartbeat may be late."""
    deadline = time.monotonic() + 120
    while True:
        parts = (await airflow.health()).value
        if vitality(parts) is State.OK:
            return parts
        assert time.monotonic() < deadline, parts
        await asyncio.sleep(1)


async def test_pools_files_and_parts_are_told_by_both_ways(story: Story) -> None:
    for way in ("api", "metadata"):
        async with story.asked(way) as airflow:
            (pool,) = (await airflow.pools()).value
            (broken,) = (await airflow.broken_files()).value
            parts = await alive_parts(airflow)
        assert (pool.name, pool.slots, pool.open, pool.starving) == ("default_pool", 128, 128 - pool.used, False)
        assert broken.file.endswith("broken.py")
        assert broken.reason == "RuntimeError: this file is broken on purpose"
        alive = {one.name: one.alive for one in parts}
        assert (alive["scheduler"], alive["metadatabase"], alive["triggerer"]) == (True, True, None)


async def test_the_failing_dag_comes_first_and_its_cause_is_named(story: Story) -> None:
    async with story.asked("api") as airflow:
        told = await airflow.survey()
        found = await read_failures(airflow, time.time() - 3600, logs=5)
    worst = standings(told.value, told.now)[0]
    assert (worst.dag.dag_id, worst.state, worst.strip[-1], worst.success_rate) == ("fails", State.CRIT, "failed", 0.0)
    (cause,) = found.causes
    assert cause.cause == "ConnectionError: connection to <n>:<n> refused at <address>"
    assert cause.example == "ConnectionError: connection to 10.1.2.3:5432 refused at 0x7f00c0ffee"
    assert (cause.count, cause.tasks, cause.latest.run_id) == (1, ("fails transform",), story.failed)


async def test_a_log_that_is_gone_and_a_try_that_never_was_are_not_taken_for_a_log(story: Story) -> None:
    async with story.asked("api") as airflow:
        detail = (await airflow.run("succeeds", story.succeeded)).value
        assert detail is not None
        task = next(one for one in detail.tasks if one.try_number == 1 and one.map_index < 0)
        folder = story.server.folder / "logs"
        (file,) = folder.glob(f"dag_id=succeeds/run_id={story.succeeded}/task_id={task.task_id}/attempt=1.log")
        assert not (await absence_of(airflow, task)).absent
        file.rename(file.with_suffix(".away"))
        try:
            gone = await absence_of(airflow, task)
        finally:
            file.with_suffix(".away").rename(file)
        assert gone.absent
        assert gone.reason
        if story.server.version == 3:
            with pytest.raises(NoLogError, match="Airflow knows of no try 99 of it"):
                await absence_of(airflow, task, 99)
        else:  # answers as if the log were gone
            assert (await absence_of(airflow, task, 99)).absent


async def absence_of(airflow: Airflow, task: Task, number: int = 1) -> AbsenceFinder:
    finder = AbsenceFinder()
    async for line in airflow.log(task, number):
        finder.see(line)
    return finder


async def test_a_log_comes_without_anything_a_terminal_would_obey(story: Story) -> None:
    detail = await detail_of(story, "api", "succeeds", story.succeeded)
    (extract,) = [one for one in detail.tasks if one.task_id == "extract"]
    async with story.asked("api") as airflow:
        lines = [one.text async for one in airflow.log(extract, 1)]
    (said,) = [one for one in lines if "extracted" in one]
    assert "red" in said
    assert "\x1b" not in "".join(lines)
    async with story.asked("metadata") as airflow:
        with pytest.raises(SourceError, match="API only"):
            _ = [one async for one in airflow.log(extract, 1)]


async def test_where_the_time_of_a_run_went(story: Story) -> None:
    detail = await detail_of(story, "api", "succeeds", story.succeeded)
    found = timing(detail, time.time())
    assert detail.run.seconds is not None
    assert found.critical_path[0] == ("extract", -1)
    assert found.critical_path[1][0] == "load"
    assert found.running_seconds >= found.critical_seconds > 0
    assert found.efficiency is not None
    assert 0 < found.efficiency <= 1


async def test_an_odd_dag_id_is_an_id_like_any(story: Story) -> None:
    result = await done(action("airflow.trigger", story.environment("api"), dag=ODD, run="odd:1", wait="ended"))
    assert (result.outcome, result.detail) == ("ok", "odd:1 ended: success")
    for way in ("api", "metadata"):
        detail = await detail_of(story, way, ODD, "odd:1")
        assert [(one.title, one.state) for one in detail.tasks] == [("group.inner", "success")]


async def test_a_run_that_failed_is_repaired_and_ends_green(story: Story) -> None:
    story.server.repaired.unlink(missing_ok=True)
    environment, run = story.environment("api"), f"repaired:{time.time():.0f}"
    result = await done(action("airflow.trigger", environment, dag="fails", run=run, wait="ended"))
    assert (result.outcome, result.detail) == ("failed", f"{run} ended: failed")
    async with opened(settings_of(environment)) as client:
        wish = Wish("fails", run, only_failed=True)
        assert await preview(client, wish) == (run, ("transform", "publish"))
    mark = Repair("airflow.mark", {"dag": "fails", "run": run, "task": "transform", "state": "success"}, "Mark")
    async with story.asked("api") as airflow:
        (foreseen,) = await foresee(airflow, [mark])
    assert foreseen.said == (
        "it is failed, and would be success; Airflow then clears what follows it and failed, to run again: publish"
    )
    untouched = await detail_of(story, "api", "fails", run)
    assert {one.title: one.state for one in untouched.tasks}["transform"] == "failed"
    story.server.repaired.touch()
    result = await done(action("airflow.retry", environment, dag="fails", run=run, wait="ended"))
    assert (result.outcome, result.detail) == ("ok", f"{run} ended: success")
    states = {one.title: one.state for one in (await detail_of(story, "metadata", "fails", run)).tasks}
    assert states == {"fetch": "success", "transform": "success", "publish": "success"}
    result = await done(action("airflow.retry", environment, dag="fails", run=run))
    assert (result.outcome, "nothing to clear" in result.detail) == ("refused", True)


async def test_a_task_and_a_run_are_marked(story: Story) -> None:
    environment, run = story.environment("api"), story.succeeded
    for task, state in (("load[1]", "failed"), ("load[1]", "success"), ("", "failed"), ("", "success")):
        result = await done(action("airflow.mark", environment, dag="succeeds", run=run, task=task, state=state))
        assert (result.outcome, result.detail) == ("ok", f"it is {state}")
    result = await done(action("airflow.mark", environment, dag="succeeds", run=run, task="nope", state="failed"))
    assert (result.outcome, "there is no task nope" in result.detail) == ("refused", True)


async def test_a_paused_dag_is_not_triggered_for_its_run_would_only_wait(story: Story) -> None:
    environment = story.environment("api")
    assert (await done(action("airflow.pause", environment, dag="succeeds"))).outcome == "ok"
    try:
        result = await done(action("airflow.trigger", environment, dag="succeeds"))
        assert (result.outcome, "is paused" in result.detail) == ("refused", True)
        async with story.asked("metadata") as airflow:
            dags = (await airflow.survey()).value.dags
        assert {one.dag_id: one.paused for one in dags}["succeeds"]
    finally:
        assert (await done(action("airflow.unpause", environment, dag="succeeds"))).outcome == "ok"


async def test_a_backfill_runs_the_days_that_were_missed(story: Story) -> None:
    arguments = {"dag": ODD, "from": "2026-02-03", "to": "2026-02-04", "wait": "ended"}
    wrong = await done(action("airflow.backfill", story.environment("api"), **{**arguments, "dag": "typed"}))
    result = await done(action("airflow.backfill", story.environment("api"), **arguments))
    if story.server.version == 2:
        assert (result.outcome, "airflow dags backfill" in result.detail) == ("refused", True)
        return
    assert (wrong.outcome, "day: a value is required" in wrong.detail) == ("refused", True)
    assert (result.outcome, result.detail) == ("ok", "all 2 runs ended: success")


async def test_what_is_refused_is_told_apart(story: Story) -> None:
    viewer = story.environment("api", VIEWER)
    result = await done(action("airflow.trigger", viewer, dag="fails"))
    assert (result.outcome, "403: user watcher may not trigger fails" in result.detail) == ("refused", True)
    async with story.asked("both", user=("admin", "wrong")) as airflow:
        # It is not gone round by reading the database.
        with pytest.raises(AirflowError, match="401: user admin is not let in"):
            await airflow.survey()
    result = await done(action("airflow.trigger", story.environment("api"), dag="nope"))
    assert (result.outcome, "404" in result.detail) == ("failed", True)
    async with opened(settings_of(story.environment("api"))) as client:
        with pytest.raises(AirflowError, match="does not accept the values") as caught:
            await client.send("POST", "/dags/fails/dagRuns", {"nope": 1}, what="trigger fails")
    assert caught.value.status == (422 if story.server.version == 3 else 400)


async def test_who_may_only_look_is_refused_whatever_he_tries(story: Story) -> None:
    viewer, ran = story.environment("api", VIEWER), {"dag": "fails", "run": story.failed}
    async with story.asked("api") as airflow:
        paused = next(one.paused for one in (await airflow.survey()).value.dags if one.dag_id == "fails")
    tried: list[tuple[str, dict[str, str]]] = [
        ("retry", ran), ("clear", ran), ("clear", {**ran, "tasks": "transform"}), ("mark", {**ran, "state": "failed"}),
        ("mark", {**ran, "task": "transform", "state": "skipped"}), ("trigger", {"dag": "fails"}),
        ("unpause" if paused else "pause", {"dag": "fails"}),
    ]  # fmt: skip
    if story.server.version == 3:
        tried.append(("backfill", {"dag": ODD, "from": "2026-02-03", "to": "2026-02-04"}))
    before = (await detail_of(story, "metadata", "fails", story.failed)).tasks
    for name, arguments in tried:
        result = await done(action(f"airflow.{name}", viewer, **arguments))
        assert (result.outcome, "403: user watcher may not" in result.detail) == ("refused", True), (name, result)
    assert (await detail_of(story, "metadata", "fails", story.failed)).tasks == before


async def test_a_token_that_is_none_or_has_expired_is_renewed_or_refused(story: Story) -> None:
    settings = story.environment("api").airflow
    assert settings is not None
    if story.server.version == 2:
        static = story.environment("api", username="", password=None, bearer_token=SecretRef.of("no-token"))
        async with opened(settings_of(static)) as client:
            with pytest.raises(AirflowError, match="401: the token is not let in"):
                await client.get("/dags")
        return
    client = AirflowSource(settings)
    try:
        await client.get("/dags")
        valid = client._login._token
        client._login._token = _expired(valid)
        assert (await client.get("/dags", (("limit", "1"),)))["total_entries"] == len(KNOWN)
        assert client._login._token not in ("", _expired(valid))
    finally:
        await client.close()
    static = story.environment("api", username="", password=None, bearer_token=SecretRef.of(_expired(valid)))
    async with opened(settings_of(static)) as client:
        with pytest.raises(AirflowError, match="401: the token is not let in"):
            await client.get("/dags")


def _expired(token: str) -> str:
    """The same token, as it was when it had run out; signed as the server does."""
    head, body, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    past = time.time() - 86400
    claims |= {"exp": int(past), "iat": int(past - 3600), "nbf": int(past - 3600)}
    signed = f"{head}.{_encoded(json.dumps(claims).encode())}"
    algorithm = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["alg"]
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    return f"{signed}.{_encoded(hmac.new(JWT_SECRET.encode(), signed.encode(), digest).digest())}"


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


async def test_a_token_that_expires_between_two_pages_is_renewed(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = story.environment("api").airflow
    assert settings is not None
    if story.server.version == 2:
        return  # basic credentials do not expire
    monkeypatch.setattr("opsconsole.sources.airflow.client.PAGE", 1)
    client, expired = AirflowSource(settings), ""

    def make(entry: Any) -> str:
        nonlocal expired
        if not expired:
            client._login._token = expired = _expired(client._login._token)
        return str(entry["dag_id"])

    try:
        page = await client.pages("/dags", "dags", make, (("order_by", "dag_id"),), most=10)
    finally:
        await client.close()
    assert (list(page.entries), page.cut) == (KNOWN, False)
    assert client._login._token not in ("", expired)


async def test_a_page_outlives_an_api_that_goes_and_comes_back(story: Story) -> None:
    environment = story.environment("api", timeout=5.0)
    sources = Sources(environment)
    asked, page = open_pipelines(environment, sources), DagsPage()
    shown = PageReading(page, Order(page.sorts[0]))

    async def read() -> tuple[list[str], str]:
        asked.forget()  # no survey serves two readings here
        await shown.read(asked, time.time, print)
        return sorted(row.key for row in shown.sheet.rows) if shown.sheet else [], shown.failed

    try:
        while (await read()) != (KNOWN, ""):  # a machine with other things to do answers late
            pass
        story.server.programs["api"].send(signal.SIGSTOP)
        try:
            rows, failed = await read()
        finally:
            story.server.programs["api"].send(signal.SIGCONT)
        assert (rows, failed.startswith("no answer within 5 s")) == (KNOWN, True)
        trouble = shown.trouble(time.time())
        assert trouble is not None
        assert trouble.text.startswith("STALE")
        while (await read()) != (KNOWN, ""):
            pass
        assert shown.trouble(time.time()) is None
    finally:
        await sources.close()


async def test_while_the_api_hangs_the_database_tells_and_says_so(story: Story) -> None:
    now = time.time()
    async with story.asked("both") as airflow:
        assert (await airflow.survey()).origin.way is Way.API
    story.server.programs["api"].send(signal.SIGSTOP)
    try:
        async with story.asked("both", timeout=2.0) as airflow:
            airflow._clock = lambda: now
            told = await airflow.survey()
            assert (told.origin.way, len(told.value.dags)) == (Way.METADATA, 6)
            assert "the API does not answer: no answer within 2 s" in told.origin.notes[0]
            parts = (await airflow.health()).value
            assert parts[0] == Component("api", False, detail=parts[0].detail)
            assert vitality(parts) is State.CRIT
        async with story.asked("api", timeout=2.0) as airflow:
            with pytest.raises(SourceError, match="no answer within 2 s"):
                await airflow.pools()
        result = await done(action("airflow.trigger", story.environment("api", timeout=2.0), dag="succeeds"))
        assert (result.outcome, "nothing was changed" in result.detail) == ("failed", True)
    finally:
        story.server.programs["api"].send(signal.SIGCONT)
    async with story.asked("both") as airflow:
        assert (await airflow.survey()).origin.way is Way.API


@pytest.fixture
def configured(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """The story, in an environment that commands find by themselves."""
    airflow = {
        "url": story.server.url, "username": "admin", "password": {"env": "SECRET"}, "timeout": "60s",
        "metadata": "airflow",
    }  # fmt: skip
    databases = {"airflow": {"dsn": story.server.dsn}}
    test = {"mode": "guarded", "airflow": airflow, "slas": "slas.yaml", "postgres": databases}
    (tmp_path / "opsconsole.yaml").write_text(json.dumps({"version": 1, "environments": {"test": test}}))
    sla = {"name": "all", "kind": "pipeline", "dag": "*", "target": "2h"}
    (tmp_path / "slas.yaml").write_text(json.dumps({"version": 1, "slas": [sla]}))
    monkeypatch.setenv("OPSCONSOLE_CONFIG", str(tmp_path / "opsconsole.yaml"))
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SECRET", "admin-secret-1")
    return story


def test_the_commands_print_it(configured: Story, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> tuple[int, str, str]:
        code = main(["pipeline", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    code, out, err = said("list", "--format", "json", "--dag", "succ*")
    assert code == Exit.DONE, err
    listed = json.loads(out)
    assert (listed["way"], [one["dag_id"] for one in listed["dags"]]) == ("api", ["succeeds"])
    assert "success" in listed["dags"][0]["strip"]
    code, out, err = said("list")
    assert (code, "fails" in out) == (Exit.DONE, True), err
    code, out, err = said("runs", "fails", "--state", "failed", "--format", "json")
    assert configured.failed in [one["run_id"] for one in json.loads(out)["runs"]]
    code, out, err = said("tasks", "fails", configured.failed, "--tries")
    assert (code, "transform: try 2: failed" in err) == (Exit.DONE, True), err
    code, out, err = said("log", "fails", "transform", "--run", configured.failed, "--try", "1", "--grep", "refused")
    assert (code, "connection to 10.1.2.3:5432 refused" in out) == (Exit.DONE, True), err
    code, out, err = said("errors", "--since", "1h")
    assert (code, "ConnectionError: connection to <n>:<n> refused" in out) == (Exit.DONE, True), err
    code, out, err = said("imports", "--format", "json")
    assert (code, len(json.loads(out)["files"])) == (Exit.FAILED, 1)
    code, out, err = said("health", "--format", "json")
    assert [one["name"] for one in json.loads(out)["components"]][:3] == ["api", "metadatabase", "scheduler"]
    assert said("pools")[0] == Exit.DONE
    code, out, err = said("sla", "--format", "json")
    assert {one["dag_id"] for one in json.loads(out)["promises"]} >= {ODD, "succeeds", "fails"}
    code, out, err = said("tasks", "succeeds", "no-such-run")
    assert (code, "has no run no-such-run" in err) == (Exit.USAGE, True)


def test_a_change_by_command_is_a_run_of_one_step(configured: Story) -> None:
    def said(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "opsconsole.cli.main", "pipeline", *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip

    run = configured.succeeded
    done = said("clear", "succeeds", "--run", run, "--task", "extract", "--dry-run")
    assert done.returncode == Exit.DONE, done.stderr
    assert f"{run}: Airflow's dry run clears 1: extract" in done.stderr
    assert "POST /dags/succeeds/clearTaskInstances" in done.stdout
    done = said("trigger", "succeeds")
    assert (done.returncode, "nothing was begun" in done.stderr) == (Exit.USAGE, True)
    new = f"command:{time.time():.0f}"
    done = said("trigger", "succeeds", "--run-id", new, "--yes", "--format", "json")
    assert done.returncode == Exit.DONE, done.stderr
    (step,) = json.loads(done.stdout)["steps"]
    assert (step["state"], step["detail"].startswith(f"run {new}; {new}")) == ("ok", True)


def test_several_by_command_are_one_run_and_whom_it_does_not_suit_is_named(
    configured: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    # `typed` takes a size of 10 at most and wants a day, `succeeds` takes any size.
    command = ("trigger", "succeeds", "typed", "--param", "size=20", "--run-id", f"both:{time.time():.0f}", "--yes")
    done = subprocess.run(
        [sys.executable, "-m", "opsconsole.cli.main", "pipeline", *command, "--format", "json"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == Exit.FAILED, done.stderr
    out = json.loads(done.stdout)
    assert [(one["state"], one["arguments"]) for one in out["steps"]] == [
        ("ok", {"dag": "succeeds", "conf": '{"size": 20}', "run": command[6]})
    ]
    (left,) = out["left_out"]
    wrong = {"size: 20 is not at most 10", "day: a value is required (Day: the day to load)"}
    assert (left["dag"], {*left["why"].split("; ")}) == ("typed", wrong)

    def said(*arguments: str) -> tuple[int, str, str]:
        code = main(["pipeline", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    # The failed runs of an hour, as Airflow finds them.
    rehearsed = ("clear", "f*", "--state", "failed", "--since", "1h", "--only-failed", "--dry-run", "--format", "json")
    code, text, err = said(*rehearsed)
    assert code == Exit.DONE, err
    given = [one["arguments"] for one in json.loads(text)["steps"]]
    assert configured.failed in [one["run"] for one in given]
    assert {one["dag"] for one in given} == {"fails"}
    assert f"fails {configured.failed}: Airflow's dry run clears 2: " in err
    code, text, err = said("pause", "succeeds", ODD, "--dry-run")
    assert code == Exit.DONE, err
    assert "PATCH /dags/Odd.n%C3%A4me-1_x?update_mask=is_paused" in text
    code, text, err = said("unpause", ODD, "--format", "json")  # nobody is asked: there is nothing to do
    assert (code, json.loads(text)["run"]) == (Exit.DONE, None), err
    assert f"{ODD}: it is not paused already; nothing was changed" in err
    code, _, err = said("pause", "--tag", "test", "--tag", "nope", "--yes")
    assert (code, "nothing is like that" in err) == (Exit.USAGE, True)


def test_the_recovery_runbook_takes_a_failed_run_to_its_green_end(configured: Story, tmp_path: Path) -> None:
    """The shipped runbook finds the task that failed, reads its log, clears it, and sees the run end well."""
    configured.server.repaired.unlink(missing_ok=True)
    run = f"recovered:{time.time():.0f}"
    failed = asyncio.run(
        done(action("airflow.trigger", configured.environment("api"), dag="fails", run=run, wait="ended"))
    )
    assert failed.detail == f"{run} ended: failed"
    config = json.loads((tmp_path / "opsconsole.yaml").read_text())
    config["environments"]["test"]["env"] = {"OPS_AIRFLOW_LOGS": str(configured.server.folder / "logs")}
    (tmp_path / "opsconsole.yaml").write_text(json.dumps(config))
    configured.server.repaired.touch()  # whoever is on call has seen to the cause
    said = subprocess.run(
        [sys.executable, "-m", "opsconsole.cli.main", "runbook", "run", "dag-failure-recovery", "--auto",
         "--param", "DAG_ID=fails", "--param", f"RUN_ID={run}", "--confirm", "choose-recovery=single-task",
         "--confirm", "clear-task=fails", "--confirm", "say-in-a-note-what-the-cause-is-and-that=done",
         "--skip", "alert-ends=there is no Prometheus here",
         "--confirm", "tell-data-ops-which-run-was-late-until=n/a", "--format", "json"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert said.returncode == Exit.DONE, said.stdout + said.stderr
    steps = {one["name"]: one for one in json.loads(said.stdout)["steps"]}
    for name in ("scheduler-alive", "failed-tasks", "task-log", "clear-task", "run-succeeds"):
        assert steps[name]["state"] == "ok", (name, steps[name])
    assert "transform" in steps["clear-task"]["detail"]


async def test_a_run_without_a_scheduler_is_queued_and_says_so_and_starts_when_that_is_back(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "STUCK", 0.0)
    monkeypatch.setattr(waits, "_FIRST", 0.0)
    environment, run = story.environment("api"), f"unscheduled:{time.time():.0f}"
    trigger = Repair("airflow.trigger", {"dag": "succeeds", "run": run}, "Trigger")
    said: list[bytes] = []
    scheduler = story.server.programs["scheduler"]
    scheduler.send(signal.SIGSTOP)
    try:
        beat = "update job set latest_heartbeat = now() - interval '4 minutes' where job_type = 'SchedulerJob'"
        story.server.postgres.psql(beat, "airflow")
        async with story.asked("api") as airflow:
            (foreseen,) = await foresee(airflow, [trigger])
        assert foreseen.said == "the scheduler has not been heard of for 4m: it waits until that is back"
        given = action("airflow.trigger", environment, dag="succeeds", run=run)
        assert given.verify is not None
        assert (await given.runner.run(said.append)).outcome == "ok"
        result = await given.verify()
        again = await done(action("airflow.clear", environment, dag="succeeds", run=story.succeeded, tasks="extract"))
    finally:
        scheduler.send(signal.SIGCONT)
    assert (result.outcome, result.to_come) == ("timed-out", True)
    queued = "is queued; the scheduler has not been heard of for 4m; it starts when the scheduler is back"
    assert f"the run {run} {queued}; see opsconsole pipeline health" in result.detail
    assert f"waiting: the run {run} {queued}" in b"".join(said).decode()
    assert (again.outcome, again.to_come) == ("timed-out", True)
    assert f"the run {story.succeeded} {queued}" in again.detail
    monkeypatch.setattr(change, "STUCK", math.inf)  # its next sign of life is a moment away
    assert (await given.verify()).outcome == "ok"
