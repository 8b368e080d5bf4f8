"""Steps that take a lock of their own, that go on beside the walk, and that talk to their operator."""

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from opsconsole.actions.action import Outcome
from opsconsole.actions.runners.terminal import Terminal
from opsconsole.runbooks.history import read_journal
from opsconsole.runbooks.lint import lint
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.states import IllegalTransitionError, RunState, StepState
from opsconsole.runbooks.told import Change
from opsconsole.runbooks.unattended import Instructions, questions, walk
from opsconsole.store.sqlite import SqliteJournal
from tests.unit.runbooks.conftest import Begin, Write
from tests.unit.runbooks.test_run import NONE, Screen, at, read

PARAMS = "---\nrunbook: 1\nid: trial\ntitle: Trial\nparams: {DB: {default: app}}\n---\n"
HOLDING = ',"lock":"db:$DB"'
BESIDE = ',"background":"true"'


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - of other processes no event tells
            await asyncio.sleep(0.01)


def lives(path: Path) -> bool:
    """Whether the process whose number is in that file does; one that is still being written is of none."""
    try:
        return Path(f"/proc/{int(path.read_text())}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, ValueError):
        return False


def records(run: Run, event: str) -> list[dict[str, object]]:
    return [dict(one) for one in read_journal(run.folder.path).records if one["ev"] == event]


class TestLock:
    async def test_one_live_step_per_key_and_the_other_says_who_has_it(
        self, write: Write, begin: Begin, tmp_path: Path, journal: SqliteJournal
    ) -> None:
        body = f"test -e {tmp_path}/go || {{ touch {tmp_path}/in; until test -e {tmp_path}/go; do sleep 0.02; done; }}"
        book = write(PARAMS + read("hold", body, HOLDING))
        first, second, elsewhere = begin(book), begin(book), begin(book, {"DB": "other"})
        holding = asyncio.ensure_future(first.execute(at(first), NONE, Screen(first)))
        await until((tmp_path / "in").exists)
        result = await second.execute(at(second), NONE, Screen(second))
        assert result.outcome is Outcome.REFUSED
        assert re.match(f"db:app is locked by actor alice, run {first.id}, step hold, since 20", result.detail)
        assert (second.states["hold"], second.locked_out) == (StepState.PENDING, "hold")
        assert [one["reason"] for one in records(second, "locked")] == [result.detail]
        assert not records(second, "intent")
        (tmp_path / "go").touch()
        assert (await elsewhere.execute(at(elsewhere), NONE, Screen(elsewhere))).outcome is Outcome.OK
        assert (await holding).outcome is Outcome.OK
        assert (await second.execute(at(second), NONE, Screen(second))).outcome is Outcome.OK
        assert (second.states["hold"], second.locked_out) == (StepState.OK, "")
        assert [one.outcome for one in journal.entries(run=second.id)] == ["refused", "ok"]

    async def test_the_run_has_the_lock_already(self, write: Write, begin: Begin) -> None:
        head = PARAMS.replace("params:", 'lock: "db:{DB}"\nparams:')
        verified = read("hold", "true", f'{HOLDING},"verify":"look"') + read("look", "true", HOLDING)
        run = begin(write(head + verified))
        assert (await run.execute(at(run), NONE, Screen(run))).outcome is Outcome.OK

    async def test_without_an_operator_the_run_is_left_where_the_lock_is_held(self, write: Write, begin: Begin) -> None:
        book = write(PARAMS + read("serve", "exec sleep 600", HOLDING + BESIDE) + read("after", "true"))
        holder, run = begin(book), begin(book, mode="auto")
        await holder.execute(at(holder), NONE, Screen(holder))  # and it goes on
        assert await walk(run, Instructions(), lambda piece: None) is RunState.LEFT
        assert (run.locked_out, run.states["after"]) == ("serve", StepState.PENDING)
        await holder.end_background()
        again = begin(book, mode="auto")
        assert await walk(again, Instructions(), lambda piece: None) is RunState.OK


class TestBackground:
    async def test_it_goes_on_until_the_run_ends_and_its_output_is_kept(
        self, write: Write, begin: Begin, tmp_path: Path
    ) -> None:
        body = f"echo up; echo $$ > {tmp_path}/pid; sleep 600 & echo $! > {tmp_path}/child; wait"
        run = begin(write(read("serve", body, BESIDE) + read("after", "echo after")))
        screen = Screen(run)
        result = await run.execute(at(run), NONE, screen)
        assert (result.outcome, result.detail) == (Outcome.OK, "in the background, until the run ends")
        assert run.in_background == ["serve"]
        assert (await run.execute(at(run), NONE, screen)).outcome is Outcome.OK
        assert [lives(tmp_path / name) for name in ("pid", "child")] == [True, True]
        with pytest.raises(IllegalTransitionError, match="serve: in the background"):
            run.finish()
        await run.end_background()
        # Whoever was signalled with the others is gone as soon as the kernel has come to it.
        await until(lambda: not any(lives(tmp_path / name) for name in ("pid", "child")))
        assert run.finish() is RunState.OK
        (ended,) = records(run, "background-ended")
        assert str(ended["detail"]).startswith("ended: ")
        assert (run.folder.path / "steps" / str(ended["out"])).read_bytes() == b"up\n"
        assert [one["step"] for one in records(run, "result") if one.get("background")] == ["serve"]

    async def test_it_counts_as_started_when_its_output_says_so(self, write: Write, begin: Begin) -> None:
        slow = 'for n in 1 2 3 4 5 6; do echo "line $n"; sleep 0.1; done; exec sleep 600'
        run = begin(write(read("serve", slow, f'{BESIDE},"until":"line 6","every":"50ms"')))
        result = await run.execute(at(run), NONE, Screen(run))
        assert result.outcome is Outcome.OK
        assert b"line 6" in (run.folder.path / "steps" / "01-serve.out").read_bytes()
        await run.end_background()

    @pytest.mark.parametrize(
        ("body", "more", "outcome", "detail"),
        [
            ("exit 3", "", Outcome.FAILED, "exit code 3"),
            ("no-such-command", "", Outcome.FAILED, "exit code 127"),
            ("true", ',"until":"ready"', Outcome.FAILED, "it ended before its output had ready"),
            ("sleep 600", ',"until":"ready","every":"50ms","timeout":"500ms"', Outcome.TIMED_OUT, "did not end within"),
            ("sleep 600", ',"verify":"look"', Outcome.FAILED, "the effect could not be verified: exit code 1"),
        ],
    )
    async def test_what_does_not_come_up_has_failed_and_leaves_nothing(
        self, write: Write, begin: Begin, tmp_path: Path, body: str, more: str, outcome: Outcome, detail: str
    ) -> None:
        step = read("serve", f"echo $$ > {tmp_path}/pid\n{body}", BESIDE + more).replace(
            '"timeout":"20s"', "" if "timeout" in more else '"timeout":"20s"'
        )
        run = begin(write(step.replace(",,", ",") + read("look", "false")))
        result = await run.execute(at(run), NONE, Screen(run))
        assert result.outcome is outcome
        assert detail in result.detail
        assert (run.in_background, lives(tmp_path / "pid")) == ([], False)

    async def test_its_end_by_itself_is_told_and_recorded(self, write: Write, begin: Begin, tmp_path: Path) -> None:
        body = f"until test -e {tmp_path}/go; do sleep 0.02; done; exit 4"
        run = begin(write(read("serve", body, BESIDE)))
        heard: list[Change] = []
        run.subscribe(heard.append)
        await run.execute(at(run), NONE, Screen(run))
        (tmp_path / "go").touch()
        await until(lambda: not run.in_background)
        told = next(one for one in heard if one.kind == "background")
        assert (told.step, told.state, told.detail) == ("serve", "failed", "ended by itself: exit code 4")
        assert [one["rc"] for one in records(run, "background-ended")] == [4]

    async def test_run_again_it_begins_anew(self, write: Write, begin: Begin, tmp_path: Path) -> None:
        run = begin(write(read("serve", f"echo $$ >> {tmp_path}/pids; exec sleep 600", BESIDE + ',"lock":"one"')))
        step = at(run)
        await run.execute(step, NONE, Screen(run))
        assert (await run.execute(step, NONE, Screen(run), again=True)).outcome is Outcome.OK
        first, second = (tmp_path / "pids").read_text().split()
        (tmp_path / "first").write_text(first)
        (tmp_path / "second").write_text(second)
        assert (lives(tmp_path / "first"), lives(tmp_path / "second")) == (False, True)
        await run.end_background()

    async def test_its_output_is_masked_beyond_its_attempt(self, write: Write, begin: Begin, tmp_path: Path) -> None:
        from opsconsole.core.secret import Secret

        head = "---\nrunbook: 1\nid: trial\ntitle: Trial\nsecrets: [TOKEN]\n---\n"
        body = f'until test -e {tmp_path}/go; do sleep 0.02; done; echo "[$TOKEN]"; exec sleep 600'
        book = write(head + read("serve", body, BESIDE + ',"env":["TOKEN"]'))
        run = begin(book, secrets={"TOKEN": Secret("correct horse")})
        await run.execute(at(run), NONE, Screen(run))
        (tmp_path / "go").touch()
        output = run.folder.path / "steps" / "01-serve.out"
        await until(output.read_bytes)
        assert output.read_bytes() == b"[***]\n"
        await run.end_background()


class TestInteractive:
    BODY = 'tty; stty size; read -r answer; echo "heard $answer"'
    MORE = ',"interactive":"true"'

    async def test_it_has_a_terminal_of_its_own_and_is_recorded_like_any_step(self, write: Write, begin: Begin) -> None:
        run = begin(write(read("talk", self.BODY, self.MORE)))
        terminal, screen = Terminal(33, 99), Screen(run)
        terminal.type(b"ahead\r")
        result = await run.execute(at(run), NONE, screen, terminal=terminal)
        assert result.outcome is Outcome.OK
        assert re.search(rb"/dev/pts/\d+\r\n33 99\r\n(.|\r|\n)*heard ahead\r\n", screen.output)
        assert [one["rc"] for one in records(run, "result")] == [0]
        assert (run.folder.path / "steps" / "01-talk.out").read_bytes() == screen.output

    async def test_ctrl_c_reaches_the_program_and_a_resize_its_terminal(self, write: Write, begin: Begin) -> None:
        # The signal ends the sleep as well, which is no error; a shell that merely waits could miss it.
        body = "trap 'stty size; exit 5' INT; echo ready; while :; do sleep 0.02 || :; done"
        run = begin(write(read("talk", body, self.MORE)))
        terminal, screen = Terminal(24, 80), Screen(run)
        work = asyncio.ensure_future(run.execute(at(run), NONE, screen, terminal=terminal))
        await until(lambda: b"ready" in screen.output)
        terminal.resize(50, 132)
        terminal.type(b"\x03")
        assert (await work).exit_code == 5
        assert b"50 132" in screen.output

    async def test_without_a_terminal_it_is_refused_and_nothing_is_recorded_as_begun(
        self, write: Write, begin: Begin
    ) -> None:
        run = begin(write(read("talk", self.BODY, self.MORE)))
        with pytest.raises(IllegalTransitionError, match="talk: it is interactive, and there is no terminal"):
            await run.execute(at(run), NONE, Screen(run))
        assert (run.states["talk"], records(run, "intent")) == (StepState.PENDING, [])

    def test_without_an_operator_it_does_not_begin(self, write: Write, begin: Begin) -> None:
        run = begin(write(read("talk", self.BODY, self.MORE)))
        found = questions(run.runbook, {}, run._attempts._surroundings, run.door.context.mode, Instructions())
        assert found == ["talk: for a person at a terminal (talk); --skip talk=REASON"]

    async def test_taken_up_without_an_operator_the_run_is_left_there(self, write: Write, begin: Begin) -> None:
        run = begin(write(read("talk", self.BODY, self.MORE)), mode="auto")
        assert await walk(run, Instructions(), lambda piece: None) is RunState.LEFT
        assert records(run, "intent") == []

    async def test_cancelled_it_ends_with_what_it_started(self, write: Write, begin: Begin, tmp_path: Path) -> None:
        body = f"echo $$ > {tmp_path}/pid; sleep 600 & echo $! > {tmp_path}/child; wait"
        run = begin(write(read("talk", body, self.MORE)))
        work = asyncio.ensure_future(run.execute(at(run), NONE, Screen(run), terminal=Terminal(24, 80)))
        await until(lambda: lives(tmp_path / "child"))
        before = len(os.listdir("/proc/self/fd"))
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        # Whoever was signalled with the others is gone as soon as the kernel has come to it.
        await until(lambda: not any(lives(tmp_path / name) for name in ("pid", "child")))
        assert len(os.listdir("/proc/self/fd")) < before
        assert run.states["talk"] is StepState.CANCELLED


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (',"lock":"db:$NOPE"', "unknown-param"),
        (',"background":"true","capture":["A"]', "background"),
        (',"background":"true","retries":"2"', "background"),
        (',"background":"true","host":"db1"', "background"),
        (',"background":"true","interactive":"true"', "background"),
        (',"interactive":"true","until":"x"', "interactive"),
        (',"interactive":"perhaps"', "bad-boolean"),
    ],
)
def test_findings(write: Write, more: str, code: str) -> None:
    assert code in {one.code for one in lint(write(PARAMS + read("one", 'echo "$DB"', more)))}


def test_what_does_not_end_by_itself_verifies_nothing(write: Write) -> None:
    book = write(read("one", "true", ',"verify":"two"') + read("two", "true", BESIDE))
    assert "verify-risk" in {one.code for one in lint(book)}
