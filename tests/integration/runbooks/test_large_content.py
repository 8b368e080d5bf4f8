"""Five megabytes of whatever a file may hold: read in time, whatever it repeats."""

import time

import pytest

from opsconsole.runbooks.lint import lint
from opsconsole.runbooks.parsing import parse_runbook


@pytest.mark.parametrize(
    "unit",
    [
        "- [ ] x\n",
        "> ",
        "- ",
        "[a]: b\n",
        "```\n",
        "<!--",
        "#",
        "{",
        "* * ",
        "x\n=\n",
        "\t",
        "`",
        '```sh {"name":"a"}\n',
        "\0",
    ],
)
def test_five_megabytes_of_anything_end_in_time(unit: str) -> None:
    began = time.process_time()
    content = unit * (5_000_000 // len(unit))
    lint(parse_runbook(content.encode(), "large.md"))
    assert time.process_time() - began < 40, "what grows with the square would take hours"
