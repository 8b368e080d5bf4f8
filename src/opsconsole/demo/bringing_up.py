"""How the demo platform comes up: the folders, the database, the history, the services, and that all is at work."""

import json
import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from opsconsole.demo import configuration, definitions, monitoring, quickening
from opsconsole.demo.app_logs import write_history
from opsconsole.demo.binaries import find, find_optional, postgres_bin
from opsconsole.demo.blocks import BlockMaking
from opsconsole.demo.database import DATABASES, Cluster, account, reachable
from opsconsole.demo.files import write_private
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
from opsconsole.demo.real import running as real
from opsconsole.demo.real.installing import airflow as installed_airflow
from opsconsole.demo.simulation import webhook
from opsconsole.demo.supervision import Program, Supervisor, SupervisorError
from opsconsole.demo.supervision import configuration as supervisord_conf
from opsconsole.demo.volume import USUAL, write_volume

_PROMETHEUS = "prometheus-mon-1"


class PlatformError(Exception):
    """The platform could not be started; says why and where the logs are."""


class BringingUp:
    """One start of the platform, step by step."""

    def __init__(self, folders: Folders, found: Binaries, narrate: Narrate, tied: bool) -> None:
        if find_spec("supervisor") is None:
            raise PlatformError(
                "the demo needs the package supervisor; install it with: pip install 'opsconsole[demo]'"
            )
        self.folders = folders
        self.found = found
        self.narrate = narrate
        self.tied = tied
        self.ports = Ports(dict(zip(port_names(found), free_ports(len(port_names(found))), strict=True)))
        user = account()
        binaries = reachable(postgres_bin(narrate=narrate), user, folders.run)
        self.cluster = Cluster(binaries, folders.run / "pg", self.ports["postgres/db-1"], folders.root / "pgpass", user)
        self.supervisor = Supervisor(folders.socket)

    def run(self) -> None:
        """Start everything, in order, what takes long side by side; back when the platform is at work.

        Raises:
            PlatformError, DatabaseError, HistoryError, SupervisorError, OSError: it cannot be; what has been
                started by then runs on.
        """
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
        _post(f"{self._facts()['alertmanager']}/api/v2/silences", quickening.silence(time.time()))
        self._remember(pid, ready=True)

    def _start_services(self, answering: threading.Event) -> int:
        """Start all but Prometheus, and set `answering` when the database does; gives the supervisor's pid."""
        self.narrate("starting PostgreSQL")
        password = self.cluster.initialize()
        self._write_configuration()
        airflow = self._airflow_environment(password) if self.found.airflow else None
        wanted = programs(self.found, self.folders, self.ports, self.cluster, password, airflow)
        pid = self._supervise(wanted)
        self._remember(pid)
        self.supervisor.start("postgres-db-1", wait=False)
        self.cluster.wait().close()
        answering.set()
        self.cluster.populate(airflow=airflow is None)
        if self.found.airflow and airflow:
            self._make_airflow(self.found.airflow, airflow)
        self.narrate("starting the services")
        for program in wanted:
            if program.name not in (LOCK_CHAIN, _PROMETHEUS):
                self.supervisor.start(program.name, wait=False)
        return pid

    def _airflow_environment(self, password: str) -> dict[str, str]:
        """What the components of a real Airflow are told."""
        port = self.ports["postgres/db-1"]
        return real.environment(
            self.folders.airflow,
            self.ports["airflow-api-server/airflow-1"],
            real.url("postgresql+psycopg2", "airflow", password, port, "airflow"),
            real.url("postgresql", "etl", password, port, "app"),
            self.folders.faults,
            self.folders.logs / "tasks",
            secrets.token_urlsafe(48),
            {name: name for name in configuration.AIRFLOW_USERS},
        )

    def _make_airflow(self, program: Path, variables: dict[str, str]) -> None:
        """Its files, its tables, and the script that runbooks call."""
        self.narrate("making the tables of Airflow")
        root = self.folders.root
        passwords = {
            name: configuration.password_file(root, name).read_text("utf-8") for name in configuration.AIRFLOW_USERS
        }
        real.prepare(self.folders.airflow, passwords)
        real.migrate(program, variables, self.folders.logs / "airflow-migrate.log")
        import psycopg

        with psycopg.connect(self.cluster.dsn("airflow", "airflow"), autocommit=True) as connection:
            real.add_pools(connection)
        write_private(root / "airflow", real.command_line(program, variables))
        (root / "airflow").chmod(0o700)
        self.narrate("starting Airflow: half a minute")

    def _start_prometheus(self, history: BlockMaking, answering: threading.Event) -> None:
        """Start Prometheus as soon as its history is there. It looks for its targets five seconds later; by then
        the services should be up, so it does not start before the database is."""
        history.install(self.folders.root / "prometheus" / "data")
        answering.wait()
        if self.folders.socket.exists():
            Supervisor(self.folders.socket).start(_PROMETHEUS, wait=False)

    def _prepare(self) -> None:
        root = self.folders.root
        for name in ("logs/tasks", "logs/app", "faults", "node", "prometheus/data", "alertmanager", "redis"):
            (root / name).mkdir(parents=True, exist_ok=True)
        write_volume(self.folders.node, USUAL)
        write_history(root / "logs" / "app", ((one.service, one.name) for one in present(self.found)), time.time())

    def _write_configuration(self) -> None:
        root, write = self.folders.root, monitoring.write_yaml
        places = targets(self.found, self.ports)
        rules = root / "prometheus" / "rules.yml"
        write(rules, quickening.rules(), comment="The shipped rules, quickened; written anew at each start.")
        write(
            root / "prometheus" / "prometheus.yml",
            monitoring.prometheus(places, self.ports["alertmanager/mon-1"], rules),
        )
        hook = f"http://127.0.0.1:{self.ports['exporters']}{webhook.PATH}"
        write(root / "alertmanager" / "alertmanager.yml", quickening.alertmanager(hook))
        write(root / "postgres-queries.yml", monitoring.lock_wait_queries())
        control = root / "control"
        configuration.write_scripts(root)
        facts = self._facts()
        comment = "The demo platform; written anew at each start of `opsconsole demo`."
        clients = self.cluster.binaries
        console = configuration.opsconsole_yaml(
            facts["prometheus"],
            facts["alertmanager"],
            facts["postgres"],
            facts["redis"],
            control,
            clients if (clients / "pg_dump").exists() else None,
            facts["airflow"]["url"],
        )
        write(root / "opsconsole.yaml", console, comment=comment)
        services = configuration.services_yaml(facts["services"], control, monitoring.metrics(places))
        write(root / "services.yaml", services, comment=comment)
        shipped = f"{comment}\nThe shipped definitions, quickened: what its Prometheus and Alertmanager have loaded."
        write(root / "alerts.yaml", definitions.alerts_yaml(), comment=shipped)
        write(root / "escalation.yaml", definitions.escalation_yaml(hook), comment=shipped)
        write(root / "errors.yaml", configuration.errors_yaml(self.folders.logs / "app"), comment=comment)
        passwords = {name: secrets.token_urlsafe(18) for name in configuration.AIRFLOW_USERS}
        for name, password in passwords.items():
            write_private(configuration.password_file(root, name), password)
        is_real = self.found.airflow is not None
        told = plan(self.folders, self.ports, self.cluster, passwords, airflow_is_real=is_real)
        write_private(self.folders.plan, json.dumps(told, indent=1))

    def _facts(self) -> dict[str, Any]:
        root = self.folders.root
        has_redis = self.found.redis is not None
        return {
            "config": str(root / "opsconsole.yaml"),
            "state": str(root.parent),
            "prometheus": f"http://127.0.0.1:{self.ports['prometheus/mon-1']}",
            "alertmanager": f"http://127.0.0.1:{self.ports['alertmanager/mon-1']}",
            "airflow": {
                "url": f"http://127.0.0.1:{self.ports['airflow-api-server/airflow-1']}",
                "real": self.found.airflow is not None,
                "password_files": {
                    name: str(configuration.password_file(root, name)) for name in configuration.AIRFLOW_USERS
                },
            },
            "postgres": {name: self.cluster.dsn(name) for name in DATABASES},
            "redis": f"redis://127.0.0.1:{self.ports['redis/cache-1']}/0" if has_redis else None,
            "services": list(dict.fromkeys(one.service for one in present(self.found))),
            "control": str(root / "control"),
            "logs": str(self.folders.logs),
            "run": str(self.folders.run),
        }

    def _supervise(self, wanted: Sequence[Program]) -> int:
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
            PlatformError: not within three minutes, or five with a real Airflow; names what is missing.
        """
        # Of a machine that is busy with other things.
        limit = time.monotonic() + (300 if self.found.airflow else 180)
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
_AT_WORK = f"""
airflow_scheduler_heartbeat > 0 and on() airflow_triggerer_heartbeat > 0 and on() airflow_dagbag_size > 0
and on() ingest_rows_total > 0 and on() (sum(rate(http_requests_total{{job="nginx"}}[10s])) > 0)
unless on() ALERTS{{alertname!~"{quickening.NO_FAULTS}"}}
"""


def find_binaries(narrate: Narrate, *, airflow: bool = False) -> Binaries:
    """Find or fetch the servers, with `airflow` a real one, too.

    Raises:
        MissingBinary: one that the demo cannot do without is not to be had.
        FetchError: a real Airflow is not to be had.
    """
    return Binaries(
        prometheus=find("prometheus", narrate=narrate),
        promtool=find("promtool", narrate=narrate),
        alertmanager=find("alertmanager", narrate=narrate),
        node_exporter=find_optional("node_exporter", narrate=narrate),
        postgres_exporter=find_optional("postgres_exporter", narrate=narrate),
        redis=find_optional("redis-server", narrate=narrate),
        airflow=installed_airflow(narrate) if airflow else None,
    )


def _clean_environment() -> dict[str, str]:
    """Without what would lead the platform's own clients elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PG", "SUPERVISOR_"))}


def _get(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is behind no proxy
    with opener.open(url, timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def _post(url: str, content: Mapping[str, Any]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(content).encode(), headers)  # noqa: S310 - loopback
    opener.open(request, timeout=5).close()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
