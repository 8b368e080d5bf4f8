"""The actions on pipelines before anything is sent: what they take, what they refuse, and as steps of a runbook."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Action, Risk
from opsconsole.config.settings import AirflowSettings, Environment
from opsconsole.pipelines.actions.change import Refused
from opsconsole.pipelines.actions.clearing import Wish
from opsconsole.runbooks.lint import lint
from opsconsole.runbooks.model import Kind
from opsconsole.runbooks.repair import Repair, runbook_for, values_of

HERE = Environment("test", Path("s"), Path("r"), airflow=AirflowSettings(url="http://airflow:8080"))
EVERY = {
    "airflow.trigger": {"dag": "Odd.näme-1_x", "conf": '{"day": "`}"}', "run": "a:b+c", "wait": "ended"},
    "airflow.retry": {"dag": "load", "run": "scheduled__2026-11-21T00:00:00+00:00", "tasks": "fetch, group.load[3]"},
    "airflow.clear": {"dag": "load", "tasks": "fetch", "downstream": "yes", "upstream": "no", "only_failed": "no"},
    "airflow.mark": {"dag": "load", "task": "fetch[12]", "state": "skipped"},
    "airflow.pause": {"dag": "load"},
    "airflow.unpause": {"dag": "load"},
    "airflow.backfill": {"dag": "load", "from": "2026-01-01", "to": "2026-01-02", "at_once": "5"},
}


def built(action: str, arguments: Mapping[str, str], environment: Environment = HERE) -> Action:
    registration = registry.find(action)
    assert registration is not None
    return registration.build(arguments, environment)


def test_every_action_on_pipelines_is_looked_at_here() -> None:
    assert {one.id for one in registry.known() if one.id.startswith("airflow.")} == EVERY.keys()


@pytest.mark.parametrize("action", EVERY)
def test_each_is_a_step_of_a_runbook_and_a_change_that_is_verified(action: str) -> None:
    repair = Repair(action, EVERY[action], f"Do it to {EVERY[action]['dag']}")
    book = runbook_for(repair)
    assert [one for one in lint(book) if one.severity == "error"] == []
    (step,) = book.steps
    assert (step.kind, step.action, step.risk) == (Kind.ACTION, action, Risk.WRITE)
    assert values_of(repair) == {name.upper(): value for name, value in EVERY[action].items()}
    made = built(action, EVERY[action])
    assert made.verify is not None
    assert made.undo
    assert made.command.startswith("# Airflow at http://airflow:8080\nP")


@pytest.mark.parametrize(
    ("action", "given", "why"),
    [
        ("airflow.trigger", {"dag": "a/../b"}, "dag: "),
        ("airflow.trigger", {"dag": "a", "conf": "{nonsense}"}, "expected a JSON object"),
        ("airflow.trigger", {"dag": "a", "conf": "[1]"}, "conf: "),
        ("airflow.trigger", {"dag": "a", "run": "b c"}, "run: "),
        ("airflow.trigger", {"dag": "a", "wait": "maybe"}, "wait: "),
        ("airflow.mark", {"dag": "a", "state": "skipped"}, "a run cannot be skipped"),
        ("airflow.mark", {"dag": "a", "state": "running"}, "state: "),
        ("airflow.clear", {"dag": "a", "tasks": "x; y"}, "tasks: "),
        ("airflow.backfill", {"dag": "a", "from": "2026-01-02", "to": "2026-01-01"}, "to: is before from"),
        ("airflow.backfill", {"dag": "a", "from": "2026-02-30", "to": "2026-03-01"}, "is no day"),
        ("airflow.backfill", {"dag": "a", "from": "2026-01-01", "to": "9999-01-01"}, "is in the future"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(action: str, given: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        built(action, given)


@pytest.mark.parametrize("airflow", [None, AirflowSettings(metadata="meta")])
def test_without_an_api_nothing_can_be_changed(airflow: AirflowSettings | None) -> None:
    here = Environment("test", Path("s"), Path("r"), airflow=airflow)
    with pytest.raises(ValueError, match="no API of an Airflow is configured in test"):
        built("airflow.pause", {"dag": "load"}, here)


def test_one_of_a_mapped_task_is_cleared_by_airflow_3_only() -> None:
    wish = Wish("load", "r", ("fetch", "group.load[3]"))
    assert wish.body(3)["task_ids"] == ["fetch", ["group.load", 3]]
    with pytest.raises(Refused, match=r"clears all of a mapped task; name it without its number: group\.load"):
        wish.body(2)
    assert "task_ids" not in Wish("load", "r").body(2)
