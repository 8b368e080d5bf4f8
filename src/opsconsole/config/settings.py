"""What `opsconsole.yaml` says, typed. `loading` makes these; docs/configuration.md is the reference."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.config.secrets import SecretRef
from opsconsole.core.problem import Problem

DEFAULT_DATABASE = "app"
"""The name under which `PG*` and `--postgres` are known; the shipped screens say `postgres/app`."""


def _no_refs() -> Mapping[str, SecretRef]:
    return MappingProxyType({})


class Mode(StrEnum):
    """What an environment lets anybody do."""

    READ_ONLY = "read-only"
    """Nothing that changes the world."""
    GUARDED = "guarded"
    """A write asks; a destructive action asks for the target's name."""
    OPEN = "open"
    """A write does not ask; a destructive action asks."""


class Role(StrEnum):
    """What a person may do, least first."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """0 for viewer, 2 for admin."""
        return list(Role).index(self)


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How to reach something over HTTP. At most one of basic authentication and bearer token is set."""

    url: str
    """Without user and password; may have a path prefix; no slash at the end."""
    timeout: float = 5.0
    """Seconds for a whole answer."""
    headers: Mapping[str, SecretRef] = field(default_factory=_no_refs)
    username: str = ""
    password: SecretRef | None = None
    bearer_token: SecretRef | None = None
    """Resolved again when the server answers 401: tokens rotate."""
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class PrometheusSettings(HttpSettings):
    """A Prometheus, or what speaks its query API."""

    max_concurrency: int = 4
    """Queries under way at once."""


@dataclass(frozen=True, slots=True)
class AlertmanagerSettings(HttpSettings):
    """An Alertmanager, API version 2."""


@dataclass(frozen=True, slots=True)
class LokiSettings(HttpSettings):
    """A Loki, or what speaks its query API."""

    timeout: float = 15.0
    """Seconds for a whole answer: it looks through text."""


@dataclass(frozen=True, slots=True)
class AirflowSettings(HttpSettings):
    """An Airflow: its REST API, its metadata database, or both.

    With Airflow 3, user and password are exchanged for tokens; with Airflow 2 they are sent as basic authentication.
    """

    url: str = ""
    """Empty: only the metadata database is read, and nothing can be changed."""
    timeout: float = 15.0
    """Seconds for a whole answer: an API server under load takes its time."""
    metadata: str = ""
    """The name, under `postgres`, of its metadata database; empty: not readable."""
    logs: Path | None = None
    """The folder that its workers write the logs of tasks to, where that is mounted here."""
    metrics: AirflowMetrics = field(default_factory=AirflowMetrics)
    """What its metrics are called in Prometheus."""


