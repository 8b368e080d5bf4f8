"""Includes: the steps of other runbooks in this walk, and what they see."""

from dataclasses import replace
from pathlib import Path

import pytest

from opsconsole.actions.action import Outcome
from opsconsole.core.problem import ContentError
from opsconsole.core.secret import Secret
from opsconsole.runbooks.history import read_journal
from opsconsole.runbooks.includes import expand, kept_in
from opsconsole.runbooks.library import load_runbook
from opsconsole.runbooks.lint import errors, lint
from opsconsole.runbooks.lock import LockHeldError
from opsconsole.runbooks.model import Runbook
from tests.unit.runbooks.conftest import Begin, Write
from tests.unit.runbooks.test_run import NONE, YES, Screen, at, change, read

INNER = (
    '---\nrunbook: 1\nid: inner\nparams: {SERVICE: {required: true, pattern: "[a-z-]+"}}\nlock: "svc:{SERVICE}"\n---\n'
    + read("look", 'echo "look at $SERVICE"; echo "AT=$SERVICE.1" > "$OPS_OUT"', ',"capture":"AT"')
    + change("fix", 'echo "fix $AT"', ',"verify":"good","undo":"unfix","when":"SERVICE!=none"')
    + read("good", "true")
    + change("unfix", 'echo "unfix $AT"')
)
OUTER = "---\nrunbook: 1\nid: outer\nparams: {NAME: {default: api}}\n---\n"


def include(name: str = "pre", arguments: str = "SERVICE: $NAME", more: str = "", runbook: str = "inner") -> str:
    return f'```text {{"name":"{name}","kind":"include","runbook":"{runbook}"{more}}}\n{arguments}\n```\n'


@pytest.fixture(autouse=True)
def inner(tmp_path: Path) -> Path:
    path = tmp_path / "inner.md"
    path.write_text(INNER)
    return path


def rewrite(path: Path, text: str) -> None:
    path.write_text(text)


def faults(book: Runbook) -> list[str]:
    return [problem.message for problem in errors(lint(book))]


async def walked(begin: Begin, book: Runbook, **values: str) -> tuple[bytes, dict[str, str]]:
    run = begin(book, values)
    screen = Screen(run)
    while (step := run.current) is not None:
        assert (await run.execute(step, YES, screen)).outcome is Outcome.OK
    return screen.output, {name: str(state) for name, state in run.states.items()}


async def test_included_steps_are_part_of_the_walk_with_values_of_their_own(write: Write, begin: Begin) -> None:
    book = write(OUTER + include() + read("end", 'echo "end $NAME ${SERVICE:-none} ${AT:-none}"'))
    assert faults(book) == []
    output, states = await walked(begin, book)
    assert output == b"look at api\nfix api.1\nend api none none\n"
    assert states == {
        "pre.look": "ok", "pre.fix": "ok", "pre.good": "ok", "pre.unfix": "pending", "end": "ok",
    }  # fmt: skip


async def test_only_some_steps_and_what_they_need(write: Write, begin: Begin) -> None:
    book = expand(write(OUTER + include(more=',"only":["fix"]')))
    assert [step.name for step in book.route] == ["pre.fix"]
    assert [step.name for step in book.steps if step.aside] == ["pre.good"]
    assert [step.name for step in begin(book).rollback_plan()] == []


async def test_the_same_runbook_twice(write: Write, begin: Begin) -> None:
    book = write(OUTER + include("one", "SERVICE: web", ',"only":["look"]') + include("two", more=',"only":["look"]'))
    output, _ = await walked(begin, book)
    assert output == b"look at web\nlook at api\n"


async def test_an_include_within_an_include_passes_values_on(write: Write, begin: Begin, tmp_path: Path) -> None:
    middle = "---\nrunbook: 1\nid: middle\nparams: {WHAT: {}}\n---\n"
    (tmp_path / "middle.md").write_text(middle + include("deep", "SERVICE: $WHAT", ',"only":["look"]'))
    book = write(OUTER + include("pre", "WHAT: x-$NAME", runbook="middle"))
    output, states = await walked(begin, book, NAME="db")
    assert output == b"look at x-db\n"
    assert states == {"pre.deep.look": "ok"}


async def test_when_of_an_include_counts_for_each_of_its_steps(write: Write, begin: Begin) -> None:
    book = write(
        OUTER
        + include(more=',"when":"NAME=other"')
        + read("after", "echo after", ',"when":"step:pre=ok"')
        + read("never", "echo never", ',"when":"step:pre=failed"')
    )
    output, states = await walked(begin, book)
    assert output == b"after\n"
    assert states["pre.fix"] == states["never"] == "not-applicable"


