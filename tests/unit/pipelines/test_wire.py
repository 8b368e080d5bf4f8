"""From the JSON of both versions of the API to one model, whatever is missing or of another type."""

from hypothesis import example, given
from hypothesis import strategies as st

from opsconsole.pipelines import wire
from opsconsole.pipelines.model import Component

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["dag_id", "dag_run_id", "task_id", "map_index", "state", "tags", "owners", "schedule_interval", "logical_date",
     "data_interval_end", "conf", "note", "try_number", "slots", "stack_trace", "downstream_task_ids", "start_date"]
)  # fmt: skip


@example({"try_number": float("-inf"), "map_index": float("nan"), "slots": float("inf")})  # Python's json reads them
@given(st.dictionaries(KEYS, JSON))
def test_no_answer_is_so_odd_that_it_ends_the_program(entry: dict[str, object]) -> None:
    for read in (wire.dag_of, wire.run_of, wire.task_of, wire.try_of, wire.pool_of, wire.broken_file_of):
        read(entry)
    wire.structure_of((entry,))
    wire.components_of(entry)


def test_version_1_has_its_run_after_at_the_end_of_the_data_interval() -> None:
    entry = {"dag_id": "a", "dag_run_id": "r", "execution_date": "2026-11-28T00:00:00+00:00", "state": "success"}
    assert wire.run_of(entry).run_after_at == wire.moment("2026-11-28T00:00:00Z")
    run = wire.run_of({**entry, "data_interval_end": "2026-11-29T00:00:00+00:00"})
    assert (run.run_after_at, run.logical_at) == (
        wire.moment("2026-11-29T00:00:00Z"), wire.moment("2026-11-28T00:00:00Z"),
    )  # fmt: skip


def test_a_null_logical_date_stays_unknown() -> None:
    run = wire.run_of({"dag_id": "a", "dag_run_id": "r", "logical_date": None, "run_after": "2026-11-29T00:00:00Z"})
    assert (run.logical_at, run.run_after_at) == (None, wire.moment("2026-11-29T00:00:00Z"))


def test_a_part_without_a_status_is_neither_alive_nor_dead() -> None:
    answer = {"scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": None}, "triggerer": {"status": None}}
    assert wire.components_of(answer) == (Component("scheduler", False), Component("triggerer", None))