@dataclass(frozen=True, slots=True)
class PoolerSettings:
    """The admin console of a PgBouncer."""

    dsn: SecretRef
    """As for a database; where it names none, `pgbouncer` is meant."""
    password: SecretRef | None = None
    """Takes the place of the one in the DSN."""
    timeout: float = 2.0
    """Seconds for connecting, and for each answer."""


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """One database."""

    name: str
    dsn: SecretRef = field(default_factory=lambda: SecretRef.of(""))
    """URL or `key=value` text for libpq, which takes from `PG*`, `.pgpass` and the service file what it leaves out."""
    statement_timeout: float = 5.0
    """Seconds."""
    lock_timeout: float = 1.0
    """Seconds."""
    connect_timeout: float = 5.0
    """Seconds."""
    pooler: PoolerSettings | None = None
    """What stands before it, for applications."""


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """A Redis or Valkey server."""

    url: SecretRef
    timeout: float = 2.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class ApprovalSettings:
    """Where operators approve each other's steps."""

    folder: Path | None = None
    """Has to be writable by everybody who requests or approves; None: `approvals` in the state folder."""
    expire: float = 900.0
    """Seconds for which an approval counts."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment: where its systems are, and what may be done there."""

    name: str
    screens: Path
    runbooks: Path
    banner: str = ""
    """Colour of the header: a name or `#rrggbb`; empty: the theme's."""
    mode: Mode = Mode.GUARDED
    prometheus: PrometheusSettings | None = None
    prometheuses: Mapping[str, PrometheusSettings] = field(default_factory=lambda: MappingProxyType({}))
    """Further ones, by name."""
    alertmanager: AlertmanagerSettings | None = None
    alertmanagers: Mapping[str, AlertmanagerSettings] = field(default_factory=lambda: MappingProxyType({}))
    """Further ones, by name."""
    postgres: Mapping[str, PostgresSettings] = field(default_factory=lambda: MappingProxyType({}))
    airflow: AirflowSettings | None = None
    redis: RedisSettings | None = None
    loki: LokiSettings | None = None
    services: Path | None = None
    slas: Path | None = None
    quality: Path | None = None
    alerts: Path | None = None
    escalation: Path | None = None
    errors: Path | None = None
    monitoring: Path | None = None
    """The folder for what is made for Prometheus, Alertmanager and Grafana."""
    env: Mapping[str, SecretRef] = field(default_factory=_no_refs)
    """Environment variables for the shell steps of runbooks."""
    http_hosts: tuple[str, ...] = ()
    """Where http steps of runbooks may send requests, beside the sources: `host` (ports 80 and 443), `host:port`."""
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Group -> hosts, by the names ssh knows; where shell steps of runbooks may run."""
    inventory: Path | None = None
    """An Ansible inventory, for groups that `hosts` does not have."""
    ssh_config: Path | None = None
    """For ssh to other hosts; None: the user's own configuration."""
    approvals: ApprovalSettings = ApprovalSettings()

    @property
    def every_prometheus(self) -> Mapping[str, PrometheusSettings]:
        """All of them by the names of their sources: `prometheus`, and `prometheus/NAME`."""
        first = {"prometheus": self.prometheus} if self.prometheus else {}
        return {**first, **{f"prometheus/{name}": one for name, one in self.prometheuses.items()}}

    @property
    def airflow_metrics(self) -> AirflowMetrics:
        """What the metrics of its Airflow are called in its Prometheus, be that Airflow configured or not."""
        return self.airflow.metrics if self.airflow is not None else AirflowMetrics()

    @property
    def every_alertmanager(self) -> Mapping[str, AlertmanagerSettings]:
        """All of them by the names of their sources: `alertmanager`, and `alertmanager/NAME`."""
        first = {"alertmanager": self.alertmanager} if self.alertmanager else {}
        return {**first, **{f"alertmanager/{name}": one for name, one in self.alertmanagers.items()}}


@dataclass(frozen=True, slots=True)
class Roles:
    """Who may do what: user names, `%group` names, or `*` for everybody, per role."""

    members: Mapping[Role, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def role_of(self, user: str, groups: Iterable[str]) -> Role:
        """The highest role that names `user` or one of `groups`; viewer where none does.

        Where no roles are configured at all, everybody is admin: the operating system decides alone.
        """
        if not self.members:
            return Role.ADMIN
        names = {"*", user, *(f"%{group}" for group in groups)}
        held = [role for role, members in self.members.items() if names.intersection(members)]
        return max(held, key=lambda role: role.rank, default=Role.VIEWER)


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration."""

    environments: Mapping[str, Environment]
    default_environment: str
    store_url: SecretRef = field(default_factory=lambda: SecretRef.of("sqlite"))
    """`sqlite` (under the state folder), or a PostgreSQL URL for a journal that several operators share."""
    roles: Roles = field(default_factory=Roles)
    theme: str = ""
    """Empty: what the terminal can do."""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """The user's keymap: action id -> keys."""
    file: Path | None = None
    """None: made from environment variables."""
    warnings: tuple[Problem, ...] = ()

    @property
    def environment(self) -> Environment:
        """The default environment."""
        return self.environments[self.default_environment]
