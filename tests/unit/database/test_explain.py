"""Which statements are explained, and what running one takes."""

import json
from pathlib import Path

import pytest

from opsconsole.actions.action import Risk
from opsconsole.actions.confirmation import Demand, required
from opsconsole.actions.runners.explain import refused
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import Mode, PostgresSettings
from opsconsole.database.explain import Explained, analyze_action, load_plan, saved
from opsconsole.database.plan import PlanError
from tests.unit.database.test_plan import PLANS, recorded

SETTINGS = PostgresSettings("app", SecretRef.of("postgresql://127.0.0.1/app"))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select 1; drop table t", "2 statements, where one is expected"),
        ("commit", "commit controls transactions"),
        ("/* x */ RollBack", "rollback controls transactions"),
        ("prepare transaction 'x'", "prepare controls transactions"),
        ("vacuum t", "vacuum has no plan"),
        ("explain select 1", "explain has no plan"),
        ("copy t to program 'x'", "copy has no plan"),
        ("-- nothing", "there is no statement here"),
        ("select 'open", "a quote that does not end"),
        ("select 1\0 + 2", "a NUL character"),
        ("select '\udce9'", "bytes that are no text"),
    ],
)
def test_what_is_not_explained_and_why(sql: str, said: str) -> None:
    assert said in (refused(sql) or "")


@pytest.mark.parametrize("sql", ["select 1;", "(select 1)", "with x as (select 1) table x", "values (';')", "TABLE t"])
def test_one_statement_that_has_a_plan(sql: str) -> None:
    assert refused(sql) is None


def test_what_has_parameters_cannot_be_run() -> None:
    assert refused("select $2, $1") is None
    assert "it has $2" in (refused("select $2, $1", analyze=True) or "")


@pytest.mark.parametrize(
    ("sql", "opening"),
    [
        ("select a from t", "begin read only"),
        ("with x as (delete from t returning 1) select * from x", "begin"),
        ("update t set a = 1", "begin"),
        ("select 'delete' as \"update\"", "begin read only"),
        ("select * from t for update", "begin"),
    ],
)
def test_running_a_statement_is_an_action_that_asks_in_any_mode(sql: str, opening: str) -> None:
    action = analyze_action(SETTINGS, sql)
    assert action.command.splitlines()[1] == f"{opening};"
    assert action.command.endswith(f"{sql};\nrollback;")
    assert action.risk is Risk.WRITE
    assert required(action, Mode.OPEN).demand is Demand.YES


def test_a_plan_that_was_saved_is_read_again(tmp_path: Path) -> None:
    text = (PLANS / "cte.json").read_text()
    one = Explained("select $1", recorded("cte"), json.loads(text), "app", 1_700_000_000.0, generic=True)
    (tmp_path / "p.json").write_text(json.dumps(saved(one)))
    again = load_plan(tmp_path / "p.json")
    assert (again.plan, again.sql, again.database, again.generic) == (one.plan, "select $1", "app", True)
    assert load_plan(PLANS / "cte.json").plan == one.plan


@pytest.mark.parametrize(
    ("content", "said"),
    [("x", "p.json: no JSON"), ("[" * 100_000, "nested too deep"), ('{"kind": "plan", "format": 9}', "format 9, and 1"),
     ('{"kind": "plan", "format": 1}', "no plan")],
)  # fmt: skip
def test_what_is_no_saved_plan(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "p.json").write_text(content)
    with pytest.raises(PlanError, match=said):
        load_plan(tmp_path / "p.json")
    with pytest.raises(PlanError, match="No such file"):
        load_plan(tmp_path / "missing")
