"""What every change has in common: a connection for its time, what a refusal or a lost answer means, and waiting for
the effect.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.config.settings import AirflowSettings, Environment
from opsconsole.core.clean import clean
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.actions.waiting import MARGIN, Patience, awaited
from opsconsole.pipelines.asking import DOWN
from opsconsole.pipelines.holding import Hold
from opsconsole.pipelines.model import Dag, Run
from opsconsole.pipelines.way import Asking
from opsconsole.pipelines.wire import dag_of
from opsconsole.sources.airflow.client import AirflowError, AirflowSource, path
from opsconsole.sources.http_errors import UnsentError

TIMEOUT = 60.0
"""Seconds for what is sent, the look before it included."""
STARTING = 180.0
"""Seconds within which a run has to have begun: a scheduler under load takes its time."""
STUCK = 60.0
"""Seconds for which something has held it up that does not pass by itself, until it is not waited for any more."""
ENDING = 6 * 3600.0
"""Seconds within which it has to have ended, where that is waited for."""


class Refused(Exception):  # noqa: N818 - the caller turns it into a result
    """It would do nothing, or not what is meant; the text says why. Nothing was sent."""


@dataclass(slots=True)
class Change(ABC):
    """One change. `change` looks, sends and says what it did; `effect` says whether the effect is there yet."""

    settings: AirflowSettings
    sent: bool = field(default=False, init=False)
    _sink: Sink | None = field(default=None, init=False)
    """Where its output goes, that of waiting for the effect too."""

    @abstractmethod
    async def change(self, client: AirflowSource, sink: Sink) -> str:
        """Do it. Gives one line for the operator.

        Raises:
            Refused: nothing was sent.
            SourceError: Airflow refuses, or does not answer.
        """

    @abstractmethod
    async def effect(self, way: Asking, client: AirflowSource) -> Result | None:
        """How it ended; None while it has not. Reads only."""

    async def held(self, way: Asking, client: AirflowSource) -> Hold | None:
        """What holds the effect up, once it is not there at once; None: nothing that could be said of it."""
        return None

    @property
    def patience(self) -> Patience:
        """For how long the effect is waited for."""
        return Patience(STARTING)

    async def run(self, sink: Sink) -> Result:
        """Carry it out."""
        self._sink = sink
        try:
            async with opened(self.settings) as client:
                return Result(Outcome.OK, detail=await self.change(client, sink))
        except Refused as error:
            return Result(Outcome.REFUSED, detail=str(error))
        except SourceError as error:
            return self._judged(error)
        except asyncio.CancelledError:
            if not self.sent:
                raise
            why = "it was sent, and cancelled before the answer came: whether it was done is to be seen in Airflow"
            return Result(Outcome.UNKNOWN, detail=why)

    def _judged(self, error: SourceError) -> Result:
        """What an error means for the change."""
        if self.sent and _leaves_open(error):
            # Whoever sends it again may have it done twice; that is for a person to decide.
            return Result(Outcome.UNKNOWN, detail=f"it was sent, and whether it was done is not known: {error}")
        if isinstance(error, AirflowError):
            return Result(Outcome.REFUSED if error.status in (401, 403) else Outcome.FAILED, detail=str(error))
        return Result(Outcome.FAILED, detail=f"nothing was changed: {error}")

    async def verified(self) -> Result:
        """Look until the effect is there, or nothing is left to wait for."""
        async with opened(self.settings) as client:
            return await awaited(self, client, self.patience, self._sink or _nowhere)

    async def send(self, client: AirflowSource, method: str, where: str, body: Any, what: str) -> Any:
        """Send it; from then on no answer means that nobody knows."""
        self.sent = True
        return await client.send(method, where, body, what=what)


def _leaves_open(error: SourceError) -> bool:
    """Whether what was sent may have been done all the same: the answer was lost, or Airflow, or a proxy before it that
    gives up earlier, answered with a fault of its own."""
    if isinstance(error, AirflowError):
        return error.status >= 500
    return error.kind in DOWN and not isinstance(error, UnsentError)


def told_in(answer: Any, key: str) -> Any:
    """What the answer to a change has under `key`.

    Raises:
        SourceError: it has nothing there.
    """
    found = answer.get(key) if isinstance(answer, dict) else None
    if found is None:
        raise SourceError("airflow", "garbage", f"the answer has no {key}")
    return found


def action_of(
    action_id: str,
    title: str,
    command: str,
    target: str,
    work: Change,
    *,
    undo: str,
) -> Action:
    """The action that carries `work` out."""
    return Action(
        id=action_id,
        title=title,
        command=f"# Airflow at {work.settings.url}\n{clean(command)}",
        target=target,
        risk=Risk.WRITE,
        runner=work,
        timeout=TIMEOUT,
        undo=undo,
        verify=work.verified,
        verify_timeout=work.patience.seconds + MARGIN,
    )


def settings_of(environment: Environment) -> AirflowSettings:
    """How to reach the API of the environment's Airflow.

    Raises:
        ValueError: none is configured.
    """
    settings = environment.airflow
    if settings is None or not settings.url:
        raise ValueError(f"no API of an Airflow is configured in {environment.name}: without it nothing can be changed")
    return settings


@asynccontextmanager
async def opened(settings: AirflowSettings) -> AsyncIterator[AirflowSource]:
    """The API, over connections that are closed afterwards."""
    client = AirflowSource(settings)
    try:
        yield client
    finally:
        await client.close()


async def dag_at(client: AirflowSource, dag_id: str) -> Dag:
    """The DAG.

    Raises:
        SourceError: there is none of that id (404), or Airflow does not answer.
    """
    return dag_of(await _dag_entry(client, dag_id))


async def must_run(client: AirflowSource, dag_id: str) -> None:
    """See that what is started will run.

    Raises:
        Refused: the DAG is paused, or no file has it any more.
        SourceError: as `dag_at`.
    """
    entry = await _dag_entry(client, dag_id)
    if entry.get("is_stale") is True or entry.get("is_active") is False:  # 3, 2
        raise Refused(f"{dag_id} is in no file any more: Airflow knows its past, and runs nothing of it")
    if dag_of(entry).paused:
        raise Refused(
            f"{dag_id} is paused: it would only wait; unpause it first (opsconsole pipeline unpause {dag_id})"
        )


async def _dag_entry(client: AirflowSource, dag_id: str) -> dict[str, Any]:
    entry = await client.get(path("dags", dag_id), what=f"see DAG {dag_id}")
    return entry if isinstance(entry, dict) else {}


async def run_named(way: Asking, dag_id: str, run_id: str) -> Run:
    """The run of that id; without one, the newest.

    Raises:
        Refused: there is none.
        SourceError: Airflow does not answer.
    """
    if not run_id:
        runs, _ = await way.runs(dag_id, 1)
        if not runs:
            raise Refused(f"DAG {dag_id} has no run yet")
        return runs[0]
    run = await way.run(dag_id, run_id)
    if run is None:
        raise Refused(f"DAG {dag_id} has no run {run_id}")
    return run


def judged_end(run: Run) -> Result | None:
    """How a run ended, as the result of having waited for it."""
    if not run.ended:
        return None
    if run.state == "success":
        return Result(Outcome.OK, detail=f"{run.run_id} ended: success")
    return Result(Outcome.FAILED, detail=f"{run.run_id} ended: {run.state}")


def patience_for(to_end: bool) -> Patience:
    """For how long a run is waited for: to have begun, or to have ended.

    Who waits for its end waits for whoever has to do something first, too; who waits for its beginning is told soon.
    """
    return Patience(ENDING) if to_end else Patience(STARTING, STUCK)


def waits_for_end(arguments: Mapping[str, str]) -> bool:
    """Whether its end is waited for, and not just its beginning."""
    return arguments.get("wait") == "ended"


def _nowhere(piece: bytes) -> None:
    """The sink of what nobody listens to."""
