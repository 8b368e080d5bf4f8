"""The journal in its SQLite file: what is written stays, and what was changed is found."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.store import FILE, open_journal
from opsconsole.store.chain import GENESIS, link
from opsconsole.store.entry import Conclusion, Intent
from opsconsole.store.journal import JournalError
from opsconsole.store.sqlite import SqliteJournal


def intent(attempt: str, at: float = 1000.0, **changes: object) -> Intent:
    fields: dict[str, object] = {
        "attempt": attempt,
        "at": at,
        "actor": "alice",
        "host": "ops1",
        "environment": "production",
        "action": "runbook.step",
        "title": "Restart",
        "target": "energy-service",
        "risk": "write",
        "command": "systemctl restart energy-service",
    }
    return Intent(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / FILE)
    yield opened
    opened.close()


def filled(journal: SqliteJournal, count: int = 4) -> SqliteJournal:
    for number in range(count):
        journal.begin(intent(f"a{number}", 1000.0 + number))
        journal.conclude(Conclusion(f"a{number}", 1000.5 + number, "ok", exit_code=0, duration=0.5))
    return journal


def tampered(journal: SqliteJournal, *statements: str) -> list[str]:
    """The codes `verify` finds after somebody with access to the file has had their way."""
    journal.close()
    with sqlite3.connect(journal.path) as connection:
        for name in ("never_updated", "never_deleted", "only_appended"):
            connection.execute(f"drop trigger record_is_{name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return [problem.code for problem in journal.verify()]


def test_an_attempt_reads_back_as_it_was_written(journal: SqliteJournal) -> None:
    begun = intent("a", details={"pid": 7, "role": "operator"}, run="r1", command="echo '\x1b[31m' \udcff ü\n")
    ended = Conclusion("a", 1001.0, "failed", exit_code=3, detail="no such unit", duration=1.0)
    journal.begin(begun)
    journal.conclude(ended)
    [entry] = journal.entries()
    assert entry.intent == begun
    assert entry.conclusion == ended
    assert journal.verify() == []


def test_an_attempt_without_an_end_reads_as_unknown(journal: SqliteJournal) -> None:
    journal.begin(intent("a"))
    assert [entry.outcome for entry in journal.entries()] == ["unknown"]
    assert [entry.intent.attempt for entry in journal.entries(outcome="unknown")] == ["a"]


def test_reading_creates_nothing(journal: SqliteJournal) -> None:
    assert journal.entries() == []
    assert journal.verify() == []
    assert journal.head() is None
    assert not journal.path.exists()


def test_only_its_owner_can_read_it(journal: SqliteJournal) -> None:
    previous = os.umask(0)
    try:
        filled(journal)
    finally:
        os.umask(previous)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in journal.path.parent.iterdir()}
    assert set(modes) >= {FILE, f"{FILE}-wal"}
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["a", "b", "c"]),
        ({"since": 2000.0}, ["b", "c"]),
        ({"until": 2000.0}, ["a"]),
        ({"actor": "bob"}, ["b"]),
        ({"environment": "prod*"}, ["a", "b", "c"]),
        ({"environment": "prod"}, []),
        ({"action": "postgres.*"}, ["c"]),
        ({"target": "app.[x]?"}, ["c"]),
        ({"target": "app.x1"}, []),
        ({"outcome": "ok"}, ["a"]),
        ({"outcome": "unknown"}, ["b", "c"]),
        ({"run": "r1"}, ["b"]),
        ({"limit": 2}, ["b", "c"]),
        ({"limit": 0}, []),
        ({"actor": "alice", "limit": 1}, ["c"]),
    ],
)
def test_entries_match_everything_asked_for_and_come_oldest_first(
    journal: SqliteJournal, arguments: dict[str, object], expected: list[str]
) -> None:
    journal.begin(intent("a", 1000.0))
    journal.begin(intent("b", 2000.0, actor="bob", run="r1"))
    journal.conclude(Conclusion("a", 2500.0, "ok"))
    journal.begin(intent("c", 3000.0, action="postgres.terminate", target="app.[x]?"))
    found = [entry.intent.attempt for entry in journal.entries(**arguments)]  # type: ignore[arg-type]
    assert found == expected


@pytest.mark.parametrize(
    "statement",
    [
        "update record set body = '{}' where seq = 1",
        "delete from record where seq = 1",
        "insert or replace into record values (1, 'intent', 'x', 0, '{}', '', '')",
    ],
)
def test_the_file_itself_refuses_changes(journal: SqliteJournal, statement: str) -> None:
    filled(journal)
    connection = sqlite3.connect(journal.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    assert journal.verify() == []


def test_verify_finds_an_edited_record(journal: SqliteJournal) -> None:
    filled(journal)
    assert tampered(journal, "update record set body = replace(body, 'alice', 'bobby') where seq = 3") == ["edited"]
    [problem] = journal.verify()
    assert (problem.line, problem.severity) == (3, "error")


def test_verify_finds_an_edited_search_column(journal: SqliteJournal) -> None:
    filled(journal)
    assert tampered(journal, "update record set at = at + 1 where seq = 3") == ["edited"]


def test_verify_finds_a_record_that_was_rewritten_with_its_hash(journal: SqliteJournal) -> None:
    filled(journal)
    journal.close()
    with sqlite3.connect(journal.path) as connection:
        previous, body = connection.execute("select previous, body from record where seq = 3").fetchone()
    connection.close()
    body = body.replace("alice", "bobby")
    codes = tampered(journal, f"update record set body = '{body}', hash = '{link(previous, body)}' where seq = 3")
    assert codes == ["chain"]


def test_verify_finds_a_removed_record(journal: SqliteJournal) -> None:
    filled(journal)
    assert tampered(journal, "delete from record where seq = 2") == ["gap"]


def test_verify_finds_records_removed_from_the_end_even_after_new_ones(journal: SqliteJournal) -> None:
    filled(journal)
    assert tampered(journal, "delete from record where seq > 6") == ["removed"]
    journal.begin(intent("later"))
    assert [problem.code for problem in journal.verify()] == ["gap"]


def test_verify_finds_conclusions_that_do_not_belong(journal: SqliteJournal) -> None:
    filled(journal, 1)
    body = '{"at":1,"attempt":"ghost","kind":"conclusion","seq":3}'
    with sqlite3.connect(journal.path) as connection:
        (previous,) = connection.execute("select hash from record where seq = 2").fetchone()
        record = (3, "conclusion", "ghost", 1, body, previous, link(previous, body))
        connection.execute("insert into record values (?, ?, ?, ?, ?, ?, ?)", record)
    connection.close()
    assert [problem.code for problem in journal.verify()] == ["orphan"]


def test_a_torn_body_is_shown_and_found_but_hides_nothing(journal: SqliteJournal) -> None:
    filled(journal, 2)
    assert tampered(journal, "update record set body = cast(x'7bff' as text) where seq = 1") == ["edited"]
    first, second = journal.entries()
    assert "damaged" in first.intent.command
    assert second.intent.actor == "alice"
    assert len(journal.entries(actor="alice")) == 1


def test_a_file_cut_short_is_reported_not_raised(journal: SqliteJournal) -> None:
    filled(journal, 50)
    journal.close()
    with journal.path.open("r+b") as file:
        file.truncate(4096 * 2)
    assert [problem.code for problem in journal.verify()] == ["damaged"]
    with pytest.raises(JournalError) as caught:
        journal.begin(intent("x"))
    assert caught.value.kind == "damaged"


def test_a_power_cut_loses_at_most_the_last_record(journal: SqliteJournal, tmp_path: Path) -> None:
    filled(journal, 3)
    copy = tmp_path / "copy"
    copy.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{journal.path}{suffix}", copy / f"{FILE}{suffix}")
    with (copy / f"{FILE}-wal").open("r+b") as file:
        file.truncate((copy / f"{FILE}-wal").stat().st_size - 100)
    recovered = SqliteJournal(copy / FILE)
    assert [entry.outcome for entry in recovered.entries()] == ["ok", "ok", "unknown"]
    recovered.conclude(Conclusion("a2", 9.0, "ok"))
    assert recovered.verify() == []
    recovered.close()


def test_something_else_under_its_name_is_left_alone(journal: SqliteJournal) -> None:
    journal.path.write_bytes(b"notes of a colleague\n" * 100)
    with pytest.raises(JournalError) as caught:
        journal.begin(intent("a"))
    assert caught.value.kind == "damaged"
    assert journal.path.read_bytes().startswith(b"notes")


def test_a_conclusion_needs_its_intent_and_comes_once(journal: SqliteJournal) -> None:
    with pytest.raises(JournalError, match="never begun"):
        journal.conclude(Conclusion("a", 1.0, "ok"))
    journal.begin(intent("a"))
    journal.conclude(Conclusion("a", 1.0, "ok"))
    with pytest.raises(JournalError, match="concluded already"):
        journal.conclude(Conclusion("a", 2.0, "failed"))
    assert journal.verify() == []


def test_whoever_holds_the_file_is_waited_for_and_then_named_as_the_reason(tmp_path: Path) -> None:
    journal = filled(SqliteJournal(tmp_path / FILE, busy_seconds=0.05))
    holder = sqlite3.connect(journal.path, isolation_level=None)
    holder.execute("begin immediate")
    with pytest.raises(JournalError) as caught:
        journal.begin(intent("x"))
    assert caught.value.kind == "locked"
    assert len(journal.entries()) == 4  # reading goes on
    holder.execute("rollback")
    holder.close()
    journal.begin(intent("x"))
    journal.close()


def test_a_full_disk_is_said_and_nothing_half_written_stays(journal: SqliteJournal) -> None:
    filled(journal)
    assert journal._writer is not None
    pages = journal._writer.execute("pragma page_count").fetchone()[0]
    journal._writer.execute(f"pragma max_page_count = {pages}")  # SQLite's own way to say: no space left
    with pytest.raises(JournalError, match="disk is full") as caught:
        journal.begin(intent("big", command="x" * 100_000))
    assert caught.value.kind == "full"
    assert journal.verify() == []
    assert len(journal.entries()) == 4


def test_a_folder_that_cannot_be_written_refuses_records(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "file" / FILE)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(JournalError) as caught:
        journal.begin(intent("a"))
    assert caught.value.kind == "unreachable"


READER = """
import os, sys
from pathlib import Path
from opsconsole.store.journal import JournalError
from opsconsole.store.sqlite import SqliteJournal
SqliteJournal(Path(sys.argv[1])).entries()  # as root: everything is imported then, from wherever it lies
os.setuid(65534)
try:
    print(len(SqliteJournal(Path(sys.argv[1])).entries()))
