"""How the real Airflow of the demo is set up and run: its environment, its files, its components."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from opsconsole.demo.dags import DAGS
from opsconsole.demo.files import write_private
from opsconsole.demo.simulation.loads import LOADS

if TYPE_CHECKING:
    from psycopg import Connection

COMPONENTS = {
    "airflow-api-server": "api-server",
    "airflow-scheduler": "scheduler",
    "airflow-dag-processor": "dag-processor",
    "airflow-triggerer": "triggerer",
}
"""Service -> what Airflow calls it. Tasks run below the scheduler: there is no worker."""
POOLS = """
with usual as (update slot_pool set slots = 16 where pool = 'default_pool')
insert into slot_pool (pool, slots, description, include_deferred) values ('database', 4, 'Heavy SQL', false)
on conflict (pool) do nothing
"""


class AirflowError(Exception):
    """The real Airflow could not be set up; says why."""


def environment(
    home: Path, port: int, database: str, app: str, faults: Path, logs: Path, secret: str, users: Mapping[str, str]
) -> dict[str, str]:
    """The variables that every component is run with. `database` and `app` are URLs with their password, `users` maps
    names to roles."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in users.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secret,
        "AIRFLOW__API_AUTH__JWT_SECRET": secret,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(logs),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "DEMO_APP_DSN": app,
        "DEMO_FAULTS": str(faults),
    }


def url(scheme: str, role: str, password: str, port: int, database: str) -> str:
    """The URL of a database of the demo, with its password: for those who do not take it from a file."""
    return f"{scheme}://{role}:{quote(password, safe='')}@127.0.0.1:{port}/{database}"


def prepare(home: Path, passwords: Mapping[str, str]) -> None:
    """Write what Airflow reads: the DAGs, and who may log in."""
    folder = home / "dags"
    folder.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).parent
    shutil.copyfile(here / "dags.py", folder / "demo_dags.py")
    shutil.copyfile(here / "export_invoices.py", folder / "export_invoices.py")
    told = [{**asdict(dag), "load": LOADS.get(dag.loads, "")} for dag in DAGS]
    (folder / "demo_dags.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    write_private(home / "passwords.json", json.dumps(dict(passwords)))


def migrate(program: Path, variables: Mapping[str, str], log: Path) -> None:
    """Make the tables: ten seconds.

    Raises:
        AirflowError: it failed; names the log.
    """
    with log.open("wb") as output:
        done = subprocess.run(
            [str(program), "db", "migrate"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **variables, "PATH": path(program)},
            check=False,
        )
    if done.returncode != 0:
        raise AirflowError(f"the tables of Airflow could not be made; log: {log}")


def add_pools(connection: "Connection[tuple[object, ...]]") -> None:
    """The pools of the demo."""
    connection.execute(POOLS.encode())


def command_line(program: Path, variables: Mapping[str, str]) -> str:
    """The script `airflow` that runbooks call: Airflow's own command line, on this Airflow."""
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
    return f'#!/bin/sh\n# Airflow\'s own command line\n{exports}\nexec {shlex.quote(str(program))} "$@"\n'


def path(program: Path) -> str:
    """The `PATH` of Airflow: it starts programs of its own environment by their names."""
    return f"{program.parent}:{os.environ.get('PATH', '')}"
