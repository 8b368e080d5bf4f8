"""The Airflow of an environment, as `asking.Airflow`: by its API, its metadata database, or both."""

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opsconsole.config.settings import Environment
from opsconsole.config.slas import Sla, load_slas
from opsconsole.core.problem import ContentError
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.metadata import Metadata
from opsconsole.pipelines.model import Survey, Told

if TYPE_CHECKING:
    from opsconsole.sources.airflow.client import AirflowSource
    from opsconsole.sources.registry import Sources


_SHARED = 2.0
"""Seconds for which a survey serves everybody on the screen: it is the dearest question."""


@dataclass(slots=True)
class Pipelines:
    """What a screen of pipelines is made of: whom to ask, and what was promised."""

    airflow: Airflow
    slas: tuple[Sla, ...] = ()
    notes: tuple[str, ...] = ()
    """Why there is nothing promised, where that could not be read."""
    _asking: "asyncio.Future[Told[Survey]] | None" = field(default=None, init=False)
    _asked_at: float = field(default=-math.inf, init=False)

    async def survey(self) -> Told[Survey]:
        """Every DAG with its latest runs; one question for all who ask within two seconds.

        Raises:
            SourceError: no way to Airflow answers.
        """
        now = time.monotonic()
        if self._asking is None or now - self._asked_at > _SHARED:
            self._asking, self._asked_at = asyncio.ensure_future(self.airflow.survey()), now
        return await asyncio.shield(self._asking)

    def forget(self) -> None:
        """Something was changed: a survey that was asked for before is no answer any more."""
        self._asking = None


def open_pipelines(environment: Environment, sources: "Sources") -> Pipelines:
    """The Airflow of `environment` with its SLAs; nothing is connected yet.

    Raises:
        ValueError: no Airflow is configured.
    """
    airflow = open_airflow(environment, sources)
    if environment.slas is None:
        return Pipelines(airflow)
    try:
        slas, problems = load_slas(environment.slas)
    except ContentError as error:
        return Pipelines(airflow, notes=(f"what was promised cannot be read: {str(error).splitlines()[0]}",))
    wrong = [str(one) for one in problems if one.severity == "error"]
    notes = (f"not all that was promised can be read: {wrong[0]}",) if wrong else ()
    return Pipelines(airflow, tuple(slas), notes)


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
    return Airflow(_source(sources) if settings.url else None, metadata)


def _source(sources: "Sources") -> "AirflowSource":
    from opsconsole.sources.airflow.client import AirflowSource

    found = sources.get("airflow")
    assert isinstance(found, AirflowSource)
    return found
