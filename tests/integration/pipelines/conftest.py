"""A real Airflow 3 and a real Airflow 2, each started once, with runs that succeeded and failed."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Action, Result
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import AirflowSettings, Environment, PostgresSettings
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.opening import open_airflow
from opsconsole.sources.registry import Sources
from tests.airflow_servers import ADMIN, VERSIONS, AirflowServer, start_airflow

ODD = "Odd.näme-1_x"
PATIENT = 120.0
"""Seconds for an answer of an Airflow on a machine that has other things to do."""


@dataclass(frozen=True)
class Story:
    """An Airflow in which something has happened."""

    server: AirflowServer
    succeeded: str
    """The id of a run of `succeeds`."""
    failed: str
    """The id of a run of `fails`."""

    def environment(self, way: str = "both", user: tuple[str, str] = ADMIN, **more: Any) -> Environment:
        """An environment with this Airflow; `way` is api, metadata or both."""
        url = "" if way == "metadata" else self.server.url
        settings: dict[str, Any] = {"url": url, "metadata": "" if way == "api" else "airflow", "timeout": PATIENT}
        if url:
            settings |= {"username": user[0], "password": SecretRef.of(user[1])}
        database = PostgresSettings("airflow", SecretRef.of(self.server.dsn), statement_timeout=PATIENT)
        return Environment(
            "test", Path("screens"), Path("runbooks"), postgres=MappingProxyType({"airflow": database}),
            airflow=AirflowSettings(**{**settings, **more}),
        )  # fmt: skip

    def asked(self, way: str = "both", **more: Any) -> AbstractAsyncContextManager[Airflow]:
        """`async with story.asked() as airflow`."""
        return _opened(self.environment(way, **more))


@asynccontextmanager
async def _opened(environment: Environment) -> AsyncIterator[Airflow]:
    sources = Sources(environment)
    try:
        yield open_airflow(environment, sources)
    finally:
        await sources.close()


def action(action_id: str, environment: Environment, **arguments: str) -> Action:
    """The action of that id."""
    registration = registry.find(action_id)
    assert registration is not None
    return registration.build(arguments, environment)


async def done(given: Action) -> Result:
    """Carry it out and see to its effect, as the door does."""
    assert given.verify is not None
    result = await given.runner.run(lambda piece: None)
    return result if result.outcome != "ok" else await given.verify()


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: f"airflow{version}")
def server(request: pytest.FixtureRequest) -> Iterator[AirflowServer]:
    with start_airflow(request.param) as started:
        yield started


@pytest.fixture(scope="module")
def story(server: AirflowServer) -> Story:
    """One run that succeeded, one that failed, both begun by actions of the console."""
    import asyncio

    empty = Story(server, "", "")

    async def happen() -> list[Result]:
        environment = empty.environment("api")
        for dag in ("succeeds", "fails", ODD, "typed"):
            assert (await done(action("airflow.unpause", environment, dag=dag))).outcome == "ok"
        runs = [
            action("airflow.trigger", environment, dag=dag, run=f"first:{dag}+1", conf='{"a": "ü"}', wait="ended")
            for dag in ("succeeds", "fails")
        ]
        return list(await asyncio.gather(*map(done, runs)))

    good, bad = asyncio.run(happen())
    assert (good.outcome, good.detail) == ("ok", "first:succeeds+1 ended: success")
    assert (bad.outcome, bad.detail) == ("failed", "first:fails+1 ended: failed")
    return Story(server, "first:succeeds+1", "first:fails+1")
