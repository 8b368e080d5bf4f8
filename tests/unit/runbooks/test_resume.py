"""Taking up a run again: what is recorded holds, what is not recorded is not guessed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opsconsole.actions.door import Door
from opsconsole.config.settings import Environment
from opsconsole.runbooks.history import read_journal, summarize
from opsconsole.runbooks.lock import LockHeldError
from opsconsole.runbooks.record import RunCarriedError
from opsconsole.runbooks.resuming import CannotResumeError
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.states import IllegalTransitionError, StepState, Verdict
from tests.unit.runbooks.conftest import Begin, Write
from tests.unit.runbooks.test_run import NONE, PARAMS, YES, at, change, read, step_named

Resume = Callable[[Run], Run]


@pytest.fixture
def resume(door: Door, environment: Environment, tmp_path: Path) -> Resume:
    return lambda run: Run.resume(run.folder.path, door=door, environment=environment, locks=tmp_path / "locks")


def nowhere(piece: bytes) -> None:
    pass


async def test_what_is_done_is_done_and_the_walk_goes_on(write: Write, begin: Begin, resume: Resume) -> None:
    head = PARAMS.replace("params", 'lock: "svc:{NAME}"\nparams')
    find = read("find", 'echo "PLACE=db 7" > "$OPS_OUT"; exit 2', ',"capture":["PLACE"]')
    run = begin(
        write(head + find + read("skip", "true") + "- [ ] Call\n" + read("use", 'echo "at $PLACE"')), {"NAME": "a"}
    )
    await run.execute(at(run), NONE, nowhere)
    run.skip(at(run), "no need")
    run.complete_manual(at(run), Verdict.DONE)
    before = [(one.step.name, one.state, one.exit_code, one.attempts, one.output) for one in run.reports()]
    run.leave()
    again = resume(run)
    assert [(one.step.name, one.state, one.exit_code, one.attempts, one.output) for one in again.reports()] == before
    assert (at(again).name, again.values["PLACE"], again.params["NAME"]) == ("use", "db 7", "a")
    with pytest.raises(IllegalTransitionError, match="asked for"):
        await again.execute(step_named(again, "find"), NONE, nowhere)
    pieces: list[bytes] = []
    await again.execute(at(again), NONE, pieces.append)
    assert b"".join(pieces) == b"at db 7\n"
    assert again.finish().value == "warn"
    reading = read_journal(run.folder.path)
    assert not reading.problems
    assert [record["ev"] for record in reading.records][-5:] == ["leave", "resume", "intent", "result", "end"]
    assert (run.folder.path / "steps" / "02-use.out").exists()


async def test_a_step_without_a_result_is_unknown_and_waits_to_be_decided(
    write: Write, begin: Begin, resume: Resume, tmp_path: Path
) -> None:
    run = begin(write(change("do", f"echo x >> {tmp_path}/did") + read("two", "true")))
    run.folder.append("intent", by="alice", step="do", attempt=1)
    run.close()
    again = resume(run)
    assert (at(again).name, again.states["do"]) == ("do", StepState.UNKNOWN)
    with pytest.raises(IllegalTransitionError):
        await again.execute(at(again), YES, nowhere)
    assert not (tmp_path / "did").exists()
    again.complete_manual(at(again), Verdict.DONE, "looked")
    assert at(again).name == "two"


@pytest.mark.parametrize("cut", range(2, 60, 7))
async def test_a_journal_cut_off_anywhere_can_be_gone_on_with(
    write: Write, begin: Begin, resume: Resume, cut: int
) -> None:
    run = begin(write(read("one", "true") + read("two", "true")))
    await run.execute(at(run), NONE, nowhere)
    run.close()
    journal = run.folder.path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    again = resume(run)
    assert again.states["one"] is StepState.UNKNOWN
    await again.execute(step_named(again, "one"), NONE, nowhere, again=True)
    await again.execute(at(again), NONE, nowhere)
    again.finish()
    problems = read_journal(run.folder.path).problems
    assert [problem.code for problem in problems] == ["damaged"]  # the torn line stays to be seen, and costs no other


async def test_one_jumps_and_is_there_after_the_break(write: Write, begin: Begin, resume: Resume) -> None:
    run = begin(write(read("one", "true") + read("two", "true") + read("three", "true")))
    await run.execute(at(run), NONE, nowhere)
    run.jump(step_named(run, "three"))
    run.close()
    assert at(resume(run)).name == "three"


async def test_a_failed_step_holds_the_walk_still(write: Write, begin: Begin, resume: Resume) -> None:
    run = begin(write(read("one", "exit 5") + read("two", "true")))
    await run.execute(at(run), NONE, nowhere)
    run.leave()
    again = resume(run)
    assert (at(again).name, again.results["one"].exit_code) == ("one", 5)


def test_a_run_is_carried_once(write: Write, begin: Begin, resume: Resume) -> None:
    run = begin(write(read("one", "true")))
    with pytest.raises(RunCarriedError):
        resume(run)
    run.leave()
    resume(run).close()


def test_the_lock_has_to_be_free(write: Write, begin: Begin, resume: Resume) -> None:
    runbook = write(PARAMS.replace("params", 'lock: "svc:{NAME}"\nparams') + read("x", 'echo "$NAME"'))
    run = begin(runbook, {"NAME": "a"})
    run.leave()
    other = begin(runbook, {"NAME": "a"})
    with pytest.raises(LockHeldError, match=other.id):
        resume(run)


def test_what_was_changed_meanwhile_is_not_gone_on_with(
    write: Write, begin: Begin, resume: Resume, door: Door, tmp_path: Path
) -> None:
    run = begin(write(read("one", "true")))
    run.leave()
    elsewhere = Environment("other", screens=tmp_path, runbooks=tmp_path)
    with pytest.raises(CannotResumeError, match="environment production"):
        Run.resume(run.folder.path, door=door, environment=elsewhere)
    (tmp_path / "trial.md").write_text("# another text")
    resume(run).close()  # the file is not what counts; the copy is
    kept = run.folder.path / "runbook.md"
    kept.write_bytes(kept.read_bytes() + b"\n")
    with pytest.raises(CannotResumeError, match="not what was opened"):
        resume(run)


def test_what_is_over_is_over(write: Write, begin: Begin, resume: Resume) -> None:
    run = begin(write(read("one", "true")))
    run.abort("enough")
    with pytest.raises(CannotResumeError, match="over"):
        resume(run)


def test_the_list_says_who_drives_and_since_when(write: Write, begin: Begin) -> None:
    run = begin(write(read("one", "true")))
    run.folder.append("intent", by="alice", step="one")
    summary = summarize(run.folder.path)
    assert summary is not None
    assert (summary.state, summary.live, summary.driver, summary.step) == ("running", True, "alice", "one")
    assert summary.step_started_at
    run.record("detach", driving=True)
    run.record("attach", by="bob", driving=True)
    run.record("attach", by="carol", driving=False)
    summary = summarize(run.folder.path)
    assert summary is not None
    assert summary.driver == "bob"
