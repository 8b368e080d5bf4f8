"""From `opsconsole.yaml`, or from environment variables, to settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.config.document import load_document
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import (
    DEFAULT_DATABASE,
    AirflowSettings,
    AlertmanagerSettings,
    ApprovalSettings,
    Environment,
    LokiSettings,
    Mode,
    PoolerSettings,
    PostgresSettings,
    PrometheusSettings,
    RedisSettings,
    Role,
    Roles,
    Settings,
)
from opsconsole.core.content import shipped_content
from opsconsole.core.paths import config_home
from opsconsole.core.problem import ContentError, Problem
from opsconsole.core.secret import Secret

FILE_NAME = "opsconsole.yaml"
_PG_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE")
"""Any of these says that a database is meant; PGUSER or PGPORT alone is often left over."""


def find_config(explicit: str | os.PathLike[str] | None = None) -> Path | None:
    """The configuration file to use: the one named, `$OPSCONSOLE_CONFIG`, `./config/opsconsole.yaml`, or the
    user's own. A file that is named need not exist; loading says so.

    Raises:
        ContentError: the one found in the working directory belongs to somebody else: it can name commands.
    """
    named = explicit or os.environ.get("OPSCONSOLE_CONFIG")
    if named:
        return Path(named)
    here = Path("config") / FILE_NAME
    if here.is_file():
        _refuse_foreign(here)
        return here
    own = config_home() / FILE_NAME
    return own if own.is_file() else None


def load_settings(path: Path) -> Settings:
    """The settings in the file at `path`; relative paths in it are resolved against its folder.

    Raises:
        ContentError: with every problem of the file, warnings included, when one of them is an error.
    """
    from opsconsole.config.format import CONFIGURATION
    from opsconsole.config.schema import require

    document = load_document(path)
    read, warnings = require(document, CONFIGURATION)
    folder = path.resolve().parent
    environments = {name: _environment(name, entry, folder) for name, entry in read["environments"].items()}
    return Settings(
        environments=MappingProxyType(environments),
        default_environment=read.get("default_environment") or next(iter(environments)),
        store_url=_secret(read.get("store", {}).get("url", {"literal": "sqlite"}), folder),
        roles=Roles(MappingProxyType({Role(role): tuple(names) for role, names in read.get("roles", {}).items()})),
        theme=read.get("theme", ""),
        keys=MappingProxyType({action: tuple(keys) for action, keys in read.get("keys", {}).items()}),
        file=path,
        warnings=tuple(warnings),
    )


def settings_from_environment(variables: Mapping[str, str] | None = None) -> Settings | None:
    """Settings from `PROMETHEUS_URL` and `PG*`, with the shipped screens and runbooks; None where neither is set."""
    variables = os.environ if variables is None else variables
    url = variables.get("PROMETHEUS_URL", "")
    postgres = any(variables.get(name) for name in _PG_VARIABLES)
    return settings_for(url, "" if postgres else None) if url or postgres else None


def settings_for(prometheus: str = "", dsn: str | None = None) -> Settings:
    """Settings for one Prometheus and one database, with the shipped screens and runbooks.

    `dsn` None: no database; empty: the one that libpq's own variables name.

    Raises:
        ContentError: `prometheus` or `dsn` is not what it should be.
    """
    environment = Environment(
        name="default",
        screens=shipped_content() / "screens",
        runbooks=shipped_content() / "runbooks",
        prometheus=prometheus_at(prometheus) if prometheus else None,
        postgres=MappingProxyType({} if dsn is None else {DEFAULT_DATABASE: postgres_at(dsn)}),
    )
    return Settings(MappingProxyType({environment.name: environment}), environment.name)


def prometheus_at(url: str, where: str = "PROMETHEUS_URL") -> PrometheusSettings:
    """The Prometheus at `url`, user and password in it taken out.

    Raises:
        ContentError: it is no HTTP URL; `where` is what the problem names as its file.
    """
    from opsconsole.config.format import HttpUrl

    _check_value(HttpUrl("http://127.0.0.1:9090"), url, where)
    return PrometheusSettings(**_http({"url": url}, Path()))


def postgres_at(dsn: str, where: str = "--postgres") -> PostgresSettings:
    """The database at `dsn`.

    Raises:
        ContentError: it is no connection string; `where` is what the problem names as its file.
    """
    from opsconsole.config.format import Dsn

    _check_value(Dsn(), dsn, where)
    return PostgresSettings(DEFAULT_DATABASE, SecretRef.of(dsn))


def _check_value(field: Any, value: str, where: str) -> None:
    from opsconsole.config.document import Document, Node
    from opsconsole.config.schema import Place

    problems: list[Problem] = []
    field.read(value, Place(Document(where, value, Node(0, 0, "scalar", raw=value)), (where,), problems))
    if errors := [one for one in problems if one.severity == "error"]:
        raise ContentError(errors)


def _environment(name: str, entry: dict[str, Any], folder: Path) -> Environment:
    def path(key: str) -> Path | None:
        return _path(entry[key], folder) if key in entry else None

    banner = entry.get("banner", "")
    postgres = {database: _postgres(database, given, folder) for database, given in entry.get("postgres", {}).items()}
    redis = entry.get("redis")
    prometheuses = {
        one: PrometheusSettings(**_http(given, folder)) for one, given in entry.get("prometheuses", {}).items()
    }
    alertmanagers = {
        one: AlertmanagerSettings(**_http(given, folder)) for one, given in entry.get("alertmanagers", {}).items()
    }
    return Environment(
        name=name,
        screens=path("screens") or shipped_content() / "screens",
        runbooks=path("runbooks") or shipped_content() / "runbooks",
        banner="" if banner == "none" else banner,
        mode=Mode(entry.get("mode", Mode.GUARDED)),
        prometheus=PrometheusSettings(**_http(entry["prometheus"], folder)) if "prometheus" in entry else None,
        prometheuses=MappingProxyType(prometheuses),
        alertmanager=AlertmanagerSettings(**_http(entry["alertmanager"], folder)) if "alertmanager" in entry else None,
        alertmanagers=MappingProxyType(alertmanagers),
        postgres=MappingProxyType(postgres),
        airflow=AirflowSettings(**_airflow(entry["airflow"], folder)) if "airflow" in entry else None,
        redis=RedisSettings(**{**redis, "url": _secret(redis["url"], folder)}) if redis else None,
        loki=LokiSettings(**_http(entry["loki"], folder)) if "loki" in entry else None,
        services=path("services"),
        slas=path("slas"),
        quality=path("quality"),
        alerts=path("alerts"),
        escalation=path("escalation"),
        errors=path("errors"),
        monitoring=path("monitoring"),
        env=_secrets(entry.get("env", {}), folder),
        http_hosts=tuple(entry.get("http_hosts", ())),
        hosts=MappingProxyType({group: tuple(hosts) for group, hosts in entry.get("hosts", {}).items()}),
        inventory=path("inventory"),
        ssh_config=path("ssh_config"),
        approvals=_approvals(entry.get("approvals", {}), folder),
    )


def _postgres(name: str, entry: Mapping[str, Any], folder: Path) -> PostgresSettings:
    given = dict(entry)
    if "pooler" in given:
        pooler = dict(given["pooler"])
        pooler |= {key: _secret(pooler[key], folder) for key in ("dsn", "password") if key in pooler}
        given["pooler"] = PoolerSettings(**pooler)
    return PostgresSettings(name, _secret(given.pop("dsn"), folder), **given)


def _approvals(entry: Mapping[str, Any], folder: Path) -> ApprovalSettings:
    given = dict(entry)
    if "folder" in given:
        given["folder"] = _path(given["folder"], folder)
    return ApprovalSettings(**given)


def _http(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The arguments for `HttpSettings` and its kind. User and password in the URL become the ones used."""
    given = dict(entry)
    parts = urlsplit(given["url"])
    host = parts.netloc.rpartition("@")[2]
    given["url"] = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    if parts.username and "username" not in given and "bearer_token" not in given:
        given["username"] = unquote(parts.username)
        given["password"] = {"literal": unquote(parts.password or "")}
    for key in ("password", "bearer_token"):
        if key in given:
            given[key] = _secret(given[key], folder)
    for key in ("ca", "certificate", "key"):
        if key in given:
            given[key] = _path(given[key], folder)
    given["headers"] = _secrets(given.get("headers", {}), folder)
    return given


