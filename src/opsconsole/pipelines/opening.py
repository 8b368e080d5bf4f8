"""The Airflow of an environment, as `asking.Airflow`: by its API, its metadata database, or both."""

from typing import TYPE_CHECKING

from opsconsole.config.settings import Environment
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.metadata import Metadata

if TYPE_CHECKING:
    from opsconsole.sources.airflow.client import AirflowSource
    from opsconsole.sources.registry import Sources


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
