"""Start, stop and restart the services of the demo, as `systemctl` would:

`control [--folder FOLDER] restart|status|start|stop|logs SERVICE [INSTANCE]`

Exit codes: 0 done, 1 failed, 2 no such service or wrong usage, 3 (`status`) something does not run.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from opsconsole.core.paths import state_dir
from opsconsole.demo.catalogue import Instance, instances, select
from opsconsole.demo.supervision import Supervisor, SupervisorError, Unit


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; gives the exit code."""
    parser = argparse.ArgumentParser(prog="control", description="services of the opsconsole demo")
    parser.add_argument("--folder", type=Path, help="the demo's folder")
    parser.add_argument("action", choices=("restart", "status", "start", "stop", "logs"))
    parser.add_argument("service", nargs="?", default="", help="SERVICE or SERVICE/INSTANCE; all where left out")
    parser.add_argument("instance", nargs="?", default="")
    options = parser.parse_args(argv)
    from opsconsole.demo.platform import PlatformError, running

    try:
        platform = running(options.folder or state_dir() / "demo")
        if platform is None:
            return _complain("the demo is not running; start it with: opsconsole demo --headless", 1)
        chosen = _choose(options.service, options.instance, platform.supervisor.units())
        if options.action == "logs":
            return _logs(platform.folders.logs, chosen)
        return _act(options.action, chosen, platform.supervisor)
    except KeyError as error:
        known = " ".join(dict.fromkeys(one.service for one in instances()))
        return _complain(f"no service {error.args[0]!r}; there are: {known}", 2)
    except (SupervisorError, PlatformError, OSError) as error:
        return _complain(str(error), 1)


def _choose(service: str, instance: str, units: dict[str, Unit]) -> tuple[Instance, ...]:
    there = tuple(one for one in instances() if one.unit in units)
    if not service:
        return there
    return select(f"{service}/{instance}" if instance else service, there)


def _act(action: str, chosen: Sequence[Instance], supervisor: Supervisor) -> int:
    for one in chosen:
        if action in ("restart", "stop"):
            supervisor.stop(one.unit)
        if action in ("restart", "start"):
            supervisor.start(one.unit)
    units = supervisor.units()
    for one in chosen:
        sys.stdout.write(_line(one, units[one.unit]) + "\n")
    up = all(units[one.unit].state == "RUNNING" for one in chosen)
    if action == "stop":
        return 0 if not any(units[one.unit].state == "RUNNING" for one in chosen) else 1
    return 0 if up else 3 if action == "status" else 1


def _line(one: Instance, unit: Unit) -> str:
    if unit.state != "RUNNING":
        return f"{one.service} {one.name} {unit.state}"
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unit.since))
    return f"{one.service} {one.name} RUNNING pid {unit.pid} since {since}"


def _logs(folder: Path, chosen: Sequence[Instance], lines: int = 40) -> int:
    for one in chosen:
        sys.stdout.write(f"==> {one} <==\n")
        path = folder / f"{one.unit}.log"
        if path.exists():
            sys.stdout.write("".join(path.read_text(encoding="utf-8", errors="replace").splitlines(True)[-lines:]))
    return 0


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"control: {text}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
