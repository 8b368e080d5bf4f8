"""The errors of an environment: which sources there are to ask, by its configuration."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from opsconsole.config.errors import DEFAULT, ErrorsSettings, load_errors
from opsconsole.config.settings import Environment
from opsconsole.core.paths import state_dir
from opsconsole.core.problem import ContentError
from opsconsole.errors.asking import Errors, Listener
from opsconsole.errors.memory import FILE, Memory
from opsconsole.errors.model import DAY

if TYPE_CHECKING:
    from opsconsole.sources.registry import Sources


def open_errors(
    environment: Environment, sources: "Sources", *, window: float = DAY, clock: Callable[[], float] = time.time
) -> Errors:
    """The errors of `environment`; nothing is connected yet. Who closes `sources` closes what they connect.

    Raises:
        ValueError: nothing is configured that could know any.
    """
    settings, notes = _settings(environment)
    try:
        memory = Memory(state_dir() / FILE, environment.name)
    except OSError as error:
        memory = None
        notes.append(f"what was seen before is not known: {error}")
    listeners = list(_listeners(environment, settings, sources, window, memory, clock))
    if settings.loki and environment.loki is None:
        notes.append(f"errors.yaml names queries of Loki, but no loki is configured in environment {environment.name}")
    for one in settings.metrics:
        if one.source not in environment.every_prometheus and one.source != "prometheus":
            notes.append(f"errors.yaml: {one.name}: no {one.source} is configured in environment {environment.name}")
    if not listeners:
        raise ValueError(f"no source of errors is configured in environment {environment.name}; errors: names a file")
    return Errors(listeners, memory, window=window, notes=notes, runbook_of=settings.runbook_of, clock=clock)


def _settings(environment: Environment) -> tuple[ErrorsSettings, list[str]]:
    """What is configured, and what of it cannot be read."""
    if environment.errors is None:
        return DEFAULT, []
    try:
        settings, problems = load_errors(environment.errors)
    except ContentError as error:
        return DEFAULT, [f"where errors are cannot be read: {str(error).splitlines()[0]}"]
    wrong = [str(one) for one in problems if one.severity == "error"]
    return settings, [f"not all of where errors are can be read: {wrong[0]}"] if wrong else []


def _listeners(
    environment: Environment, settings: ErrorsSettings, sources: "Sources", window: float, memory: Memory | None,
    clock: Callable[[], float],
) -> Iterator[Listener]:  # fmt: skip
    """Each is imported only where it is configured."""
    for counted in settings.metrics:
        if counted.source in environment.every_prometheus:
            from opsconsole.errors.metrics import MetricErrorsOf
            from opsconsole.sources.prometheus import PrometheusSource

            prometheus = sources.get(counted.source)
            assert isinstance(prometheus, PrometheusSource)
            yield MetricErrorsOf(counted, prometheus, window, clock=clock)
    if environment.airflow is not None and settings.airflow:
        from opsconsole.errors.airflow import AirflowErrors
        from opsconsole.pipelines.opening import open_airflow

        yield AirflowErrors(open_airflow(environment, sources), window, clock=clock)
    if settings.postgres is not None and environment.postgres:
        from opsconsole.errors.postgres import PostgresErrorsOf

        wanted = settings.postgres.databases or tuple(environment.postgres)
        for name in [one for one in wanted if one in environment.postgres]:
            source = f"postgres/{name}"
            ask = sources.get(source).read
            log, rollbacks = settings.postgres.log, settings.postgres.rollbacks
            yield PostgresErrorsOf(source, ask, window, memory, log=log, rollbacks=rollbacks, clock=clock)
    if environment.loki is not None and settings.loki:
        from opsconsole.errors.loki_logs import LokiLogs
        from opsconsole.sources.loki import LokiSource

        loki = sources.get("loki")
        assert isinstance(loki, LokiSource)
        yield from (LokiLogs(one, loki, window, clock=clock) for one in settings.loki)
    if settings.files:
        from opsconsole.errors.file_logs import FileLogs

        yield from (FileLogs(one, window, clock=clock) for one in settings.files)
