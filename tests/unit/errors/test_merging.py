"""Many sources as one list: what is new, what is muted, what a service does, and what a silent source had said."""

import asyncio
import tracemalloc
from pathlib import Path

import pytest

from opsconsole.core.reading import SourceError
from opsconsole.errors.asking import Errors
from opsconsole.errors.memory import Memory, Recalled
from opsconsole.errors.merging import by_service, is_new, merged, shown, told_once
from opsconsole.errors.model import DAY, Heard, Mute
from opsconsole.errors.occurring import occurrence
from opsconsole.errors.tallying import OTHERS, Tallies
from tests.unit.errors.made import kind

NOW = 1_795_960_800.0


@pytest.mark.parametrize(
    ("first", "watched", "new"),
    [
        (NOW - 60, NOW - 2 * DAY, True),
        (NOW - DAY - 1, NOW - 2 * DAY, False),
        (NOW - DAY - 1, None, False),
        (NOW - 60, NOW - DAY + 60, None),
        (NOW - 60, None, None),
        (None, NOW - 2 * DAY, None),
    ],
)
def test_new_is_what_was_not_there_a_day_ago_when_somebody_looked(
    first: float | None, watched: float | None, new: bool | None
) -> None:
    assert is_new(first, watched, NOW) is new


def test_new_ones_come_first_then_the_rate_and_muted_ones_last() -> None:
    kinds = (
        kind("old", first_at=NOW - 2 * DAY, rate=9.0),
        kind("quiet", first_at=NOW - 2 * DAY, rate=1.0),
        kind("new", first_at=NOW - 60),
        kind("muted", first_at=NOW - 60, rate=99.0),
        kind("over", first_at=NOW - 30, rate=0.5),
    )
    mutes = {"muted": Mute("alice", NOW), "over": Mute("bob", NOW - 99, NOW - 9)}
    found = merged([Heard("logs/api", kinds, NOW - 2 * DAY)], Recalled(mutes=mutes), NOW)
    assert [one.fingerprint for one in found] == ["over", "new", "old", "quiet", "muted"]
    assert [one.new for one in found] == [True, True, False, False, False]
    assert found[-1].mute == Mute("alice", NOW)


def test_what_is_remembered_makes_old_what_the_source_saw_only_lately() -> None:
    recalled = Recalled({"a": NOW - 5 * DAY}, {"logs/api": NOW - 9 * DAY})
    one, other = merged(
        [Heard("logs/api", (kind("a", first_at=NOW - 9), kind("b", first_at=NOW - 9)), NOW)], recalled, NOW
    )
    assert (one.fingerprint, one.new) == ("b", True)
    assert (other.first_at, other.new) == (NOW - 5 * DAY, False)


def test_only_what_occurred_in_the_window_and_is_asked_for_is_shown() -> None:
    kinds = [kind("a", count=0), kind("b", service="api-2", new=True), kind("c", service="web", mute=Mute("x", 1.0))]
    assert [one.fingerprint for one in shown(kinds)] == ["b", "c"]
    assert [one.fingerprint for one in shown(kinds, service="api-*")] == ["b"]
    assert [one.fingerprint for one in shown(kinds, only_new=True)] == ["b"]
    assert [one.fingerprint for one in shown(kinds, muted=False)] == ["b"]


def test_a_service_is_counted_by_its_metrics_or_else_by_its_logs() -> None:
    kinds = [
        kind("a", source="metrics/http", service="api", count=50, before=40, rate=2.0),
        kind("b", service="api", count=10, before=10, rate=1.0, new=True),
        kind("c", service="job", count=3, before=None),
        kind("d", service="job", count=4, before=1),
    ]
    api, job = by_service(kinds)
    assert (api.service, api.count, api.before, api.rate, api.kinds, api.new, api.metered) == (
        "api",
        50,
        40,
        2.0,
        2,
        1,
        True,
    )
    assert (job.count, job.before, job.metered) == (7, None, False)


class Said:
    """A listener that says what it is told to, or fails."""

    def __init__(self, source: str, *answers: Heard | SourceError) -> None:
        self.source = source
        self._answers = list(answers)
        self.asked = 0

    async def hear(self) -> Heard:
        self.asked += 1
        await asyncio.sleep(0)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, SourceError):
            raise answer
        return answer

    async def close(self) -> None: ...


