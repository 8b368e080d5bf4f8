"""What changes would do is asked of Airflow, and said, before anybody is asked to confirm them."""

import pytest

from opsconsole.core.reading import SourceError
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.choosing import unknown_task
from opsconsole.pipelines.foresight import foresee, sent_of
from opsconsole.pipelines.metadata import Metadata
from opsconsole.pipelines.model import Component
from opsconsole.runbooks.repair import Repair
from opsconsole.sources.airflow.client import AirflowError
from tests.screens.fake_session import NOW
from tests.screens.pipeline_readings import ByHand, Rehearsing, pipelines

RETRY = Repair("airflow.retry", {"dag": "load_tariffs", "run": "r1"}, "Retry", "it failed")
NOTHING = "Airflow's dry run of r1 clears nothing: nothing would be run again"


def airflow(api: Rehearsing) -> Airflow:
    return pipelines(ByHand(), api).airflow


async def test_a_clearing_says_what_it_would_clear_and_names_its_run() -> None:
    api = Rehearsing()
    (retry,) = await foresee(airflow(api), [RETRY])
    assert (retry.said, retry.wrong, retry.subject) == (
        "Airflow's dry run clears 2: check, store",
        "",
        "load_tariffs r1",
    )
    assert retry.repair.why == "it failed; Airflow's dry run clears 2: check, store"
    assert [(body["dag_run_id"], body["only_failed"]) for body in api.asked] == [("r1", True)]


async def test_what_would_clear_nothing_is_left_out_and_alone_it_is_refused() -> None:
    api = Rehearsing()
    api.clears = []
    pause = Repair("airflow.pause", {"dag": "a"}, "Pause a")
    found = await foresee(airflow(api), [RETRY, pause])
    assert [one.wrong for one in found] == [NOTHING, ""]
    assert [one.action for one in sent_of(found)] == ["airflow.pause"]
    with pytest.raises(ValueError, match=f"^{NOTHING}$"):
        sent_of(found[:1])


async def test_a_task_that_is_not_there_is_no_clearing_of_nothing() -> None:
    api = Rehearsing()
    given = [Repair("airflow.clear", {"dag": "load_tariffs", "run": "r1", "tasks": one}, one) for one in ("chek", "zz")]
    assert [one.wrong for one in await foresee(airflow(api), given)] == [
        "there is no task chek in r1; did you mean 'check'?",
        "there is no task zz in r1; there are fetch, check, notify, store",
    ]
    assert api.asked == []  # not even its dry run
    assert unknown_task("zz", "r1", [f"a[{n}]" for n in range(1000)]).endswith("a[11] and 988 more")


async def test_of_a_dag_that_is_not_there_the_one_that_may_be_meant_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    api, way = Rehearsing(), ByHand()

    async def lost(where: str, params: object = (), *, what: str = "") -> object:
        raise AirflowError("airflow", "bad-query", f"404: could not {what}", status=404)

    monkeypatch.setattr(api, "get", lost)
    given = [Repair("airflow.pause", {"dag": dag}, dag) for dag in ("load_tarifs", "load_tariffs", "zzz")]
    reader = pipelines(way, api).airflow
    found = await foresee(reader, given)
    assert [one.wrong.partition(";")[0] for one in found] == [
        "there is no DAG load_tarifs", "airflow: 404: could not see DAG load_tariffs", "there is no DAG zzz",
    ]  # fmt: skip
    assert found[0].wrong.endswith("did you mean 'load_tariffs'?")
    assert [one.fault is None for one in found] == [True, False, True]
    assert way.asked == 1  # for all of them
    way.failing = "gone"
    assert (await foresee(reader, given[:1]))[0].wrong.startswith("airflow: 404")


async def test_of_many_tasks_some_are_named_and_none_of_them_moves_the_cursor() -> None:
    api = Rehearsing()
    api.clears = ["\x1b[2J", *(f"task_{n}" for n in range(20))]
    (one,) = await foresee(airflow(api), [RETRY])
    assert "clears 21: " in one.said
    assert one.said.endswith("task_10 and 9 more")
    assert "\x1b" not in one.said


