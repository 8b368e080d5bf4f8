"""A runbook, walked by keys from the red line to its end."""

from pathlib import Path

import pytest

from opsconsole.ui.app import OpsConsole
from tests.screens.driving import ended, press, running, settle, text_of
from tests.screens.fake_session import RUNBOOK

pytestmark = pytest.mark.usefixtures("own_state")


async def test_two_keys_lead_from_the_red_line_to_the_first_step_of_its_runbook(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        shown = await press(pilot, "b")
        assert "SERVICE = energy-service" in shown
        assert 'echo "looking at $SERVICE"' in shown
        shown = await press(pilot, "enter")
        assert "looking at energy-service" in shown
        assert "DESTRUCTIVE  confirm: type energy-service" in shown


async def test_a_destructive_step_wants_the_name_typed(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "b", "enter")
        assert "Type  energy-service  to run this step" in await press(pilot, "enter")
        shown = await press(pilot, *"wrong", "enter")
        assert "nothing was run" in shown
        assert "restarted" not in shown.partition("OUTPUT")[2]
        shown = await press(pilot, *"energy-service", "enter")
        assert "restarted energy-service" in shown
        shown = await press(pilot, "enter")  # the manual step
        assert "The run has ended: ok" in shown


async def test_a_confirmation_cannot_be_pasted(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        app = await settle(pilot)
        await press(pilot, "b", "enter", "enter")
        view = app.console_screen.view
        assert view is not None
        view.take_paste("energy-service")
        shown = await press(pilot, "enter")
        assert "restarted energy-service" not in shown


async def test_a_step_is_skipped_with_a_reason_or_not_at_all(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "b", "enter")
        assert "a reason is needed" in await press(pilot, "s", "enter")
        assert "skipped" in await press(pilot, *"known", "enter")


async def test_a_dry_run_runs_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        shown = await press(pilot, "b", "d")
        assert "nothing was run" in shown
        assert "○ 1.1" in shown


async def test_a_run_goes_on_while_one_looks_elsewhere_and_is_found_again(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "b", "enter")
        shown = await press(pilot, "1")
        assert "NEEDS ATTENTION" in shown
        assert "0 back to Service restart" in shown
        assert "looking at energy-service" in await press(pilot, "0")
        await press(pilot, "1")
        assert "looking at energy-service" in await press(pilot, "b")


async def test_parameters_that_are_missing_are_asked_for_first(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "9")
        shown = await press(pilot, "enter")
        assert "PARAMETERS" in shown
        assert "a value is required" in shown
        assert "does not match" in await press(pilot, "X", "enter")
        shown = await press(pilot, "ctrl+u", *"api", "enter")
        assert "SERVICE = api" in shown
        assert "echo" in shown


async def test_a_read_only_console_says_which_rule_refused(tmp_path: Path) -> None:
    from tests.screens import fake_session as fakes

    async with running(tmp_path, context=fakes.context(read_only=True)) as pilot:
        await settle(pilot)
        assert "read-only" in text_of(pilot.app) if isinstance(pilot.app, OpsConsole) else False


async def test_a_failed_step_holds_the_walk_and_says_what_can_be_done(tmp_path: Path) -> None:
    failing = RUNBOOK.replace('echo "looking at $SERVICE"', "echo broken; exit 3")
    async with running(tmp_path, runbook=failing) as pilot:
        await settle(pilot)
        shown = await press(pilot, "b", "enter")
        assert "failed" in shown
        assert "broken" in shown
        assert "r runs it again" in await press(pilot, "enter")


async def test_leaving_the_program_with_a_running_step_asks_first(tmp_path: Path) -> None:
    may_end = tmp_path / "may-end"  # the step lasts until the test lets it end, however slow the machine
    slow = RUNBOOK.replace('echo "looking at $SERVICE"', f"until test -e '{may_end}'; do sleep 0.05; done")
    async with running(tmp_path, runbook=slow) as pilot:
        app = await settle(pilot)
        await pilot.press("b")
        await pilot.pause()
        await pilot.press("enter")
        while not app.going_run():
            await pilot.pause()
        await pilot.press("1")
        await pilot.pause()
        await pilot.press("q")
        await pilot.pause()
        assert "is running" in text_of(app)
        assert app.is_running
        await pilot.press("y", "enter")
        await ended(app)
    may_end.touch()
    (record,) = [path.read_text() for path in (tmp_path / "state" / "runs").glob("*/journal.jsonl")]
    assert "cancelled" not in record  # the step is the supervisor's, and goes on
    assert '"ev":"detach"' in record


CHOICE = """```text {"name":"way","title":"which way","kind":"choice","options":["retry","fail over"],"set":"WAY"}
Is the other one ready?
```
```sh {"name":"retry","risk":"read","timeout":"9s","when":"WAY=retry"}
echo "retrying $SERVICE"
```
```sh {"name":"over","risk":"read","timeout":"9s","when":"WAY=fail over"}
echo "going to the other $SERVICE"
```
"""


async def test_a_choice_is_picked_from_a_list_and_decides_what_follows(tmp_path: Path) -> None:
    head = RUNBOOK[: RUNBOOK.index("---", 4) + 4]
    async with running(tmp_path, runbook=head + CHOICE) as pilot:
        await settle(pilot)
        shown = await press(pilot, "b", "enter")
        assert "fail over" in shown
        shown = await press(pilot, *"fail", "enter")
        assert "1.3" in shown
        assert "not-applicable" in shown
        assert "going to the other energy-service" in await press(pilot, "enter")


async def test_two_hundred_steps_stay_instant(tmp_path: Path) -> None:
    many = RUNBOOK + "\n".join(f"- [ ] Look at thing {number}" for number in range(200))
    async with running(tmp_path, runbook=many) as pilot:
        await settle(pilot)
        shown = await press(pilot, "b")
        assert len(shown.splitlines()) == 40
        app = pilot.app
        assert isinstance(app, OpsConsole)
        assert len(app.console_screen.query("*")) < 40
