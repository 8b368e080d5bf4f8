"""What the simulated data platform consists of: services, tables, and how busy they are. Its DAGs are in `dags`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of one service."""

    service: str
    """Also the `job` of its metrics."""
    name: str
    """The `instance` of its metrics."""

    @property
    def unit(self) -> str:
        """Its name under the supervisor."""
        return f"{self.service}-{self.name}"

    def __str__(self) -> str:
        return f"{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class Service:
    """One service as an operator knows it."""

    name: str
    title: str
    kind: str
    """One of the kinds of services.yaml."""
    instances: tuple[str, ...]
    depends_on: tuple[str, ...] = ()
    owner: str = "data-platform"


SERVICES = (
    Service("energy-service", "Energy API", "api", ("app-1", "app-2"), ("postgres", "keycloak"), "energy-team"),
    Service("profile-service", "Customer profile API", "api", ("app-1",), ("postgres", "keycloak"), "energy-team"),
    Service("keycloak", "Single sign-on (Keycloak)", "identity", ("auth-1",), ("postgres",)),
    Service("nginx", "Reverse proxy (nginx)", "proxy", ("edge-1",), ("energy-service", "profile-service", "keycloak")),
    Service("airflow-api-server", "Airflow API server", "api", ("airflow-1",), ("postgres",)),
    Service("airflow-scheduler", "Airflow scheduler", "scheduler", ("airflow-1",), ("postgres",)),
    Service("airflow-worker", "Airflow worker", "worker", ("worker-1",), ("postgres", "airflow-scheduler")),
    Service("airflow-dag-processor", "Airflow DAG processor", "worker", ("airflow-1",), ("postgres",)),
    Service("airflow-triggerer", "Airflow triggerer", "worker", ("airflow-1",), ("postgres",)),
    Service("ingestion", "Meter reading ingestion", "job", ("etl-1",), ("postgres",)),
    Service("postgres", "PostgreSQL", "database", ("db-1",)),
    Service("redis", "Redis cache", "cache", ("cache-1",)),
    Service("node", "Host metrics (node-exporter)", "other", ("host-1",)),
    Service("prometheus", "Prometheus", "other", ("mon-1",)),
    Service("alertmanager", "Alertmanager", "other", ("mon-1",), ("prometheus",)),
)


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a simulated API."""

    service: str
    method: str
    path: str
    latency: float
    """Seconds, the median of a log-normal distribution."""
    weight: float
    """Requests per second at an ordinary hour, over all instances."""


ROUTES = (
    Route("energy-service", "GET", "/api/v1/readings", 0.080, 1.8),
    Route("energy-service", "GET", "/api/v1/consumption", 0.140, 1.2),
    Route("energy-service", "GET", "/api/v1/tariffs", 0.030, 0.6),
    Route("profile-service", "GET", "/api/v1/profiles", 0.045, 0.9),
    Route("profile-service", "PUT", "/api/v1/preferences", 0.070, 0.3),
    Route("keycloak", "POST", "/realms/energy/token", 0.060, 0.6),
)
LATENCY_SPREAD = 0.35
"""Sigma of the log-normal distribution: the 95th percentile is 1.78 times the median."""
BUCKETS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0, 2.5)
"""Upper bounds of the latency histogram, seconds. 0.5 is the limit of the SLA."""


TABLES: Mapping[str, float] = {
    "readings": 2,
    "tariffs": 120,
    "customers": 180,
    "consumption_hourly": 120,
    "weather": 180,
}
"""The tables whose freshness is watched, and the seconds between their loads."""


def instances() -> tuple[Instance, ...]:
    """Every instance of every service."""
    return tuple(Instance(service.name, name) for service in SERVICES for name in service.instances)


def select(target: str, among: tuple[Instance, ...] | None = None) -> tuple[Instance, ...]:
    """The instances that `target` names: `SERVICE`, `SERVICE/INSTANCE`, `SERVICE INSTANCE` or a unit's name.

    Raises:
        KeyError: nothing has that name.
    """
    among = instances() if among is None else among
    service, _, name = target.strip().replace(" ", "/").partition("/")
    found = tuple(
        one
        for one in among
        if (one.service == service and name in ("", one.name)) or (not name and one.unit == service)
    )
    if not found:
        raise KeyError(target)
    return found
