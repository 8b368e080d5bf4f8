"""Real Airflows for tests: version 3 and version 2, each with a PostgreSQL for its metadata.

with start_airflow(3) as airflow: ...

Each is installed, with hashes, into an environment of its own in the cache folder when it is first needed;
`python -m tests.airflow_servers` does that ahead of time.
"""

import fcntl
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from opsconsole.core.paths import cache_dir
from tests.servers import PostgresServer, scratch, start_postgres

VERSIONS = (3, 2)
DAGS = Path(__file__).with_name("airflow_dags")
JWT_SECRET = "tests" * 16
ADMIN, VIEWER = ("admin", "admin-secret-1"), ("watcher", "watcher-secret-1")
"""(user, password)."""
_DAGS = 6
"""DAGs in the files there."""
_START = 180.0
"""Seconds for all of one to come up; it takes a tenth of that on a machine with nothing else to do."""


def install(version: int) -> Path:
    """The `bin` folder of an environment with that Airflow, made if it is not there."""
    requirements = Path(__file__).with_name(f"airflow{version}.txt")
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = cache_dir() / "airflow"
    home.mkdir(exist_ok=True)
    place = home / f"airflow{version}-{key}"
    with (home / f".{place.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not (place / ".complete").exists():
            shutil.rmtree(place, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", place], check=True)
            _fill(place / "bin" / "python", requirements)
            (place / ".complete").touch()
    return place / "bin"


def _fill(python: Path, requirements: Path) -> None:
    """Install what `requirements` pins: with uv, which takes seconds, else with pip, which takes a minute."""
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    last = ["--require-hashes", "-r", str(requirements)]
    if subprocess.run([*uv, *last], check=False).returncode != 0:
        subprocess.run([*pip, *last], check=True)


@dataclass
class AirflowServer:
    """An Airflow that runs, with its metadata in database `airflow` of `postgres`."""

    version: int
    url: str
    folder: Path
    postgres: PostgresServer
    programs: "Mapping[str, Component]"
    """By name: `api`, `scheduler`, `dag-processor` (3 only)."""

    @property
    def dsn(self) -> str:
        """Of the metadata database."""
        return self.postgres.dsn("airflow")

    @property
    def repaired(self) -> Path:
        """The file without which the DAG `fails` fails."""
        return self.folder / "repaired"


@dataclass
class Component:
    """One process of an Airflow, with all that it starts, in a process group of its own."""

    argv: list[str]
    environment: Mapping[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; it is not ready yet then."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
                env=dict(self.environment),
            )  # fmt: skip

    def send(self, number: int) -> None:
        """A signal to all of it."""
        for pid in self._family():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """End all of it at once: a scheduler asked politely waits for its tasks."""
        if self.process is None:
            return
        family = self._family()
        self.process.kill()
        self.process.wait(30)
        for pid in family[1:]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def check(self) -> None:
        """Fail, with what it wrote, where it has ended."""
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"{self.argv[1:]} ended:\n{self.log.read_text(errors='replace')[-4000:]}")

    def _family(self) -> list[int]:
        assert self.process is not None
        family = [self.process.pid]
        for pid in family:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):
                    family += map(int, task.read_text().split())
        return family


@contextmanager
def start_airflow(version: int) -> Iterator[AirflowServer]:
    """An Airflow with the DAGs of `tests/airflow_dags`, all paused, and the users ADMIN and VIEWER."""
    tools = install(version)
    with start_postgres(settings=["max_connections=100"]) as postgres, scratch(f"airflow{version}") as folder:
        postgres.psql("create database airflow")
        port = _quiet_port()
        environment = _environment(version, folder, postgres, port, tools)
        _migrate(tools, environment, folder, postgres)
        programs = {
            name: Component([str(tools / "airflow"), *argv], environment, folder / f"{name}.log")
            for name, argv in _commands(version, port).items()
        }
        server = AirflowServer(version, f"http://127.0.0.1:{port}", folder, postgres, programs)
        try:
            for one in programs.values():
                one.start()
            wait_until(lambda: _is_up(server), "Airflow is up", programs)
            if version == 2:
                _make_users(postgres)
            yield server
        finally:
            for one in programs.values():
                one.kill()


