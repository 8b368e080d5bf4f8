"""Markdown that was written for people: a checklist to walk, never anything that runs."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opsconsole.runbooks.library import load_runbook
from opsconsole.runbooks.lint import errors, lint
from opsconsole.runbooks.model import Kind
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.states import RunState, Verdict

PUBLIC = Path(__file__).resolve().parents[4] / "shared" / "data" / "runbooks"
PLAIN = """\
# Replace a disk
Look first:

```console
$ lsblk
```

## Take it out
- [ ] Power the enclosure down
- [x] Pull the disk
  ```bash
  rm -rf /mnt/<disk>
  ```

## Put the new one in
1. Push it in until it clicks
"""
ODD = {
    "crlf.md": b"# Title\r\n- [ ] one\r\n- [ ] two\r\n",
    "bom.md": b"\xef\xbb\xbf# Title\n- [ ] one\n",
    "latin.md": "# Überblick\n- [ ] prüfen\n".encode("latin-1"),
    "nul.md": b"# Ti\x00tle\n- [ ] one\n",
    "unclosed.md": b"# Title\n```sh\necho\n",
    "nested.md": b"# Title\n````md\n```sh\nrm -rf /\n```\n````\n- [ ] one\n",
    "json.md": b'{"title": "x"}\n# Title\n',
    "toml.md": b"+++\ntitle = 'x'\n+++\n# Title\n",
    "hugo.md": b"---\ntitle: {{ .Name }}\n---\n# Title\n",
    "empty.md": b"",
    "large.md": (b"- [ ] " + b"again " * 40 + b"\n") * 22_000,
    "escape.md": b"# \x1b]0;owned\x07\n- [ ] \x1b[31mred\n",
}


def test_headings_and_task_items_are_walked_and_blocks_are_only_read(tmp_path: Path, begin: Callable[..., Run]) -> None:
    path = tmp_path / "disk.md"
    path.write_text(PLAIN)
    book = load_runbook(path)
    assert not errors(lint(book))
    assert [step.title for step in book.steps] == [
        "Replace a disk", "Power the enclosure down", "Pull the disk", "Put the new one in",
    ]  # fmt: skip
    run = begin(book)
    while (step := run.current) is not None:
        assert step.kind is Kind.MANUAL
        run.complete_manual(step, Verdict.DONE)
    assert run.finish() is RunState.OK


def test_without_task_items_each_heading_is_one(tmp_path: Path) -> None:
    path = tmp_path / "disk.md"
    path.write_text(PLAIN.replace("- [ ] ", "- ").replace("- [x] ", "- "))
    book = load_runbook(path)
    assert [step.kind for step in book.steps] == [Kind.MANUAL] * len(book.steps)
    assert [step.title for step in book.steps][-2:] == ["Take it out", "Put the new one in"]


def test_checking_whatever_there_is_ends_with_an_answer(tmp_path: Path) -> None:
    for name, content in ODD.items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "opsconsole.cli.main", "runbook", "check", *(str(tmp_path / name) for name in ODD)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 2), done.stderr
    assert f"runbooks: {len(ODD)}" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the collection of public runbooks is not here")
def test_public_runbooks_are_checklists_and_nothing_in_them_runs() -> None:
    executable = []
    for path in sorted(PUBLIC.rglob("*.md")):
        book = load_runbook(path)
        if book.executable_steps and not errors(lint(book)):
            executable.append(path.name)
        if not book.executable_steps and book.groups:
            assert all(step.kind is Kind.MANUAL for step in book.steps)
    assert executable == []
