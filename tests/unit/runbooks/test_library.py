"""A folder of runbooks: broken ones are reported, the others are found."""

import os
import subprocess
from pathlib import Path

import pytest

from opsconsole.runbooks.library import Library, UnreadableError, load_runbook
from opsconsole.runbooks.provenance import provenance_of


def put(folder: Path, name: str, runbook_id: str, more: str = "") -> Path:
    path = folder / name
    path.write_text(f"---\nrunbook: 1\nid: {runbook_id}\ntitle: {runbook_id.title()}\n{more}---\n")
    return path


def test_broken_files_do_not_cost_the_others(tmp_path: Path) -> None:
    put(tmp_path, "good.md", "good")
    put(tmp_path, "other.md", "good")
    (tmp_path / "bad.md").write_bytes(b"---\nrunbook: 1\nid: [\n---\n\xff\x00")
    os.mkfifo(tmp_path / "fifo.md")
    (tmp_path / "gone.md").symlink_to("nowhere")
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "README.md").write_text("no runbook")
    library = Library(tmp_path)
    assert [book.id for book in library.all()] == ["bad", "good", "good"]
    assert [(Path(problem.file).name, problem.code) for problem in library.problems()] == [
        ("fifo.md", "unreadable"),
        ("folder.md", "unreadable"),
        ("gone.md", "unreadable"),
        ("other.md", "duplicate-id"),
    ]
    found = library.get("good")
    assert found is not None
    assert found.path.endswith("good.md")


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert Library(tmp_path / "no").all() == []


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    put(tmp_path, "a.md", "a")
    library = Library(tmp_path)
    first = library.get("a")
    assert library.get("a") is first
    put(tmp_path, "a.md", "a", "owner: me\n")
    again = library.get("a")
    assert again is not None
    assert again.owner == "me"


def test_the_most_fitting_runbook_comes_first(tmp_path: Path) -> None:
    put(tmp_path, "linked.md", "linked")
    put(tmp_path, "alerted.md", "alerted", "alerts: [ServiceDown]\n")
    put(tmp_path, "HIGH-CPU.md", "cpu")
    put(tmp_path, "other.md", "other")
    library = Library(tmp_path)
    labels = {"alertname": "ServiceDown", "runbook_url": "https://host/runbooks/HIGH-CPU.md#alert"}
    assert [book.id for book in library.matching(labels=labels, link="linked")] == ["linked", "alerted", "cpu"]
    assert [book.id for book in library.matching(alert="ServiceDown")] == ["alerted"]
    assert library.matching(labels={"alertname": "Nothing", "runbook_url": "http://[bad"}) == []


def test_what_is_no_file_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="directory"):
        load_runbook(tmp_path)
    with pytest.raises(UnreadableError):
        load_runbook(tmp_path / "a\0b")


def test_provenance_is_the_commit_and_whether_it_has_changed(tmp_path: Path) -> None:
    path = put(tmp_path, "a.md", "a")
    assert provenance_of(path, path.read_bytes()).commit == ""

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, "-C", str(tmp_path), *arguments], check=True, capture_output=True)

    git("init", "-q")
    git("add", "a.md")
    git("commit", "-qm", "one")
    clean = provenance_of(path, path.read_bytes())
    assert (len(clean.commit), clean.dirty) == (40, False)
    assert provenance_of(path, b"changed").dirty
    new = put(tmp_path, "new.md", "new")
    assert provenance_of(new, new.read_bytes()).dirty