except JournalError as error:
    print(error.kind)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user")
def test_whoever_may_not_read_the_newest_records_is_told_instead_of_shown_less(journal: SqliteJournal) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        journal = filled(SqliteJournal(Path(folder) / FILE))
        Path(folder).chmod(0o755)
        journal.path.chmod(0o644)
        reader = [sys.executable, "-c", READER, str(journal.path)]
        assert subprocess.run(reader, capture_output=True, check=True).stdout == b"unreachable\n"
        journal.close()  # now everything is in the one file
        assert subprocess.run(reader, capture_output=True, check=True).stdout == b"4\n"


def test_a_journal_from_the_future_is_neither_read_nor_written(journal: SqliteJournal) -> None:
    filled(journal)
    journal.close()
    with sqlite3.connect(journal.path) as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    for use in (journal.entries, journal.verify, lambda: journal.begin(intent("x"))):
        with pytest.raises(JournalError, match="newer"):
            use()


def test_a_file_moved_away_is_begun_anew(journal: SqliteJournal) -> None:
    filled(journal)
    journal.path.rename(journal.path.with_name("old"))
    journal.begin(intent("x"))
    assert [entry.intent.attempt for entry in journal.entries()] == ["x"]


WRITER = """
import sys, threading
from opsconsole.store.entry import Conclusion, Intent
from opsconsole.store.sqlite import SqliteJournal
from pathlib import Path
name, path = sys.argv[1:]
journal = SqliteJournal(Path(path), busy_seconds=30)
def write(thread):
    for number in range(20):
        attempt = f"{name}-{thread}-{number}"
        journal.begin(Intent(attempt, 1.0, name, "h", "e", "a", "t", "x", "read", "true"))
        journal.conclude(Conclusion(attempt, 2.0, "ok"))
threads = [threading.Thread(target=write, args=(n,)) for n in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_processes_and_threads_writing_at_once_make_one_chain(journal: SqliteJournal) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name, str(journal.path)]) for name in ("p", "q", "r")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(journal.entries()) == 3 * 2 * 20
    assert {entry.outcome for entry in journal.entries()} == {"ok"}
    assert journal.verify() == []


KILLED = """
import os, signal, sys
from pathlib import Path
from opsconsole.store.entry import Intent
from opsconsole.store.sqlite import SqliteJournal
SqliteJournal(Path(sys.argv[1])).begin(Intent("a", 1.0, "n", "h", "e", "a", "t", "x", "write", "true"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_between_intent_and_conclusion_reads_as_unknown(journal: SqliteJournal) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, str(journal.path)]).returncode == -9
    assert [entry.outcome for entry in journal.entries()] == ["unknown"]
    assert journal.verify() == []


