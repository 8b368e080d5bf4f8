"""What `init` finds on this machine: in the environment variables, in libpq's files, and on the usual ports."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from opsconsole.config.schema import IDENTIFIER
from opsconsole.config.secrets import conninfo, dsn_password
from opsconsole.config.settings import DEFAULT_DATABASE

_CONNINFO = {
    "PGSERVICE": "service", "PGHOST": "host", "PGHOSTADDR": "hostaddr", "PGPORT": "port", "PGDATABASE": "dbname",
    "PGUSER": "user", "PGPASSFILE": "passfile", "PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert",
}  # fmt: skip
"""libpq's variables that hold no secret, and the keys that say the same."""
_MEANT = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE")
_TIMEOUT = 2.0  # seconds; these are loopback addresses


@dataclass(slots=True)
class HttpServer:
    """An HTTP server to write down."""

    url: str
    """Without user and password."""
    username: str = ""
    password_variable: str = ""
    """The environment variable that should hold the password; empty: there is none."""
    said: str = ""
    """What it answered, or why it did not."""


@dataclass(slots=True)
class Found:
    """Everything there is to write down. No part of it is a secret."""

    prometheus: HttpServer | None = None
    alertmanager: HttpServer | None = None
    postgres: dict[str, str] = field(default_factory=dict)
    """Connection strings by name, without passwords."""
    notes: list[str] = field(default_factory=list)
    """What the operator has to know or do, one sentence each."""


Ask = Callable[[str], tuple[str, bool]]
"""URL -> (what answered or what went wrong, whether it is the right product)."""


def look(
    variables: Mapping[str, str], *, prometheus: str = "", postgres: str | None = None, home: Path | None = None
) -> Found:
    """Look around. `prometheus` and `postgres` are what the command line names, and win.

    Raises:
        ContentError: they are not what they should be.
    """
    from opsconsole.config.loading import postgres_at, prometheus_at

    found = Found()
    given = prometheus or variables.get("PROMETHEUS_URL", "")
    if given:
        prometheus_at(given, "--prometheus" if prometheus else "PROMETHEUS_URL")
    found.prometheus = _server(given, "http://127.0.0.1:9090", "PROMETHEUS_PASSWORD", ask_prometheus, found)
    found.alertmanager = _server(
        variables.get("ALERTMANAGER_URL", ""), "http://127.0.0.1:9093", "ALERTMANAGER_PASSWORD", ask_alertmanager, found
    )
    if postgres is not None:
        postgres_at(postgres)
        found.postgres[DEFAULT_DATABASE] = without_password(postgres)
        if dsn_password(postgres):
            found.notes.append("the password in --postgres is not written down; put it into ~/.pgpass, or use service=")
    elif any(variables.get(name) for name in _MEANT):
        found.postgres[DEFAULT_DATABASE] = _from_variables(variables)
        if variables.get("PGPASSWORD"):
            found.notes.append("PGPASSWORD is not written down; keep it set, or put the password into ~/.pgpass")
    _service_file(variables, home or Path.home(), found)
    return found


def _server(given: str, usual: str, password_variable: str, ask: Ask, found: Found) -> HttpServer | None:
    url = given or usual
    parts = urlsplit(url)
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
    said, right = ask(bare)
    if not given and not right:
        return None
    server = HttpServer(bare, said=said)
    if parts.username:
        server.username, server.password_variable = unquote(parts.username), password_variable
        found.notes.append(f"the password for {bare} is not written down; set {password_variable}")
    return server


def without_password(dsn: str) -> str:
    """`dsn` as it was, its password taken out."""
    if not dsn_password(dsn):
        return dsn
    if "://" not in dsn:
        return _as_conninfo({key: value for key, value in conninfo(dsn).items() if key != "password"})
    parts = urlsplit(dsn)
    user, _, host = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}@{host}" if user else host
    query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] != "password"])
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def _from_variables(variables: Mapping[str, str]) -> str:
    return _as_conninfo({key: variables[name] for name, key in _CONNINFO.items() if variables.get(name)})


def _as_conninfo(pairs: Mapping[str, str]) -> str:
    return " ".join(f"{key}={_quoted(value)}" for key, value in pairs.items())


def _quoted(value: str) -> str:
    if re.fullmatch(r"[^\s'\\]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _service_file(variables: Mapping[str, str], home: Path, found: Found) -> None:
    """Add the services of `$PGSERVICEFILE` or `~/.pg_service.conf`, by the names they have there."""
    named = variables.get("PGSERVICEFILE")
    path = Path(named) if named else home / ".pg_service.conf"
    try:
        text = path.read_text(encoding="utf-8", errors="replace")[:1_000_000] if path.is_file() else ""
    except OSError as error:
        found.notes.append(f"{path} cannot be read: {error.strerror}")
        return
    sections = re.findall(r"^[ \t]*\[([^\]\n]+)\]", text, re.MULTILINE)
    for name in sections:
        if re.fullmatch(IDENTIFIER.pattern, name) and name not in found.postgres:
            found.postgres[name] = f"service={name}"
    if sections and named:
        found.notes.append(f"the services are read from {path}: PGSERVICEFILE has to stay set")


def ask_prometheus(url: str) -> tuple[str, bool]:
    """Whether a Prometheus answers at `url`."""
    content, error = _get_json(f"{url}/api/v1/status/buildinfo")
    if isinstance(content, dict) and content.get("status") == "success":
        build = content.get("data")
        version = build.get("version") if isinstance(build, dict) else None
        return f"Prometheus {version or ''}".strip(), True
    return error or "answers, but not as Prometheus", False


def ask_alertmanager(url: str) -> tuple[str, bool]:
    """Whether an Alertmanager answers at `url`."""
    content, error = _get_json(f"{url}/api/v2/status")
    if isinstance(content, dict) and "versionInfo" in content and "cluster" in content:
        build = content["versionInfo"]
        version = build.get("version") if isinstance(build, dict) else None
        return f"Alertmanager {version or ''}".strip(), True
    return error or "answers, but not as Alertmanager", False


def _get_json(url: str) -> tuple[object, str]:
    """(the content, "") or (None, what went wrong). No proxy, no redirect, no more than a megabyte."""
    import http.client

    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)
        try:
            connection.request("GET", parts.path, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            content = answer.read(1_000_000)
        finally:
            connection.close()
        if answer.status != 200:
            return None, f"answers {answer.status}"
        return json.loads(content), ""
    except OSError as error:
        return None, f"does not answer: {error.strerror or error}"
    except (http.client.HTTPException, ValueError, RecursionError):
        return None, "answers, but no JSON"
