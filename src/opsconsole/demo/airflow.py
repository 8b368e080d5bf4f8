"""The part of Airflow's command line that runbooks use, on the demo's metadata database:

`airflow dags pause|unpause|trigger DAG_ID`, `airflow dags list-import-errors`,
`airflow tasks clear [--yes] [--only-failed] [--task-regex R] [--downstream] [--start-date D] [--end-date D] DAG_ID`

Exit codes: 0 done, 1 there is nothing of that name, 2 wrong usage.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from opsconsole.core.paths import state_dir
from opsconsole.demo.dags import BY_ID, Dag, following
from opsconsole.demo.simulation.metadata import run_binds, selection
from opsconsole.demo.statements import statement

_PAUSE = "update dag set is_paused = %(paused)s where dag_id = %(dag)s returning dag_id"

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
    dag = BY_ID.get(options.dag_id)
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
    moment = connection.execute("select now()").fetchone()[0]
    binds = run_binds(dag.dag_id, "manual", "cli", run=options.run_id or None, logical_date=moment, run_after=moment)
    run = connection.execute(statement("engine/create_run"), binds).fetchone()
    _say(f"dag_id: {dag.dag_id}, dag_run_id: {run[0]}, state: queued")
    return 0


def _clear(dag: Dag, options: argparse.Namespace, connection: Any) -> int:
    named = [task.task_id for task in dag.tasks if re.search(options.task_regex, task.task_id)]
    if options.downstream:
        named += following(dag.tasks, named)
    chosen = selection(
        dag.dag_id,
        tasks=json.dumps([[task, None] for task in named]),
        start=options.start_date,
        end=options.end_date,
        failed=options.only_failed,
    )
    ids = [key for (key,) in connection.execute(statement("engine/select_tasks"), chosen)]
    cleared = connection.execute(statement("engine/clear"), {"ids": ids, "reset": True}).fetchall()
    for run, task, index, _ in cleared:
        _say(f"cleared {dag.dag_id} {run} {task}" + (f" {index}" if index >= 0 else ""))
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
