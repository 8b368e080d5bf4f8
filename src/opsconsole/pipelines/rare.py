"""The runs of DAGs that run rarely, by the API.

It lists the newest runs over all DAGs, in which those that run every minute leave no room for those that run once a
month. To ask about each of thousands of DAGs takes minutes; so a survey asks about a few, those first of which nothing
is known, and remembers. Later ones ask about others, and then, in turn, again: an old run may have been cleared.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from opsconsole.core.reading import SourceError
from opsconsole.pipelines.model import ENDED, Dag, Run
from opsconsole.pipelines.run_list import RunList

EACH = 50
"""DAGs that one survey asks about."""


class RareRuns:
    """What is remembered, of one Airflow."""

    def __init__(self, ask: Callable[[str, int], Awaitable[Sequence[Run]]]) -> None:
        """`ask` gives up to so many runs of the DAG of that id, the newest first; may raise SourceError."""
        self._ask = ask
        self._known: dict[str, RunList] = {}
        """By DAG id; whom it was asked about longest ago comes first."""

    async def completed(
        self, dags: Iterable[Dag], newest: Mapping[str, Sequence[Run]], per_dag: int
    ) -> tuple[dict[str, RunList], tuple[str, ...]]:
        """Up to `per_dag` runs of each DAG, from those that are the `newest` over all DAGs and what is asked besides;
        and the ids of those of which it is not known yet how they ended last."""
        lacking = {one.dag_id: one for one in dags if len(newest.get(one.dag_id, ())) < per_dag}
        self._known = {dag_id: runs for dag_id, runs in self._known.items() if dag_id in lacking}
        unasked = sorted(
            (one for dag_id, one in lacking.items() if dag_id not in self._known),
            key=lambda one: (_ended(newest.get(one.dag_id, ())), one.paused),
        )
        await self._asked([*(one.dag_id for one in unasked), *self._known][:EACH], per_dag)
        runs = {dag_id: RunList.of(mine) for dag_id, mine in newest.items() if dag_id not in lacking}
        for dag_id in lacking:
            if mine := _merged(newest.get(dag_id, ()), self._known.get(dag_id, ()), per_dag):
                runs[dag_id] = RunList.of(mine)
        unseen = (one.dag_id for one in unasked if one.dag_id not in self._known)
        return runs, tuple(dag_id for dag_id in unseen if not _ended(newest.get(dag_id, ())))

    async def _asked(self, dag_ids: Iterable[str], per_dag: int) -> None:
        """Remember their runs. What cannot be had now is asked for again: the survey counts without it."""

        async def ask(dag_id: str) -> None:
            try:
                runs = await self._ask(dag_id, per_dag)
            except SourceError:
                return
            self._known.pop(dag_id, None)
            self._known[dag_id] = RunList.of(runs)

        await asyncio.gather(*map(ask, dag_ids))


def unseen_note(dag_ids: Sequence[str]) -> str:
    """What there is to say of DAGs whose runs are not known yet; empty without one."""
    if not dag_ids:
        return ""
    named = ", ".join(dag_ids[:3]) + (", …" if len(dag_ids) > 3 else "")
    one = len(dag_ids) == 1
    several = "it runs rarely" if one else f"{len(dag_ids):,} DAGs run rarely"
    return f"how {named} ended last: {several}, and {'is' if one else 'are'} asked about in turn"


def _ended(runs: Sequence[Run]) -> bool:
    return any(run.state in ENDED for run in runs)


def _merged(newest: Sequence[Run], known: Sequence[Run], most: int) -> list[Run]:
    by_id = {run.run_id: run for run in known} | {run.run_id: run for run in newest}
    return sorted(by_id.values(), key=lambda run: -(run.run_after_at or float("inf")))[:most]
