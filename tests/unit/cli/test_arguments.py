"""What is wrong with an argument is said in words."""

import argparse
from collections.abc import Callable

import pytest

from opsconsole.cli.arguments import count, duration, lasting
from opsconsole.cli.main import main
from opsconsole.core.exit_codes import Exit


def test_what_they_are() -> None:
    assert (duration("1m30s"), duration("0s"), lasting("500ms"), count("0"), count("20")) == (90.0, 0.0, 0.5, 0, 20)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(duration, "abc"), (duration, "5"), (lasting, "0s"), (count, "-1"), (count, "x"), (count, "²"), (count, "")],
)
def test_what_they_are_not(kind: Callable[[str], float], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no"):
        kind(text)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["db", "activity", "--min-duration", "abc"], "'abc' is not a duration"),
        (["db", "queries", "--window", "0s"], "'0s' is no time at all"),
        (["audit", "list", "--limit", "-1"], "'-1' is not a number from 0 on"),
        (["db", "autovacuum", "readings", "--yes"], "what is to be set?"),
    ],
)
def test_wrong_usage_names_no_function(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(argv)
    except SystemExit as end:
        code = int(str(end.code))
    assert code == Exit.USAGE
    assert said in capsys.readouterr().err
