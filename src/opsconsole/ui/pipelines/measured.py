"""What the pages of pipelines show while only metrics tell of an Airflow: less, and marked as that.

Nothing that metrics do not tell is shown as zero or as well.
"""

from collections.abc import Sequence

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.pipelines.measured import SOME, MeasuredPromise, dag_state, judged_dags
from opsconsole.pipelines.metrics import ByMetrics, Measured, PoolMeasured
from opsconsole.ui.lines import Role, state_role
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Sheet
from opsconsole.ui.pipelines import marks
from opsconsole.ui.table_layout import Cell, Column, Row

_UNKNOWN = Cell("unknown", "dim")

_DAGS = (
    Column("state", "STATE", least=7),
    Column("dag", "DAG", widest=36, least=16),
    Column("failed", "FAILED 1H", align="right"),
    Column("succeeded", "OK 1H", align="right", priority=2),
    Column("tasks", "TASKS FAILED 1H", align="right", priority=3),
    Column("took", "TOOK", align="right", priority=4),
    Column("why", "", grows=True, least=16, priority=1),
)
_FAILURES = (
    Column("runs", "RUNS 1H", align="right"),
    Column("tasks", "TASKS 1H", align="right"),
    Column("dag", "DAG", grows=True, least=16),
)
_PROMISES = (
    Column("state", "STATE", least=7),
    Column("dag", "DAG", widest=36, least=16),
    Column("verdict", "NOW", widest=14),
    Column("target", "WITHIN", align="right"),
    Column("took", "TOOK", align="right", priority=2),
    Column("why", "", grows=True, least=16, priority=1),
)
_POOLS = (
    Column("name", "POOL", widest=40, least=12),
    Column("used", "RUNNING", align="right"),
    Column("queued", "QUEUED", align="right"),
    Column("starving", "WAITING", align="right"),
    Column("open", "OPEN", align="right"),
    Column("why", "", grows=True, least=16, priority=1),
)
_FILES = (Column("count", "FILES", align="right"), Column("why", "", grows=True, least=30))


def dags_sheet(told: ByMetrics) -> Sheet:
    """One row a DAG of which metrics tell, what failed first."""
    found = told.value
    judged = judged_dags(found)
    failed = sum(state is State.CRIT for _, state, _ in judged)
    known = f" of {found.known_dags:,.0f}" if found.known_dags is not None else ""
    queue = f"   {_number(found.running)} tasks run, {_number(found.queued)} are queued"
    summary = f"{marks.origin(told)}   {len(found.dags):,}{known} DAGs   {failed} failed within 1h{queue}"
    return Sheet(_DAGS, [_dag(*one) for one in judged], summary, notes=marks.notes_of(told))


def dag_detail(told: ByMetrics, key: str) -> Detail | None:
    """What metrics tell of one DAG, its tasks by how long they took."""
    one = next((dag for dag in told.value.dags if dag.dag_id == key), None)
    if one is None:
        return None
    state, why = dag_state(one)
    facts = (
        ("state", f"{state.value}  {why}"),
        ("runs failed within 1h", _number(one.failed)),
        ("runs succeeded within 1h", _number(one.succeeded)),
        ("tasks failed within 1h", _number(one.tasks_failed)),
        ("took", duration_text(one.seconds) if one.seconds is not None else "unknown"),
        ("read", marks.origin(told)),
    )
    tasks = sorted((task for task in told.value.tasks if task.dag_id == key), key=lambda task: -(task.seconds or 0.0))
    lines = [f"{duration_text(task.seconds or 0.0):>8}  {clean_line(task.task_id, limit=200)}" for task in tasks]
    parts = (("tasks, by how long they took on average", "\n".join(lines)),) if lines else ()
    return Detail(f"DAG {clean_line(key)}", tuple((name, clean_line(value)) for name, value in facts), parts)