def wait_until(
    holds: Callable[[], bool], what: str, programs: Mapping[str, Component] | None = None, seconds: float = _START
) -> None:
    """Come back when it holds; fail, and say what was waited for, when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        for one in (programs or {}).values():
            one.check()
        if time.monotonic() > deadline:
            logs = "\n".join(one.log.read_text(errors="replace")[-2000:] for one in (programs or {}).values())
            raise AssertionError(f"not within {seconds:g} s: {what}\n{logs}")
        time.sleep(0.2)


def _quiet_port() -> int:
    """A free port below those that connections are given: it is listened on only seconds later, and stays free."""
    while True:
        port = random.randint(15_000, 31_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _commands(version: int, port: int) -> dict[str, list[str]]:
    if version == 3:
        api = ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        return {"api": api, "scheduler": ["scheduler"], "dag-processor": ["dag-processor"]}
    return {"api": ["webserver", "--hostname", "127.0.0.1", "--port", str(port), "--workers", "1"],
            "scheduler": ["scheduler"]}  # fmt: skip


def _environment(version: int, folder: Path, postgres: PostgresServer, port: int, tools: Path) -> dict[str, str]:
    dsn = postgres.dsn("airflow").replace("postgresql://", "postgresql+psycopg2://")
    url = f"http://127.0.0.1:{port}"
    settings = {
        "CORE__DAGS_FOLDER": str(DAGS),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "3",
        "CORE__FERNET_KEY": "",
        "DATABASE__SQL_ALCHEMY_CONN": dsn,
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "SCHEDULER__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "LOGGING__LOGGING_LEVEL": "INFO",
        "LOGGING__WORKER_LOG_SERVER_PORT": str(_quiet_port()),
        "WEBSERVER__SECRET_KEY": "tests",
        "API__SECRET_KEY": "tests",
        "API_AUTH__JWT_SECRET": JWT_SECRET,
        "API_AUTH__JWT_EXPIRATION_TIME": "3600",
    }
    if version == 3:
        users = dict((ADMIN, VIEWER))
        (folder / "passwords.json").write_text(json.dumps(users))
        settings |= {
            "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN[0]}:admin,{VIEWER[0]}:viewer",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
            "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        }
    else:
        settings |= {"API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth"}
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "TZ") if name in os.environ}
    return {
        **kept,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(folder),
        "AIRFLOW_HOME": str(folder),
        "NO_PROXY": "*",
        "TEST_REPAIRED": str(folder / "repaired"),
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
    }


def _migrate(tools: Path, environment: Mapping[str, str], folder: Path, postgres: PostgresServer) -> None:
    """Make the tables: as Airflow does, the first time; then from what it made, which takes a tenth of that."""
    kept = tools.parent / f"metadata-{postgres.psql('show server_version_num')}.sql"
    if kept.exists():
        postgres.psql(kept.read_bytes(), "airflow")
        return
    _airflow(tools, environment, folder, "db", "migrate")
    argv = [str(postgres.bin / "pg_dump"), "--inserts", "-d", postgres.dsn("airflow")]
    dumped = subprocess.run(argv, check=True, capture_output=True, cwd="/").stdout
    made = kept.with_suffix(f".{os.getpid()}")
    made.write_bytes(dumped)
    made.rename(kept)


def _airflow(tools: Path, environment: Mapping[str, str], folder: Path, *argv: str) -> None:
    with (folder / "setup.log").open("ab") as log:
        done = subprocess.run(
            [str(tools / "airflow"), *argv], env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            cwd="/", check=False, timeout=_START,
        )  # fmt: skip
    assert done.returncode == 0, (folder / "setup.log").read_text(errors="replace")[-4000:]


def _make_users(postgres: PostgresServer) -> None:
    """Both users, as Airflow 2 keeps them; its command for that takes five seconds for each. Passwords are hashed so
    lightly that no request is slowed down by it."""
    for (name, password), role in ((ADMIN, "Admin"), (VIEWER, "Viewer")):
        hashed = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 100).hex()
        postgres.psql(
            f"""with made as (
                  insert into ab_user (id, first_name, last_name, username, password, active, email)
                  values (nextval('ab_user_id_seq'), '{name}', '-', '{name}', 'pbkdf2:sha256:100$salt${hashed}', true,
                          '{name}@example.org') returning id)
                insert into ab_user_role (id, user_id, role_id)
                select nextval('ab_user_role_id_seq'), made.id, ab_role.id from made, ab_role where name = '{role}'
                returning 1 / (role_id is not null)::int""",
            "airflow",
        )


def _is_up(server: AirflowServer) -> bool:
    """Whether the scheduler beats and the DAGs are known."""
    path = "/api/v2/monitor/health" if server.version == 3 else "/health"
    try:
        with urlopen(server.url + path, timeout=5) as response:
            health = json.load(response)
    except (URLError, OSError, ValueError):
        return False
    if health["scheduler"]["status"] != "healthy":
        return False
    found = server.postgres.psql(
        f"select (select count(*) from serialized_dag) = {_DAGS} and (select count(*) from import_error) = 1", "airflow"
    )
    if server.version == 2 and found == "t":
        found = server.postgres.psql("select count(*) = 2 from ab_role where name in ('Admin', 'Viewer')", "airflow")
    return found == "t"


if __name__ == "__main__":
    for each in VERSIONS:
        print(install(each))
