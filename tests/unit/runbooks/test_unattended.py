"""A walk without an operator: what it asks for beforehand, and where it stops."""

import pytest

from opsconsole.config.settings import Environment, Mode
from opsconsole.runbooks.execution import Surroundings
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.states import RunState
from opsconsole.runbooks.unattended import Instructions, questions, unknown_names, walk
from tests.unit.runbooks.conftest import Begin, Write

TEXT = """
---
runbook: 1
id: t
params: {NAME: {required: true}}
---
```sh {"name":"look","risk":"read","timeout":"20s"}
echo look
```
```sh {"name":"optional","risk":"read","timeout":"20s","excludeFromRunAll":"true"}
echo optional
```
```sh {"name":"ask","risk":"write","timeout":"20s","excludeFromRunAll":"true"}
echo ask
```
```sh {"name":"stop","risk":"destructive","confirm":"type:NAME","timeout":"20s","excludeFromRunAll":"true"}
echo "stop $NAME"
```
- [ ] Tell them
"""
ALL = {"ask": "yes", "stop": "db", "tell-them": "done"}


def asked(book: Runbook, environment: Environment, instructions: Instructions) -> list[str]:
    around = Surroundings.of(environment, book, {}, resolve=False)
    found = questions(book, {"NAME": "db"}, around, Mode.GUARDED, instructions)
    return [question.split(":")[0] for question in found]


@pytest.mark.parametrize(
    ("instructions", "open_questions"),
    [
        (Instructions(), ["ask", "stop", "tell-them"]),
        (Instructions(yes=True), ["stop", "tell-them"]),
        (Instructions(confirmed=ALL), []),
        (Instructions(confirmed={**ALL, "stop": "dbx"}), ["stop"]),
        (Instructions(confirmed={**ALL, "stop": "yes"}), ["stop"]),
        (Instructions(confirmed={**ALL, "tell-them": "yes"}), ["tell-them"]),
        (Instructions(skipped=dict.fromkeys(ALL, "no")), []),
        (Instructions(only=("look",)), []),
        (Instructions(only=("look", "ask")), ["ask"]),
        (Instructions(start="stop"), ["stop", "tell-them"]),
    ],
)
def test_what_would_have_to_be_asked(
    write: Write, environment: Environment, instructions: Instructions, open_questions: list[str]
) -> None:
    assert asked(write(TEXT), environment, instructions) == open_questions


async def output_of(begin: Begin, book: Runbook, instructions: Instructions) -> tuple[RunState, list[str]]:
    output = bytearray()
    run = begin(book, {param.name: "db" for param in book.params}, mode="auto")
    state = await walk(run, instructions, output.extend)
    return state, output.decode().splitlines()


async def test_everything_said_beforehand_is_done(write: Write, begin: Begin) -> None:
    state, said = await output_of(begin, write(TEXT), Instructions(confirmed=ALL))
    assert (state, said) == (RunState.OK, ["look", "ask", "stop db"])


async def test_optional_steps_run_when_they_are_named(write: Write, begin: Begin) -> None:
    state, said = await output_of(begin, write(TEXT), Instructions(only=("optional",)))
    assert (state, said) == (RunState.OK, ["optional"])


async def test_what_was_not_confirmed_is_not_done_even_if_nobody_asked(write: Write, begin: Begin) -> None:
    state, said = await output_of(begin, write(TEXT), Instructions(confirmed={"tell-them": "done"}))
    assert (state, said) == (RunState.LEFT, ["look"])  # and not ended well


async def test_a_failure_ends_the_walk_unless_it_leads_on(write: Write, begin: Begin) -> None:
    def step(name: str, body: str, more: str = "") -> str:
        return f'```sh {{"name":"{name}","risk":"read","timeout":"20s"{more}}}\n{body}\n```\n'

    book = write(step("one", "false") + step("two", "echo two"))
    assert await output_of(begin, book, Instructions()) == (RunState.FAILED, [])
    lenient = ',"onFail":"continue","critical":"false"'
    book = write(step("one", "false", lenient) + step("two", "echo two"))
    assert await output_of(begin, book, Instructions()) == (RunState.WARN, ["two"])


def test_names_that_are_no_steps(write: Write) -> None:
    said = Instructions(confirmed={"stop": "x", "nope": "x"}, skipped={"none": "x"}, start="where")
    assert unknown_names(write(TEXT), said) == ["nope", "none", "where"]
