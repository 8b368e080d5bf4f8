"""Runs of DAGs that the newest runs over all DAGs do not show."""

from collections.abc import Sequence

from opsconsole.core.reading import SourceError
from opsconsole.pipelines.model import Run
from opsconsole.pipelines.rare import EACH, RareRuns, unseen_note
from tests.unit.pipelines.made import dag, run


class ByHand:
    """DAGs of which each has run, and failed, once; and what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.state = "failed"
        self.broken = False

    async def ask(self, dag_id: str, most: int) -> Sequence[Run]:
        self.asked.append(dag_id)
        if self.broken:
            raise SourceError("airflow", "timeout", "no answer")
        return [run(self.state, -86400.0, dag_id=dag_id)]


DAGS = [dag(f"rare-{number:03}", paused=number == 0) for number in range(EACH + 10)]


async def test_dags_that_run_rarely_are_asked_about_in_turn_and_remembered() -> None:
    way = ByHand()
    rare = RareRuns(way.ask)
    runs, unseen = await rare.completed(DAGS, {}, 14)
    assert (len(runs), len(unseen), unseen[-1]) == (EACH, 10, "rare-000")
    runs, unseen = await rare.completed(DAGS, {}, 14)
    assert (len(runs), unseen, way.asked[EACH : EACH + 10]) == (
        EACH + 10,
        (),
        [*[d.dag_id for d in DAGS[-9:]], "rare-000"],
    )
    assert len(way.asked) == 2 * EACH
    way.state = "success"  # somebody cleared them all
    for _ in range(2):
        runs, _ = await rare.completed(DAGS, {}, 14)
    assert {mine[0].state for mine in runs.values()} == {"success"}


async def test_what_is_newest_counts_and_comes_first() -> None:
    rare = RareRuns(ByHand().ask)
    frequent = [run(start=60.0 * minute, dag_id="often") for minute in range(14, 0, -1)]
    newest = {"often": frequent, "rare-001": [run("running", 0, None, dag_id="rare-001")]}
    runs, unseen = await rare.completed([dag("often"), DAGS[1]], newest, 14)
    assert runs["often"] == frequent
    assert [one.state for one in runs["rare-001"]] == ["running", "failed"]
    assert unseen == ()


async def test_a_dag_that_cannot_be_asked_about_takes_nothing_from_the_others() -> None:
    way = ByHand()
    way.broken = True
    rare, newest = RareRuns(way.ask), {"rare-001": [run(dag_id="rare-001")]}
    runs, unseen = await rare.completed(DAGS[:3], newest, 14)
    assert (set(runs), unseen) == ({"rare-001"}, ("rare-002", "rare-000"))
    way.broken = False
    assert (await rare.completed(DAGS[:3], newest, 14))[1] == ()


def test_it_is_said_only_where_something_is_not_known_and_of_which() -> None:
    assert unseen_note(()) == ""
    assert unseen_note(["a"]) == "how a ended last: it runs rarely, and is asked about in turn"
    assert unseen_note(["a"] * 1200).startswith("how a, a, a, … ended last: 1,200 DAGs run rarely, and are")
