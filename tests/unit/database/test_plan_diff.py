"""The difference of two recorded plans."""

from opsconsole.database.plan_diff import diff, diff_lines
from tests.unit.database.test_plan import recorded


def test_a_table_that_is_reached_in_another_way() -> None:
    found = diff(recorded("seq_scan"), recorded("index_scan"))
    assert found.timed
    assert (
        "times faster; Seq Scan on app.orders → Bitmap Heap Scan on app.orders; new: Bitmap Index Scan" in found.summary
    )
    lines = diff_lines(found)
    assert any("was Seq Scan on app.orders; own time " in line for line in lines)


def test_the_other_way_round_is_slower() -> None:
    found = diff(recorded("index_scan"), recorded("seq_scan"))
    assert "times slower" in found.summary
    assert "gone: Bitmap Index Scan using orders_customer_idx" in found.summary


def test_a_join_of_the_same_tables_in_another_way() -> None:
    found = diff(recorded("loop_join"), recorded("hash_join"))
    join = next(pair for pair in found.pairs if pair.after is found.after.root)
    assert join.before is found.before.root
    assert "Nested Loop → Hash Join" in found.summary
    assert "new: Hash" in found.summary


def test_where_one_was_not_run_the_costs_are_compared() -> None:
    found = diff(recorded("seq_scan"), recorded("not_run"))
    assert not found.timed
    assert found.summary.startswith("cost 1250 → 175.77, 7.11 times cheaper")


def test_a_plan_is_as_itself() -> None:
    for name in ("cte", "init_plan", "parallel"):
        found = diff(recorded(name), recorded(name))
        assert all(pair.before is not None and pair.after is not None for pair in found.pairs)
        assert diff_lines(found) == [found.summary]
        assert found.summary.endswith("as before; the same nodes")
