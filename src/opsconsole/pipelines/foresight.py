"""What has to be known of changes before they are shown: what each would do, as Airflow itself says, and which of them
would do nothing or not what is meant. Looks only.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.choosing import known_dags, unknown_dag
from opsconsole.pipelines.holding import scheduler_silence
from opsconsole.runbooks.repair import Repair

if TYPE_CHECKING:
    from opsconsole.sources.airflow.client import AirflowSource

_AT_ONCE = 5
"""Changes that are looked at at once: each takes a worker of the API server for some requests."""
_STARTED = frozenset({"airflow.trigger", "airflow.clear", "airflow.retry", "airflow.backfill"})
"""What takes a scheduler to have an effect."""
_NAMED = 12
"""Tasks that are named; of the others it is said how many."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One change, looked at."""

    repair: Repair
    """With its run named, and with what was said as its reason."""
    said: str = ""
    """What it would do; one clean line."""
    wrong: str = ""
    """Why it is not to be sent; empty: it is."""
    already: bool = False
    """What is meant holds already: it is not sent, and nothing is wrong."""
    fault: SourceError | None = None
    """Airflow refused the look, or did not answer; `wrong` says so."""

    @property
    def subject(self) -> str:
        """The DAG, and the run where one is named; clean."""
        given = self.repair.given
        return clean_line(" ".join(given[name] for name in ("dag", "run") if name in given))


async def foresee(airflow: Airflow, repairs: Sequence[Repair]) -> list[Foreseen]:
    """Each repair as it would be carried out, in their order. What stands against one holds no other up."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def look(repair: Repair) -> Foreseen:
        async with slots:
            return await _looked_at(airflow, repair)

    found = await _named_right(airflow, await asyncio.gather(*map(look, repairs)))
    return await _with_silence(airflow, found)


async def _with_silence(airflow: Airflow, found: Sequence[Foreseen]) -> list[Foreseen]:
    """The same, with it said of those that a scheduler has to start when there is none: they are sent all the same, and
    wait for it."""
    meant = [one for one in found if one.repair.action in _STARTED and not one.wrong]
    try:
        silence = await _silence(airflow) if meant else ""
    except SourceError:
        silence = ""  # whoever cannot say how it is, said what was asked for all the same
    return [
        _warned(one, f"{silence}: it waits until that is back") if silence and one in meant else one for one in found
    ]


async def _silence(airflow: Airflow) -> str:
    told = await airflow.health()
    return scheduler_silence(told.value, told.now)


def _warned(one: Foreseen, warning: str) -> Foreseen:
    why, said = ("; ".join(filter(None, (text, warning))) for text in (one.repair.why, one.said))
    return replace(one, repair=replace(one.repair, why=why), said=said)


class _AlreadySoError(ValueError):
    """What is meant holds already."""


def sent_of(found: Sequence[Foreseen]) -> list[Repair]:
    """Those that are to be sent.

    Raises:
        ValueError: there is none; why.
    """
    sent = [one.repair for one in found if not one.wrong]
    if not sent:
        raise ValueError("; ".join(dict.fromkeys(one.wrong for one in found)))
    return sent


async def _looked_at(airflow: Airflow, repair: Repair) -> Foreseen:
    from opsconsole.pipelines.actions.change import Refused

    if airflow.api is None:
        missing = SourceError("airflow", "unsupported", "no API is configured: without it nothing can be changed")
        return Foreseen(repair, wrong=missing.message, fault=missing)
    try:
        arguments, said = await _look(airflow.api, repair)
    except SourceError as error:
        return Foreseen(repair, wrong=clean_line(error), fault=error)
    except (Refused, ValueError) as error:
        return Foreseen(repair, wrong=clean_line(error), already=isinstance(error, _AlreadySoError))
    why = "; ".join(text for text in (repair.why, said) if text)
    # The run is named from here on: a newer one that begins meanwhile is not meant.
    return Foreseen(replace(repair, arguments=arguments, why=why), said)


async def _named_right(airflow: Airflow, found: Sequence[Foreseen]) -> list[Foreseen]:
    """The same; of those whose DAG is not there it is said which one may be meant."""
    from opsconsole.sources.airflow.client import AirflowError

    def lost(one: Foreseen) -> bool:
        return isinstance(one.fault, AirflowError) and one.fault.status == 404

    if not any(map(lost, found)):
        return list(found)
    try:
        known = await known_dags(airflow)
    except SourceError:
        return list(found)
    return [
        replace(one, wrong=missing, fault=None)
        if lost(one) and (missing := unknown_dag(one.repair.arguments.get("dag", ""), known))
        else one
        for one in found
    ]


async def _look(client: "AirflowSource", repair: Repair) -> tuple[Mapping[str, str], str]:
    """(the arguments with what was found out, what it would do)."""
    from opsconsole.pipelines.actions import clearing, marking, triggering
    from opsconsole.pipelines.actions.change import must_run

    given = repair.arguments
    match repair.action:
        case "airflow.clear" | "airflow.retry":
            wish = clearing.Wish.of(given, retry=repair.action == "airflow.retry")
            run, titles = await clearing.preview(client, wish)
            if not titles:
                raise ValueError(f"Airflow's dry run of {run} clears nothing: nothing would be run again")
            await must_run(client, given["dag"])
            return {**given, "run": run}, f"Airflow's dry run clears {len(titles)}: {_named(titles)}"
        case "airflow.mark":
            run, said = await marking.foreseen_marking(client, given)
            return {**given, "run": run}, said
        case "airflow.pause" | "airflow.unpause":
            if already := await marking.already_so(client, given["dag"], paused=repair.action == "airflow.pause"):
                raise _AlreadySoError(already)
            return given, ""
        case "airflow.trigger":
            await triggering.must_suit(client, given["dag"], triggering.conf_of_arguments(given))
            return given, ""
        case "airflow.backfill":
            return given, await triggering.foreseen_backfill(client, given)
    return given, ""


def _named(titles: Sequence[str]) -> str:
    more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
    return ", ".join(clean_line(one, limit=80) for one in titles[:_NAMED]) + more
