"""docs/screens.md is true: its examples are read without a problem, its units and keys are those there are."""

import re

import pytest

from opsconsole.config.document import parse_document
from opsconsole.core.content import shipped_content
from opsconsole.core.units import UNITS
from opsconsole.screens.definition import Kind
from opsconsole.screens.format import PANE_KEYS, SCREEN_KEYS
from opsconsole.screens.interpolation import GLOBALS
from opsconsole.screens.loading import read_screen

PATH = shipped_content() / "docs" / "screens.md"
TEXT = PATH.read_text()
WHOLE, VARIABLES, AREAS, PAGES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
_HEAD = "screen: 1\nid: a\npanes:\n"


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        _HEAD + "  - {id: a, kind: text, text: t}\n" + VARIABLES,
        _HEAD + "".join(f"  {line}\n" for line in AREAS.splitlines()),
        _HEAD + PAGES,
    ],
    ids=["whole", "variables", "areas", "pages"],
)
def test_every_example_is_read_without_a_problem(text: str) -> None:
    screen, problems = read_screen(parse_document(text, "docs/screens.md"))
    assert problems == []
    assert screen is not None


def test_every_key_unit_kind_and_global_is_named_and_no_other() -> None:
    words = set(re.findall(r"`([^`\n]+)`", TEXT))
    assert set(PANE_KEYS) - {"queries"} <= words
    assert set(SCREEN_KEYS) <= words
    assert set(Kind) <= words
    assert {"$" + name for name in GLOBALS} - words == {"$__interval_ms", "$__range_s", "$__range_ms"}
    units = TEXT[TEXT.index("## Units") : TEXT.index("## The overview")]
    assert set(re.findall(r"`([^`]+)`", units)) == UNITS - {
        "us",
        "dtdurationms",
        "clocks",
        "clockms",
        "tbytes",
        "Kbits",
        "Mbits",
        "Gbits",
    }