def _airflow(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """As `_http`; a token by any name is a bearer token, and one by a command is that command's output."""
    given = {"url": "", **entry}
    if "token" in given:
        given["bearer_token"] = given.pop("token")
    if "token_command" in given:
        given["bearer_token"] = {"command": given.pop("token_command")}
    if "metrics" in given:
        given["metrics"] = _metrics(given["metrics"])
    if "logs" in given:
        given["logs"] = _path(given["logs"], folder)
    return _http(given, folder)


def _metrics(entry: str | Mapping[str, Any]) -> AirflowMetrics:
    """The name of a profile, or what differs from one."""
    if isinstance(entry, str):
        return AirflowMetrics(entry)
    given: dict[str, Any] = {key: MappingProxyType(one) if isinstance(one, dict) else one for key, one in entry.items()}
    return AirflowMetrics(**given)


def _secrets(entries: Mapping[str, Any], folder: Path) -> Mapping[str, SecretRef]:
    return MappingProxyType({name: _secret(entry, folder) for name, entry in entries.items()})


def _secret(entry: Any, folder: Path) -> SecretRef:
    match entry:
        case {"env": name}:
            return SecretRef(env=name)
        case {"file": file}:
            return SecretRef(file=_path(file, folder))
        case {"command": argv}:
            return SecretRef(command=tuple(argv))
        case {"literal": text}:
            return SecretRef(literal=Secret(text))
        case text:
            return SecretRef(literal=Secret(str(text)))


def _path(text: str, folder: Path) -> Path:
    return Path(os.path.normpath(folder / Path(text).expanduser()))


def _refuse_foreign(path: Path) -> None:
    found = path.stat()
    if found.st_uid not in (0, os.getuid()):
        reason = f"belongs to user {found.st_uid}"
    elif found.st_mode & 0o002:
        reason = "can be written by everybody"
    else:
        return
    message = f"{reason}, and a configuration can name commands; if you trust it, say so: --config {path}"
    raise ContentError([Problem(str(path), 0, 0, "error", "foreign-file", message)])
