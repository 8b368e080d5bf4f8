"""Plans of a real server (`plans/`, recorded on PostgreSQL 15) and what follows from them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from opsconsole.database.plan import Node, Plan, PlanError, plan_from, plan_of
from opsconsole.database.plan_costs import dearest, plan_lines, remarks, shares_of

PLANS = Path(__file__).parent / "plans"
NAMES = sorted(path.stem for path in PLANS.glob("*.json"))


def recorded(name: str) -> Plan:
    return plan_of((PLANS / f"{name}.json").read_bytes())


def said(plan: Plan) -> dict[str, list[str]]:
    shares = shares_of(plan)
    return {node.label: found for node in plan.root.walk() if (found := remarks(node, shares[id(node)]))}


def top(name: str) -> Node:
    plan = recorded(name)
    return dearest(plan, shares_of(plan))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "not_run"])
def test_the_parts_make_up_the_whole(name: str) -> None:
    plan = recorded(name)
    shares = shares_of(plan)
    assert sum(share.time for share in shares.values()) == pytest.approx(plan.root.inclusive)
    assert sum(share.part for share in shares.values()) == pytest.approx(1.0)
    assert plan.execution is not None
    assert plan.root.inclusive <= plan.execution


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("init_plan", "Seq Scan on app.orders"),
        ("cte", "Aggregate"),
        ("sort_spill", "Sort"),
        ("misestimate", "Seq Scan on app.skewed s"),
        ("never_executed", "Seq Scan on app.customers c"),
        ("not_run", "Bitmap Heap Scan on app.orders"),
    ],
)
def test_the_dearest_node(name: str, label: str) -> None:
    assert top(name).label == label


def test_the_work_of_a_cte_is_not_counted_for_the_scan_that_waits_for_it() -> None:
    plan = recorded("cte")
    scan = next(node for node in plan.root.walk() if node.type == "CTE Scan")
    assert scan.inclusive > 0.9 * plan.root.inclusive
    assert shares_of(plan)[id(scan)].part < 0.1


def test_the_work_of_an_init_plan_is_its_own_and_not_that_of_whom_it_is_for() -> None:
    plan = recorded("init_plan")
    inner = next(node for node in plan.root.walk() if node.role == "InitPlan")
    assert shares_of(plan)[id(plan.root)].time == pytest.approx(plan.root.inclusive - inner.inclusive)


def test_processes_at_once_share_the_clock() -> None:
    scan = list(recorded("parallel").root.walk())[-1]
    assert (scan.loops, scan.processes) == (3, 3)
    assert scan.inclusive == scan.time


def test_what_was_never_executed_took_nothing_and_has_no_wrong_estimate() -> None:
    node = next(node for node in recorded("never_executed").root.walk() if node.never)
    assert (node.inclusive, node.error) == (0.0, None)
    assert any("never executed" in line for line in plan_lines(recorded("never_executed")))


def test_what_is_wrong_is_said() -> None:
    assert said(recorded("sort_spill")) == {"Sort": ["external merge: 2656 kB on disk"]}
    assert said(recorded("hash_batches"))["Hash"] == ["hash table in 32 batches"]
    assert said(recorded("misestimate"))["Nested Loop"] == ["100 times the rows that were planned"]
    assert said(recorded("seq_scan")) == {"Seq Scan on app.orders": ["59940 rows read and thrown away, 60 kept"]}
    assert said(recorded("index_scan")) == {}


def test_a_limit_that_stops_a_scan_early_is_no_wrong_estimate() -> None:
    lines = "\n".join(plan_lines(recorded("limit")))
    assert "planned for" not in lines
    assert "planned for" in str(said(recorded("limit")))


def test_rows_that_a_merge_reads_again_are_no_wrong_estimate() -> None:
    sort = {"Node Type": "Sort", "Parent Relationship": "Inner", "Plan Rows": 1000, "Actual Rows": 999_000}
    plan = plan_from({"Plan": {**node(Plans=[{**timed(1.0), **sort}], **timed(2.0)), "Node Type": "Merge Join"}})
    assert "times the rows" not in "\n".join(plan_lines(plan))
    assert "999 times the rows that were planned" in str(said(plan))


def test_the_tree_as_people_read_it() -> None:
    lines = plan_lines(recorded("misestimate"))
    assert lines[0].startswith("Nested Loop  (")
    assert lines[2].startswith("├─ Index Scan using customers_pkey on app.customers c  (")
    assert lines[4].startswith("└─ Seq Scan on app.skewed s  (")
    assert lines[4].endswith("◀ dearest")
    assert lines[-1].startswith("planning ")


def node(**more: Any) -> Mapping[str, Any]:
    return {"Node Type": "Result", "Total Cost": 1.0, "Plan Rows": 1, **more}


def test_the_value_of_an_init_plan_as_newer_servers_write_it() -> None:
    inner = node(**{"Parent Relationship": "InitPlan", "Subplan Name": "InitPlan 1"}, **timed(5.0))
    user = node(**{"Parent Relationship": "Outer", "Filter": "(a > (InitPlan 1).col1)"}, **timed(6.0))
    plan = plan_from([{"Plan": node(Plans=[inner, user], **timed(7.0))}])
    own = [round(share.time * 1000, 6) for share in shares_of(plan).values()]
    assert own == [1.0, 5.0, 1.0]


def timed(milliseconds: float) -> dict[str, float]:
    return {"Actual Total Time": milliseconds, "Actual Rows": 1, "Actual Loops": 1}


def test_workers_that_were_not_to_be_had_and_their_own_spills() -> None:
    workers = [{"Worker Number": 0, "Sort Method": "external merge", "Sort Space Used": 64}]
    plan = plan_from({"Plan": node(**{"Workers Planned": 2, "Workers Launched": 1, "Workers": workers}, **timed(1.0))})
    assert said(plan)["Result"] == ["external merge: 64 kB on disk", "1 of 2 workers were to be had"]


def test_names_of_a_plan_reach_no_terminal_as_they_are() -> None:
    plan = plan_from({"Plan": node(**{"Relation Name": "a\x1b[31mb\nc", "Filter": "x = '\x07'"})})
    assert not {"\x1b", "\x07"} & set("".join(plan_lines(plan)))
    assert len(plan_lines(plan)) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("[]", "no plan"),
        ('{"Plan": 3}', "no plan"),
        ('{"Plan": {}}', "a damaged plan"),
        ('{"Plan": {"Node Type": "x", "Total Cost": "dear"}}', "a damaged plan"),
        (json.dumps({"Plan": (lambda f: f(f, 250))(lambda f, n: node(Plans=[f(f, n - 1)] if n else []))}), "deeper"),
    ],
)  # fmt: skip
def test_what_is_no_plan(text: str, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        plan_of(text)
