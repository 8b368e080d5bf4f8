"""What holds a run up: why it has not begun, or not ended, by what Airflow tells of it, its DAG, and itself. Pure.

Airflow accepts a run, and says nothing of why it then stays where it is.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import age_text
from opsconsole.pipelines.model import GOING_ON, Component, Dag, Pool, Run, Task

_NAMED = 3
"""Runs or tasks that are named; of the others it is said how many."""
UNTAKEN = 60.0
"""Seconds in the queue from which on no worker seems to take a task: one that is free takes it within a few."""
_SERVICES = "opsconsole pipeline health, and the runbook service-restart-procedures"


class Cause(StrEnum):
    """What it is that holds a run up."""

    SCHEDULER = "scheduler"
    PAUSED = "paused"
    RUNS = "max_active_runs"
    POOL = "pool"
    TRIGGERER = "triggerer"
    WORKER = "worker"
    RETRY = "retry"
    GOING_ON = "running"
    """Nothing: it runs."""
    UNTOLD = "untold"


_UNTIL_SOMEBODY = frozenset({Cause.SCHEDULER, Cause.PAUSED})
"""What does not pass by itself."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a run is where it is."""

    cause: Cause
    said: str
    """One clean sentence without its full stop: where the run stands, what holds it, when it goes on."""
    look: str = ""
    """What to look at next."""

    @property
    def stuck(self) -> bool:
        """Whether it takes somebody to do something: waiting for it is no use."""
        return self.cause in _UNTIL_SOMEBODY

    @property
    def known(self) -> bool:
        """Whether something holds it up that has a name; else it takes its time."""
        return self.cause not in (Cause.GOING_ON, Cause.UNTOLD)

    def __str__(self) -> str:
        return f"{self.said}; see {self.look}" if self.look else self.said


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a run that is waited for. What could not be seen is empty, or None."""

    run: Run
    now: float
    """Unix seconds by Airflow's clock."""
    dag: Dag | None = None
    tasks: Sequence[Task] = ()
    components: Sequence[Component] = ()
    pools: Sequence[Pool] = ()
    others: Sequence[Run] = ()
    """Runs of the same DAG."""


def hold_of(evidence: Evidence) -> Hold:
    """What holds the run up: of several causes the one that has to be seen to first."""
    for find in (_by_scheduler, _by_pause, _by_other_runs, _by_pool, _by_triggerer, _by_worker, _by_retry, _by_nothing):
        found = find(evidence)
        if found is not None:
            return found
    run = evidence.run
    silent = f"{_stands(run)}, and Airflow does not tell what it waits for"
    return Hold(Cause.UNTOLD, silent, f"opsconsole pipeline tasks {_argument(run.dag_id)}")


def scheduler_silence(components: Sequence[Component], now: float) -> str:
    """For how long the scheduler has not been heard of, in words; empty where it lives, or nothing is told of it."""
    scheduler = next((one for one in components if one.name == "scheduler"), None)
    if scheduler is None or scheduler.alive or not scheduler.seen:
        return ""
    if scheduler.seen_at is None:
        return "the scheduler has not been heard of"
    return f"the scheduler has not been heard of for {age_text(max(0.0, now - scheduler.seen_at))}"


def _by_scheduler(evidence: Evidence) -> Hold | None:
    silence = scheduler_silence(evidence.components, evidence.now)
    if not silence:
        return None
    follows = "it starts" if evidence.run.state == "queued" else "nothing more of it starts until then, and it goes on"
    return Hold(Cause.SCHEDULER, f"{_stands(evidence.run)}; {silence}; {follows} when the scheduler is back", _SERVICES)


def _by_pause(evidence: Evidence) -> Hold | None:
    dag = evidence.dag
    if dag is None or not dag.paused:
        return None
    follows = "it starts" if evidence.run.state == "queued" else "it goes on"
    said = f"{_stands(evidence.run)}; {clean_line(dag.dag_id)} is paused; {follows} when it is unpaused"
    return Hold(Cause.PAUSED, said, f"opsconsole pipeline unpause {_argument(dag.dag_id)}")


