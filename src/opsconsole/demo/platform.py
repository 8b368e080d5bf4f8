"""Bring the demo platform up, join it, look at it, and take it down without a trace."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.core.paths import state_dir
from opsconsole.demo.blocks import HistoryError
from opsconsole.demo.bringing_up import BringingUp, PlatformError, find_binaries
from opsconsole.demo.database import DatabaseError, account
from opsconsole.demo.packages import FetchError, Narrate
from opsconsole.demo.programs import Folders
from opsconsole.demo.real.running import AirflowError
from opsconsole.demo.supervision import Supervisor, SupervisorError

__all__ = ["Platform", "PlatformError", "running", "start", "stop"]


@dataclass(frozen=True)
class Platform:
    """A running platform."""

    folders: Folders
    facts: dict[str, Any]
    """As written in platform.json: config, state, prometheus, alertmanager, postgres, services, …"""

    @property
    def supervisor(self) -> Supervisor:
        """A new connection to its supervisor."""
        return Supervisor(self.folders.socket)

    @property
    def config(self) -> Path:
        """The opsconsole.yaml that points at it."""
        return Path(self.facts["config"])

    @property
    def prometheus(self) -> str:
        """The URL of its Prometheus."""
        return str(self.facts["prometheus"])

    def pids(self) -> list[int]:
        """Every process of the platform that runs now, the supervisor first."""
        units = self.supervisor.units().values()
        return [self.facts["pid"], *(unit.pid for unit in units if unit.pid)]


def running(root: Path | None = None) -> Platform | None:
    """The platform whose files are in `root` (by default the user's), or None where none runs."""
    root = root or state_dir() / "demo"
    facts = _facts(root)
    if facts is None or not facts.get("ready"):
        return None
    platform = Platform(Folders(root, Path(facts["run"])), facts)
    try:
        return platform if platform.supervisor.pid() == facts["pid"] else None
    except (OSError, SupervisorError):
        return None


def start(
    narrate: Narrate = lambda line: None, root: Path | None = None, *, tied: bool = False, airflow: bool = False
) -> tuple[Platform, bool]:
    """Start the platform, or join the one that runs; with `airflow` with a real Airflow. Takes until every service
    answers.

    One that is started `tied` ends with the process that started it, however that ends (on Linux).

    Returns:
        The platform, and whether this call started it.

    Raises:
        PlatformError: it did not come up, and what had started has been stopped again; or one runs without the Airflow
            that is asked for.
        MissingBinary: a server is not to be had.
    """
    root = root or state_dir() / "demo"
    with _exclusively(root):
        if joined := running(root):
            if airflow and not joined.facts.get("airflow", {}).get("real"):
                raise PlatformError("the demo that runs has no real Airflow; stop it first: opsconsole demo --stop")
            return joined, False
        _clear(root)
        try:
            found = find_binaries(narrate, airflow=airflow)
        except FetchError as error:
            raise PlatformError(str(error)) from error
        run = Path(tempfile.mkdtemp(prefix="opsconsole-demo-"))
        run.chmod(0o711 if account() else 0o700)
        try:
            BringingUp(Folders(root, run), found, narrate, tied).run()
            return _joined(root), True
        except BaseException as error:
            _tear_down(root, run)
            if isinstance(error, (AirflowError, DatabaseError, HistoryError, SupervisorError, OSError)):
                raise PlatformError(f"{error}; logs: {root / 'logs'}") from error
            raise


def stop(root: Path | None = None) -> bool:
    """Stop the platform and everything it started; gives whether one ran. Also clears up after one that died."""
    root = root or state_dir() / "demo"
    if not root.is_dir():
        return False
    with _exclusively(root):
        ran = running(root) is not None
        _clear(root, keep=("logs",))
        return ran


def _joined(root: Path) -> Platform:
    platform = running(root)
    if platform is None:
        raise SupervisorError("the supervisor went away")
    return platform


def _facts(root: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads((root / "platform.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and {"pid", "run"} <= facts.keys() else None


def _clear(root: Path, keep: tuple[str, ...] = ()) -> None:
    """Stop what runs, and remove what an earlier platform left, but for the entries to `keep`."""
    facts = _facts(root)
    if facts:
        _tear_down(root, Path(facts["run"]))
    for path in root.iterdir():
        if path.name in (".lock", *keep):
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _tear_down(root: Path, run: Path) -> None:
    """End the supervisor and with it everything; remove the folder of sockets and of the database."""
    supervisor = Supervisor(run / "sv.sock")
    pids: list[int] = []
    with contextlib.suppress(OSError, SupervisorError):
        pids = [supervisor.pid(), *(unit.pid for unit in supervisor.units().values() if unit.pid)]
    for request in (supervisor.stop_all, supervisor.shutdown):
        with contextlib.suppress(OSError, SupervisorError):  # there is none, or it is going down already
            request()
    told = (_facts(root) or {}).get("pid", 0)
    if not pids and told and str(root / "supervisord.conf") in _command(told):
        pids = [told]
    _wait_gone(pids, seconds=15)
    for pid in pids[:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # its children are leashed to it
    _wait_gone(pids, seconds=5)
    if run.name.startswith("opsconsole-demo-"):
        _wait_postgres(run)
        shutil.rmtree(run, ignore_errors=True)
    (root / "platform.json").unlink(missing_ok=True)


def _wait_postgres(run: Path) -> None:
    """Where the supervisor was killed, PostgreSQL may still be going down; where nothing told it to, tell it."""
    try:
        pid = int((run / "pg" / "postmaster.pid").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return
    if _wait_gone([pid], seconds=3) or str(run) not in _command(pid):  # the number may be another's by now
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGINT)
        _wait_gone([pid], seconds=5)


def _command(pid: int) -> str:
    """What runs under this number, or nothing."""
    try:
        done = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout


def _wait_gone(pids: list[int], seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # the supervisor may be this very process's child
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def _exclusively(root: Path) -> Iterator[None]:
    """One start or stop at a time; a second start waits, and then joins."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (root / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
