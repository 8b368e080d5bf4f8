"""Bring the demo platform up, join it, look at it, and take it down without a trace."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.core.paths import state_dir
from opsconsole.demo import configuration, monitoring
from opsconsole.demo.binaries import find, find_optional, postgres_bin
from opsconsole.demo.blocks import BlockMaking, HistoryError
from opsconsole.demo.database import DATABASES, Cluster, DatabaseError, account, reachable
from opsconsole.demo.packages import Narrate
from opsconsole.demo.ports import free_ports
from opsconsole.demo.programs import (
    LOCK_CHAIN,
    Binaries,
    Folders,
    Ports,
    leashed,
    plan,
    port_names,
    present,
    programs,
    targets,
)
from opsconsole.demo.supervision import Supervisor, SupervisorError
from opsconsole.demo.supervision import configuration as supervisord_conf
from opsconsole.demo.volume import USUAL, write_volume

_PROMETHEUS = "prometheus-mon-1"


class PlatformError(Exception):
    """The platform could not be started; says why and where the logs are."""


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
    narrate: Narrate = lambda line: None, root: Path | None = None, *, tied: bool = False
) -> tuple[Platform, bool]:
    """Start the platform, or join the one that runs. Takes until every service answers.

    One that is started `tied` ends with the process that started it, however that ends (on Linux).

    Returns:
        The platform, and whether this call started it.

    Raises:
        PlatformError: it did not come up; what had started has been stopped again.
        MissingBinary: a server is not to be had.
    """
    root = root or state_dir() / "demo"
    with _exclusively(root):
        if joined := running(root):
            return joined, False
        _clear(root)
        found = _binaries(narrate)
        run = Path(tempfile.mkdtemp(prefix="opsconsole-demo-"))
        run.chmod(0o711 if account() else 0o700)
        try:
            return _Start(Folders(root, run), found, narrate, tied).platform(), True
        except BaseException as error:
            _tear_down(root, run)
            if isinstance(error, (DatabaseError, HistoryError, SupervisorError, OSError)):
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


class _Start:
    """One start, step by step."""

    def __init__(self, folders: Folders, found: Binaries, narrate: Narrate, tied: bool) -> None:
        self.folders = folders
        self.found = found
        self.narrate = narrate
        self.tied = tied
        self.ports = Ports(dict(zip(port_names(found), free_ports(len(port_names(found))), strict=True)))
        user = account()
        binaries = reachable(postgres_bin(narrate=narrate), user, folders.run)
        self.cluster = Cluster(binaries, folders.run / "pg", self.ports["postgres/db-1"], folders.root / "pgpass", user)
        self.supervisor = Supervisor(folders.socket)

    def platform(self) -> Platform:
        """Start everything, in order, what takes long side by side."""
        self._prepare()
        services = frozenset(one.service for one in present(self.found))
        history = BlockMaking(self.found.promtool, services, self.folders.root / "history")
        answering = threading.Event()
        with ThreadPoolExecutor(1) as side:
            try:
                prometheus = side.submit(self._start_prometheus, history, answering)
                pid = self._start_services(answering)
                self.narrate("waiting for 30 days of history, and the first metrics")
                prometheus.result()
            finally:
                history.abandon()
                answering.set()
        self._wait_until_up()
        self._remember(pid, ready=True)
        platform = running(self.folders.root)
        if platform is None:
            raise SupervisorError("the supervisor went away")
        return platform

    def _start_services(self, answering: threading.Event) -> int:
        """Start all but Prometheus, and set `answering` when the database does; gives the supervisor's pid."""
        self.narrate("starting PostgreSQL")
        password = self.cluster.initialize()
        self._write_configuration()
        wanted = programs(self.found, self.folders, self.ports, self.cluster, password)
        pid = self._supervise(wanted)
        self._remember(pid)
        self.supervisor.start("postgres-db-1", wait=False)
        self.cluster.wait().close()
        answering.set()
        self.cluster.populate()
        self.narrate("starting the services")
        for program in wanted:
            if program.name not in (LOCK_CHAIN, _PROMETHEUS):
                self.supervisor.start(program.name, wait=False)
        return pid

    def _start_prometheus(self, history: BlockMaking, answering: threading.Event) -> None:
        """Start Prometheus as soon as its history is there. It looks for its targets five seconds later; by then
        the services should be up, so it does not start before the database is."""
        history.install(self.folders.root / "prometheus" / "data")
        answering.wait()
        if self.folders.socket.exists():
            Supervisor(self.folders.socket).start(_PROMETHEUS, wait=False)

    def _prepare(self) -> None:
        root = self.folders.root
        for name in ("logs", "faults", "node", "prometheus/data", "alertmanager", "redis"):
            (root / name).mkdir(parents=True, exist_ok=True)
        write_volume(self.folders.node, USUAL)

    def _write_configuration(self) -> None:
        root, write = self.folders.root, monitoring.write_yaml
        monitoring.install_rules(root / "prometheus" / "rules.yml")
        places = targets(self.found, self.ports)
        rules = root / "prometheus" / "rules.yml"
        write(
            root / "prometheus" / "prometheus.yml",
            monitoring.prometheus(places, self.ports["alertmanager/mon-1"], rules),
        )
        write(root / "alertmanager" / "alertmanager.yml", monitoring.alertmanager())
        write(root / "postgres-queries.yml", monitoring.lock_wait_queries())
        control = root / "control"
        configuration.write_control(control, root)
        facts = self._facts()
        comment = "The demo platform; written anew at each start of `opsconsole demo`."
        console = configuration.opsconsole_yaml(
            facts["prometheus"], facts["alertmanager"], facts["postgres"], facts["redis"], control
        )
        write(root / "opsconsole.yaml", console, comment=comment)
        write(root / "services.yaml", configuration.services_yaml(facts["services"], control), comment=comment)
        write_private(self.folders.plan, json.dumps(plan(self.folders, self.ports, self.cluster), indent=1))

    def _facts(self) -> dict[str, Any]:
        root = self.folders.root
        has_redis = self.found.redis is not None
        return {
            "config": str(root / "opsconsole.yaml"),
            "state": str(root.parent),
            "prometheus": f"http://127.0.0.1:{self.ports['prometheus/mon-1']}",
            "alertmanager": f"http://127.0.0.1:{self.ports['alertmanager/mon-1']}",
            "postgres": {name: self.cluster.dsn(name) for name in DATABASES},
            "redis": f"redis://127.0.0.1:{self.ports['redis/cache-1']}/0" if has_redis else None,
            "services": list(dict.fromkeys(one.service for one in present(self.found))),
            "control": str(root / "control"),
            "logs": str(self.folders.logs),
            "run": str(self.folders.run),
        }

    def _supervise(self, wanted: list[Any]) -> int:
        conf = self.folders.root / "supervisord.conf"
        text = supervisord_conf(
            wanted,
            socket_path=self.folders.socket,
            logs=self.folders.logs,
            folder=self.folders.root,
            root=os.geteuid() == 0,
        )
        write_private(conf, text)
        argv = [sys.executable, "-P", "-m", "supervisor.supervisord", "-n", "-c", str(conf)]
        with (self.folders.logs / "supervisord.out").open("wb") as output:
            process = subprocess.Popen(
                leashed(argv) if self.tied else argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folders.root,
                env=_clean_environment(),
                start_new_session=True,  # a terminal that goes away takes nothing with it
            )
        limit = time.monotonic() + 10
        while True:
            try:
                return self.supervisor.pid()
            except (OSError, SupervisorError) as error:
                if process.poll() is not None or time.monotonic() > limit:
                    said = (self.folders.logs / "supervisord.out").read_text(errors="replace").strip()
                    raise PlatformError(f"the supervisor did not start: {said or error}") from error
                time.sleep(0.02)

    def _remember(self, pid: int, *, ready: bool = False) -> None:
        facts = {**self._facts(), "pid": pid, "started_at": _now(), "ready": ready}
        write_private(self.folders.root / "platform.json", json.dumps(facts, indent=1))

    def _wait_until_up(self) -> None:
        """Until Prometheus has scraped every target, Alertmanager answers, and work is being done.

        Raises:
            PlatformError: not within a minute; names what is missing.
        """
        limit = time.monotonic() + 60  # of a machine that is busy with other things
        while missing := self._missing():
            if time.monotonic() > limit:
                raise PlatformError(f"did not come up: {', '.join(missing)}; logs: {self.folders.logs}")
            time.sleep(0.1)

    def _missing(self) -> list[str]:
        """What is not up yet."""
        facts = self._facts()
        try:
            _get(f"{facts['alertmanager']}/-/ready")
            targets = json.loads(_get(f"{facts['prometheus']}/api/v1/targets?state=active"))["data"]["activeTargets"]
            down = [
                f"{one['labels']['job']}/{one['labels']['instance']} ({one['lastError'] or 'not yet asked'})"
                for one in targets
                if one["health"] != "up"
            ]
            if down:
                return down
            asked = urllib.parse.urlencode({"query": _AT_WORK})
            working = json.loads(_get(f"{facts['prometheus']}/api/v1/query?{asked}"))["data"]["result"]
        except (OSError, ValueError) as error:
            return [str(error)]
        return [] if working else ["its first metrics"]


# Asked when every target has been scraped: the values are live ones then, not the last of the history.
_AT_WORK = """
airflow_scheduler_heartbeat > 0 and on() airflow_triggerer_heartbeat > 0 and on() airflow_dagbag_size > 0
and on() ingest_rows_total > 0 and on() (sum(rate(http_requests_total{job="nginx"}[10s])) > 0)
unless on() ALERTS
"""


def _binaries(narrate: Narrate) -> Binaries:
    return Binaries(
        prometheus=find("prometheus", narrate=narrate),
        promtool=find("promtool", narrate=narrate),
        alertmanager=find("alertmanager", narrate=narrate),
        node_exporter=find_optional("node_exporter", narrate=narrate),
        postgres_exporter=find_optional("postgres_exporter", narrate=narrate),
        redis=find_optional("redis-server", narrate=narrate),
    )


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


def _clean_environment() -> dict[str, str]:
    """Without what would lead the platform's own clients elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PG", "SUPERVISOR_"))}


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user reads, in one step: it may be read at any time."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.touch(mode=0o600)
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def _get(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is behind no proxy
    with opener.open(url, timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
