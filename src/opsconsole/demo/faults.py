"""Break the demo in one of eight ways, and heal it again.

A fault is a file in the demo's folder that the simulated services watch, and for some of them a deed besides.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.demo.catalogue import ROUTES, TABLES, Instance, instances, select
from opsconsole.demo.dags import DAGS
from opsconsole.demo.delivering import send_to_alertmanager, send_to_nobody
from opsconsole.demo.files import write_private
from opsconsole.demo.platform import Platform
from opsconsole.demo.programs import LOCK_CHAIN
from opsconsole.demo.real.commands import Airflow, CommandError
from opsconsole.demo.simulation.loads import AGE, LOADS
from opsconsole.demo.simulation.metadata import FAILED_LATELY
from opsconsole.demo.statements import statement
from opsconsole.demo.volume import FULL, USUAL, write_volume


class FaultError(Exception):
    """No such fault or target; says which there are."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break the demo."""

    name: str
    summary: str
    targets: tuple[str, ...]
    """What it can be done to; the first is the default."""
    undone_by: str
    restart_heals: bool = False


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that is there now."""

    name: str
    target: str
    since: float
    """Unix seconds."""
    summary: str
    undone_by: str


_APIS = tuple(dict.fromkeys(route.service for route in ROUTES))
_UNITS = tuple(dict.fromkeys(["energy-service/app-2", *(str(one) for one in instances())]))

_DAGS = tuple(dag.dag_id for dag in DAGS)
_TABLES = ("tariffs", *(table for table in TABLES if table != "tariffs"))
_RESTART = "a restart, or heal"
_CLEAR = "clearing a failed run of it, or heal"
_TRIGGER = "triggering the DAG that loads it, or heal"
_CLEANUP = "the clean-up of the volume, or heal"
_HEAL = "heal"
_RECEIVERS = ("alertmanager",)
_LOCK = "ending the session that blocks, or heal"

FAULTS = {
    fault.name: fault
    for fault in (
        Fault("service-down", "{target} is stopped, and stays down", _UNITS, _RESTART, restart_heals=True),
        Fault("high-errors", "a third of {target}'s answers are 500", _APIS, _RESTART, restart_heals=True),
        Fault("slow-api", "{target}'s answers take a second longer", _APIS, _RESTART, restart_heals=True),
        Fault("dag-failure", "the second task of {target} fails all its tries", _DAGS, _CLEAR),
        Fault("stale-data", "no loads into {target}; its newest row is 26 h old", _TABLES, _TRIGGER),
        Fault("lock", "a transaction left idle blocks three sessions on {target}, in app", ("meters",), _LOCK),
        Fault("disk-full", "the simulated volume {target} has 3 % left", ("/data",), _CLEANUP),
        Fault(
            "alerts-lost", "Prometheus sends alerts where {target} is not, the dead-man's switch too", _RECEIVERS, _HEAL
        ),
    )
}


def break_(platform: Platform, name: str, target: str | None = None, since: float | None = None) -> ActiveFault:
    """Cause a fault. Causing one that is there already begins it anew.

    `since`: Unix seconds from which on it counts as there, now if None. What starts before that has it from its first
    answer on.

    Raises:
        FaultError: there is no such fault, or it cannot be done to `target`.
    """
    fault, chosen = _resolve(name, target)
    since = time.time() if since is None else since
    flag = platform.folders.faults / f"{name}.json"
    struck = {unit.name: unit.pid for unit in platform.supervisor.units().values()}
    write_private(flag, json.dumps({"target": chosen, "since": since, "pids": struck}))
    _DEEDS.get(name, _nothing)(platform, chosen)
    return ActiveFault(name, chosen, since, fault.summary.format(target=chosen), fault.undone_by)


def heal(platform: Platform, name: str = "all") -> list[ActiveFault]:
    """Undo a fault, or all; gives those that were there.

    Raises:
        FaultError: there is no such fault.
    """
    if name != "all" and name not in FAULTS:
        raise FaultError(f"no fault {name!r}; there are: {', '.join(FAULTS)}, and all")
    healed = []
    for fault in active(platform):
        if name in ("all", fault.name):
            (platform.folders.faults / f"{fault.name}.json").unlink(missing_ok=True)
            _REMEDIES.get(fault.name, _nothing)(platform, fault.target)
            healed.append(fault)
    return healed


def active(platform: Platform) -> list[ActiveFault]:
    """The faults that are there now. One that a restart or an operator has undone is forgotten."""
    found = []
    for name, fault in FAULTS.items():
        flag = platform.folders.faults / f"{name}.json"
        try:
            told: dict[str, Any] = json.loads(flag.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        target, since = str(told["target"]), float(told["since"])
        if _undone(platform, fault, target, told["pids"]):
            flag.unlink(missing_ok=True)
            continue
        found.append(ActiveFault(name, target, since, fault.summary.format(target=target), fault.undone_by))
    return found


def _resolve(name: str, target: str | None) -> tuple[Fault, str]:
    fault = FAULTS.get(name)
    if fault is None:
        raise FaultError(f"no fault {name!r}; there are: {', '.join(FAULTS)}")
    if target is None:
        return fault, fault.targets[0]
    if target in fault.targets or (name == "service-down" and _is_service(target)):
        return fault, target
    raise FaultError(f"{name} cannot be done to {target!r}; it can to: {', '.join(fault.targets)}")


def _is_service(target: str) -> bool:
    try:
        select(target)
    except KeyError:
        return False
    return True


def _undone(platform: Platform, fault: Fault, target: str, pids_then: dict[str, int]) -> bool:
    """Whether somebody else has undone it; `pids_then` are those of all programs when it began."""
    units = platform.supervisor.units()
    if fault.name == "lock":
        return units[LOCK_CHAIN].state not in ("STARTING", "RUNNING")
    if not fault.restart_heals:
        return False
    # A process that started after the fault began does not have it any more.
    struck = [units[one.unit] for one in _present(platform, target)]
    return all(unit.pid not in (0, pids_then.get(unit.name)) for unit in struck)


def _present(platform: Platform, target: str) -> Sequence[Instance]:
    units = platform.supervisor.units()
    return [one for one in select(target) if one.unit in units]


def _nothing(platform: Platform, target: str) -> None:
    """The flag is all there is to it."""


def _stop(platform: Platform, target: str) -> None:
    struck = _present(platform, target)
    if not struck:
        raise FaultError(f"{target} does not run on this machine")
    for one in struck:
        platform.supervisor.stop(one.unit)


def _start(platform: Platform, target: str) -> None:
    for one in _present(platform, target):
        platform.supervisor.start(one.unit)


def _age(platform: Platform, table: str) -> None:
    time.sleep(0.1)  # a load that is under way ends first
    _execute(platform, "app", AGE[table])


def _load(platform: Platform, table: str) -> None:
    _execute(platform, "app", LOADS[table])


def _clear_failed(platform: Platform, dag_id: str) -> None:
    """As an operator would: clear the failed tasks of the latest runs, now that their cause is gone."""
    if airflow := _real_airflow(platform):
        try:
            airflow.clear_failed(dag_id)
        except CommandError as error:
            raise FaultError(str(error)) from error
        return
    failed = [key for (key,) in _execute(platform, "airflow", FAILED_LATELY, {"dag": dag_id})]
    _execute(platform, "airflow", statement("engine/clear"), {"ids": failed, "reset": True})


def _run_at_once(platform: Platform, dag_id: str) -> None:
    """The engine's scheduler starts a run by itself; a real Airflow is asked for one."""
    if airflow := _real_airflow(platform):
        try:
            airflow.trigger(dag_id)
        except CommandError as error:
            raise FaultError(str(error)) from error