def failures_sheet(told: ByMetrics) -> Sheet:
    """One row a DAG in which something failed within the hour."""
    found = told.value
    bad = [one for one in found.dags if (one.failed or 0.0) >= SOME or (one.tasks_failed or 0.0) >= SOME]
    bad.sort(key=lambda one: (-(one.failed or 0.0), -(one.tasks_failed or 0.0), one.dag_id))
    rows = [
        Row(
            one.dag_id,
            (_count(one.failed, "crit"), _count(one.tasks_failed, "warn"), cells.words(one.dag_id, limit=100)),
            {"dag_id": one.dag_id, "dag": one.dag_id},
        )
        for one in bad
    ]
    summary = f"{marks.origin(told)}   {_number(found.tasks_failed)} tasks failed within 1h; why, metrics do not tell"
    return Sheet(_FAILURES, rows, summary, notes=marks.notes_of(told))


def promises_sheet(told: ByMetrics, promised: Sequence[MeasuredPromise], notes: Sequence[str]) -> Sheet:
    """One row a promise, what is known to be broken first."""
    broken = sum(one.verdict is not None for one in promised)
    summary = f"{marks.origin(told)}   {len(promised)} promises   {broken} broken within 1h; which are kept is unknown"
    rows = [_promised(one) for one in promised]
    return Sheet(_PROMISES, rows, summary, notes=(*marks.notes_of(told), *notes))


def pools_sheet(told: ByMetrics) -> Sheet:
    """One row a pool; those in which something waits first."""
    pools = sorted(told.value.pools, key=lambda one: (-(one.starving or 0.0), one.pool))
    summary = f"{len(pools)} pools" if pools else "pools: metrics do not tell"
    return Sheet(_POOLS, [_pool(one) for one in pools], f"{marks.origin(told)}   {summary}", notes=marks.notes_of(told))


def imports_sheet(told: ByMetrics) -> Sheet:
    """How many files cannot be imported; which, metrics do not tell."""
    count = told.value.import_errors
    if count is None:
        summary = "whether files can be imported is unknown: metrics do not tell"
    elif count:
        summary = f"{count:,.0f} files cannot be imported; which, metrics do not tell"
    else:
        summary = "every file can be imported"
    rows = [Row("files", (_count(count, "crit"), cells.words("which, metrics do not tell", "dim")))] if count else []
    return Sheet(_FILES, rows, f"{marks.origin(told)}   {summary}", notes=marks.notes_of(told))


def _dag(one: Measured, state: State, why: str) -> Row:
    return Row(
        one.dag_id,
        (
            marks.judged(state),
            cells.words(one.dag_id, limit=100),
            _count(one.failed, "crit"),
            _count(one.succeeded, "text"),
            _count(one.tasks_failed, "warn"),
            cells.lasting(one.seconds),
            cells.words(why, "text" if state is State.CRIT else "dim"),
        ),
        {"dag_id": one.dag_id, "dag": one.dag_id},
    )


def _promised(one: MeasuredPromise) -> Row:
    return Row(
        one.dag_id,
        (
            marks.judged(one.state),
            cells.words(one.dag_id, limit=100),
            Cell(one.verdict.value, state_role(one.state)) if one.verdict is not None else _UNKNOWN,
            cells.lasting(one.sla.target),
            cells.lasting(one.seconds),
            cells.words(one.why, "dim" if one.verdict is None else "text"),
        ),
        {"dag_id": one.dag_id, "dag": one.dag_id},
    )


def _pool(one: PoolMeasured) -> Row:
    starving = (one.starving or 0.0) > 0 and one.open <= 0
    why = "nothing is free, and tasks wait: more slots, or fewer tasks at once" if starving else ""
    return Row(
        one.pool,
        (
            cells.words(one.pool, limit=100),
            _count(one.used, "text"),
            _count(one.queued, "text"),
            _count(one.starving, "warn"),
            cells.count(one.open, "warn" if starving else "text"),
            cells.words(why, "warn"),
        ),
        {"pool": one.pool},
    )


def _count(value: float | None, role: Role) -> Cell:
    return _UNKNOWN if value is None else cells.count(value, role)


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"
