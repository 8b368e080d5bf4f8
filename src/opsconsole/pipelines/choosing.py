"""Which DAGs or runs a change is about: by ids, patterns, tags, state and time. Reads only."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from opsconsole.core.clean import clean_line
from opsconsole.core.problem import nearest
from opsconsole.pipelines import wire
from opsconsole.pipelines.model import ENDED, Dag, Run, Survey
from opsconsole.pipelines.way import MOST_RUNS
from opsconsole.sources.airflow.client import AirflowSource, Params, path

if TYPE_CHECKING:
    from opsconsole.pipelines.asking import Airflow

STATES = ("queued", "running", "success", "failed")
"""States of runs that can be asked for."""
_PATTERN = re.compile(r"[*?\[]")
"""Characters that no id of a DAG has (Airflow's are letters, digits, `_`, `-`, `.`)."""


_NAMED = 12
"""Tasks that are named where one is not there: of a mapped one there may be a thousand."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for. All that is said has to hold."""

    names: tuple[str, ...] = ()
    """Ids of DAGs, or patterns as `load_*`; none: every DAG."""
    tags: tuple[str, ...] = ()
    state: str = ""
    """Of runs: that of each DAG's newest one, and with `since_at` that of any."""
    since_at: float | None = None
    """Unix seconds by Airflow's clock, after which a run has to have ended, or begun where it goes on."""

    @property
    def empty(self) -> bool:
        """Whether nothing is said, and everything would be meant."""
        return not (self.names or self.tags or self.state or self.since_at is not None)

    @property
    def plain(self) -> bool:
        """Whether it is a list of ids, for which nothing has to be looked up."""
        looked_up = self.tags or self.state or self.since_at is not None or any(map(is_pattern, self.names))
        return bool(self.names) and not looked_up


def is_pattern(name: str) -> bool:
    """Whether it stands for all DAGs that match it."""
    return _PATTERN.search(name) is not None


def chosen_dags(dags: Iterable[Dag], selection: Selection) -> list[Dag]:
    """The DAGs by name and tag, by id.

    Raises:
        ValueError: one that is named is not there, or a pattern matches none.
    """
    known = {one.dag_id: one for one in dags}
    found: dict[str, Dag] = {} if selection.names else known
    for name in selection.names:
        matching = [one for one in known if fnmatchcase(one, name)] if is_pattern(name) else [name]
        if not matching:
            raise ValueError(f"no DAG matches {name}; opsconsole pipeline list shows them")
        if name in matching and name not in known:
            raise ValueError(unknown_dag(name, known))
        found |= {one: known[one] for one in matching}
    wanted = set(selection.tags)
    return sorted((one for one in found.values() if wanted <= set(one.tags)), key=lambda one: one.dag_id)


async def known_dags(airflow: "Airflow") -> list[str]:
    """The ids of all DAGs.

    Raises:
        SourceError: Airflow does not answer.
    """
    return [one.dag_id for one in (await airflow.survey(1)).value.dags]


def unknown_dag(dag_id: str, known: Collection[str]) -> str:
    """That there is no DAG of that id, and which one may be meant; empty where it is one of `known`."""
    return "" if dag_id in known else f"there is no DAG {clean_line(dag_id)}{nearest(dag_id, known)}"


def unknown_task(name: str, run_id: str, titles: Sequence[str]) -> str:
    """That no task of a run is called so, and which one may be meant; where none is near, which there are."""
    more = f" and {len(titles) - _NAMED:,} more" if len(titles) > _NAMED else ""
    there = f"; there are {', '.join(titles[:_NAMED])}{more}" if titles else "; it has none yet"
    return f"there is no task {clean_line(name)} in {run_id}{nearest(name, titles) or there}"


def in_state(dags: Sequence[Dag], survey: Survey, selection: Selection) -> list[Dag]:
    """Those of `dags` whose newest run is as the selection wants it."""
    if not selection.state and selection.since_at is None:
        return list(dags)
    return [one for one in dags if (run := _newest(survey, one.dag_id)) is not None and _suits(run, selection)]


def newest_runs(dags: Sequence[Dag], survey: Survey, selection: Selection) -> list[Run]:
    """The newest run of each of `dags`, where it is as the selection wants it."""
    found = (_newest(survey, one.dag_id) for one in dags)
    return [one for one in found if one is not None and _suits(one, selection)]


async def runs_since(client: AirflowSource, dags: Sequence[Dag], selection: Selection) -> tuple[list[Run], bool]:
    """(every run of `dags` as the selection wants it, the oldest first; whether there were more).

    Raises:
        SourceError: Airflow refuses, or does not answer.
    """
    assert selection.since_at is not None
    since, wanted = wire.rfc3339(selection.since_at), {one.dag_id for one in dags}
    found: dict[tuple[str, str], Run] = {}
    cut = False
    for state in (selection.state,) if selection.state else STATES:
        after: Params = () if state == "queued" else ((f"{'end' if state in ENDED else 'start'}_date_gte", since),)
        page = await client.pages(
            path("dags", "~", "dagRuns"), "dag_runs", wire.run_of, (("state", state), *after), most=MOST_RUNS,
            what="list runs",
        )  # fmt: skip
        cut = cut or page.cut
        found |= {(one.dag_id, one.run_id): one for one in page.entries}
    chosen = [one for one in found.values() if one.dag_id in wanted and _suits(one, selection)]
    return sorted(chosen, key=lambda one: (_moment(one) or 0.0, one.dag_id)), cut


def _newest(survey: Survey, dag_id: str) -> Run | None:
    runs = survey.runs.get(dag_id, ())
    return runs[0] if runs else None


def _suits(run: Run, selection: Selection) -> bool:
    moment = _moment(run)
    late = selection.since_at is None or (moment is not None and moment >= selection.since_at)
    return late and selection.state in ("", run.state)


def _moment(run: Run) -> float | None:
    """When it ended; of what goes on, when it began or could."""
    ended = run.ended_at if run.ended else None
    return next((one for one in (ended, run.started_at, run.queued_at, run.run_after_at) if one is not None), None)