def _real_airflow(platform: Platform) -> Airflow | None:
    told = platform.facts.get("airflow", {})
    return Airflow(told["url"], Path(told["password_files"]["admin"])) if told.get("real") else None


def _execute(
    platform: Platform, database: str, text: str, binds: dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    import psycopg

    dsn = platform.facts["postgres"][database]
    with psycopg.connect(dsn, autocommit=True, application_name="opsconsole-demo", connect_timeout=5) as connection:
        cursor = connection.execute(text.encode(), binds)
        return cursor.fetchall() if cursor.description else []


_DEEDS: dict[str, Callable[[Platform, str], None]] = {
    "service-down": _stop,
    "stale-data": _age,
    "dag-failure": _run_at_once,
    "lock": lambda platform, target: platform.supervisor.start(LOCK_CHAIN),
    "disk-full": lambda platform, target: write_volume(platform.folders.node, FULL),
    "alerts-lost": lambda platform, target: send_to_nobody(platform),
}
_REMEDIES: dict[str, Callable[[Platform, str], None]] = {
    "service-down": _start,
    "stale-data": _load,
    "dag-failure": _clear_failed,
    "lock": lambda platform, target: platform.supervisor.stop(LOCK_CHAIN),
    "disk-full": lambda platform, target: write_volume(platform.folders.node, USUAL),
    "alerts-lost": lambda platform, target: send_to_alertmanager(platform),
}