async def test_each_trigger_is_held_to_the_parameters_of_its_own_dag() -> None:
    api = Rehearsing()
    api.params = {
        "a": {"size": {"value": None, "schema": {"type": "integer", "maximum": 10}}},
        "b": {"size": {"value": 50, "schema": {"type": "integer", "maximum": 100}}},
    }
    given = [Repair("airflow.trigger", {"dag": dag, "conf": '{"size": 11}'}, dag) for dag in ("a", "b")]
    assert [one.wrong for one in await foresee(airflow(api), given)] == [
        "nothing was sent: size: 11 is not at most 10", "",
    ]  # fmt: skip
    (lacking,) = await foresee(airflow(api), [Repair("airflow.trigger", {"dag": "a"}, "a")])
    assert "size: a value is required" in lacking.wrong


async def test_a_paused_dag_is_named_before_its_run_would_wait_for_ever() -> None:
    api = Rehearsing()
    api.paused = {"a"}
    given = {"dag": "a", "run": "r1"}
    found = await foresee(
        airflow(api),
        [Repair("airflow.trigger", {"dag": "a"}, "a"), Repair("airflow.retry", given, "a"),
         Repair("airflow.pause", {"dag": "a"}, "a")],
    )  # fmt: skip
    assert "a is paused: it would only wait" in found[0].wrong
    assert found[1].wrong == found[0].wrong
    assert (found[2].wrong, found[2].already) == ("it is paused already; nothing was changed", True)
    assert [one.already for one in found[:2]] == [False, False]


async def test_a_dag_that_is_in_no_file_any_more_is_not_run_again() -> None:
    api = Rehearsing()
    api.stale = {"a"}
    given = [Repair("airflow.trigger", {"dag": "a"}, "a"), Repair("airflow.clear", {"dag": "a", "run": "r1"}, "a")]
    for one in await foresee(airflow(api), given):
        assert one.wrong == "a is in no file any more: Airflow knows its past, and runs nothing of it"


async def test_a_backfill_says_its_days_its_limit_and_what_becomes_of_runs_that_are_there() -> None:
    api = Rehearsing()
    api.params = {"a": {"size": {"value": 3, "schema": {"type": "integer", "maximum": 10}}}}
    given = {"dag": "a", "from": "2026-02-03", "to": "2026-02-04", "reprocess": "failed", "at_once": "2"}
    (one,) = await foresee(airflow(api), [Repair("airflow.backfill", given, "a")])
    assert one.said == (
        "Airflow's dry run makes 2 runs: 2026-02-03, 2026-02-04; at most 2 at once, beside the DAG's own limit for its "
        "other runs; runs that are there and failed are run again, others left alone"
    )
    (wrong,) = await foresee(airflow(api), [Repair("airflow.backfill", {**given, "conf": '{"size": 11}'}, "a")])
    assert wrong.wrong == "nothing was sent: size: 11 is not at most 10"
    api.dates = []
    (none,) = await foresee(airflow(api), [Repair("airflow.backfill", given, "a")])
    assert "there is nothing to run in that span; runs that are there and failed are run again" in none.wrong


async def test_airflow_2_says_with_which_command_of_its_own_it_backfills() -> None:
    api = Rehearsing()
    api.major = 2
    given = {"dag": "a.b", "from": "2026-02-03", "to": "2026-02-04", "reprocess": "failed", "conf": '{"x": "a b"}'}
    (one,) = await foresee(airflow(api), [Repair("airflow.backfill", given, "a")])
    assert one.wrong == (
        "Airflow 2 has no backfill in its API; on its host: airflow dags backfill --start-date 2026-02-03 "
        '--end-date 2026-02-04 --rerun-failed-tasks --conf \'{"x": "a b"}\' -- a.b'
    )


async def test_a_scheduler_that_is_silent_is_said_of_what_takes_one_before_anybody_confirms_it() -> None:
    way = ByHand()
    way.components = (Component("scheduler", False, NOW - 240.0),)
    found = await foresee(
        pipelines(way, Rehearsing()).airflow,
        [RETRY, Repair("airflow.trigger", {"dag": "b"}, "b"), Repair("airflow.pause", {"dag": "c"}, "c")],
    )
    warning = "the scheduler has not been heard of for 4m: it waits until that is back"
    assert [one.said for one in found] == [f"Airflow's dry run clears 2: check, store; {warning}", warning, ""]
    assert found[0].repair.why.endswith(warning)
    assert not any(one.wrong for one in found), "it is sent all the same"


async def test_without_an_api_it_is_said_what_is_missing() -> None:
    async def nobody(query: object) -> object:
        raise AssertionError

    database = Airflow(None, Metadata("postgres/airflow", nobody))  # type: ignore[arg-type]
    (one,) = await foresee(database, [RETRY])
    assert "no API is configured" in one.wrong
    assert isinstance(one.fault, SourceError)
