"""A run: what is executed, what is recorded, and what is never done by itself."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from opsconsole.actions.action import Outcome
from opsconsole.actions.confirmation import Confirmation, Demand
from opsconsole.actions.door import Door
from opsconsole.actions.guard import Context
from opsconsole.config.settings import Mode, Role
from opsconsole.core.problem import ContentError
from opsconsole.core.secret import Secret
from opsconsole.runbooks.history import RunSummary, read_journal, summarize
from opsconsole.runbooks.lock import LockHeldError
from opsconsole.runbooks.model import Step
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.states import IllegalTransitionError, RunState, StepState, Verdict
from opsconsole.runbooks.told import Change
from opsconsole.store.sqlite import SqliteJournal
from tests.unit.runbooks.conftest import Begin, Write

YES = Confirmation.yes()
NONE = Confirmation.none()
PARAMS = "---\nrunbook: 1\nid: trial\ntitle: Trial\nparams:\n  NAME: {required: true}\n---\n"


def read(name: str, body: str, more: str = "") -> str:
    return f'```sh {{"name":"{name}","risk":"read","timeout":"20s"{more}}}\n{body}\n```\n'


def change(name: str, body: str, more: str = "") -> str:
    return f'```sh {{"name":"{name}","risk":"write","timeout":"20s","excludeFromRunAll":"true"{more}}}\n{body}\n```\n'


def at(run: Run) -> Step:
    """The step the run is at."""
    assert run.current is not None
    return run.current


def step_named(run: Run, name: str) -> Step:
    step = run.runbook.step(name)
    assert step is not None
    return step


def summary_of(run: Run) -> RunSummary:
    summary = summarize(run.folder.path)
    assert summary is not None
    return summary


class Screen:
    """What a front collects."""

    def __init__(self, run: Run) -> None:
        self.output = b""
        self.changes: list[Change] = []
        run.subscribe(self.changes.append)

    def __call__(self, piece: bytes) -> None:
        self.output += piece


async def test_steps_run_in_order_and_the_run_ends_well(write: Write, begin: Begin) -> None:
    run = begin(write(read("one", "echo first") + read("two", "echo second")))
    screen = Screen(run)
    while step := run.current:
        assert (await run.execute(step, NONE, screen)).outcome is Outcome.OK
    assert run.finish() is RunState.OK
    assert screen.output == b"first\nsecond\n"
    assert [(one.step, one.state) for one in screen.changes if one.kind == "step"] == [
        ("one", "running"),
        ("one", "ok"),
        ("two", "running"),
        ("two", "ok"),
    ]


async def test_intent_is_on_disk_before_the_step_starts(write: Write, begin: Begin, tmp_path: Path) -> None:
    run = begin(write(read("look", f"cat {tmp_path}/runs/*/journal.jsonl")))
    screen = Screen(run)
    await run.execute(at(run), NONE, screen)
    seen = [json.loads(line) for line in screen.output.splitlines()]
    assert [record["ev"] for record in seen] == ["begin", "intent"]


async def test_the_folder_tells_the_run_without_this_program(write: Write, begin: Begin) -> None:
    run = begin(write(PARAMS + read("say", 'echo "$NAME"; exit 3')), {"NAME": "x"})
    await run.execute(at(run), NONE, Screen(run))
    run.note("looked at it")
    assert run.finish() is RunState.FAILED
    folder = run.folder.path
    header = json.loads((folder / "run.json").read_text())
    assert (header["runbook"], header["actor"], header["params"]) == ("trial", "alice", {"NAME": "x"})
    assert (folder / "runbook.md").read_bytes() == run.runbook.source
    assert (folder / "steps" / "01-say.out").read_text() == "x\n"
    reading = read_journal(folder)
    assert not reading.problems
    assert [record["ev"] for record in reading.records] == ["begin", "intent", "result", "note", "end"]
    assert reading.records[2]["rc"] == 3
    assert "export NAME=x" in reading.records[1]["command"]
    report = (folder / "report.md").read_text()
    assert "exit code 3" in report
    assert "looked at it" in report
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.rglob("*")])


async def test_the_report_is_there_for_programs_too(write: Write, begin: Begin) -> None:
    run = begin(write(read("one", "head -c 5000 /dev/zero | tr '\\0' x; printf '\\033[31m'") + read("two", "exit 3")))
    await run.execute(at(run), NONE, Screen(run))
    await run.execute(at(run), NONE, Screen(run))
    run.note("the disk is slow")
    run.abort("enough")
    report = json.loads((run.folder.path / "report.json").read_text())
    assert (report["run"], report["state"], report["reason"], report["actor"]) == (run.id, "aborted", "enough", "alice")
    assert report["sha256"] == run.runbook.provenance.sha256
    one, two = report["attempts"]
    assert (one["step"], one["state"], one["exit_code"], one["output"]["bytes"]) == ("one", "ok", 0, 5005)
    assert one["command"].startswith("head -c 5000")
    assert (one["output"]["whole"], len(one["output"]["end"])) == (False, 2000)
    assert "\x1b" not in one["output"]["end"]
    assert (two["state"], two["detail"]) == ("failed", "exit code 3")
    assert 0 < two["duration"] < 20
    assert [event["text"] for event in report["events"] if event["ev"] == "note"] == ["the disk is slow"]
    assert report["damage"] == []


async def test_each_step_is_once_in_the_audit_journal(write: Write, begin: Begin, journal: SqliteJournal) -> None:
    run = begin(write(read("one", "true") + change("two", "true", ',"verify":"one"')))
    await run.execute(at(run), NONE, Screen(run))
    await run.execute(at(run), YES, Screen(run))
    entries = journal.entries(run=run.id)
    assert [(entry.intent.details["step"], entry.outcome) for entry in entries] == [
        ("one", "ok"),
        ("two", "ok"),
        ("one", "ok"),
    ]
    assert entries[0].intent.details["sha256"] == run.runbook.provenance.sha256


async def test_without_confirmation_nothing_starts_and_nothing_changes(
    write: Write, begin: Begin, tmp_path: Path
) -> None:
    run = begin(write(change("touch", f"touch {tmp_path}/touched")))
    step = at(run)
    assert run.requirement(step).demand is Demand.YES
    result = await run.execute(step, NONE, Screen(run))
    assert result.outcome is Outcome.DECLINED
    assert not (tmp_path / "touched").exists()
    assert run.states["touch"] is StepState.PENDING
    assert (await run.execute(step, YES, Screen(run))).outcome is Outcome.OK
    assert (tmp_path / "touched").exists()


async def test_a_typed_confirmation_is_the_value_of_the_parameter(write: Write, begin: Begin) -> None:
    run = begin(write(PARAMS + change("stop", 'echo "$NAME"', ',"confirm":"type:NAME"')), {"NAME": "energy"})
    step = at(run)
    assert run.requirement(step).text == "energy"
    assert (await run.execute(step, Confirmation.typed("energie"), Screen(run))).outcome is Outcome.DECLINED
    assert (await run.execute(step, Confirmation.typed("energy"), Screen(run))).outcome is Outcome.OK


async def test_a_skipped_step_is_not_executed_and_wants_a_reason(write: Write, begin: Begin, tmp_path: Path) -> None:
    run = begin(write(read("one", f"touch {tmp_path}/ran") + read("two", "true")))
    one = at(run)
    with pytest.raises(ValueError, match="reason"):
        run.skip(one, "  ")
    run.skip(one, "not today")
    assert run.current is not None
    assert run.current.name == "two"
    await run.execute(run.current, NONE, Screen(run))
    assert run.finish() is RunState.WARN
    assert not (tmp_path / "ran").exists()


async def test_a_success_is_not_run_again_unless_asked_for(write: Write, begin: Begin, tmp_path: Path) -> None:
    run = begin(write(read("count", f"echo x >> {tmp_path}/count") + read("two", "true")))
    step = at(run)
    await run.execute(step, NONE, Screen(run))
    with pytest.raises(IllegalTransitionError, match="asked for"):
        await run.execute(step, NONE, Screen(run))
    await run.execute(step, NONE, Screen(run), again=True)
    assert (tmp_path / "count").read_text() == "x\nx\n"


async def test_a_failed_step_holds_the_walk_until_it_is_retried(write: Write, begin: Begin, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    run = begin(write(read("one", f"test -e {flag}") + read("two", "true")))
    one = at(run)
    await run.execute(one, NONE, Screen(run))
    assert run.current is one
    flag.touch()
    await run.execute(one, NONE, Screen(run), again=True)
    assert run.states["one"] is StepState.OK
    assert run.current is not one


async def test_on_fail_leads_on(write: Write, begin: Begin) -> None:
    text = read("one", "false", ',"onFail":"goto:three"') + read("two", "true") + read("three", "true")
    run = begin(write(text))
    await run.execute(at(run), NONE, Screen(run))
    assert run.current is not None
    assert run.current.name == "three"
    assert run.states["two"] is StepState.NOT_APPLICABLE


async def test_a_verification_that_fails_fails_the_step(write: Write, begin: Begin) -> None:
    run = begin(write(change("do", "true", ',"verify":"look"') + read("look", "echo down; exit 1")))
    result = await run.execute(at(run), YES, Screen(run))
    assert result.outcome is Outcome.FAILED
    assert "could not be verified" in result.detail
    assert run.states["look"] is StepState.FAILED


async def test_a_step_waits_until_its_output_says_so(write: Write, begin: Begin, tmp_path: Path) -> None:
    count = tmp_path / "n"
    body = f'echo x >> {count}; echo "tries $(wc -l < {count})"'
    run = begin(write(read("wait", body, ',"until":"tries +3$","every":"10ms"')))
    result = await run.execute(at(run), NONE, Screen(run))
    assert (result.outcome, result.detail) == (Outcome.OK, "met at try 3")


async def test_what_is_never_met_times_out_and_says_what_it_saw_last(write: Write, begin: Begin) -> None:
    text = '```sh {"name":"wait","risk":"read","timeout":"3s","until":"up","every":"50ms"}\necho still down\n```\n'
    run = begin(write(text))
    result = await run.execute(at(run), NONE, Screen(run))
    assert result.outcome is Outcome.TIMED_OUT
    assert "still down" in result.detail


async def test_retries_are_attempts_of_their_own(write: Write, begin: Begin, tmp_path: Path) -> None:
    count = tmp_path / "n"
    body = f"echo x >> {count}; test $(wc -l < {count}) -ge 3"
    run = begin(write(read("flaky", body, ',"retries":3,"retryDelay":"5ms"')))
    assert (await run.execute(at(run), NONE, Screen(run))).outcome is Outcome.OK
    events = [record["ev"] for record in read_journal(run.folder.path).records]
    assert events == ["begin", *["intent", "result"] * 3]


@pytest.mark.parametrize(
    ("more", "body", "outcome"),
    [
        (',"expect":"^ready$"', "printf 'not\\nready\\n'", Outcome.OK),
        (',"expect":"ready"', "echo waiting", Outcome.FAILED),
        (',"reject":"(?i)error"', "echo ERROR", Outcome.FAILED),
        (',"expectExit":[0,4]', "exit 4", Outcome.OK),
        ("", "exit 2", Outcome.WARN),
    ],
)
async def test_output_and_exit_code_decide(write: Write, begin: Begin, more: str, body: str, outcome: Outcome) -> None:
    run = begin(write(read("check", body, more)))
    assert (await run.execute(at(run), NONE, Screen(run))).outcome is outcome


async def test_a_pattern_that_explodes_fails_the_step_in_time(write: Write, begin: Begin) -> None:
    run = begin(write(read("check", "printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'", ',"expect":"^(a+)+$"')))
    result = await run.execute(at(run), NONE, Screen(run))
    assert result.outcome is Outcome.FAILED
    assert "took longer" in result.detail


async def test_captured_values_reach_later_steps(write: Write, begin: Begin) -> None:
    text = read("find", 'echo "PLACE=db 7" > "$OPS_OUT"', ',"capture":["PLACE"]') + read("use", 'echo "at $PLACE"')
    run = begin(write(text))
    screen = Screen(run)
    await run.execute(at(run), NONE, screen)
    await run.execute(at(run), NONE, screen)
    assert screen.output == b"at db 7\n"


async def test_a_verification_sees_what_its_step_captured(write: Write, begin: Begin) -> None:
    text = change("do", 'echo "PLACE=here" > "$OPS_OUT"', ',"capture":"PLACE","verify":"look"')
    run = begin(write(text + read("look", 'test "$PLACE" = here')))
    assert (await run.execute(at(run), YES, Screen(run))).outcome is Outcome.OK


async def test_a_captured_value_has_to_suit_the_parameter_of_its_name(write: Write, begin: Begin) -> None:
    head = PARAMS.replace("required: true", 'default: a, pattern: "[a-z]"')
    run = begin(write(head + read("find", 'echo "NAME=; rm" > "$OPS_OUT"', ',"capture":"NAME"')))
    assert (await run.execute(at(run), NONE, Screen(run))).outcome is Outcome.FAILED
    assert run.values["NAME"] == "a"


async def test_when_leaves_out_what_does_not_apply(write: Write, begin: Begin) -> None:
    text = read("a", "false") + read("b", "true", ',"when":"step:a=failed"') + read("c", "true", ',"when":"step:a=ok"')
    run = begin(write(text))
    a = at(run)
    await run.execute(a, NONE, Screen(run))
    run.skip(a, "known")
    assert run.states == {"a": "skipped", "b": "not-applicable", "c": "not-applicable"}
    assert run.current is None


async def test_manual_steps_are_answered_not_run(write: Write, begin: Begin) -> None:
    run = begin(write("- [ ] Call the customer\n" + read("one", "true")))
    call = at(run)
    with pytest.raises(IllegalTransitionError):
        await run.execute(call, NONE, Screen(run))
    run.complete_manual(call, Verdict.DONE, "talked to Eve")
    assert run.states["call-the-customer"] is StepState.DONE
    assert read_journal(run.folder.path).records[-1]["reason"] == "talked to Eve"


async def test_undo_steps_are_no_part_of_the_walk(write: Write, begin: Begin) -> None:
    run = begin(write(change("do", "true", ',"undo":"back"') + change("back", "echo undone")))
    await run.execute(at(run), YES, Screen(run))
    assert run.current is None
    screen = Screen(run)
    await run.execute(step_named(run, "back"), YES, screen)
    assert screen.output == b"undone\n"
    assert run.finish() is RunState.OK


async def test_what_was_opened_is_run_although_the_file_changed(write: Write, begin: Begin, tmp_path: Path) -> None:
    run = begin(write(read("one", "echo opened")))
    (tmp_path / "trial.md").write_text("rm -rf everything")
    screen = Screen(run)
    await run.execute(at(run), NONE, screen)
    assert screen.output == b"opened\n"
    assert run.file_changed
    assert "file-changed" in [record["ev"] for record in read_journal(run.folder.path).records]


async def test_cancelling_ends_the_step_and_records_it(write: Write, begin: Begin, tmp_path: Path) -> None:
    run = begin(write(change("sleep", f"echo $$ > {tmp_path}/pid; echo up; sleep 60")))
    started = asyncio.Event()

    def sink(piece: bytes) -> None:
        started.set()

    task = asyncio.ensure_future(run.execute(at(run), YES, sink))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert run.states["sleep"] is StepState.CANCELLED
    assert run.state is RunState.WAITING
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    run.abort("enough")
    assert summary_of(run).state == "aborted"


async def test_of_a_step_whose_verification_is_cancelled_the_record_says_that_it_ran(
    write: Write, begin: Begin
) -> None:
    run = begin(write(change("do", "true", ',"verify":"look"') + read("look", "echo looking; sleep 60")))
    looking = asyncio.Event()
    task = asyncio.ensure_future(run.execute(at(run), YES, lambda piece: looking.set()))
    await looking.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    results = {one["step"]: one for one in read_journal(run.folder.path).records if one["ev"] == "result"}
    done = results["do"]
    assert (done["state"], done["detail"]) == ("cancelled", "it ran; its verification was cancelled")


async def test_the_guard_refuses_and_the_run_says_so(
    write: Write, begin: Begin, journal: SqliteJournal, tmp_path: Path
) -> None:
    watching = Door(Context("alice", "ops1", "production", Mode.READ_ONLY, Role.OPERATOR), journal)
    run = begin(write(change("do", f"touch {tmp_path}/did")), door=watching)
    step = at(run)
    assert run.refusal(step)
    assert (await run.execute(step, YES, Screen(run))).outcome is Outcome.REFUSED
    assert run.states["do"] is StepState.REFUSED
    assert not (tmp_path / "did").exists()


async def test_a_secret_is_seen_by_the_step_that_lists_it_and_by_nobody_else(write: Write, begin: Begin) -> None:
    head = "---\nrunbook: 1\nid: trial\ntitle: Trial\nsecrets: [API_TOKEN]\n---\n"
    text = head + read("with", 'echo "$API_TOKEN" | rev', ',"env":["API_TOKEN"]') + read("without", "env")
    runbook = write(text)
    with pytest.raises(ValueError, match="API_TOKEN"):
        begin(runbook)
    run = begin(runbook, secrets={"API_TOKEN": Secret("hunter2hunter2")})
    screen = Screen(run)
    await run.execute(at(run), NONE, screen)
    await run.execute(at(run), NONE, screen)
    run.finish()
    assert b"2retnuh" in screen.output
    assert b"API_TOKEN" not in screen.output
    kept = b"".join(path.read_bytes() for path in run.folder.path.rglob("*") if path.is_file())
    assert b"hunter2hunter2" not in kept + screen.output


def test_a_runbook_with_errors_does_not_begin(write: Write, begin: Begin, tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no timeout"):
        begin(write('```sh {"name":"x","risk":"read"}\ntrue\n```\n'))
    assert not list(tmp_path.glob("runs/*"))


def test_missing_and_wrong_parameters_are_all_named(write: Write, begin: Begin) -> None:
    head = PARAMS.replace("  NAME", "  COUNT: {type: int}\n  NAME")
    with pytest.raises(ValueError, match=r"COUNT.*NAME"):
        begin(write(head + read("x", 'echo "$NAME$COUNT"')), {"COUNT": "many"})


def test_one_run_per_lock_key(write: Write, begin: Begin) -> None:
    head = PARAMS.replace("params", 'lock: "svc:{NAME}"\nparams')
    runbook = write(head + read("x", 'echo "$NAME"'))
    first = begin(runbook, {"NAME": "a"})
    begin(runbook, {"NAME": "b"})
    with pytest.raises(LockHeldError, match=f"svc:a is locked by actor alice, run {first.id}"):
        begin(runbook, {"NAME": "a"})
    first.close()
    begin(runbook, {"NAME": "a"})


async def test_a_plain_runbook_is_a_checklist_and_its_code_is_text(write: Write, begin: Begin, tmp_path: Path) -> None:
    runbook = write(
        f"---\ntitle: Plain\n---\n# Disk full\n\nLook first.\n\n```sh\ntouch {tmp_path}/ran\n```\n"
        "## Then\n- [ ] Free space\n"
    )
    run = begin(runbook)
    assert [step.title for step in runbook.steps] == ["Disk full", "Free space"]
    while step := run.current:
        run.complete_manual(step, Verdict.DONE)
    assert run.finish() is RunState.OK
    assert not (tmp_path / "ran").exists()


async def test_leaving_keeps_the_run_open(write: Write, begin: Begin) -> None:
    run = begin(write(read("one", "true") + read("two", "true")))
    await run.execute(at(run), NONE, Screen(run))
    run.leave()
    summary = summary_of(run)
    assert (summary.state, summary.ended_at, summary.steps) == ("left", None, {"one": "ok"})


async def test_what_cannot_be_recorded_is_not_done(write: Write, begin: Begin) -> None:
    run = begin(write(read("one", "echo on")))
    (run.folder.path / "steps").rmdir()
    result = await run.execute(at(run), NONE, Screen(run))
    assert result.outcome is Outcome.REFUSED
    assert "no record, no action" in result.detail


async def test_jumping_goes_anywhere_in_the_walk_and_is_recorded(write: Write, begin: Begin) -> None:
    run = begin(write(read("one", "echo one") + read("two", "echo two") + change("back", "true") + read("end", "true")))
    run.jump(step_named(run, "end"))
    await run.execute(at(run), NONE, Screen(run))
    assert run.current is None
    run.jump(step_named(run, "two"))
    await run.execute(at(run), NONE, Screen(run))
    assert run.states["one"] is StepState.PENDING
    assert at(run).name == "back"
    assert run.finish() is RunState.WARN
    assert [record["to"] for record in read_journal(run.folder.path).records if record["ev"] == "jump"] == [
        "end",
        "two",
    ]


async def test_a_rehearsal_starts_nothing_and_records_nothing(
    write: Write, begin: Begin, journal: SqliteJournal, tmp_path: Path
) -> None:
    run = begin(write(change("touch", f"touch {tmp_path}/touched", ',"confirm":"type:it"')))
    screen = Screen(run)
    result = await run.rehearse(at(run), screen)
    assert (result.outcome, result.detail) == (Outcome.DRY_RUN, "would ask for it to be typed")
    assert screen.output == f"touch {tmp_path}/touched\n".encode()
    assert not (tmp_path / "touched").exists()
    assert journal.entries() == []
    assert run.states["touch"] is StepState.PENDING


async def test_when_a_step_is_running_nothing_else_can_be_decided(write: Write, begin: Begin) -> None:
    run = begin(write(read("one", "echo up; sleep 60") + read("two", "true")))
    started = asyncio.Event()
    task = asyncio.ensure_future(run.execute(at(run), NONE, lambda _: started.set()))
    await started.wait()
    for decide in (
        lambda: run.skip(step_named(run, "two"), "why"),
        lambda: run.jump(step_named(run, "two")),
        lambda: run.abort("why"),
        run.leave,
        run.finish,
    ):
        with pytest.raises(IllegalTransitionError):
            decide()
    with pytest.raises(IllegalTransitionError):
        await run.execute(step_named(run, "two"), NONE, Screen(run))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