def _by_other_runs(evidence: Evidence) -> Hold | None:
    run, dag = evidence.run, evidence.dag
    if run.state != "queued" or dag is None or not dag.most_runs:
        return None
    # airflow.models.dagrun: runs of a backfill are counted by themselves.
    beside = [one for one in evidence.others if one.state == "running" and one.kind != "backfill"]
    if len(beside) < dag.most_runs or run.kind == "backfill":
        return None
    said = (
        f"{_stands(run)}; {len(beside)} of {dag.most_runs} that may run at once (max_active_runs) do: "
        f"{_list([one.run_id for one in beside])}; it starts when one of them ends"
    )
    return Hold(Cause.RUNS, said, f"opsconsole pipeline runs {_argument(run.dag_id)}")


def _by_pool(evidence: Evidence) -> Hold | None:
    full = {one.name: one for one in evidence.pools if one.open == 0}
    held = [one for one in evidence.tasks if one.state == "scheduled" and one.pool in full]
    if not held or _runs(evidence):
        return None
    pool = full[held[0].pool]
    said = (
        f"{_stands(evidence.run)}; {_tasks(held)} for a slot of pool {clean_line(pool.name)}, "
        f"of which all {pool.slots} are taken"
    )
    return Hold(Cause.POOL, said, "opsconsole pipeline pools")


def _by_triggerer(evidence: Evidence) -> Hold | None:
    dead = any(one.name == "triggerer" and one.alive is False and one.seen for one in evidence.components)
    held = [one for one in evidence.tasks if one.state == "deferred"]
    if not dead or not held:
        return None
    said = f"{_stands(evidence.run)}; {_tasks(held)} for the triggerer, which gives no sign of life"
    return Hold(Cause.TRIGGERER, said, _SERVICES)


def _by_worker(evidence: Evidence) -> Hold | None:
    held = [one for one in evidence.tasks if (one.waited(evidence.now) or 0.0) >= UNTAKEN and one.state == "queued"]
    if not held or _runs(evidence):
        return None
    longest = max(one.waited(evidence.now) or 0.0 for one in held)
    said = (
        f"{_stands(evidence.run)}; {_tasks(held)} in the executor's queue, for {age_text(longest)}: "
        "its workers are busy, or gone"
    )
    return Hold(Cause.WORKER, said, _SERVICES)


def _by_retry(evidence: Evidence) -> Hold | None:
    held = [one for one in evidence.tasks if one.state == "up_for_retry"]
    if not held or _runs(evidence):
        return None
    said = f"{_stands(evidence.run)}; {_list([one.title for one in held])} failed, and is tried again after its delay"
    return Hold(Cause.RETRY, said, f"opsconsole pipeline log {_argument(held[0].dag_id)} {_argument(held[0].task_id)}")


def _by_nothing(evidence: Evidence) -> Hold | None:
    run = evidence.run
    if run.state != "running":
        return None
    running = [one for one in evidence.tasks if one.state in GOING_ON]
    lasting = run.running_for(evidence.now)
    said = f"{clean_line(run.run_id)} is running still" + (f", for {age_text(lasting)}" if lasting else "")
    if running:
        said += f": {_list([one.title for one in running])}"
    return Hold(Cause.GOING_ON, said, f"opsconsole pipeline tasks {_argument(run.dag_id)}")


def _runs(evidence: Evidence) -> bool:
    """Whether something of it runs, so that what waits does not hold all of it up."""
    return any(one.state in GOING_ON for one in evidence.tasks)


def _stands(run: Run) -> str:
    return f"the run {clean_line(run.run_id)} is {clean_line(run.state)}"


def _tasks(held: Sequence[Task]) -> str:
    """`load waits`, `load, check and 4 more wait`."""
    return f"{_list([one.title for one in held])} {'waits' if len(held) == 1 else 'wait'}"


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(clean_line(one, limit=80) for one in names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown


def _argument(name: str) -> str:
    """A name as it stands on a command line."""
    return shlex.quote(clean_line(name))