async def test_a_dead_source_is_a_state_and_what_it_said_stays(tmp_path: Path) -> None:
    dead = Said("logs/api", Heard("logs/api", (kind("a"),), NOW), SourceError("logs/api", "unreachable", "gone"))
    errors = Errors([dead, Said("airflow", Heard("airflow"))], Memory(tmp_path / "m.sqlite", "e"), clock=lambda: NOW)
    assert not (await errors.survey()).failed
    errors._shared.forget()
    survey = await errors.survey()
    assert survey.failed
    assert [one.error for one in survey.heard] == ["logs/api: gone", ""]
    assert [one.fingerprint for one in survey.kinds] == ["a"]


async def test_who_asks_at_the_same_time_is_served_by_one_question() -> None:
    said = Said("airflow", Heard("airflow"))
    errors = Errors([said], None, clock=lambda: NOW)
    await asyncio.gather(*(errors.survey() for _ in range(3)))
    assert said.asked == 1


async def test_a_memory_that_is_lost_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "m.sqlite", "e")
    survey = await Errors([Said("logs/api", Heard("logs/api", (kind("a"),)))], memory, clock=lambda: NOW).survey()
    assert "what was seen before is not known" in survey.notes[0]
    assert len(survey.kinds) == 1


async def test_muting_is_seen_by_the_next_survey(tmp_path: Path) -> None:
    said = Said("logs/api", Heard("logs/api", (kind("a", first_at=NOW - 9, last_at=NOW),), NOW - 2 * DAY))
    errors = Errors([said], Memory(tmp_path / "m.sqlite", "e"), clock=lambda: NOW)
    assert (await errors.survey()).kinds[0].new is True
    await errors.mute("a", Mute("alice", NOW, NOW + 60))
    assert (await errors.survey()).kinds[0].mute == Mute("alice", NOW, NOW + 60)
    assert await errors.unmute("a")
    assert (await errors.survey()).kinds[0].new is True


def test_a_flood_of_ever_new_messages_stays_small_and_is_counted() -> None:
    tallies = Tallies("logs/api", DAY, most=100)
    words = ("ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "qr", "st")
    tracemalloc.start()
    for number in range(5000):
        text = " ".join(words[int(digit)] for digit in f"{number:04d}")
        tallies.add(occurrence(NOW - number, "api", f"failed: {text}"))
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    kinds = tallies.kinds(NOW, NOW - 3 * DAY)
    assert len(kinds) <= 100
    assert sum(one.count for one in kinds) == 5000
    assert next(one for one in kinds if one.message == OTHERS).count > 4000
    assert size < 2_000_000


def test_what_is_older_than_two_windows_is_forgotten() -> None:
    tallies = Tallies("logs/api", DAY)
    for days in (0.1, 0.5, 1.5, 1.9, 2.5):
        tallies.add(occurrence(NOW - days * DAY, "api", "no"))
    (one,) = tallies.kinds(NOW, NOW - 2 * DAY)
    assert (one.count, one.before) == (2, 2)
    assert sum(one.trend) == 2
    tallies.forget(NOW + 3 * DAY)
    assert tallies.kinds(NOW + 3 * DAY, None) == ()


def test_what_sources_of_one_server_hear_alike_is_told_once_and_always_by_the_same() -> None:
    log = (kind("server", source="postgres/app", service="server"),)
    first = Heard("postgres/app", (kind("a"),), shared="server 1", shared_kinds=log)
    second = Heard("postgres/airflow", (kind("b"),), shared="server 1", shared_kinds=(kind("other"),))
    elsewhere = Heard("postgres/far", shared="server 2", shared_kinds=(kind("far"),))
    unrelated = Heard("logs/api", (kind("c"),))
    told = told_once((first, second, elsewhere, unrelated))
    assert [[one.fingerprint for one in heard.kinds] for heard in told] == [["a", "server"], ["b"], ["far"], ["c"]]
    assert told_once(told) == told


def test_one_that_never_answered_leaves_it_to_the_next() -> None:
    second = Heard("postgres/airflow", shared="server 1", shared_kinds=(kind("server"),))
    told = told_once((Heard("postgres/app", error="refused"), second))
    assert [one.fingerprint for one in told[1].kinds] == ["server"]
