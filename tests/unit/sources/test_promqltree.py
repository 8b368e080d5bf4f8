"""What the parser in machine code is given, and what it is not."""

import pytest

from opsconsole.alerts.expression import CannotSplit, split
from opsconsole.sources.promqltree import TooDeepError, parse

HOSTILE = {
    "parentheses": "(" * 20_000 + "up" + ")" * 20_000,
    "some parentheses": "(" * 101 + "up" + ")" * 101,
    "signs": "-" * 9_000 + "up",
    "powers": "^".join(["2"] * 9_000),
    "alternatives": " or ".join(["up"] * 2_000),
    "alternatives on lines": "\nOR\n".join(["a"] * 3_000),
    "text": "a" * 20_001,
}
"""Twenty thousand parentheses, the signs and the powers end the process where the parser gets them."""


@pytest.mark.parametrize("name", HOSTILE)
def test_what_no_person_wrote_is_refused_before_the_parser_sees_it(name: str) -> None:
    with pytest.raises(TooDeepError):
        parse(HOSTILE[name])
    with pytest.raises(CannotSplit, match="not taken apart: too long, or nested too deeply"):
        split(HOSTILE[name])


def test_what_is_just_within_the_limits_is_taken_apart() -> None:
    assert len(split(" or ".join(["up"] * 400))) == 400
    parse("(" * 100 + "up" + ")" * 100)
    parse(" + ".join(["(up)"] * 400))
    parse("-" * 800 + "up")


def test_what_is_no_promql_is_said_by_the_parser() -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse("sum by (")
