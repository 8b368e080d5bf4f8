"""What was seen before is known again after a restart, within bounds."""

import threading
from pathlib import Path

import pytest

from opsconsole.errors import memory as memories
from opsconsole.errors.memory import Memory, MemoryLostError
from opsconsole.errors.model import DAY, Heard, Mute
from tests.unit.errors.made import kind

NOW = 1_795_960_800.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "errors.sqlite"


def heard(*prints: str, last_at: float = NOW, covers_from_at: float | None = None, source: str = "logs/api") -> Heard:
    kinds = tuple(kind(one, first_at=last_at - 10, last_at=last_at, source=source) for one in prints)
    return Heard(source, kinds, covers_from_at)


def test_first_seen_survives_a_restart_and_only_moves_back(path: Path) -> None:
    Memory(path, "prod").keep([heard("a", last_at=NOW - 2 * DAY)], NOW - 2 * DAY)
    recalled = Memory(path, "prod").keep([heard("a", "b")], NOW)
    assert recalled.first_at == {"a": NOW - 2 * DAY - 10, "b": NOW - 10}
    assert path.stat().st_mode & 0o777 == 0o600


def test_environments_know_nothing_of_each_other(path: Path) -> None:
    Memory(path, "prod").keep([heard("a", last_at=NOW - DAY)], NOW - DAY)
    assert Memory(path, "test").keep([heard("a")], NOW).first_at == {"a": NOW - 10}


def test_since_when_a_source_is_watched_is_its_earliest_coverage(path: Path) -> None:
    memory = Memory(path, "prod")
    memory.keep([heard("a"), Heard("loki/app", error="connection refused")], NOW)
    recalled = memory.keep([heard("a", covers_from_at=NOW - DAY)], NOW + 5)
    assert recalled.watched_from == {"logs/api": NOW - DAY}
    assert memory.keep([heard("a")], NOW + 9).watched_from == {"logs/api": NOW - DAY}


def test_the_memory_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "MOST_KINDS", 3)
    memory = Memory(path, "prod")
    memory.keep([heard("ancient", last_at=NOW - 91 * DAY)], NOW - 91 * DAY)
    for age in range(5, 0, -1):
        memory.keep([heard(f"k{age}", last_at=NOW - age)], NOW - age)
    every = [heard("ancient", "k5", "k4", "k3", "k2", "k1", last_at=NOW)]
    first = memory.keep(every, NOW).first_at
    known = {name for name, at in first.items() if at < NOW - 10}
    assert known <= {"k3", "k2", "k1"}


def test_mutes_are_kept_replaced_and_ended(path: Path) -> None:
    memory = Memory(path, "prod")
    memory.mute("a", Mute("alice", NOW, None, "known"))
    memory.mute("a", Mute("bob", NOW, NOW + 60))
    assert memory.keep([], NOW).mutes == {"a": Mute("bob", NOW, NOW + 60)}
    assert memory.unmute("a")
    assert not memory.unmute("a")
    assert memory.keep([], NOW).mutes == {}


def test_counters_are_told_by_their_growth_and_a_reset_begins_at_zero(path: Path) -> None:
    memory = Memory(path, "prod")
    for value, reset_at, at in (
        (10, 1.0, 100.0),
        (13, 1.0, 200.0),
        (13, 1.0, 300.0),
        (4, 350.0, 400.0),
        (5, 350.0, 390.0),
    ):
        memory.count({"deadlocks": value}, reset_at, at)
    assert memory.growth(["deadlocks", "none"], 0.0) == {"deadlocks": [(200.0, 3), (400.0, 4)]}
    assert memory.growth(["deadlocks"], 300.0) == {"deadlocks": [(400.0, 4)]}


def test_two_at_once_wait_for_each_other(path: Path) -> None:
    def many(name: str) -> None:
        for number in range(20):
            Memory(path, "prod").keep([heard(f"{name}{number}")], NOW)

    threads = [threading.Thread(target=many, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [heard(*(f"{name}{number}" for name in "ab" for number in range(20)))]
    assert len(Memory(path, "prod").keep(every, NOW + 100).first_at) == 40


def test_a_file_that_is_no_database_is_said(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("not a database, but text that is long enough to look like a header of one")
    with pytest.raises(MemoryLostError, match=r"errors\.sqlite"):
        Memory(path, "prod").keep([], NOW)
