"""Shipped runbooks mean the same to runme (https://runme.dev): the same names, the same bytes, and no change unasked.

runme is not needed for that: its reading of a fence (`extractAttributes` of document/attributes.go) is written down
here once more, by itself. What it takes for a cell is found here by lines, not by the parser under test.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.actions.action import Risk
from opsconsole.core.content import shipped_content
from opsconsole.runbooks.attributes import read_info
from opsconsole.runbooks.library import load_runbook
from opsconsole.runbooks.lint import errors, lint
from opsconsole.runbooks.parsing import parse_runbook

FOLDER = shipped_content() / "runbooks"
every_file = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)


def extract_attributes(info: str) -> dict[str, str]:
    """As runme does it: cut at the first `}`, tried as JSON, else split at single spaces and the first `=`."""
    start = re.search(r"\{(?!\}|$)", info)
    if start is None:
        return {}
    stop = info.find("}")
    if stop < start.start():
        return {}
    raw = info[start.start() : stop + 1]
    try:
        read = json.loads(raw)
    except ValueError:
        read = None
    if isinstance(read, dict):
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in read.items()}
    pairs = (word.partition("=") for word in raw[1:-1].split(" "))
    return {key: value for key, _, value in pairs if key}


class Cell(NamedTuple):
    """A fenced block as runme has it."""

    language: str
    attributes: dict[str, str]
    content: bytes

    @property
    def name(self) -> str:
        return self.attributes.get("name", "")

    @property
    def in_run_all(self) -> bool:
        """`runme run --all`: every cell with a name, but those that are excluded (Go's ParseBool)."""
        excluded = self.attributes.get("excludeFromRunAll", "") in ("1", "t", "T", "true", "TRUE", "True")
        return bool(self.name) and not excluded


def cells(source: bytes) -> list[Cell]:
    """The fenced blocks of a file whose fences begin at a line's beginning: that of all shipped ones."""
    found = []
    fence, info, content = b"", "", b""
    for line in source.splitlines(keepends=True):
        opened = re.match(rb"(`{3,}|~{3,})(.*)", line)
        if not fence and opened:
            fence, info, content = opened[1], opened[2].decode().strip(), b""
        elif fence and re.fullmatch(re.escape(fence[:1]) + b"{%d,}[ \t\r\n]*" % len(fence), line):
            found.append(Cell(info.split(" ")[0], extract_attributes(info), content))
            fence = b""
        elif fence:
            content += line
    return found


@every_file
def test_the_same_names_and_the_same_bytes(path: Path) -> None:
    source = path.read_bytes()
    book = load_runbook(path)
    named = [cell for cell in cells(source) if cell.name]
    steps = [step for step in book.steps if "name" in step.attributes]
    assert [cell.name for cell in named] == [step.name for step in steps]
    assert len({cell.name for cell in named}) == len(named)  # else runme would give them other names
    for cell, step in zip(named, steps, strict=True):
        assert cell.content == step.body.encode() + b"\n", step.name
        assert cell.language == step.language, step.name
        assert cell.attributes == dict(step.attributes), step.name


@every_file
def test_run_all_reaches_no_step_that_changes_something(path: Path) -> None:
    risks = {step.name: step.risk for step in load_runbook(path).steps}
    assert [cell.name for cell in cells(path.read_bytes()) if cell.in_run_all and risks[cell.name] != Risk.READ] == []


def test_every_file_has_been_read() -> None:
    assert sum(len(cells(path.read_bytes())) for path in FOLDER.glob("*.md")) > 100


@pytest.mark.parametrize(
    ("info", "attributes"),
    [
        ('sh {"name":"x","interactive":"false"}', {"name": "x", "interactive": "false"}),
        ('sh {"name":"x","retries":3,"critical":true,"only":["a","b"]}',
         {"name": "x", "retries": "3", "critical": "true", "only": '["a", "b"]'}),
        ("sh { name=x interactive=false }", {"name": "x", "interactive": "false"}),
        ('sh { name="two words" }', {"name": '"two', 'words"': ""}),
        ("sh {name=x, b=c}", {"name": "x,", "b": "c"}),
        ("sh { name = x }", {"name": "", "x": ""}),
        ('sh {"name":"x","expect":{"exit":0}}', {'"name":"x","expect":{"exit":0': ""}),
        ("sh {}", {}),
        ("sh } {name=x}", {}),
        ("sh{name=x}", {"name": "x"}),
    ],
)  # fmt: skip
def test_attributes_are_read_as_runme_reads_them(info: str, attributes: dict[str, str]) -> None:
    assert extract_attributes(info) == attributes
    assert read_info(info).attributes == attributes


PLAIN = st.text(st.sampled_from('ab ="[]:,.0e\\-truefalsenull'), max_size=30)


@given(PLAIN, PLAIN)
def test_whatever_stands_in_the_braces_is_read_as_runme_reads_it(before: str, inside: str) -> None:
    info = f"sh {before}{{{inside}}} {before}"
    assert read_info(info).attributes == extract_attributes(info.strip())


@pytest.mark.parametrize(
    "attributes",
    [
        '{"name":"x","risk":"read","timeout":"9s","expect":{"exit":0}}',  # nested: cut in its middle
        '{"name":"x","risk":"read","timeout":"9s","expect":"a}b"}',  # a brace in a value: the same
        '{"name":"x","risk":"read","timeout":"9s","only":[["a"]]}',
        '{"name":"x","risk":"read","timeout":"9s"',
        '{"name":"x","risk":"destructive","confirm":"type:x","timeout":"9s"}',  # run-all would reach it
    ],
)
def test_what_runme_could_not_read_or_would_run_is_an_error(attributes: str) -> None:
    text = f"---\nrunbook: 1\nid: trial\n---\n```sh {attributes}\ntrue\n```\n"
    assert errors(lint(parse_runbook(text.encode(), "trial.md")))
