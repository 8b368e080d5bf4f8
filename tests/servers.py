"""Real servers for tests: on loopback, on free ports, in folders of their own, gone when the test is.

with start_postgres() as server: ...
with start_prometheus(config="scrape_configs: []") as server: ...
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsconsole.core.paths import cache_dir
from opsconsole.demo import binaries
from opsconsole.demo.extensions import postgres_with

_START = 30.0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A folder that another user can reach (not below /root, not 0700) and whose path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Program:
    """A server process, and what it wrote."""

    argv: list[str]
    log: Path
    ready: Callable[[], bool]
    stop_signal: int = signal.SIGTERM
    identity: dict[str, Any] = field(default_factory=dict)
    """`user`, `group`, … for Popen."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and come back when it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
                **self.identity,
            )  # fmt: skip
        deadline = time.monotonic() + _START
        while not self.ready():
            ended = self.process.poll()
            if ended is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"{self.argv[0]} did not start ({ended}):\n{self.log.read_text(errors='replace')}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in its own way."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it and all it started at once."""
        family = self._family()
        self._end(signal.SIGKILL)
        _signal_all(family, signal.SIGKILL)

    def freeze(self) -> None:
        """Have it and all it started accept (the kernel does that) and never answer."""
        _signal_all(self._family(), signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        _signal_all(self._family(), signal.SIGCONT)

    def _family(self) -> list[int]:
        """The process and its descendants; PostgreSQL's backends are in process groups of their own."""
        assert self.process is not None
        family = [self.process.pid]
        for pid in family:
            with suppress(OSError):  # one that has just ended has no children
                for task in Path(f"/proc/{pid}/task").glob("*/children"):
                    with suppress(OSError):
                        family += map(int, task.read_text().split())
        return family

    def _end(self, number: int) -> None:
        process = self.process
        if process is None or process.poll() is not None:
            return
        if number != signal.SIGKILL:
            self.thaw()
        process.send_signal(number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@dataclass
class PostgresServer:
    """A cluster whose superuser is `postgres`, without a password over its socket and, unless told, over TCP."""

    folder: Path
    bin: Path
    port: int
    program: Program

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    def dsn(self, database: str = "postgres", user: str = "postgres", **more: str) -> str:
        """A URL over TCP."""
        tail = "&".join(f"{name}={value}" for name, value in more.items())
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}" + (f"?{tail}" if tail else "")

    def psql(self, sql: str | bytes, database: str = "postgres", *options: str) -> str:
        """What `psql` answers, unaligned, without headers; fails with what it says."""
        script = sql.encode() if isinstance(sql, str) else sql
        argv = [str(self.bin / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", *options, "-h", str(self.folder)]
        done = subprocess.run(
            [*argv, "-p", str(self.port), "-U", "postgres", "-d", database, "-f", "-"],
            input=script, capture_output=True, check=False, cwd="/",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace").strip()

    def restart(self) -> None:
        """Stop fast and start again on the same port."""
        self.program.stop()
        self.program.start()


@contextmanager
def start_postgres(
    *, settings: Sequence[str] = (), initdb: Sequence[str] = (), hba: str | None = None, extension: str = ""
) -> Iterator[PostgresServer]:
    """A new cluster without fsync. `settings` are `name=value`; `hba` replaces pg_hba.conf; `extension` can be created
    there although it is not installed.

    Raises:
        FetchError: the extension is not to be had.
    """
    folder_of_tools = binaries.find("postgres").parent
    identity = _postgres_identity()
    with scratch("pg") as folder:
        if identity:
            os.chown(folder, identity["user"], identity["group"])
        data, port = folder / "data", free_port()
        # C.UTF-8 rather than the environment's: tests decide about encodings by themselves.
        subprocess.run(
            [folder_of_tools / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8",
             "--locale=C", *initdb],
            check=True, capture_output=True, cwd="/", **identity,
        )  # fmt: skip
        if hba is not None:
            (data / "pg_hba.conf").write_text(hba)
        program_file = folder_of_tools / "postgres"
        if extension:
            program_file = postgres_with(extension, folder / "tree", narrate=lambda line: None)
        options = [
            "listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}", "fsync=off",
            "full_page_writes=off", "synchronous_commit=off", "max_connections=40", "shared_buffers=16MB", *settings,
        ]  # fmt: skip
        argv = [str(program_file), "-D", str(data)]
        argv += [part for option in options for part in ("-c", option)]
        probe = [str(folder_of_tools / "pg_isready"), "-q", "-h", str(folder), "-p", str(port)]
        program = Program(
            argv, folder / "log", lambda: subprocess.run(probe, check=False, cwd="/").returncode == 0,
            signal.SIGINT, identity,
        )  # fmt: skip
        program.start()
        try:
            yield PostgresServer(folder, folder_of_tools, port, program)
        finally:
            program.stop()


@contextmanager
def start_standby(primary: PostgresServer) -> Iterator[PostgresServer]:
    """A standby that streams from `primary`, which has to allow replication (`initdb` does, from this machine)."""
    identity = _postgres_identity()
    with scratch("standby") as folder:
        if identity:
            os.chown(folder, identity["user"], identity["group"])
        data, port = folder / "data", free_port()
        source = f"host=127.0.0.1 port={primary.port} user=postgres application_name=second"
        subprocess.run(
            [primary.bin / "pg_basebackup", "-D", data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", source],
            check=True, capture_output=True, cwd="/", **identity,
        )  # fmt: skip
        options = [*primary.program.argv[3:], "-c", f"port={port}", "-c", f"unix_socket_directories={folder}"]
        argv = [str(primary.bin / "postgres"), "-D", str(data), *options]
        probe = [str(primary.bin / "pg_isready"), "-q", "-h", str(folder), "-p", str(port)]
        program = Program(
            argv, folder / "log", lambda: subprocess.run(probe, check=False, cwd="/").returncode == 0,
            signal.SIGINT, identity,
        )  # fmt: skip
        program.start()
        try:
            yield PostgresServer(folder, primary.bin, port, program)
        finally:
            program.stop()


@dataclass
class PgBouncer:
    """A pooler before a server; `ops` (password `secret`) is its administrator, `stats` (`look`) may look."""

    folder: Path
    port: int
    program: Program

    def dsn(self, database: str = "pgbouncer", user: str = "stats", password: str = "look") -> str:
        """A URL over TCP; by default of its admin console."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def order(self, command: str) -> None:
        """Have its administrator say `RESUME app`, `PAUSE app` (which waits for what is under way there), …"""
        import psycopg

        with psycopg.connect(self.dsn(user="ops", password="secret"), autocommit=True) as admin:
            admin.pgconn.exec_(command.encode())


@contextmanager
def start_pgbouncer(postgres: PostgresServer, databases: Sequence[str], *settings: str) -> Iterator[PgBouncer]:
    """A PgBouncer in transaction mode before `postgres`. `databases` are lines of its section, such as
    `app = dbname=postgres pool_size=2`, to which host and port are added; `settings` are `name = value`."""
    identity = _postgres_identity()
    with scratch("pgb") as folder:
        program, port = _within_reach(binaries.find("pgbouncer"), folder), free_port()
        names = ("ops secret", "stats look", "api api", "etl etl", "postgres postgres")
        (folder / "users").write_text("".join('"{}" "{}"\n'.format(*name.split()) for name in names))
        listed = "\n".join(f"{line} host=127.0.0.1 port={postgres.port}" for line in databases)
        (folder / "ini").write_text(
            f"[databases]\n{listed}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
            f"unix_socket_dir =\nauth_type = plain\nauth_file = {folder}/users\nadmin_users = ops\n"
            "stats_users = stats\npool_mode = transaction\n" + "\n".join(settings) + "\n"
        )
        if identity:
            os.chown(folder, identity["user"], identity["group"])
        running = Program([str(program), str(folder / "ini")], folder / "log", _listening(port), identity=identity)
        running.start()
        try:
            yield PgBouncer(folder, port, running)
        finally:
            running.kill()


def _within_reach(program: Path, folder: Path) -> Path:
    """`program`, or a copy in `folder` of the tree it was unpacked in: the cache of root is closed to others."""
    root = program.parent.parent
    if os.geteuid() != 0 or not root.is_relative_to(cache_dir()):
        return program
    shutil.copytree(root, folder / "unpacked", symlinks=True)
    return folder / "unpacked" / program.relative_to(root)


def _signal_all(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _postgres_identity() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@dataclass
class WebServer:
    """A server that speaks HTTP."""

    url: str
    port: int
    folder: Path
    program: Program


SELF_SCRAPE = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - {{job_name: prometheus, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
  - {{job_name: dead, static_configs: [{{targets: ["127.0.0.1:9"]}}]}}
"""


@contextmanager
def start_prometheus(
    *,
    config: str = SELF_SCRAPE,
    options: Sequence[str] = (),
    web_config: str | None = None,
    scheme: str = "http",
    ready_path: str = "/-/ready",
    history: str = "",
) -> Iterator[WebServer]:
    """A Prometheus that scrapes itself each second, and a target that is down. `{port}` in `config` is its own;
    `history` is OpenMetrics text with times that it has from the beginning."""
    with scratch("prom") as folder:
        port = free_port()
        if history:
            (folder / "history").write_text(history)
            make = [str(binaries.find("promtool")), "tsdb", "create-blocks-from", "openmetrics", "-q"]
            subprocess.run([*make, str(folder / "history"), str(folder / "data")], check=True, capture_output=True)
        (folder / "prometheus.yml").write_text(config.format(port=port))
        argv = [
            str(binaries.find("prometheus")), f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}", *options,
        ]  # fmt: skip
        ready = _answers(f"http://127.0.0.1:{port}{ready_path}")
        if web_config is not None:
            # Asking it would need the credentials it was told to want; its log says as much.
            log = folder / "log"
            ready = lambda: b"Server is ready" in log.read_bytes()  # noqa: E731
            (folder / "web.yml").write_text(web_config)
            argv += [f"--web.config.file={folder / 'web.yml'}"]
        with _web_server(argv, f"{scheme}://127.0.0.1:{port}", port, folder, ready) as server:
            yield server


@contextmanager
def start_victoria_metrics(*, options: Sequence[str] = ()) -> Iterator[WebServer]:
    """A VictoriaMetrics that shows what was written at once."""
    with scratch("vm") as folder:
        port = free_port()
        argv = [
            str(binaries.find("victoria-metrics")), f"-storageDataPath={folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{port}", "-search.latencyOffset=0s", "-loggerLevel=ERROR", *options,
        ]  # fmt: skip
        with _web_server(
            argv, f"http://127.0.0.1:{port}", port, folder, _answers(f"http://127.0.0.1:{port}/health")
        ) as s:
            yield s


TELLS_NOBODY = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@contextmanager
def start_alertmanager(*, config: str = TELLS_NOBODY, web_config: str | None = None) -> Iterator[WebServer]:
    """An Alertmanager by itself; unless `config` says otherwise it tells nobody."""
    with scratch("am") as folder:
        port = free_port()
        (folder / "alertmanager.yml").write_text(config)
        argv = [
            str(binaries.find("alertmanager")), f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        ]  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        ready = _answers(f"{url}/-/ready")
        if web_config is not None:
            ready = _listening(port)  # asking it would need the credentials it was told to want
            (folder / "web.yml").write_text(web_config)
            argv += [f"--web.config.file={folder / 'web.yml'}"]
        with _web_server(argv, url, port, folder, ready) as server:
            yield server


@dataclass
class SshServer:
    """An sshd that lets this user in, and the ssh configuration that knows it as `app-1`, `app-2` and `gone`."""

    config: Path
    folder: Path
    program: Program


@contextmanager
def start_sshd() -> Iterator[SshServer]:
    """An sshd on loopback with keys of its own. `gone` is a host that nobody is."""
    sshd = str(binaries.find("sshd"))
    with scratch("sshd") as folder:
        port = free_port()
        for name in ("host", "user"):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(argv, check=True, capture_output=True)
        (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
        (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
        (folder / "sshd_config").write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/pid\nUsePAM no\n"
            f"StrictModes no\nAuthorizedKeysFile {folder}/authorized\nPermitRootLogin yes\n"
            f"Subsystem sftp internal-sftp\n"
        )
        common = (
            f"HostName 127.0.0.1\nPort {port}\nUser {pwd.getpwuid(os.geteuid()).pw_name}\nIdentityFile {folder}/user\n"
            f"IdentitiesOnly yes\nUserKnownHostsFile {folder}/known\nStrictHostKeyChecking yes\n"
        )
        (folder / "ssh_config").write_text(
            f"Host app-1 app-2\n{common}\nHost gone\n{common.replace(str(port), str(free_port()))}"
        )
        (folder / "ssh_config").chmod(0o600)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        argv = [*_known_user(folder), sshd, "-D", "-e", "-f", str(folder / "sshd_config")]
        program = Program(argv, folder / "log", _listening(port))
        program.start()
        try:
            yield SshServer(folder / "ssh_config", folder, program)
        finally:
            program.kill()


def _known_user(folder: Path) -> list[str]:
    """What has to stand before a sshd that was unpacked and not installed: started by root, it insists on its user.

    It sees one, in a mount namespace of its own; the machine's list of users stays as it is.
    """
    try:
        pwd.getpwnam("sshd")
    except KeyError:
        pass
    else:
        return []
    if os.geteuid() != 0:
        return []
    users = folder / "passwd"
    users.write_text(Path("/etc/passwd").read_text() + "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n")
    return ["unshare", "--mount", "sh", "-c", f'mount --bind {users} /etc/passwd && exec "$@"', "sh"]


@contextmanager
def start_redis() -> Iterator[WebServer]:
    """A Redis that keeps nothing on disk; its `url` is `redis://…`."""
    with scratch("redis") as folder:
        port = free_port()
        argv = [str(binaries.find("redis-server")), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        argv += ["--appendonly", "no", "--dir", str(folder)]
        with _web_server(argv, f"redis://127.0.0.1:{port}/0", port, folder, _listening(port)) as server:
            yield server


@contextmanager
def _web_server(argv: list[str], url: str, port: int, folder: Path, ready: Callable[[], bool]) -> Iterator[WebServer]:
    program = Program(argv, folder / "log", ready)
    program.start()
    try:
        yield WebServer(url, port, folder, program)
    finally:
        program.stop()


def _answers(url: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return ready


def _listening(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return True
        except OSError:
            return False

    return ready
