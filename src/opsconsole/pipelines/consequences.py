"""What Airflow does of itself when something is marked: it is more than the change of a name.

Sources: `set_task_instance_state` of DAGs and airflow.api.common.mark_tasks, of Airflow 3.3 and 2.11.
"""

from collections.abc import Iterable, Sequence

from opsconsole.pipelines.model import ENDED, FAILED, FINISHED, GOING_ON, Run, Structure, Task

_NAMED = 6
"""Tasks that are named; of the others it is said how many."""


def of_marking_a_task(task: Task, tasks: Iterable[Task], structure: Structure) -> str:
    """In words; empty where nothing but its state changes. Those that follow it and failed are cleared, and so the run
    goes on."""
    following = _following(structure, task.task_id)
    cleared = [one.title for one in tasks if one.task_id in following and one.state in FAILED]
    return f"Airflow then clears what follows it and failed, to run again: {_listed(cleared)}" if cleared else ""


def of_marking_a_run(run: Run, tasks: Sequence[Task], state: str, major: int) -> str:
    """In words; empty where nothing but its state changes."""
    if major < 3 and state == "success":
        others = [one.title for one in tasks if one.state != "success"]
        return f"Airflow 2 calls all of its tasks a success, these too: {_listed(others)}" if others else ""
    if run.state in ENDED:
        return ""
    stopped = [one.title for one in tasks if one.state in GOING_ON or one.state == "up_for_reschedule"]
    waiting = [one for one in tasks if one.state not in FINISHED and one.title not in stopped]
    words = [f"stops what runs: {_listed(stopped)}"] if stopped else []
    words += [f"skips {len(waiting)} that did not run yet"] if waiting else []
    return f"Airflow {' and '.join(words)}" if words else ""


def _following(structure: Structure, task_id: str) -> set[str]:
    """The ids of all tasks after that one."""
    found: set[str] = set()
    ahead = list(structure.get(task_id, ()))
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += structure.get(name, ())
    return found - {task_id}


def _listed(titles: Sequence[str]) -> str:
    more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
    return ", ".join(titles[:_NAMED]) + more
