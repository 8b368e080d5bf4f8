"""The processes of the demo: what is run, how, and where its metrics are."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.demo import leash
from opsconsole.demo.catalogue import Instance, instances
from opsconsole.demo.database import Cluster
from opsconsole.demo.real import running as real
from opsconsole.demo.supervision import Program

_SIMULATED = {
    "energy-service": "api",
    "profile-service": "api",
    "keycloak": "api",
    "nginx": "proxy",
    "airflow-api-server": "airflow_api",
    "airflow-scheduler": "airflow_scheduler",
    "airflow-worker": "airflow_worker",
    "airflow-dag-processor": "airflow_component",
    "airflow-triggerer": "airflow_component",
    "ingestion": "ingestion",
}
LOCK_CHAIN = "lock-chain"
_COLLECTORS = ("cpu", "meminfo", "filesystem", "loadavg", "diskstats", "netdev", "stat", "uname", "vmstat", "textfile")


@dataclass(frozen=True)
class Binaries:
    """The servers that were found; None for one that the demo does without."""

    prometheus: Path
    promtool: Path
    alertmanager: Path
    node_exporter: Path | None
    postgres_exporter: Path | None
    redis: Path | None
    airflow: Path | None = None
    """A real Airflow's program, where it runs instead of the stand-ins."""


@dataclass(frozen=True)
class Folders:
    """Where the demo keeps its files."""

    root: Path
    """`state_dir()/demo`."""
    run: Path
    """Short, and traversable for PostgreSQL's user: a folder of its own in the temporary folder."""

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.root / "logs"

    @property
    def faults(self) -> Path:
        """One file per active fault; the simulated services watch it."""
        return self.root / "faults"

    @property
    def node(self) -> Path:
        """Text files that node-exporter serves beside its own metrics."""
        return self.root / "node"

    @property
    def airflow(self) -> Path:
        """A real Airflow's, where there is one."""
        return self.root / "airflow-home"

    @property
    def plan(self) -> Path:
        """What all simulated processes are told."""
        return self.root / "plan.json"

    @property
    def socket(self) -> Path:
        """The supervisor's."""
        return self.run / "sv.sock"


@dataclass(frozen=True)
class Ports:
    """The ports of one platform, all on loopback."""

    by_name: Mapping[str, int]
    """`SERVICE/INSTANCE`, or the name of a process that is no service."""

    def __getitem__(self, key: str | Instance) -> int:
        return self.by_name[str(key)]


def port_names(found: Binaries) -> list[str]:
    """What needs a port."""
    names = [str(one) for one in present(found)]
    return [*names, "exporters", "postgres-exporter"]


def present(found: Binaries) -> list[Instance]:
    """The instances that this machine can run: all, but Redis only where it is found, and a real Airflow runs its tasks
    below its scheduler."""
    missing = {"redis"} if not found.redis else set()
    missing |= {"airflow-worker"} if found.airflow else set()
    return [one for one in instances() if one.service not in missing]


def targets(found: Binaries, ports: Ports) -> dict[Instance, tuple[int, str]]:
    """For each instance, the port and path at which Prometheus finds its metrics."""
    places = {}
    for instance in present(found):
        place = (ports[instance], "/metrics")
        if instance.service == "redis":
            place = (ports["exporters"], "/redis")
        elif instance.service == "postgres":
            place = (
                (ports["postgres-exporter"], "/metrics")
                if found.postgres_exporter
                else (ports["exporters"], "/postgres")
            )
        elif found.airflow and instance.service in real.COMPONENTS:
            place = (ports["exporters"], f"/{instance.service}")
        elif instance.service == "node" and not found.node_exporter:
            place = (ports[instance], "/node")
        places[instance] = place
    return places


def plan(
    folders: Folders,
    ports: Ports,
    cluster: Cluster,
    airflow_passwords: Mapping[str, str] | None = None,
    *,
    airflow_is_real: bool = False,
) -> dict[str, Any]:
    """What the simulated processes are told: where everything is."""
    known = dict(ports.by_name)
    if "redis/cache-1" in known:
        known["redis"] = known["redis/cache-1"]
    return {
        "ports": known,
        "app_dsn": cluster.dsn("app", "etl"),
        "airflow_dsn": cluster.dsn("airflow", "airflow"),
        "exporter_dsn": cluster.dsn("app", "exporter"),
        "airflow_passwords": dict(airflow_passwords or {}),
        "airflow_is_real": airflow_is_real,
        "airflow_token_seconds": 86400,  # as Airflow's own
        "faults": str(folders.faults),
        "task_logs": str(folders.logs / "tasks"),
        "app_logs": str(folders.logs / "app"),
        "notifications": str(folders.logs / "notifications.jsonl"),
        "node_textfiles": str(folders.node),
    }


