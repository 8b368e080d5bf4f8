"""The folder of a run: what damage costs, and what a list of runs says of runs whose process is gone."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from opsconsole.runbooks.history import list_runs, read_journal, summarize
from opsconsole.runbooks.record import Ends, Header, OutputFile, RunFolder, process_start

HEADER = Header(
    "book", "Book", "/b.md", "0" * 64, "", False, {"A": "1"}, "alice", "", "", "ops1", "demo", "guided", "0"
)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(HEADER, b"# text", root=tmp_path / "runs")
    made.append("begin", by="alice")
    made.append("intent", by="alice", step="one")
    return made


def journal_of(folder: RunFolder) -> Path:
    return folder.path / "journal.jsonl"


def test_the_chain_begins_with_the_header(folder: RunFolder) -> None:
    first = json.loads(journal_of(folder).read_text().splitlines()[0])
    assert first["prev"] == hashlib.sha256((folder.path / "run.json").read_bytes()).hexdigest()
    assert not read_journal(folder.path).problems


def test_a_torn_last_line_costs_that_record_only(folder: RunFolder) -> None:
    folder.append("result", by="alice", step="one", state="ok")
    content = journal_of(folder).read_bytes()
    journal_of(folder).write_bytes(content[:-9])
    reading = read_journal(folder.path)
    assert [record["ev"] for record in reading.records] == ["begin", "intent"]
    assert [(problem.code, problem.line) for problem in reading.problems] == [("torn", 3)]
    summary = summarize(folder.path)
    assert summary is not None
    assert summary.steps == {"one": "unknown"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda lines: [lines[0].replace(b"alice", b"mallo"), *lines[1:]], "chain"),
        (lambda lines: [lines[0], lines[2]], "gap"),
        (lambda lines: [lines[0], b"\xff\x00 not json", lines[2]], "damaged"),
    ],
)
def test_a_changed_past_shows(folder: RunFolder, change: object, code: str) -> None:
    folder.append("note", by="alice", text="x")
    lines = journal_of(folder).read_bytes().splitlines()
    assert callable(change)
    journal_of(folder).write_bytes(b"\n".join(change(lines)) + b"\n")
    assert code in [problem.code for problem in read_journal(folder.path).problems]


def test_a_changed_header_shows(folder: RunFolder) -> None:
    header = folder.path / "run.json"
    header.write_text(header.read_text().replace("alice", "mallory"))
    assert [problem.code for problem in read_journal(folder.path).problems] == ["chain"]


def test_a_run_whose_process_lives_is_running_and_one_whose_process_is_gone_is_unknown(folder: RunFolder) -> None:
    summary = summarize(folder.path)
    assert summary is not None
    assert (summary.state, summary.step, summary.ended_at) == ("running", "one", None)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    header = json.loads((folder.path / "run.json").read_text())
    (folder.path / "run.json").write_text(json.dumps({**header, "pid": child.pid, "pid_start": "1"}))
    summary = summarize(folder.path)
    assert summary is not None
    assert summary.state == "unknown"


def test_runs_come_newest_first_and_rubbish_is_left_out(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    first = RunFolder.create(HEADER, b"", root=root, at=1_000_000_000.0)
    second = RunFolder.create(HEADER, b"", root=root, at=1_000_000_060.0)
    for folder in (first, second):
        folder.append("begin", by="alice")
    (root / "zzz").mkdir()
    (root / "yyy").mkdir()
    (root / "yyy" / "run.json").write_text("[" * 100_000)
    assert [run.id for run in list_runs(root)] == [second.id, first.id]
    assert first.id.startswith("20010909-014640-")
    assert [run.id for run in list_runs(root, limit=1)] == [second.id]


def test_only_the_owner_may_look(folder: RunFolder) -> None:
    folder.open_output("one").close()
    for path in [folder.path, *folder.path.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0


def test_all_output_is_on_disk_and_its_ends_are_in_memory(tmp_path: Path) -> None:
    output = OutputFile(tmp_path / "out")
    for _ in range(1000):
        output.write(b"a" * 1000)
    output.write(b"the end")
    output.close()
    assert (tmp_path / "out").stat().st_size == 1_000_007
    assert output.ends.text.endswith("the end")
    assert output.ends.cut == 1_000_007 - 2 * Ends.KEPT
    assert len(output.ends.text) == 2 * Ends.KEPT + 1


def test_short_output_is_kept_whole() -> None:
    ends = Ends()
    for piece in (b"one ", b"", b"two"):
        ends.take(piece)
    assert (ends.text, ends.cut) == ("one two", 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_said_and_the_step_goes_on(tmp_path: Path) -> None:
    output = OutputFile(tmp_path / "out")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, output._file)
    os.close(full)
    output.write(b"x" * 10)
    output.write(b"y")
    assert "space" in output.error
    assert output.ends.text == "x" * 10 + "y"


def test_a_process_that_has_ended_and_was_not_reaped_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_start(child.pid) != ""
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is still there
    assert Path(f"/proc/{child.pid}").exists()
    assert process_start(child.pid) == ""
    child.communicate()
