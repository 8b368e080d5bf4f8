"""What `opsconsole.yaml` may say. `loading` turns what this lets through into settings."""

import re
from dataclasses import dataclass, replace
from typing import Any

from opsconsole.config.airflow_metrics_format import AIRFLOW_METRICS
from opsconsole.config.plaintext import warn_of_plain_text
from opsconsole.config.schema import (
    INVALID,
    Choice,
    Duration,
    Either,
    Field,
    FilePath,
    ListOf,
    MapOf,
    Number,
    Place,
    Record,
    Sensitive,
    Text,
    Url,
)
from opsconsole.config.secrets import conninfo, dsn_password
from opsconsole.config.settings import Mode, Role

VERSION = 1
THEMES = ("dark", "light", "ansi", "high-contrast", "no-colour")
COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "magenta", "grey", "none")


@dataclass(frozen=True, slots=True)
class VersionNumber:
    """The version of a file's format. Read as that number."""

    newest: int = VERSION

    @property
    def expected(self) -> str:
        return f"{self.newest}"

    def read(self, value: Any, place: Place) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            if 1 <= value <= self.newest:
                return value
            if value > self.newest:
                message = f"{place.name}: {value} is newer than this opsconsole knows; expected {self.newest}"
                return place.report("bad-version", message)
        return place.report("bad-version", f"{place.name}: expected {self.newest}")


@dataclass(frozen=True, slots=True)
class Dsn:
    """A PostgreSQL connection string, or a secret that is one. Read as `Sensitive`. Never quoted in a message."""

    expected: str = "a URL such as postgresql://ops@db/app, key=value text such as service=app, or {env: NAME}"

    def read(self, value: Any, place: Place) -> Any:
        if not isinstance(value, str):
            return Sensitive(self.expected).read(value, place)
        if "://" in value:
            read = Url(("postgresql", "postgres"), "postgresql://ops@db/app").read(_hosted(value), place)
            if read is INVALID:
                return INVALID
        elif value.strip() and not conninfo(value):
            return place.report("bad-dsn", f"{place.name}: neither a URL nor key=value text; expected {self.expected}")
        if dsn_password(value):
            place.report(
                "literal-secret",
                f"{place.name}: holds a password in plain text; better in ~/.pgpass, a service file, or {{env: NAME}}",
                warning=True,
            )
        return {"literal": value}


@dataclass(frozen=True, slots=True)
class SecretUrl:
    """A URL that may hold a password, or a secret that is one. Read as `Sensitive`."""

    schemes: tuple[str, ...]
    example: str

    @property
    def expected(self) -> str:
        return f"a URL such as {self.example}, or {{env: NAME}}"

    def read(self, value: Any, place: Place) -> Any:
        if not isinstance(value, str):
            return Sensitive(self.expected).read(value, place)
        if Url(self.schemes, self.example).read(value, place) is INVALID:
            return INVALID
        warn_of_password(value, place)
        return {"literal": value}


@dataclass(frozen=True, slots=True)
class HttpUrl:
    """An HTTP URL; a password in it earns a warning."""

    example: str

    @property
    def expected(self) -> str:
        return f"a URL such as {self.example}"

    def read(self, value: Any, place: Place) -> Any:
        if Url(example=self.example).read(value, place) is INVALID:
            return INVALID
        if "?" in value or "#" in value:
            return place.report("bad-url", f"{place.name}: a query or fragment in it; expected {self.expected}")
        warn_of_password(value, place)
        return value


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """`sqlite`, or where the shared journal is. Read as `Sensitive`."""

    expected: str = "sqlite, or a URL such as postgresql://ops@db/opsconsole"

    def read(self, value: Any, place: Place) -> Any:
        return {"literal": value} if value == "sqlite" else Dsn(self.expected).read(value, place)


def warn_of_password(url: str, place: Place) -> None:
    """Report the password in `url` as a warning, without repeating it."""
    if dsn_password(url):
        place.report(
            "literal-secret", f"{place.name}: holds a password in plain text; better {{env: NAME}}", warning=True
        )