def programs(
    found: Binaries,
    folders: Folders,
    ports: Ports,
    cluster: Cluster,
    password: str,
    airflow: Mapping[str, str] | None = None,
) -> list[Program]:
    """Everything that runs, in the order in which it is started. `airflow` is the environment of a real Airflow."""
    servers = {
        "postgres": lambda one: Program(one.unit, leashed(cluster.server_argv(), "INT", cluster), {}, "INT"),
        "redis": lambda one: Program(one.unit, leashed(_redis(found, folders, ports[one]))),
        "node": lambda one: _node(found, folders, one, ports[one]),
        "prometheus": lambda one: Program(one.unit, leashed(_prometheus(found, folders, ports[one]))),
        "alertmanager": lambda one: Program(one.unit, leashed(_alertmanager(found, folders, ports[one]))),
    }
    wanted = []
    for instance in present(found):
        if make := servers.get(instance.service):
            wanted.append(make(instance))
        elif found.airflow and instance.service in real.COMPONENTS:
            argv = leashed([str(found.airflow), real.COMPONENTS[instance.service]])
            wanted.append(Program(instance.unit, argv, {**(airflow or {}), "PATH": real.path(found.airflow)}))
        else:
            module = _SIMULATED[instance.service]
            wanted.append(Program(instance.unit, _simulation(module, instance, ports[instance], folders)))
    helpers = Instance("exporters", "mon-1")
    wanted.append(Program("exporters", _simulation("exporters", helpers, ports["exporters"], folders)))
    if found.postgres_exporter:
        wanted.append(_postgres_exporter(found.postgres_exporter, folders, ports, password))
    wanted.append(Program("traffic", _simulation("traffic", Instance("traffic", "world"), 0, folders)))
    chain = _simulation("lock_chain", Instance("lock-chain", "etl-1"), 0, folders)
    wanted.append(Program(LOCK_CHAIN, chain, restarts=False))
    return wanted


def _simulation(module: str, instance: Instance, port: int, folders: Folders) -> list[str]:
    return [
        sys.executable, "-P", "-m", f"opsconsole.demo.simulation.{module}", "--service", instance.service,
        "--instance", instance.name, "--port", str(port), "--plan", str(folders.plan),
    ]  # fmt: skip


def leashed(argv: list[str], signal: str = "TERM", cluster: Cluster | None = None) -> list[str]:
    """The command that runs `argv` so that it gets `signal` when its parent dies, as the user of `cluster`, if any."""
    user = [f"{cluster.user.uid}:{cluster.user.gid}"] if cluster and cluster.user else []
    # -I -S: no site-packages; it becomes another program in 15 ms.
    return [sys.executable, "-I", "-S", os.fspath(Path(leash.__file__)), signal, *user, "--", *argv]


def _prometheus(found: Binaries, folders: Folders, port: int) -> list[str]:
    return [
        str(found.prometheus),
        f"--config.file={folders.root}/prometheus/prometheus.yml",
        f"--storage.tsdb.path={folders.root}/prometheus/data",
        "--storage.tsdb.retention.time=45d",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
        # The first notification is lost while Alertmanager is not discovered yet; the default resends after a minute.
        "--rules.alert.resend-delay=1s",
        "--log.level=warn",
    ]


def _alertmanager(found: Binaries, folders: Folders, port: int) -> list[str]:
    return [
        str(found.alertmanager),
        f"--config.file={folders.root}/alertmanager/alertmanager.yml",
        f"--storage.path={folders.root}/alertmanager/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",  # alone: no gossip port
        "--log.level=warn",
    ]


def _redis(found: Binaries, folders: Folders, port: int) -> list[str]:
    return [
        str(found.redis), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no",
        "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru", "--dir", str(folders.root / "redis"),
    ]  # fmt: skip


def _node(found: Binaries, folders: Folders, instance: Instance, port: int) -> Program:
    if not found.node_exporter:
        return Program(instance.unit, _simulation("exporters", instance, port, folders))
    argv = [
        str(found.node_exporter),
        f"--web.listen-address=127.0.0.1:{port}",
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in _COLLECTORS),
        f"--collector.textfile.directory={folders.node}",
        "--collector.filesystem.mount-points-exclude=^/.+",  # in a container, every mounted file is a file system
        "--collector.netdev.device-exclude=^(veth|docker|br-|cni|cali).*",
        "--collector.diskstats.device-exclude=^(loop|ram|zram|fd)\\d+$",
        "--collector.vmstat.fields=^(oom_kill|pgmajfault)$",
        "--log.level=warn",
    ]
    return Program(instance.unit, leashed(argv))


def _postgres_exporter(binary: Path, folders: Folders, ports: Ports, password: str) -> Program:
    argv = [
        str(binary),
        f"--web.listen-address=127.0.0.1:{ports['postgres-exporter']}",
        f"--extend.query-path={folders.root}/postgres-queries.yml",
        "--log.level=warn",
    ]
    environment = {
        "DATA_SOURCE_URI": f"127.0.0.1:{ports['postgres/db-1']}/app?sslmode=disable",
        "DATA_SOURCE_USER": "exporter",
        "DATA_SOURCE_PASS": password,
    }
    return Program("postgres-exporter", leashed(argv), environment)
