"""A fix as a runbook of one step, whatever the names in it are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.actions.action import Risk
from opsconsole.runbooks.lint import lint
from opsconsole.runbooks.model import Kind
from opsconsole.runbooks.repair import STEP, Repair, runbook_for, values_of

ODD = st.sampled_from('`"\n\r\\$#{}-~|<!')
NAMES = st.text(st.one_of(st.characters(codec="utf-8", exclude_characters="\0"), ODD), min_size=1, max_size=40)


@given(NAMES, NAMES)
def test_it_is_one_valid_step_whatever_the_names_are(name: str, why: str) -> None:
    repair = Repair("postgres.vacuum", {"schema": "app", "table": name, "conn": "app"}, f"Vacuum {name}", why)
    book = runbook_for(repair)
    assert [one for one in lint(book) if one.severity == "error"] == []
    (step,) = book.steps
    assert (step.name, step.kind, step.action, step.risk) == (STEP, Kind.ACTION, "postgres.vacuum", Risk.WRITE)
    assert dict(step.arguments) == {
        one: f"${one.upper()}" for one in ("schema", "table", "conn") if one in repair.given
    }
    assert {param.name for param in book.params} == values_of(repair).keys()


def test_its_values_are_the_arguments_as_they_are() -> None:
    name = 'we"ird\n```sh {"name":"x"}'
    repair = Repair("postgres.analyze", {"schema": name, "table": "$T", "conn": ""}, "Analyze it")
    assert values_of(repair) == {"SCHEMA": name, "TABLE": "$T"}


def test_it_is_given_the_time_that_its_action_takes() -> None:
    (vacuum,) = runbook_for(Repair("postgres.vacuum", {"schema": "a", "table": "b"}, "Vacuum")).steps
    (cancel,) = runbook_for(
        Repair("postgres.cancel", {"pid": "1", "backend_start": "2026-01-01 00:00:00+00"}, "Cancel")
    ).steps
    assert (vacuum.timeout, cancel.timeout) == (6 * 3600, 60)


def test_an_action_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there is no action 'postgres\.repair'"):
        runbook_for(Repair("postgres.repair", {}, "Repair"))


def test_what_stops_or_destroys_something_wants_its_name_typed() -> None:
    session = {"pid": "8123", "backend_start": "2026-01-01 00:00:00+00", "conn": "app"}
    (end,) = runbook_for(Repair("postgres.terminate", session, "End session 8123")).steps
    full = {"schema": "app", "table": "readings", "mode": "full"}
    (rewrite,) = runbook_for(Repair("postgres.vacuum", full, "Rewrite", destructive=True)).steps
    assert [(one.risk, one.confirm.mode, one.confirm.text) for one in (end, rewrite)] == [
        (Risk.DESTRUCTIVE, "type", "PID"),
        (Risk.DESTRUCTIVE, "type", "TABLE"),
    ]
    assert [
        one for one in lint(runbook_for(Repair("postgres.terminate", session, "End"))) if one.severity == "error"
    ] == []
