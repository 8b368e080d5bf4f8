"""The `:` line: what it understands, what it offers, and what it says of the rest."""

import contextlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.ui.commands import COMMANDS, Command, CommandError, completions, match, parse


class SmallWorld:
    """A world with a few of each thing."""

    def screens(self) -> Sequence[tuple[str, str]]:
        return [
            ("overview", "Overview"),
            ("system-health", "System health"),
            ("resources", "Resources"),
            ("database-overview", "Database"),
        ]

    def environments(self) -> Sequence[str]:
        return ["production", "staging"]

    def runbooks(self) -> Sequence[tuple[str, str]]:
        return [
            ("service-restart-procedures", "Service restart"),
            ("dag-failure-recovery", "DAG failure recovery"),
        ]

    def parameters(self, runbook: str) -> Sequence[str]:
        return {"service-restart-procedures": ["SERVICE", "REASON"]}.get(runbook, [])

    def variables(self) -> Sequence[str]:
        return ["job"]

    def values(self, variable: str) -> Sequence[str]:
        return ["api", "app"]

    def themes(self) -> Sequence[str]:
        return ["dark", "light"]

    def pages(self) -> Sequence[tuple[str, str]]:
        return [("sessions", "Sessions"), ("locks", "Locks"), ("tables", "Tables")]

    def family_pages(self, family: str) -> list[tuple[str, str]]:
        return [("dags", "DAGs"), ("failures", "Failures")]

    def databases(self) -> Sequence[str]:
        return ["app", "airflow"]


WORLD = SmallWorld()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("datab", Command("screen", "database-overview")),
        ("db", Command("db")),
        ("db lock", Command("db", "locks")),
        ("db airflow", Command("db", "", (("database", "airflow"),))),
        ("db tab app", Command("db", "tables", (("database", "app"),))),
        ("screen health", Command("screen", "system-health")),
        ("env staging", Command("env", "staging")),
        ("env stag", Command("env", "staging")),
        (
            "rb restart svc=energy-service",
            Command("rb", "service-restart-procedures", (("SERVICE", "energy-service"),)),
        ),
        (
            'rb restart svc="a b" reason=x=y',
            Command("rb", "service-restart-procedures", (("SERVICE", "a b"), ("REASON", "x=y"))),
        ),
        ("rb", Command("rb")),
        ("set job api", Command("set", "job", (("job", "api"),))),
        ("set job=api", Command("set", "job", (("job", "api"),))),
        ("theme light", Command("theme", "light")),
        ("range 6h", Command("range", "6h")),
        ("range 14:00 to 15:00", Command("range", "14:00 to 15:00")),
        ("note it was $(me)", Command("note", "it was $(me)")),
        ("q", Command("quit")),
    ],
)
def test_it_understands(line: str, expected: Command) -> None:
    assert parse(line, WORLD) == expected


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sreen health", "screen"),
        ("env stagnig", "staging"),
        ("rb nothing", "no runbook"),
        ("rb restart oops", "PARAM=VALUE"),
        ("rb restart colour=red", "no parameter"),
        ("set colour red", "no variable"),
        ("theme pink", "dark, light"),
    ],
)
def test_it_says_what_it_expected(line: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        parse(line, WORLD)


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("", "screen"),
        ("sc", "screen"),
        ("database", "database-overview"),
        ("screen da", "screen database-overview"),
        ("rb re", "rb service-restart-procedures"),
        ("rb service-restart-procedures s", "rb service-restart-procedures SERVICE="),
        ("rb service-restart-procedures SERVICE=x ", "rb service-restart-procedures SERVICE=x REASON="),
        ("set jo", "set job"),
        ("set job ap", "set job api"),
        ("env ", "env production"),
    ],
)
def test_it_completes_from_what_is_there(line: str, first: str) -> None:
    assert completions(line, WORLD)[0].line == first


def test_every_command_is_offered() -> None:
    assert set(COMMANDS) <= {one.line for one in completions("", WORLD)}


def test_an_exact_name_wins_over_a_longer_one() -> None:
    assert match("app", [("application", ""), ("app", "")]) == "app"


@given(st.text(max_size=60))
def test_no_text_breaks_it(line: str) -> None:
    for one in completions(line, WORLD):
        assert isinstance(one.line, str)
    with contextlib.suppress(CommandError):
        assert parse(line, WORLD).name in COMMANDS
