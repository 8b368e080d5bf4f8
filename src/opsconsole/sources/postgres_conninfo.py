"""Connection parameters for libpq: what the user said, completed so that a dead network cannot freeze the console."""

import os
from dataclasses import dataclass
from pathlib import Path

from opsconsole.config.secrets import SecretError
from opsconsole.config.settings import PostgresSettings
from opsconsole.core.reading import SourceError

APPLICATION_NAME = "opsconsole"
_DEBIAN_SOCKETS = Path("/var/run/postgresql")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and how that place is called in error texts."""

    parameters: dict[str, str]
    place: str
    """`db.internal:5432`, or the folder of the socket."""

    def __repr__(self) -> str:
        return f"Target({self.place})"  # the parameters may hold a password


def target_of(source: str, settings: PostgresSettings) -> Target:
    """What to give to psycopg. May run the command that a secret comes from: call it off the event loop.

    `PG*`, `.pgpass` and service files stay libpq's business.

    Raises:
        SourceError: a DSN that cannot be had or read. Its text is not repeated: it may hold a password.
    """
    try:
        parameters = _parsed(settings.dsn.reveal())
    except SecretError as error:
        raise SourceError(source, "refused", str(error), hint="no DSN to connect with") from None
    if parameters is None:
        expected = "postgresql://user@host/database, or host=… dbname=…"
        raise SourceError(source, "unsupported", f"its dsn cannot be read; expected {expected}")
    parameters = _guards(settings) | _location(parameters) | parameters | _fixed()
    return Target(parameters, _place(parameters))


def _parsed(dsn: str) -> dict[str, str] | None:
    """The parameters of a DSN. None where it is none: the exception quotes it, and must not be seen anywhere."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    except ProgrammingError:
        return None


def _guards(settings: PostgresSettings) -> dict[str, str]:
    """What bounds waiting for a network that is gone. The user's DSN may say otherwise."""
    return {
        "connect_timeout": str(max(2, round(settings.connect_timeout))),  # libpq takes whole seconds, at least 2
        "keepalives": "1",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "tcp_user_timeout": "15000",
    }


def _fixed() -> dict[str, str]:
    # Not as `options=-c …`: PgBouncer refuses those. Time-outs are set in each transaction.
    return {"application_name": APPLICATION_NAME, "client_encoding": "UTF8"}


def _location(given: dict[str, str]) -> dict[str, str]:
    """Host and port where libpq would find them by itself, but psycopg has to know them.

    psycopg resolves a host it knows beside the event loop; one that only the service file names is resolved
    within libpq, and the whole program stands still for as long as DNS does.
    """
    service = given.get("service") or os.environ.get("PGSERVICE")
    if service:
        entry = service_entry(service)
        return {name: entry[name] for name in ("host", "hostaddr", "port") if name in entry}
    if any(name in given for name in ("host", "hostaddr")) or os.environ.get("PGHOST") or os.environ.get("PGHOSTADDR"):
        return {}
    # The libpq inside psycopg's wheel looks for sockets in /tmp; Debian and Red Hat keep them here.
    port = given.get("port") or os.environ.get("PGPORT") or "5432"
    name = f".s.PGSQL.{port}"
    if not (Path("/tmp") / name).exists() and (_DEBIAN_SOCKETS / name).exists():  # noqa: S108 - where libpq looks
        return {"host": str(_DEBIAN_SOCKETS)}
    return {}


def service_entry(service: str) -> dict[str, str]:
    """The parameters of a service in the file where libpq would find it; empty where there is none."""
    named = os.environ.get("PGSERVICEFILE")
    files = [Path(named) if named else Path.home() / ".pg_service.conf"]
    if system := os.environ.get("PGSYSCONFDIR"):
        files.append(Path(system) / "pg_service.conf")
    for file in files:
        try:
            text = file.read_text("utf-8", errors="replace")
        except OSError:
            continue
        if entry := _section(text, service):
            return entry
    return {}


def _section(text: str, service: str) -> dict[str, str]:
    entry: dict[str, str] = {}
    here = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            if here:
                break
            here = line == f"[{service}]"
        elif here and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            entry[name] = value
    return entry


def _place(parameters: dict[str, str]) -> str:
    host = parameters.get("host") or os.environ.get("PGHOST") or parameters.get("hostaddr") or "the local socket"
    port = parameters.get("port") or os.environ.get("PGPORT") or "5432"
    if "," in host:
        return host
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else f"{host}:{port}"
