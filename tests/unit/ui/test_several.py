"""One action on several rows: what they offer together, the runbook that it is, and how that looks."""

from dataclasses import replace
from typing import Any

import pytest

from opsconsole.runbooks.lint import lint
from opsconsole.runbooks.repair import MOST_AT_ONCE, Repair, runbook_for_all, values_of_all
from opsconsole.runbooks.states import StepState
from opsconsole.ui.glyphs import ASCII, UNICODE
from opsconsole.ui.lines import line_width, text_of
from opsconsole.ui.output import OutputLog
from opsconsole.ui.pages.offers import offers
from opsconsole.ui.pages.page import Choice, Order, Page, Sheet
from opsconsole.ui.run_page import RunShown, StepShown
from opsconsole.ui.several_page import SeveralShown, several_lines


class _Doors(Page[Any, Any]):
    """Rows that are doors: an open one can be shut, a shut one opened, each can be painted."""

    id, title, period, sorts = "doors", "Doors", 1.0, ("name",)

    async def take(self, source: Any, before: Any, order: Order) -> Any:
        return None

    def sheet(self, reading: Any, order: Order) -> Sheet:
        return Sheet((), ())

    def choices(self, reading: dict[str, bool], key: str) -> list[Choice]:
        if key not in reading:
            return []
        verb = "pause" if reading[key] else "unpause"
        return [
            Choice(verb, Repair(f"airflow.{verb}", {"dag": key}, f"{verb} {key}")),
            Choice("trigger", Repair("airflow.trigger", {"dag": key}, f"trigger {key}")),
        ]


def test_each_action_is_offered_with_the_rows_that_it_applies_to() -> None:
    found = {one.label: one for one in offers(_Doors(), {"a": True, "b": False, "c": True}, ("a", "b", "c", "gone"))}
    assert list(found) == ["pause", "trigger", "unpause"]
    assert [one.arguments["dag"] for one in found["pause"].repairs] == ["a", "c"]
    assert found["pause"].about == "pause: all 2; does not apply to 2 of the 4"
    assert found["unpause"].about == "unpause b; does not apply to 3 of the 4"


def repairs(count: int, why: str = "") -> list[Repair]:
    return [Repair("airflow.pause", {"dag": f"dag_{n}"}, f"Pause ```dag_{n}", why) for n in range(1, count + 1)]


def test_several_repairs_are_a_runbook_of_a_step_each_none_of_which_holds_the_others_up() -> None:
    wanted = [
        *repairs(2, "# no heading, - [ ] no item, ``` no fence"),
        Repair("postgres.terminate", {"pid": "12", "backend_start": "2026-11-21 10:00:00+00"}, "End 12"),
    ]
    book = runbook_for_all(wanted, "Three things")
    assert [one for one in lint(book) if one.severity == "error"] == []
    assert [(step.name, step.action, step.on_fail) for step in book.steps] == [
        ("fix-1", "airflow.pause", "continue"), ("fix-2", "airflow.pause", "continue"),
        ("fix-3", "postgres.terminate", "continue"),
    ]  # fmt: skip
    assert book.steps[0].arguments == (("dag", "$DAG_1"),)
    assert str(book.steps[2].confirm) == "type:PID_3"
    assert values_of_all(wanted)["DAG_2"] == "dag_2"
    assert {param.name for param in book.params} == values_of_all(wanted).keys()


def test_a_hundred_fit_into_one_run_and_more_are_refused() -> None:
    many = [
        Repair("airflow.clear", {"dag": "d", "run": f"r{n}", "tasks": "t", "only_failed": "yes", "wait": "ended"}, "C")
        for n in range(MOST_AT_ONCE)
    ]
    book = runbook_for_all(many, "Clear a hundred")
    assert len(book.steps) == MOST_AT_ONCE
    assert [one for one in lint(book) if one.severity == "error"] == []
    with pytest.raises(ValueError, match="mark fewer"):
        runbook_for_all([*many, many[0]], "Clear more")


def shown(at: int, states: dict[str, StepShown], **more: Any) -> SeveralShown:
    book = runbook_for_all(repairs(12, "because"), "Pause all")
    commands = {step.name: f"# Airflow at http://a\nPATCH /dags/dag_{n}\n{{}}" for n, step in enumerate(book.steps, 1)}
    run = RunShown(book, "r1", "alice", "production", {}, book.steps, states, at, "", "", **more)
    return SeveralShown(run, commands)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=lambda glyphs: glyphs.name)
@pytest.mark.parametrize(("width", "height"), [(120, 40), (80, 24), (40, 10)])
def test_the_list_has_every_exact_command_and_the_one_under_the_cursor_is_in_view(
    width: int, height: int, glyphs: Any
) -> None:
    for at in range(12):
        lines = several_lines(shown(at, {}), width, height, glyphs)
        assert len(lines) <= height
        assert all(line_width(one) <= width for one in lines)
        text = text_of(lines)
        assert f"PATCH /dags/dag_{at + 1}\n" in text
        assert text.count("# Airflow at http://a") == 1
        assert f"dag_{at + 1}\n" in text


def test_each_has_its_own_result_and_the_sums_stand_above() -> None:
    log = OutputLog()
    log.feed(b"run manual__1\n")
    states = {
        "fix-1": StepShown(StepState.OK, 1.2, "dag_1 is paused; and Airflow says so"),
        "fix-2": StepShown(StepState.FAILED, 0.3, "403: not allowed"),
        "fix-3": StepShown(StepState.RUNNING),
    }
    text = text_of(several_lines(shown(2, states, output=log), 100, 30, UNICODE))
    assert "12 actions, one after the other   ● 1 ok   ✗ 1 failed   ▶ 1 running   ○ 9 pending" in text
    stopped = {**states, "fix-3": StepShown(StepState.CANCELLED)}
    text_after = text_of(several_lines(replace(shown(2, stopped, output=log), at_once=5), 100, 30, UNICODE))
    assert "12 actions, 5 at once   ● 1 ok   ✗ 1 failed" in text_after
    assert "○ 9 not tried" in text_after
    assert "dag_1 is paused; and Airflow says so" in text
    assert "403: not allowed" in text
    assert "run manual__1" in text


def test_what_is_left_out_is_said_above_the_list_in_three_lines_at_most() -> None:
    left = "left out 1: load_tariffs: size: 20 is not at most 10 " + "and so on " * 50
    lines = text_of(several_lines(replace(shown(0, {}), left=left), 60, 24, UNICODE)).split("\n")
    assert lines[2].startswith(" left out 1: load_tariffs: size: 20")
    assert lines[5].strip() == "# Airflow at http://a"
    assert len(lines) == 24