def _hosted(dsn: str) -> str:
    """`dsn` with a host: libpq allows none (the socket), and several, which urlsplit does not understand."""
    head, _, rest = dsn.partition("://")
    authority, slash, path = rest.partition("/")
    hosts = authority.rpartition("@")[2] or "localhost"
    first = hosts.split(",")[0]
    return f"{head}://{first if not first.startswith(':') else 'localhost' + first}{slash}{path}"


_PLAIN_OR_SECRET = Either(scalar=Text(lenient=True, empty=True), mapping=Sensitive())
_HEADER = Text(pattern=r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", expected="the name of an HTTP header")
_VARIABLE = Text(pattern=r"[A-Za-z_][A-Za-z0-9_]*", expected="the name of an environment variable")
_TIMEOUT = Duration(minimum=0.1, maximum=300, example="5s")
_AUTHORITY = Text(
    pattern=r"([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", expected="a host, or host:port"
)
_HOST = Text(pattern=r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}", expected="a host name, as ssh knows it")
_GROUP = Text(pattern=r"[A-Za-z_][A-Za-z0-9_]{0,99}", expected="a group name of letters, digits and '_'")


def _authentication(result: dict[str, Any], place: Place) -> None:
    if "password" in result and "username" not in result:
        place.child("password").report("missing-key", "password without username; expected both", on_key=True)
    if "key" in result and "certificate" not in result:
        place.child("key").report("missing-key", "key without certificate; expected both", on_key=True)
    warn_of_plain_text(result, place)


def _http(example: str, **more: Field) -> Record:
    return Record(
        {
            "url": HttpUrl(example),
            "timeout": _TIMEOUT,
            "headers": MapOf(_PLAIN_OR_SECRET, name=_HEADER),
            "username": Text(),
            "password": Sensitive(),
            "bearer_token": Sensitive(),
            "ca": FilePath("the path of a PEM file"),
            "certificate": FilePath("the path of a PEM file"),
            "key": FilePath("the path of a PEM file"),
            **more,
        },
        required=("url",),
        exclusive=(("username", "bearer_token"),),
        verify=_authentication,
    )


def _airflow(result: dict[str, Any], place: Place) -> None:
    _authentication(result, place)
    if "url" not in result and "metadata" not in result and not place.problems:
        place.report("missing-key", f"{place.name}: neither url nor metadata; expected one of them at least")


_AIRFLOW = replace(
    _http(
        "http://127.0.0.1:8080",
        token=Sensitive(),
        token_command=ListOf(Text(lenient=True, empty=True), minimum=1, what="a program and its arguments, as a list"),
        metadata=Text(),
        logs=Text(),
        metrics=AIRFLOW_METRICS,
    ),
    required=(),
    exclusive=(("username", "token", "token_command", "bearer_token"),),
    verify=_airflow,
)

_PROMETHEUS = _http("http://127.0.0.1:9090", max_concurrency=Number(minimum=1, maximum=64, whole=True))
_ALERTMANAGER = _http("http://127.0.0.1:9093")

_POSTGRES = Record(
    {
        "dsn": Dsn(),
        "statement_timeout": Duration(minimum=0.01, maximum=3600, example="5s"),
        "lock_timeout": Duration(minimum=0.01, maximum=3600, example="1s"),
        "connect_timeout": Duration(minimum=1, maximum=300, example="5s"),
        "pooler": Record(
            {"dsn": Dsn(), "password": Sensitive(), "timeout": _TIMEOUT},
            required=("dsn",),
            what='a mapping such as {dsn: "postgresql://stats@db:6432/pgbouncer"}',
        ),
    },
    required=("dsn",),
    what='a mapping such as {dsn: "postgresql://ops@db/app"}',
)


@dataclass(frozen=True, slots=True)
class _Colour:
    """A colour for the header."""

    expected: str = f"{', '.join(COLOURS)} or '#rrggbb'"

    def read(self, value: Any, place: Place) -> Any:
        if isinstance(value, str) and re.fullmatch("#[0-9a-fA-F]{6}", value):
            return value
        if value is None:  # `banner: #ff0000` without quotes is a comment
            return place.report("wrong-type", f"{place.name}: nothing; expected {self.expected}, in quotes")
        return Choice((*COLOURS, "#rrggbb")).read(value, place)


def _metadata_exists(result: dict[str, Any], place: Place) -> None:
    metadata = result.get("airflow", {}).get("metadata")
    if metadata and metadata not in result.get("postgres", {}):
        from opsconsole.core.problem import nearest

        known = list(result.get("postgres", {}))
        hint = nearest(metadata, known) or f"; known are {', '.join(known) or 'none'}"
        message = f"metadata: {metadata!r} is no database under postgres{hint}"
        place.child("airflow").child("metadata").report("unknown-name", message)


ENVIRONMENT = Record(
    {
        "banner": _Colour(),
        "mode": Choice(tuple(mode.value for mode in Mode)),
        "prometheus": _PROMETHEUS,
        "prometheuses": MapOf(_PROMETHEUS, what="a mapping of names to mappings with url"),
        "alertmanager": _ALERTMANAGER,
        "alertmanagers": MapOf(_ALERTMANAGER, what="a mapping of names to mappings with url"),
        "postgres": MapOf(_POSTGRES),
        "airflow": _AIRFLOW,
        "loki": _http("http://127.0.0.1:3100"),
        "redis": Record(
            {
                "url": SecretUrl(("redis", "rediss", "unix"), "redis://127.0.0.1:6379/0"),
                "timeout": _TIMEOUT,
            },
            required=("url",),
        ),
        "services": FilePath(),
        "slas": FilePath(),
        "quality": FilePath(),
        "alerts": FilePath(),
        "escalation": FilePath(),
        "errors": FilePath(),
        "monitoring": FilePath("the path of a folder"),
        "screens": FilePath("the path of a folder"),
        "runbooks": FilePath("the path of a folder"),
        "env": MapOf(_PLAIN_OR_SECRET, name=_VARIABLE),
        "http_hosts": ListOf(_AUTHORITY, what="a list of hosts such as api.internal or api.internal:8443"),
        "hosts": MapOf(
            ListOf(_HOST, minimum=1, what="a list of host names"),
            name=_GROUP,
            what="a mapping of groups to lists of host names",
        ),
        "inventory": FilePath("the path of an Ansible inventory"),
        "ssh_config": FilePath("the path of an ssh configuration"),
        "approvals": Record(
            {
                "folder": FilePath("the path of a folder"),
                "expire": Duration(minimum=30, maximum=86400, example="15m"),
            },
            what="a mapping with folder and expire",
        ),
    },
    what="a mapping with prometheus, postgres, …",
    verify=_metadata_exists,
)

_MEMBER = Text(pattern=r"\*|%?[^\s%*]+", expected='a user name, %group, or "*"')


def _default_exists(result: dict[str, Any], place: Place) -> None:
    environments, default = result.get("environments", {}), result.get("default_environment")
    if "environments" in result and not environments and not place.problems:
        place.child("environments").report("wrong-count", "environments: none; expected at least one")
    if default is not None and default not in environments:
        from opsconsole.core.problem import nearest

        hint = nearest(default, environments) or f"; known are {', '.join(environments) or 'none'}"
        message = f"default_environment: {default!r} is not under environments{hint}"
        place.child("default_environment").report("unknown-name", message)
    if default is None and len(environments) > 1 and "default_environment" not in result:
        place.report("missing-key", "key 'default_environment' is missing; expected the name of one environment")


CONFIGURATION = Record(
    {
        "version": VersionNumber(),
        "default_environment": Text(),
        "environments": MapOf(ENVIRONMENT),
        "store": Record({"url": StoreUrl()}, required=("url",)),
        "theme": Choice(THEMES),
        "keys": MapOf(ListOf(Text(), single=True, what="a key such as r or ctrl+p, or a list of them")),
        "roles": Record({role.value: ListOf(_MEMBER, what="a list of user names and %groups") for role in Role}),
    },
    required=("version", "environments"),
    what="a mapping with version and environments",
    verify=_default_exists,
)
