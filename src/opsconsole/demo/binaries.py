"""Where the servers of the demo and of the tests are: on PATH, in the cache, or fetched into it.

`python -m opsconsole.demo.binaries` fetches ahead what is missing and prints what was found.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from opsconsole.core.paths import cache_dir
from opsconsole.demo import packages
from opsconsole.demo.install_commands import install_command
from opsconsole.demo.packages import FetchError, Narrate, exclusive


class MissingBinary(Exception):  # noqa: N818 - what is missing is a binary; "error" would add nothing
    """A program is neither here nor to be had; `command` installs it on this platform."""

    def __init__(self, program: str, command: str, reason: str = "") -> None:
        self.program = program
        self.command = command
        self.reason = reason
        because = f" ({reason})" if reason else ""
        super().__init__(f"{program} is not installed{because}; install it with:\n  {command}")


@dataclass(frozen=True)
class _Package:
    """What brings a program: its Debian packages, and the names it goes by on PATH."""

    names: tuple[str, ...]
    debian: tuple[str, ...]
    folder: str
    """Its folder in the cache; programs of one package share it."""
    built_in: str = ""
    """The folder, absolute in the program, where it looks for files of its own."""


_PACKAGES = {
    "prometheus": _Package(("prometheus",), ("prometheus",), "prometheus"),
    "promtool": _Package(("promtool",), ("prometheus",), "prometheus"),
    "alertmanager": _Package(
        ("alertmanager", "prometheus-alertmanager"),
        ("prometheus-alertmanager",),
        "prometheus-alertmanager",
        built_in="/usr/share/prometheus/alertmanager",
    ),
    "amtool": _Package(("amtool",), ("prometheus-alertmanager",), "prometheus-alertmanager"),
    "node_exporter": _Package(
        ("node_exporter", "prometheus-node-exporter"), ("prometheus-node-exporter",), "node-exporter"
    ),
    "postgres_exporter": _Package(
        ("postgres_exporter", "prometheus-postgres-exporter"), ("prometheus-postgres-exporter",), "postgres-exporter"
    ),
    "pgbouncer": _Package(("pgbouncer",), ("pgbouncer",), "pgbouncer"),
    "redis-server": _Package(("redis-server", "valkey-server"), ("redis-server", "redis-tools"), "redis"),
    "sshd": _Package(("sshd",), ("openssh-server",), "sshd"),
    "victoria-metrics": _Package(("victoria-metrics", "victoria-metrics-prod"), ("victoria-metrics",), "victoria"),
}
_POSTGRES_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")


def find(program: str, *, narrate: Narrate = _to_stderr) -> Path:
    """The program's path: from PATH, else the cache, else fetched into the cache.

    PostgreSQL's tools (`postgres`, `initdb`, `psql`, `pg_dump`, …) all come from one folder, so that their
    versions agree.

    Raises:
        MissingBinary: not here and not to be had; carries the command that installs it.
    """
    if program not in _PACKAGES:
        tool = postgres_bin(narrate=narrate) / program
        if not _runs(tool):
            raise MissingBinary(program, install_command("postgres"), f"{tool.parent} has no {program}")
        return tool
    package = _PACKAGES[program]
    for name in package.names:
        if found := shutil.which(name):
            return Path(found)
    if cached := _cached(program):
        return cached
    brings = "prometheus" if program == "promtool" else "alertmanager" if program == "amtool" else program
    if not packages.available():
        raise MissingBinary(program, install_command(brings))
    try:
        packages.unpack(package.folder, package.debian, narrate, finish=_make_relocatable)
    except FetchError as error:
        raise MissingBinary(program, install_command(brings), str(error)) from error
    if cached := _cached(program):
        return cached
    raise MissingBinary(program, install_command(brings), "its Debian package does not hold it")


def find_optional(program: str, *, narrate: Narrate = _to_stderr) -> Path | None:
    """Like `find`, and None where the program is not to be had."""
    try:
        return find(program, narrate=narrate)
    except MissingBinary:
        return None


def postgres_bin(*, narrate: Narrate = _to_stderr) -> Path:
    """The folder with `postgres`, `initdb` and the rest: of PATH, the newest of the system's usual places,
    the cache, a Debian package, or at last the `pgserver` wheel (which has no contrib extensions).

    Raises:
        MissingBinary: none of these.
    """
    if on_path := shutil.which("postgres"):
        folder = Path(on_path).resolve().parent
        if _runs(folder / "initdb"):
            return folder
    installed = [path for pattern in _POSTGRES_PLACES for path in Path("/").glob(pattern.lstrip("/"))]
    for folder in sorted(installed, key=_version, reverse=True):
        if _runs(folder / "initdb") and _runs(folder / "postgres"):
            return folder
    if cached := _cached_postgres():
        return cached
    reasons = []
    for fetch in (_postgres_from_debian, _postgres_from_wheel):
        try:
            fetch(narrate)
        except FetchError as error:
            reasons.append(str(error))
        if cached := _cached_postgres():
            return cached
    raise MissingBinary("postgres", install_command("postgres"), "; ".join(reasons))


def _cached(program: str) -> Path | None:
    root = cache_dir() / "packages" / _PACKAGES[program].folder
    for name in _PACKAGES[program].names:
        for path in (root / "usr/bin" / name, root / "usr/sbin" / name):
            if _runs(path):
                needs_launcher = packages.library_folders(root) or _PACKAGES[program].built_in
                return (
                    packages.launcher(root, path, _PACKAGES[program].built_in.lstrip("/")) if needs_launcher else path
                )
    return None


def _make_relocatable(root: Path) -> None:
    for package in _PACKAGES.values():
        for name in package.names:
            if package.built_in and _runs(path := root / "usr/bin" / name):
                packages.relocate(path, package.built_in)


def _cached_postgres() -> Path | None:
    root = cache_dir() / "packages" / "postgresql"
    for folder in sorted(root.glob("usr/lib/postgresql/*/bin"), key=_version, reverse=True):
        if _runs(folder / "initdb"):
            if not packages.library_folders(root):
                return folder
            for tool in sorted(folder.iterdir()):
                packages.launcher(root, tool)
            return root / "bin"
    wheel = cache_dir() / "packages" / "pgserver" / "pgserver" / "pginstall" / "bin"
    return wheel if _runs(wheel / "initdb") else None


def _postgres_from_debian(narrate: Narrate) -> None:
    if not packages.available():
        raise FetchError("no apt-get here")
    # Without libllvm (30 MB) only just-in-time compilation is missing; the demo turns that off.
    wanted = ("postgresql", "postgresql-[0-9]+", "postgresql-client-[0-9]+")
    packages.unpack("postgresql", wanted, narrate, skip=r"libllvm|libz3|libperl|libpython")


def _postgres_from_wheel(narrate: Narrate) -> None:
    with exclusive("pgserver") as folder:
        place, scratch = folder / "pgserver", folder / f".pgserver-{os.getpid()}"
        if place.is_dir():
            return
        narrate(f"installing the pgserver wheel into {place}")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "--only-binary=:all:", "--target", str(scratch), "pgserver>=0.1.4"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            shutil.rmtree(scratch, ignore_errors=True)
            raise FetchError(f"the pgserver wheel: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}")
        scratch.rename(place)


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _version(folder: Path) -> tuple[int, ...]:
    digits = "".join(char if char.isdigit() else " " for char in str(folder)).split()
    return tuple(int(number) for number in digits)


def main(argv: list[str] | None = None) -> int:
    """Find or fetch the programs named (all of the demo's where none is), print `NAME<tab>PATH` for each;
    1 where one that the demo cannot do without is missing."""
    named = sys.argv[1:] if argv is None else argv
    needed = ("postgres", "prometheus", "promtool", "alertmanager")
    optional = ("node_exporter", "postgres_exporter", "redis-server")
    status = 0
    for program in named or (*needed, *optional):
        try:
            sys.stdout.write(f"{program}\t{find(program)}\n")
        except MissingBinary as missing:
            _to_stderr(str(missing))
            status = 1 if program in (named or needed) else status
    return status


if __name__ == "__main__":
    raise SystemExit(main())
