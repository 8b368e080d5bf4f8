"""How a run looks: the command is always there, states are words, and every width is enough."""

import json
from dataclasses import replace

import pytest

from opsconsole.actions.action import Risk
from opsconsole.runbooks.model import Kind, Provenance, Runbook, Span, Step
from opsconsole.runbooks.states import StepState
from opsconsole.ui.glyphs import ASCII, UNICODE
from opsconsole.ui.lines import line_width, text_of
from opsconsole.ui.output import OutputLog
from opsconsole.ui.run_page import RISK_ROLES, RunShown, StepShown, mark, run_lines

NOWHERE = Span(1, 1, 0, 0)


def step(number: int, **changes: object) -> Step:
    known: dict[str, object] = {
        "name": f"step-{number}",
        "kind": Kind.SHELL,
        "title": f"look at thing {number}",
        "body": f"echo {number}",
        "number": f"1.{number}",
        "group": 0,
        "span": NOWHERE,
        "prose": "Why this is done. " * 20,
        "timeout": 30.0,
    }
    return Step(**{**known, **changes})  # type: ignore[arg-type]


STEPS = tuple(step(number) for number in range(1, 7))
BOOK = Runbook("restart", "Service restart", "restart.md", Provenance("0" * 64), steps=STEPS)
RUN = RunShown(
    book=BOOK,
    run_id="20261121-1402-ab3f",
    actor="alice",
    environment="production",
    values={"SERVICE": "energy-service"},
    steps=STEPS,
    shown={"step-1": StepShown(StepState.OK, 0.3), "step-2": StepShown(StepState.FAILED, 2.0, "exit 3")},
    current=1,
    command="export SERVICE=energy-service\nsystemctl restart energy-service",
    wants="confirm: type energy-service",
)


def shown(run: RunShown, width: int = 120, height: int = 36) -> str:
    return text_of(run_lines(run, width, height, UNICODE))


@pytest.mark.parametrize(("width", "height"), [(80, 20), (99, 20), (100, 20), (120, 36), (200, 56)])
def test_it_fits_and_shows_the_exact_command_and_what_it_takes(width: int, height: int) -> None:
    lines = run_lines(RUN, width, height, UNICODE)
    assert len(lines) <= height
    assert all(line_width(one) <= width for one in lines)
    text = text_of(lines)
    assert "systemctl restart energy-service" in text
    assert "confirm: type energy-service" in text
    assert "WRITE" in text


def test_on_a_narrow_terminal_the_list_is_one_line() -> None:
    text = shown(RUN, 80, 20)
    assert "step 2 of 6" in text
    assert "look at thing 6" not in text
    assert "look at thing 6" in shown(RUN, 120, 36)


def test_the_command_is_never_cut_in_favour_of_prose_or_output() -> None:
    log = OutputLog()
    log.feed(b"noise\n" * 500)
    long = replace(RUN, command="\n".join(f"command line {number}" for number in range(12)), output=log)
    text = shown(long, 120, 36)
    assert all(f"command line {number}" in text for number in range(12))


def test_a_command_that_is_too_long_says_where_the_rest_is() -> None:
    long = replace(RUN, command="\n".join(f"command line {number}" for number in range(200)))
    assert "z shows the whole step" in shown(long)


def test_on_80_by_24_a_request_is_shown_whole_before_it_is_sent_whatever_was_said_before() -> None:
    request = "# Airflow\nPOST /dags/a/clearTaskInstances\n" + json.dumps({f"field_{n}": n for n in range(20)})
    output = OutputLog()
    for n in range(12):
        output.say(f"slot {n}")
    change = step(2, risk=Risk.WRITE, prose="It puts them back. " * 9)
    text = shown(
        replace(RUN, steps=(change,), current=0, shown={}, command=request, output=output, output_of="1.1"), 80, 20
    )
    assert "".join(request.split()) in "".join(text.split())


def test_states_are_symbols_and_words() -> None:
    text = shown(RUN)
    assert "✗ 1.2" in text
    assert "failed" in text
    assert len({mark(state, ASCII) for state in StepState}) >= 6


def test_only_the_steps_in_view_are_made_into_text() -> None:
    many = tuple(step(number) for number in range(1, 501))
    text = shown(replace(RUN, steps=many, current=250, book=replace(BOOK, steps=many)))
    assert "look at thing 251" in text
    assert "look at thing 400" not in text


def test_a_runbook_without_steps_is_for_reading() -> None:
    assert "no steps" in shown(replace(RUN, steps=(), book=replace(BOOK, steps=())))


def test_every_risk_has_a_look() -> None:
    assert set(RISK_ROLES) == set(Risk)
