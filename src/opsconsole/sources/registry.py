"""The sources of an environment, by the names that content gives them."""

from collections.abc import Callable

from opsconsole.config.settings import Environment
from opsconsole.core.problem import nearest
from opsconsole.core.reading import Source, SourceError


class Sources:
    """Hands out each source once, made when it is first asked for; nothing connects before it is read."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._made: dict[str, Source] = {}
        self._offered: dict[str, Callable[[], Source]] = {}

    def names(self) -> tuple[str, ...]:
        """What is configured: `prometheus`, `alertmanager`, `prometheus/NAME` and `alertmanager/NAME` for each further
        one, `postgres/NAME` for each database, `pgbouncer/NAME` for what stands before it, `airflow` (its API),
        `loki`, `redis`."""
        environment = self._environment
        names = [*environment.every_prometheus, *environment.every_alertmanager]
        names += [f"postgres/{name}" for name in environment.postgres]
        names += [f"pgbouncer/{name}" for name, one in environment.postgres.items() if one.pooler]
        names += ["airflow"] if environment.airflow and environment.airflow.url else []
        names += ["loki"] if environment.loki else []
        return (*names, "redis") if environment.redis else tuple(names)

    def offer(self, name: str, make: Callable[[], Source]) -> None:
        """Have a source that is worked out from others; it can be asked, and is not among the `names`."""
        self._offered[name] = make

    def get(self, name: str) -> Source:
        """The source of that name.

        Raises:
            SourceError: nothing of that name is configured.
        """
        if name not in self._made:
            self._made[name] = self._new(name)
        return self._made[name]

    async def close(self) -> None:
        """Let go of every connection. The sources can be used again afterwards."""
        import asyncio

        await asyncio.gather(*(source.close() for source in self._made.values()), return_exceptions=True)

    def _new(self, name: str) -> Source:
        # Each client is imported only where it is used: psycopg and httpx are not needed for the first paint.
        environment = self._environment
        if name in self._offered:
            return self._offered[name]()
        kind, _, database = name.partition("/")
        if name in environment.every_prometheus:
            from opsconsole.sources.prometheus import PrometheusSource

            return PrometheusSource(environment.every_prometheus[name], name=name)
        if name in environment.every_alertmanager:
            from opsconsole.sources.alertmanager import AlertmanagerSource

            return AlertmanagerSource(environment.every_alertmanager[name], name=name)
        if kind == "postgres" and database in environment.postgres:
            from opsconsole.sources.postgres import PostgresSource

            return PostgresSource(environment.postgres[database], name=name)
        if name == "airflow" and environment.airflow is not None and environment.airflow.url:
            from opsconsole.sources.airflow.client import AirflowSource

            return AirflowSource(environment.airflow)
        if kind == "pgbouncer" and database in environment.postgres:
            pooler = environment.postgres[database].pooler
            if pooler is not None:
                from opsconsole.sources.pgbouncer import PgBouncerSource

                return PgBouncerSource(pooler, name=name)
        if name == "loki" and environment.loki is not None:
            from opsconsole.sources.loki import LokiSource

            return LokiSource(environment.loki)
        if name == "redis" and environment.redis is not None:
            from opsconsole.sources.redis import RedisSource

            return RedisSource(environment.redis)
        raise SourceError(
            name, "unsupported", f"not configured in environment {environment.name}", hint=self._known(name)
        )

    def _known(self, name: str) -> str:
        names = self.names()
        if not names:
            return "no source is configured"
        return f"configured: {', '.join(names)}{nearest(name, names)}"