def test_a_child_of_a_fork_writes_with_a_connection_of_its_own(journal: SqliteJournal) -> None:
    filled(journal, 1)
    child = os.fork()
    if not child:
        try:
            journal.begin(intent("child"))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    journal.begin(intent("parent"))
    assert journal.verify() == []
    assert len(journal.entries()) == 3


def test_the_chain_starts_from_a_fixed_point_and_its_head_can_be_noted_down(journal: SqliteJournal) -> None:
    filled(journal, 1)
    head = journal.head()
    assert head is not None
    assert head.seq == 2
    journal.close()
    with sqlite3.connect(journal.path) as connection:
        rows = connection.execute("select body, hash from record order by seq").fetchall()
    connection.close()
    assert head.hash == link(link(GENESIS, rows[0][0]), rows[1][0]) == rows[1][1]


def test_ten_thousand_records_are_listed_and_verified_quickly(journal: SqliteJournal) -> None:
    filled(journal, 1)
    assert journal._writer is not None
    connection = journal._writer
    connection.execute("pragma synchronous = off")
    head = journal.head()
    assert head is not None
    seq, previous = head.seq, head.hash
    connection.execute("begin")
    for number in range(10_000):
        seq += 1
        body = f'{{"at":{number},"attempt":"x{number}","kind":"intent","seq":{seq},"actor":"alice"}}'
        record = (seq, "intent", f"x{number}", number, body, previous, link(previous, body))
        connection.execute("insert into record values (?, ?, ?, ?, ?, ?, ?)", record)
        previous = record[-1]
    connection.execute("commit")
    started = time.process_time()  # how busy the machine is otherwise is not part of it
    assert len(journal.entries(actor="alice", limit=100)) == 100
    assert journal.verify() == []
    assert time.process_time() - started < 2


class TestOpenJournal:
    def test_by_default_in_the_state_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
        journal = open_journal()
        journal.begin(intent("a"))
        assert (tmp_path / "state" / FILE).is_file()
        journal.close()

    def test_at_a_named_path(self, tmp_path: Path) -> None:
        for url in (f"sqlite:{tmp_path}/j", f"sqlite://{tmp_path}/j"):
            journal = open_journal(url)
            assert isinstance(journal, SqliteJournal)
            assert journal.path == tmp_path / "j"

    def test_anything_else_is_refused_with_what_is_possible(self) -> None:
        with pytest.raises(JournalError, match="write sqlite"):
            open_journal("postgresql://db/ops")

    def test_a_state_folder_others_can_write_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "state").mkdir()
        (tmp_path / "state").chmod(0o777)
        monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
        with pytest.raises(JournalError, match="chmod"):
            open_journal()
