"""The Airflow of an environment, as `asking.Airflow`: by its API, its metadata database, or both."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from opsconsole.config.settings import Environment
from opsconsole.config.slas import Sla, load_slas
from opsconsole.core.problem import ContentError
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.asking import DOWN, Airflow
from opsconsole.pipelines.log_folder import LogFolder
from opsconsole.pipelines.metadata import Metadata
from opsconsole.pipelines.metrics import ByMetrics, Measuring
from opsconsole.pipelines.model import Component, Survey, Told
from opsconsole.sources.shared_reading import SharedReading

if TYPE_CHECKING:
    from opsconsole.core.reading import Answer, Query
    from opsconsole.sources.airflow.client import AirflowSource
    from opsconsole.sources.registry import Sources

T = TypeVar("T")


@dataclass(slots=True)
class Pipelines:
    """What a screen of pipelines is made of: whom to ask, and what was promised."""

    airflow: Airflow
    slas: tuple[Sla, ...] = ()
    notes: tuple[str, ...] = ()
    """Why there is nothing promised, where that could not be read."""
    measuring: Measuring | None = None
    """What to ask while Airflow cannot be asked; None without a Prometheus."""
    _shared: SharedReading[Told[Survey]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._shared = SharedReading(self.airflow.survey)

    async def survey(self) -> Told[Survey]:
        """Every DAG with its latest runs; one question, the dearest, for all who ask within two seconds.

        Raises:
            SourceError: no way to Airflow answers.
        """
        return await self._shared.read()

    async def or_measured(self, asked: Awaitable[Told[T]]) -> Told[T] | ByMetrics:
        """What was asked; where neither API nor database answers, what Prometheus knows. A refusal stays one.

        Raises:
            SourceError: nothing answers.
        """
        try:
            return await asked
        except SourceError as error:
            if error.kind not in DOWN or self.measuring is None:
                raise
            return await self.measuring.instead_of(error)

    async def health(self) -> Told[tuple[Component, ...]]:
        """The parts of Airflow; while it cannot be asked, those of which metrics tell.

        Raises:
            SourceError: nothing answers.
        """
        told = await self.or_measured(self.airflow.health())
        if not isinstance(told, ByMetrics):
            return told
        silent = [Component("api", False, detail=told.why)] if self.airflow.api is not None else []
        database = Component("metadatabase", None, detail="unknown: metrics do not tell", seen=False)
        return Told((*silent, *told.value.components, database), told.taken_at, told.origin)

    def forget(self) -> None:
        """Something was changed: a survey that was asked for before is no answer any more."""
        self._shared.forget()


def open_pipelines(environment: Environment, sources: "Sources") -> Pipelines:
    """The Airflow of `environment` with its SLAs; nothing is connected yet.

    Raises:
        ValueError: no Airflow is configured.
    """
    airflow = open_airflow(environment, sources)
    slas, notes = _promised(environment)
    return Pipelines(airflow, slas, notes, open_measuring(environment, sources))


def _promised(environment: Environment) -> tuple[tuple[Sla, ...], tuple[str, ...]]:
    """What is promised, and what of that cannot be read."""
    if environment.slas is None:
        return (), ()
    try:
        slas, problems = load_slas(environment.slas)
    except ContentError as error:
        return (), (f"what was promised cannot be read: {str(error).splitlines()[0]}",)
    wrong = [str(one) for one in problems if one.severity == "error"]
    return tuple(slas), (f"not all that was promised can be read: {wrong[0]}",) if wrong else ()


def open_measuring(environment: Environment, sources: "Sources") -> Measuring | None:
    """The metrics of the Airflow of `environment`; None without a Prometheus. Nothing is connected yet."""
    if environment.prometheus is None:
        return None

    async def ask(query: "Query") -> "Answer":
        return await sources.get("prometheus").read(query)

    return Measuring(ask, environment.airflow_metrics)


def open_airflow(environment: Environment, sources: "Sources") -> Airflow:
    """The Airflow of `environment`; nothing is connected yet. Who closes `sources` closes it.

    Raises:
        ValueError: none is configured.
    """
    settings = environment.airflow
    if settings is None:
        raise ValueError(
            f"no airflow is configured in {environment.name}; for example airflow: {{url: …, username: …, password: …}}"
        )
    metadata = None
    if settings.metadata:
        database = f"postgres/{settings.metadata}"
        metadata = Metadata(database, sources.get(database).read)
    logs = LogFolder(settings.logs) if settings.logs is not None else None
    return Airflow(_source(sources) if settings.url else None, metadata, logs)


def _source(sources: "Sources") -> "AirflowSource":
    from opsconsole.sources.airflow.client import AirflowSource

    found = sources.get("airflow")
    assert isinstance(found, AirflowSource)
    return found
