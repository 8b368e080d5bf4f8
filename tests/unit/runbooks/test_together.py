"""Several actions beside each other: as many as may, each with its own end, and what was not begun is not tried."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.actions.confirmation import Confirmation
from opsconsole.config.settings import Environment
from opsconsole.runbooks.mirror import RunMirror
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.repair import Repair, runbook_for, runbook_for_all, values_of_all
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.states import RunState, StepState
from opsconsole.runbooks.together import at_once
from opsconsole.runbooks.unattended import Instructions, walk
from opsconsole.store.sqlite import SqliteJournal
from tests.unit.runbooks.conftest import Begin, Write

ALONE = registry.Registration(
    "test.alone", "one by one", Risk.WRITE, (registry.Argument("dag", "a name"),), f"{__name__}:made"
)
BESIDE = registry.Registration(
    "test.beside", "beside each other", Risk.WRITE, ALONE.arguments, f"{__name__}:made", at_once=3
)


@dataclass
class Stage:
    """What the actions of a test do, and what was seen of them."""

    bad: frozenset[str] = frozenset()
    hanging: frozenset[str] = frozenset()
    """Those that go on until they are ended."""
    going: int = 0
    most: int = 0
    begun: list[str] = field(default_factory=list)
    unseen: frozenset[str] = frozenset()
    """Those whose effect never comes."""
    looking: asyncio.Event = field(default_factory=asyncio.Event)
    """It is looked for that."""
    meeting: int = 0
    """None ends before as many go on."""
    met: asyncio.Event = field(default_factory=asyncio.Event)
    fourth: asyncio.Event = field(default_factory=asyncio.Event)
    """Four have begun."""


STAGE = Stage()


@dataclass
class Doing:
    """Takes some turns of the loop; `bad` ones fail, one of them without a word."""

    name: str

    async def run(self, sink: Sink) -> Result:
        STAGE.begun.append(self.name)
        STAGE.going += 1
        STAGE.most = max(STAGE.most, STAGE.going)
        if len(STAGE.begun) == 4:
            STAGE.fourth.set()
        try:
            sink(f"did {self.name}\n".encode())
            if STAGE.going == STAGE.meeting:
                STAGE.met.set()
            if STAGE.meeting:
                await asyncio.wait_for(STAGE.met.wait(), 30.0)
            await asyncio.sleep(3600 if self.name in STAGE.hanging else 0.01)
            if self.name in STAGE.bad:
                raise ConnectionError(f"{self.name} is gone")
            return Result(Outcome.OK, detail=f"{self.name} is done")
        finally:
            STAGE.going -= 1


def made(arguments: Mapping[str, str], environment: Environment) -> Action:
    name = arguments["dag"]
    seen = _never if name in STAGE.unseen else None
    return Action("test", f"do {name}", f"do {name}", name, Risk.WRITE, Doing(name), timeout=60.0, verify=seen)


async def _never() -> Result:
    STAGE.looking.set()
    await asyncio.Event().wait()
    raise AssertionError


@pytest.fixture(autouse=True)
def _stage(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (ALONE, BESIDE):
        monkeypatch.setitem(registry._REGISTERED, one.id, one)
    monkeypatch.setattr(f"{__name__}.STAGE", Stage())


def repairs(count: int, action: str = "test.beside") -> list[Repair]:
    return [Repair(action, {"dag": f"d{n}"}, f"Do d{n}") for n in range(1, count + 1)]


def begun(begin: Begin, wanted: list[Repair], mode: str = "guided") -> tuple[Runbook, Run]:
    book = runbook_for_all(wanted, "Several")
    return book, begin(book, values_of_all(wanted), mode=mode)


def yes(book: Runbook) -> dict[str, Confirmation]:
    return {step.name: Confirmation.yes() for step in book.steps}


def in_turn(names: list[str], most: int) -> bool:
    """Whether nobody overtook more than those that ran beside it."""
    return all(abs(int(name.removeprefix("d")) - at) < most for at, name in enumerate(names, 1))


def nowhere(piece: bytes) -> None:
    """Nobody listens."""


def test_only_actions_that_may_and_were_asked_for_together_run_beside_each_other(write: Write) -> None:
    assert at_once(runbook_for_all(repairs(4), "All")) == 3
    assert at_once(runbook_for_all([*repairs(2), *repairs(1, "test.alone")], "Mixed")) == 1
    assert at_once(runbook_for(repairs(1)[0])) == 1
    written = '```text {"name":"a","kind":"action","action":"test.beside","onFail":"continue"}\ndag: d1\n```\n'
    assert at_once(write(written + written.replace('"a"', '"b"'))) == 1, "somebody gave it an order"
    pauses = [Repair("airflow.pause", {"dag": f"d{n}"}, "Pause") for n in range(3)]
    assert at_once(runbook_for_all(pauses, "Pause")) == 5


async def test_as_many_run_as_may_in_their_order_and_each_has_its_own_end(begin: Begin, journal: SqliteJournal) -> None:
    STAGE.bad, STAGE.meeting = frozenset({"d2", "d5"}), 3
    book, run = begun(begin, repairs(8))
    await run.execute_together(yes(book), nowhere, 3)
    assert STAGE.most == 3
    assert in_turn(STAGE.begun, 3)
    assert sorted(STAGE.begun) == [f"d{n}" for n in range(1, 9)]
    reports = run.reports()
    assert [one.step.name for one in reports] == [f"fix-{n}" for n in range(1, 9)]
    assert [one.state for one in reports] == [
        StepState.FAILED if n in (2, 5) else StepState.OK for n in range(1, 9)
    ]  # fmt: skip
    assert reports[1].detail == "ConnectionError: d2 is gone"
    outputs = [(run.folder.path / "steps" / one.output).read_text() for one in reports]
    assert outputs == [f"did d{n}\n" for n in range(1, 9)]
    assert run.current is None
    assert run.finish() is RunState.FAILED
    assert journal.verify() == []
    assert sorted(one.outcome for one in journal.entries()) == ["failed"] * 2 + ["ok"] * 6


async def test_without_an_operator_they_run_beside_each_other_too(begin: Begin) -> None:
    STAGE.meeting = 3
    _, run = begun(begin, repairs(5), "auto")
    assert await walk(run, Instructions(yes=True), nowhere) is RunState.OK
    assert STAGE.most == 3
    _, ordered = begun(begin, repairs(5, "test.alone"), "auto")
    STAGE.most = STAGE.meeting = 0
    assert await walk(ordered, Instructions(yes=True), nowhere) is RunState.OK
    assert STAGE.most == 1


async def test_stopped_those_that_ran_are_cancelled_and_the_others_were_not_tried(
    begin: Begin, journal: SqliteJournal
) -> None:
    STAGE.hanging = frozenset({"d2", "d3", "d4"})
    book, run = begun(begin, repairs(8))
    work = asyncio.ensure_future(run.execute_together(yes(book), nowhere, 3))
    await STAGE.fourth.wait()  # the first has ended, and made room
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    states = [one.state for one in run.reports()]
    assert states == [StepState.OK, *[StepState.CANCELLED] * 3, *[StepState.PENDING] * 4]
    assert sorted(STAGE.begun) == ["d1", "d2", "d3", "d4"]
    assert run.state is RunState.WAITING
    assert sorted(one.outcome for one in journal.entries()) == ["cancelled"] * 3 + ["ok"]
    STAGE.hanging = frozenset()
    await run.execute_together(yes(book), nowhere, 3)
    assert sorted(STAGE.begun[4:]) == ["d5", "d6", "d7", "d8"], "what was begun is not begun again by itself"


async def test_what_was_not_confirmed_is_not_begun(begin: Begin, journal: SqliteJournal) -> None:
    book, run = begun(begin, repairs(3))
    said = {**yes(book), "fix-2": Confirmation.none()}
    await run.execute_together(said, nowhere, 3)
    assert [one.state for one in run.reports()] == [StepState.OK, StepState.PENDING, StepState.OK]
    assert sorted(one.outcome for one in journal.entries()) == ["declined", "ok", "ok"]


async def test_stopped_while_its_effect_is_waited_for_an_action_says_that_it_was_done(begin: Begin) -> None:
    STAGE.unseen = frozenset({"d1"})
    book, run = begun(begin, repairs(2))
    work = asyncio.ensure_future(run.execute_together({"fix-1": yes(book)["fix-1"]}, nowhere, 3))
    await STAGE.looking.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    done, untried = run.reports()[0], run.states["fix-2"]
    assert (done.state, done.detail) == (StepState.CANCELLED, "d1 is done; it ran; its verification was cancelled")
    assert untried is StepState.PENDING


def test_of_several_whose_supervisor_is_gone_nobody_knows_how_they_ended() -> None:
    mirror = RunMirror(runbook_for_all(repairs(4), "All"))
    mirror._states = {
        "fix-1": StepState.OK, "fix-2": StepState.RUNNING, "fix-3": StepState.RUNNING, "fix-4": StepState.PENDING,
    }  # fmt: skip
    mirror._running = ("fix-2", 0.0)
    mirror._take_loss()
    assert list(mirror.states.values()) == [StepState.OK, StepState.UNKNOWN, StepState.UNKNOWN, StepState.PENDING]
    assert mirror.state is RunState.UNKNOWN
