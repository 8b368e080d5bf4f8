"""The part of Airflow's command line that runbooks use, on the demo's metadata database:

`airflow dags pause|unpause|trigger DAG_ID`, `airflow dags list-import-errors`,
`airflow tasks clear [--yes] [--only-failed] [--task-regex R] [--downstream] [--start-date D] [--end-date D] DAG_ID`

Exit codes: 0 done, 1 there is nothing of that name, 2 wrong usage.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from opsconsole.core.paths import state_dir
from opsconsole.demo.catalogue import DAGS, Dag

_PAUSE = "update dag set is_paused = %(paused)s where dag_id = %(dag)s returning dag_id"

_TRIGGER = """
with run as (
    insert into dag_run (dag_id, run_id, run_type, state, logical_date, data_interval_start, data_interval_end,
                         run_after, queued_at, start_date, triggered_by)
    select dag_id, coalesce(nullif(%(run)s, ''), 'manual__' || to_char(now() at time zone 'UTC', %(format)s)), 'manual',
            'running', now(), now(), now(), now(), now(), now(), 'cli'
    from dag where dag_id = %(dag)s
    returning dag_id, run_id
)
insert into task_instance (dag_id, run_id, task_id, operator, task_display_name, state, scheduled_dttm)
select dag_id, run_id, task, operator, task, null, now()
from run, unnest(%(tasks)s::text[], %(operators)s::text[]) as t (task, operator)
returning run_id
"""

_CLEAR = """
with cleared as (
    update task_instance t set state = null, try_number = 0, start_date = null, end_date = null, duration = null,
           updated_at = now()
    from dag_run r
    where r.dag_id = t.dag_id and r.run_id = t.run_id and t.dag_id = %(dag)s and t.task_id = any(%(tasks)s)
      and (%(start)s::timestamptz is null or r.logical_date >= %(start)s)
      and (%(end)s::timestamptz is null or r.logical_date <= %(end)s)
      and (not %(failed)s or t.state in ('failed', 'upstream_failed'))
    returning t.run_id, t.task_id
), reopened as (
    update dag_run set state = 'queued', end_date = null, clear_number = clear_number + 1, updated_at = now()
    where dag_id = %(dag)s and run_id in (select run_id from cleared)
)
select run_id, task_id from cleared order by 1, 2
"""

_IMPORT_ERRORS = "select filename, stacktrace from import_error order by filename"


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; gives the exit code."""
    options = _arguments(argv)
    from opsconsole.demo.platform import running

    platform = running(options.folder or state_dir() / "demo")
    if platform is None:
        return _complain("the demo is not running; start it with: opsconsole demo --headless", 1)
    import psycopg

    try:
        with psycopg.connect(platform.facts["postgres"]["airflow"], autocommit=True, connect_timeout=5) as connection:
            return _do(options, connection)
    except psycopg.Error as error:
        return _complain(str(error).strip(), 1)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="airflow", description="Airflow's command line, as far as the demo has it")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    groups = parser.add_subparsers(dest="group", required=True)
    dags = groups.add_parser("dags").add_subparsers(dest="verb", required=True)
    for verb in ("pause", "unpause", "trigger"):
        one = dags.add_parser(verb)
        one.add_argument("dag_id")
        one.add_argument("-y", "--yes", action="store_true")
        if verb == "trigger":
            one.add_argument("--run-id", "-r", default="")
    dags.add_parser("list-import-errors")
    clear = groups.add_parser("tasks").add_subparsers(dest="verb", required=True).add_parser("clear")
    clear.add_argument("dag_id")
    clear.add_argument("-y", "--yes", action="store_true")
    clear.add_argument("-f", "--only-failed", action="store_true")
    clear.add_argument("-t", "--task-regex", default="")
    clear.add_argument("-d", "--downstream", action="store_true")
    clear.add_argument("-s", "--start-date", type=datetime.fromisoformat)
    clear.add_argument("-e", "--end-date", type=datetime.fromisoformat)
    return parser.parse_args(argv)


def _do(options: argparse.Namespace, connection: Any) -> int:
    if options.verb == "list-import-errors":
        errors = connection.execute(_IMPORT_ERRORS).fetchall()
        _say("\n".join(f"{name} | {trace}" for name, trace in errors) or "No data found")
        return 0
    dag = next((one for one in DAGS if one.dag_id == options.dag_id), None)
    if dag is None:
        return _complain(f"Dag id {options.dag_id} not found", 1)
    if options.verb == "trigger":
        return _trigger(dag, options, connection)
    if options.verb == "clear":
        return _clear(dag, options, connection)
    connection.execute(_PAUSE, {"dag": dag.dag_id, "paused": options.verb == "pause"})
    _say(f"dag_id: {dag.dag_id}, is_paused: {options.verb == 'pause'}")
    return 0


def _trigger(dag: Dag, options: argparse.Namespace, connection: Any) -> int:
    tasks, operators = zip(*dag.tasks, strict=True)
    binds = {
        "dag": dag.dag_id,
        "run": options.run_id,
        "format": 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"',
        "tasks": list(tasks),
        "operators": list(operators),
    }
    run = connection.execute(_TRIGGER, binds).fetchone()
    _say(f"dag_id: {dag.dag_id}, dag_run_id: {run[0]}, state: queued")
    return 0


def _clear(dag: Dag, options: argparse.Namespace, connection: Any) -> int:
    order = [task for task, _ in dag.tasks]
    named = [task for task in order if re.search(options.task_regex, task)]
    if options.downstream and named:
        named = order[order.index(named[0]) :]  # each DAG of the demo is a chain
    binds = {
        "dag": dag.dag_id,
        "tasks": named,
        "start": options.start_date,
        "end": options.end_date,
        "failed": options.only_failed,
    }
    cleared = connection.execute(_CLEAR, binds).fetchall()
    for run, task in cleared:
        _say(f"cleared {dag.dag_id} {run} {task}")
    if not cleared:
        _say("Nothing to clear.")
    return 0


def _say(text: str) -> None:
    """One line on stdout."""
    sys.stdout.write(text + "\n")


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"airflow: {text}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