async def test_when_within_sees_the_include_s_own_values(write: Write, begin: Begin) -> None:
    output, states = await walked(begin, write(OUTER + include(arguments="SERVICE: none")))
    assert states["pre.fix"] == "not-applicable"
    assert output.startswith(b"look at none\n")


async def test_a_value_that_does_not_suit_fails_the_step_and_runs_nothing(write: Write, begin: Begin) -> None:
    run = begin(write(OUTER + include()), {"NAME": "$(id)"})
    screen = Screen(run)
    result = await run.execute(at(run), NONE, screen)
    assert (result.outcome, screen.output) == (Outcome.FAILED, b"")
    assert "what is passed to pre: SERVICE" in result.detail


async def test_what_was_included_is_kept_and_named_in_the_record(write: Write, begin: Begin, inner: Path) -> None:
    run = begin(write(OUTER + include()))
    rewrite(inner, "gone")
    begun = read_journal(run.folder.path).records[0]
    assert begun["included"]["pre"]["runbook"] == "inner"
    again = expand(load_runbook(run.folder.path / "runbook.md"), kept_in(run.folder.path))
    assert [step.body for step in again.steps] == [step.body for step in run.runbook.steps]


def test_the_lock_of_what_is_included_is_taken_too(write: Write, begin: Begin, inner: Path) -> None:
    first = begin(write(OUTER + include()))
    with pytest.raises(LockHeldError, match="svc:api"):
        begin(load_runbook(inner), {"SERVICE": "api"})
    first.close()
    begin(load_runbook(inner), {"SERVICE": "api"}).close()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (include(runbook="innner"), "no runbook 'innner'"),
        (include(arguments=""), "needs SERVICE"),
        (include(arguments="SERVIC: x"), "no parameter 'SERVIC'; did you mean 'SERVICE'?"),
        (include(more=',"only":["fixx"]'), "no step 'fixx' in 'inner'; did you mean 'fix'?"),
        (include(runbook="outer"), "outer → outer is a circle"),
        (include() + change("x", "true", ',"verify":"pre"'), "'pre' has to be a step"),
    ],
)
def test_what_cannot_be_included_is_said(write: Write, begin: Begin, text: str, fault: str) -> None:
    book = write(OUTER + text)
    assert [message for message in faults(book) if fault in message], faults(book)
    with pytest.raises(ContentError):
        begin(book)


def test_circles_over_several_runbooks_and_depth_are_found(write: Write, tmp_path: Path) -> None:
    head = "---\nrunbook: 1\nid: {}\n---\n"
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{name}.md").write_text(head.format(name) + include("x", "", runbook=other))
    assert any("is a circle" in message for message in faults(load_runbook(tmp_path / "a.md")))
    for at_depth in range(7):
        last = read("x", "true") if at_depth == 6 else include("x", "", runbook=f"d{at_depth + 1}")
        (tmp_path / f"d{at_depth}.md").write_text(head.format(f"d{at_depth}") + last)
    assert any("at most 5" in message for message in faults(load_runbook(tmp_path / "d0.md")))
    assert faults(load_runbook(tmp_path / "d1.md")) == []


def test_what_is_included_has_to_be_without_errors(write: Write, inner: Path) -> None:
    inner.write_text(INNER.replace('"timeout":"20s"', '"tags":"x"'))
    assert any("'inner' has errors" in message for message in faults(write(OUTER + include())))


async def test_a_secret_is_declared_by_both(write: Write, begin: Begin, inner: Path) -> None:
    text = INNER.replace("lock:", "secrets: [TOKEN]\nlock:").replace('"capture":"AT"', '"capture":"AT","env":["TOKEN"]')
    rewrite(inner, text.replace('"look at $SERVICE"', '"${#TOKEN}"').replace("AT=$SERVICE.1", "AT=x"))
    book = write(OUTER + include(more=',"only":["look"]'))
    assert any("uses the secret TOKEN" in message for message in faults(book))
    book = write(OUTER.replace("id:", "secrets: [TOKEN]\nid:") + include(more=',"only":["look"]'))
    run = begin(book, secrets={"TOKEN": Secret("12345678")})
    screen = Screen(run)
    assert (await run.execute(at(run), NONE, screen)).outcome is Outcome.OK
    assert screen.output == b"8\n"


def test_expanding_twice_changes_nothing(write: Write) -> None:
    book = expand(write(OUTER + include()))
    assert expand(book) == book
    assert replace(book, steps=()) == replace(expand(book), steps=())
