"""Bring up a complete live platform on this machine, and open the console on it.

Real servers (PostgreSQL, Prometheus, Alertmanager) and a simulated data platform of restartable services, on
loopback, under one supervisor. A second `demo` joins the one that runs. docs/demo.md says what there is to see.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from opsconsole.cli.output import narrate, print_json, print_table, rfc3339
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.demo.faults import ActiveFault
    from opsconsole.demo.platform import Platform

EXAMPLE = "opsconsole demo --headless && opsconsole demo break service-down && opsconsole demo heal"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `opsconsole demo`."""
    parser.add_argument("verb", nargs="?", choices=("break", "heal"), help="cause a fault, or undo it")
    parser.add_argument("fault", nargs="?", help="the fault; heal without one undoes all")
    parser.add_argument("target", nargs="?", help="what break is done to; left out: the fault's usual target")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--headless", action="store_true", help="only start it, and print how to connect")
    what.add_argument("--stop", action="store_true", help="stop everything")
    what.add_argument("--status", action="store_true", help="say what runs; exit 1 where nothing does")
    parser.add_argument("--with-airflow", action="store_true", help="a real Airflow 3 instead of the stand-ins")
    parser.add_argument("--keep", action="store_true", help="leave it running when the console is left")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="of what is printed")


def run(args: argparse.Namespace) -> int:
    """Do what was asked; gives the exit code."""
    from opsconsole.demo.binaries import MissingBinary
    from opsconsole.demo.faults import FaultError
    from opsconsole.demo.platform import PlatformError
    from opsconsole.demo.supervision import SupervisorError

    try:
        return _run(args)
    except FaultError as error:
        narrate(f"opsconsole demo: {error}")
        return Exit.USAGE
    except (MissingBinary, PlatformError, SupervisorError) as error:
        narrate(f"opsconsole demo: {error}")
        return Exit.FAILED


def _run(args: argparse.Namespace) -> int:
    if args.verb:
        return _break(args) if args.verb == "break" else _heal(args)
    if args.stop:
        return _stop()
    if args.status:
        return _status(args)
    if not args.headless and not (sys.stdin.isatty() and sys.stderr.isatty()):
        narrate("opsconsole demo: the console needs a terminal; without one there is: opsconsole demo --headless")
        return Exit.USAGE
    platform, started = _start(tied=not (args.headless or args.keep), airflow=args.with_airflow)
    if args.headless:
        _print_connection(platform, args.format)
        return Exit.DONE
    return _open(platform, stop_after=started and not args.keep)


def _start(*, tied: bool, airflow: bool) -> "tuple[Platform, bool]":
    from opsconsole.demo.platform import start

    with _ended_by_signals():
        platform, started = start(narrate, tied=tied, airflow=airflow)
    if not started:
        narrate("joining the demo that runs")
    return platform, started


def _open(platform: "Platform", *, stop_after: bool) -> int:
    from opsconsole.cli import console
    from opsconsole.demo.platform import stop

    options = {"config": str(platform.config), "env": "demo", "prometheus": None, "postgres": None}
    code = int(Exit.FAILED)
    try:
        code = console.open_console(argparse.Namespace(**options, read_only=False, screen=None))
    finally:
        if stop_after and code > _SIGNALLED:
            _stop_behind()
        elif stop_after:
            narrate("stopping the demo (--keep leaves it running)")
            stop()
        else:
            narrate("the demo runs on; stop it with: opsconsole demo --stop")
    return code


_SIGNALLED = 128
"""Exit codes above it name the signal that ended the console."""


def _stop_behind() -> None:
    """Stop the demo from a process of its own: whoever sent the signal does not wait, and the terminal may be gone."""
    subprocess.Popen(
        [sys.executable, "-P", "-m", "opsconsole.cli.main", "demo", "--stop"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _stop() -> int:
    from opsconsole.demo.platform import stop

    narrate("the demo is stopped" if stop() else "no demo was running")
    return Exit.DONE


def _status(args: argparse.Namespace) -> int:
    from opsconsole.demo.faults import active
    from opsconsole.demo.platform import running

    platform = running()
    if platform is None:
        if args.format == "json":
            print_json({"running": False})
        narrate("no demo is running; start it with: opsconsole demo --headless")
        return Exit.FAILED
    faults, units = active(platform), _units(platform)
    if args.format == "json":
        print_json(
            {"running": True, **_connection(platform), "units": units, "faults": [_fault(one) for one in faults]}
        )
        return Exit.DONE
    columns = ("service", "instance", "state", "pid", "since")
    print_table(columns, [[unit[column] for column in columns] for unit in units])
    for fault in faults:
        narrate(f"fault {fault.name}: {fault.summary}; undone by {fault.undone_by}")
    return Exit.DONE


def _break(args: argparse.Namespace) -> int:
    from opsconsole.demo.faults import FAULTS, FaultError, break_

    if not args.fault:
        raise FaultError(f"break what? {', '.join(FAULTS)}")
    fault = break_(_platform(), args.fault, args.target)
    if args.format == "json":
        print_json(_fault(fault))
    narrate(f"{fault.name}: {fault.summary}; undone by {fault.undone_by}")
    return Exit.DONE


def _heal(args: argparse.Namespace) -> int:
    from opsconsole.demo.faults import heal

    healed = heal(_platform(), args.fault or "all")
    if args.format == "json":
        print_json([_fault(one) for one in healed])
    narrate("healed: " + ", ".join(f"{one.name} {one.target}" for one in healed) if healed else "nothing was broken")
    return Exit.DONE


def _platform() -> "Platform":
    from opsconsole.demo.platform import PlatformError, running

    platform = running()
    if platform is None:
        raise PlatformError("no demo is running; start it with: opsconsole demo --headless")
    return platform


def _connection(platform: "Platform") -> dict[str, Any]:
    keys = (
        "config", "state", "prometheus", "alertmanager", "airflow", "postgres", "redis", "services", "control", "logs",
    )  # fmt: skip
    return {key: platform.facts.get(key) for key in (*keys, "started_at")}


def _print_connection(platform: "Platform", form: str) -> None:
    if form == "json":
        print_json(_connection(platform))
        return
    facts = _connection(platform)
    rows = [(name, facts[name]) for name in ("config", "prometheus", "alertmanager")]
    rows += [("airflow", facts["airflow"]["url"])] if facts["airflow"] else []
    rows += [(f"postgres/{name}", dsn) for name, dsn in facts["postgres"].items()]
    rows += [("redis", facts["redis"])] if facts["redis"] else []
    print_table(("what", "where"), [*rows, ("logs", facts["logs"])])
    narrate(f"open the console on it: opsconsole --config {facts['config']}\nstop it: opsconsole demo --stop")


def _units(platform: "Platform") -> list[dict[str, Any]]:
    from opsconsole.demo.catalogue import instances

    units = platform.supervisor.units()
    return [
        {
            "service": one.service,
            "instance": one.name,
            "state": units[one.unit].state,
            "pid": units[one.unit].pid or None,
            "since": rfc3339(units[one.unit].since) if units[one.unit].pid else None,
        }
        for one in instances()
        if one.unit in units
    ]


def _fault(fault: "ActiveFault") -> dict[str, Any]:
    return {
        "fault": fault.name,
        "target": fault.target,
        "since": rfc3339(fault.since),
        "summary": fault.summary,
        "undone_by": fault.undone_by,
    }


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """While the platform comes up, a signal that ends this program first takes down what has started."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
