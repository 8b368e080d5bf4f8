"""The one door: judged, confirmed, recorded, done, verified, recorded; and nothing goes round it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.actions.confirmation import Confirmation
from opsconsole.actions.door import Door, reached
from opsconsole.actions.guard import Context
from opsconsole.config.settings import Mode, Role
from opsconsole.core.secret import Secret
from opsconsole.store import FILE
from opsconsole.store.entry import Conclusion, Entry, Intent
from opsconsole.store.journal import JournalError
from opsconsole.store.sqlite import SqliteJournal

CONTEXT = Context(
    "alice", "ops1", "production", Mode.GUARDED, Role.OPERATOR, login="bob", ssh_connection="::1 5 ::1 22"
)
PASSWORD = "correct horse"


@dataclass
class Scripted:
    """A runner that does what the test says, and remembers."""

    script: Callable[[Sink], Awaitable[Result]]
    ran: int = 0
    ended: list[str] = field(default_factory=list)

    async def run(self, sink: Sink) -> Result:
        self.ran += 1
        return await self.script(sink)


async def fine(sink: Sink) -> Result:
    sink(b"done\n")
    return Result(Outcome.OK, exit_code=0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / FILE, busy_seconds=0.05)
    yield opened
    opened.close()


@pytest.fixture
def door(journal: SqliteJournal) -> Door:
    return Door(CONTEXT, journal, secrets=lambda: [Secret(PASSWORD)])


@pytest.fixture
def runner() -> Scripted:
    return Scripted(fine)


@pytest.fixture
def action(runner: Scripted) -> Action:
    return Action(
        "runbook.step",
        "Restart",
        "systemctl restart energy",
        "energy-service",
        Risk.WRITE,
        runner,
        5.0,
        undo="start it",
    )


def only(journal: SqliteJournal) -> Entry:
    [entry] = journal.entries()
    assert journal.verify() == []
    return entry


def nowhere(_: bytes) -> None:
    """A sink for those who do not look."""


async def test_what_is_done_is_recorded_before_and_after(door: Door, action: Action, journal: SqliteJournal) -> None:
    seen_while_running: list[Entry] = []

    async def look(sink: Sink) -> Result:
        seen_while_running.extend(journal.entries())
        return await fine(sink)

    output: list[bytes] = []
    looked = replace(action, runner=Scripted(look), run="r1", incident="INC-1", details=(("sha256", "abc"),))
    result = await door.perform(looked, Confirmation.yes(), sink=output.append)
    assert (result.outcome, result.exit_code, result.output_bytes) == (Outcome.OK, 0, 5)
    assert b"".join(output) == b"done\n"
    [during] = seen_while_running
    assert during.outcome == "unknown"
    entry = only(journal)
    assert entry.outcome == "ok"
    intent = entry.intent
    assert (intent.actor, intent.host, intent.environment) == ("alice", "ops1", "production")
    assert (intent.action, intent.target, intent.risk) == ("runbook.step", "energy-service", "write")
    assert (intent.command, intent.run, intent.incident) == ("systemctl restart energy", "r1", "INC-1")
    assert intent.details["confirmed"] == "yes"
    assert intent.details["login"] == "bob"
    assert intent.details["undo"] == "start it"
    assert intent.details["sha256"] == "abc"


async def test_the_guard_comes_first_and_its_refusal_is_recorded(
    journal: SqliteJournal, action: Action, runner: Scripted
) -> None:
    door = Door(replace(CONTEXT, read_only=True), journal)
    result = await door.perform(action, Confirmation.no(), sink=nowhere)
    assert result.outcome is Outcome.REFUSED
    assert "--read-only" in result.detail
    assert runner.ran == 0
    entry = only(journal)
    assert entry.outcome == "refused"
    assert entry.conclusion is not None
    assert "--read-only" in entry.conclusion.detail


@pytest.mark.parametrize("confirmation", [Confirmation.none(), Confirmation.no("not during business hours")])
async def test_without_a_confirmation_nothing_runs(
    door: Door, action: Action, runner: Scripted, journal: SqliteJournal, confirmation: Confirmation
) -> None:
    result = await door.perform(action, confirmation, sink=nowhere)
    assert result.outcome is Outcome.DECLINED
    assert runner.ran == 0
    entry = only(journal)
    assert entry.outcome == "declined"
    assert entry.conclusion is not None
    assert entry.conclusion.detail == confirmation.text or "confirmed" in entry.conclusion.detail


async def test_a_demand_nobody_knows_is_refused(door: Door, action: Action, runner: Scripted) -> None:
    result = await door.perform(replace(action, confirm="approve:2"), Confirmation.yes(), sink=nowhere)
    assert result.outcome is Outcome.REFUSED
    assert runner.ran == 0


@pytest.mark.parametrize(
    ("context", "risk", "says"),
    [
        (CONTEXT, Risk.READ, "without asking"),
        (CONTEXT, Risk.WRITE, "a yes"),
        (CONTEXT, Risk.DESTRUCTIVE, "energy-service to be typed"),
        (replace(CONTEXT, read_only=True), Risk.WRITE, "would be refused"),
    ],
)
async def test_a_dry_run_says_the_command_and_leaves_no_trace(
    journal: SqliteJournal, action: Action, runner: Scripted, context: Context, risk: Risk, says: str
) -> None:
    output: list[bytes] = []
    rehearsed = replace(action, risk=risk)
    result = await Door(context, journal).perform(rehearsed, Confirmation.none(), sink=output.append, dry_run=True)
    assert result.outcome is Outcome.DRY_RUN
    assert says in result.detail
    assert b"".join(output) == b"systemctl restart energy\n"
    assert runner.ran == 0
    assert not journal.path.exists()


async def test_no_record_no_action(action: Action, runner: Scripted, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    door = Door(CONTEXT, SqliteJournal(tmp_path / "file" / FILE))
    result = await door.perform(action, Confirmation.yes(), sink=nowhere)
    assert result.outcome is Outcome.REFUSED
    assert "no record, no action" in result.detail
    assert runner.ran == 0


async def test_looking_goes_on_without_a_record_and_says_so(action: Action, runner: Scripted, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    door = Door(CONTEXT, SqliteJournal(tmp_path / "file" / FILE))
    result = await door.perform(replace(action, risk=Risk.READ), Confirmation.none(), sink=nowhere)
    assert result.outcome is Outcome.OK
    assert "not recorded" in result.detail
    assert runner.ran == 1


class LosesConclusions(SqliteJournal):
    def conclude(self, conclusion: Conclusion) -> None:
        raise JournalError("full", "the disk is full")


async def test_an_end_that_cannot_be_recorded_is_told_and_reads_as_unknown(tmp_path: Path, action: Action) -> None:
    journal = LosesConclusions(tmp_path / FILE)
    result = await Door(CONTEXT, journal).perform(action, Confirmation.yes(), sink=nowhere)
    assert result.outcome is Outcome.OK
    assert "not recorded: the disk is full" in result.detail
    assert only(journal).outcome == "unknown"
    journal.close()


async def test_a_runner_that_breaks_is_a_failure_with_its_reason(
    door: Door, action: Action, journal: SqliteJournal
) -> None:
    async def breaks(_: Sink) -> Result:
        raise RuntimeError(f"bad \x1b]52;c;eA==\x07 password {PASSWORD}")

    result = await door.perform(replace(action, runner=Scripted(breaks)), Confirmation.yes(), sink=nowhere)
    assert result.outcome is Outcome.FAILED
    assert "RuntimeError: bad" in result.detail
    assert "\x1b" not in result.detail
    assert PASSWORD not in result.detail
    entry = only(journal)
    assert entry.conclusion is not None
    assert entry.conclusion.detail == result.detail


async def test_time_is_limited(door: Door, action: Action, journal: SqliteJournal) -> None:
    async def hangs(_: Sink) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    hanging = replace(action, runner=Scripted(hangs), timeout=0.05)
    result = await door.perform(hanging, Confirmation.yes(), sink=nowhere)
    assert result.outcome is Outcome.TIMED_OUT
    assert "did not end within 50 ms" in result.detail
    assert only(journal).outcome == "timed-out"


async def test_a_runner_that_says_how_it_was_ended_is_heard(door: Door, action: Action) -> None:
    async def ends(_: Sink) -> Result:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return Result(Outcome.CANCELLED, exit_code=137, detail="ended by SIGKILL")
        raise AssertionError

    ending = replace(action, runner=Scripted(ends), timeout=0.05)
    result = await door.perform(ending, Confirmation.yes(), sink=nowhere)
    assert (result.outcome, result.exit_code) == (Outcome.TIMED_OUT, 137)
    assert result.detail.endswith("ended by SIGKILL")


async def test_a_result_that_came_at_the_last_moment_counts(door: Door, action: Action) -> None:
    async def just_in_time(_: Sink) -> Result:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return Result(Outcome.OK, exit_code=0)
        raise AssertionError

    late = replace(action, runner=Scripted(just_in_time), timeout=0.05)
    assert (await door.perform(late, Confirmation.yes(), sink=nowhere)).outcome is Outcome.OK


async def test_cancelled_from_outside_it_ends_the_work_records_and_passes_it_on(
    door: Door, action: Action, journal: SqliteJournal
) -> None:
    begun, ended = asyncio.Event(), []

    async def works(_: Sink) -> Result:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")
        raise AssertionError

    working = replace(action, runner=Scripted(works))
    task = asyncio.create_task(door.perform(working, Confirmation.yes(), sink=nowhere))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["ended"]
    assert only(journal).outcome == "cancelled"


async def test_cancelled_twice_it_passes_both_on(door: Door, action: Action, journal: SqliteJournal) -> None:
    begun, first = asyncio.Event(), asyncio.Event()

    async def stubborn(_: Sink) -> Result:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            first.set()
            await asyncio.Event().wait()
        raise AssertionError

    working = replace(action, runner=Scripted(stubborn))
    task = asyncio.create_task(door.perform(working, Confirmation.yes(), sink=nowhere))
    await begun.wait()
    task.cancel()
    await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert only(journal).outcome == "cancelled"


async def test_cancelled_while_the_intent_is_written_nothing_starts(
    action: Action, runner: Scripted, tmp_path: Path
) -> None:
    loop = asyncio.get_running_loop()

    class Slow(SqliteJournal):
        def begin(self, intent: Intent) -> None:
            loop.call_soon_threadsafe(task.cancel)
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(5)
            super().begin(intent)

    journal = Slow(tmp_path / FILE)
    task = asyncio.create_task(Door(CONTEXT, journal).perform(action, Confirmation.yes(), sink=nowhere))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert runner.ran == 0
    assert only(journal).outcome == "cancelled"
    journal.close()


class TestVerification:
    @pytest.mark.parametrize(
        ("ran", "found", "outcome"),
        [
            (Outcome.OK, Outcome.OK, Outcome.OK),
            (Outcome.OK, Outcome.WARN, Outcome.WARN),
            (Outcome.WARN, Outcome.OK, Outcome.WARN),
            (Outcome.OK, Outcome.FAILED, Outcome.FAILED),
            (Outcome.OK, Outcome.UNKNOWN, Outcome.FAILED),
            (Outcome.OK, Outcome.CANCELLED, Outcome.CANCELLED),
        ],
    )
    async def test_it_decides_how_the_action_ended(
        self, door: Door, action: Action, ran: Outcome, found: Outcome, outcome: Outcome
    ) -> None:
        async def runs(_: Sink) -> Result:
            return Result(ran, exit_code=0)

        async def verify() -> Result:
            return Result(found, detail="up is 0")

        verified = replace(action, runner=Scripted(runs), verify=verify)
        result = await door.perform(verified, Confirmation.yes(), sink=nowhere)
        assert result.outcome is outcome
        assert result.exit_code == 0
        if outcome is Outcome.FAILED:
            assert "could not be verified: up is 0" in result.detail

    async def test_an_effect_that_is_still_to_come_is_no_failure_and_what_is_said_of_it_is_output(
        self, door: Door, action: Action
    ) -> None:
        said: list[bytes] = []
        sinks: list[Sink] = []

        async def runs(sink: Sink) -> Result:
            sinks.append(sink)
            sink(b"sent\n")
            return Result(Outcome.OK, detail="run r1")

        async def verify() -> Result:
            sinks[0](b"waiting\n")
            return Result(Outcome.TIMED_OUT, detail="it is queued", to_come=True)

        verified = replace(action, runner=Scripted(runs), verify=verify)
        result = await door.perform(verified, Confirmation.yes(), sink=said.append)
        assert result.outcome is Outcome.TIMED_OUT
        assert result.detail == "run r1; done, and its effect is still to come: it is queued"
        assert b"".join(said) == b"sent\nwaiting\n"
        assert result.output_bytes == len(b"sent\nwaiting\n")

    async def test_what_failed_is_not_verified(self, door: Door, action: Action) -> None:
        async def fails(_: Sink) -> Result:
            return Result(Outcome.FAILED, exit_code=1, detail="no such unit")

        async def verify() -> Result:
            raise AssertionError("nobody should look")

        result = await door.perform(
            replace(action, runner=Scripted(fails), verify=verify), Confirmation.yes(), sink=nowhere
        )
        assert (result.outcome, result.detail) == (Outcome.FAILED, "no such unit")

    async def test_it_is_limited_in_time_and_may_break(self, door: Door, action: Action) -> None:
        async def hangs() -> Result:
            await asyncio.Event().wait()
            raise AssertionError

        async def breaks() -> Result:
            raise ConnectionError("prometheus is gone")

        slow = replace(action, verify=hangs, verify_timeout=0.05)
        result = await door.perform(slow, Confirmation.yes(), sink=nowhere)
        assert result.outcome is Outcome.FAILED
        assert "did not end within 50 ms" in result.detail
        result = await door.perform(replace(action, verify=breaks), Confirmation.yes(), sink=nowhere)
        assert result.outcome is Outcome.FAILED
        assert "prometheus is gone" in result.detail

    async def test_cancelled_while_it_is_looked_for_it_says_what_was_done(self, door: Door, action: Action) -> None:
        looking = asyncio.Event()

        async def runs(_: Sink) -> Result:
            return Result(Outcome.OK, detail="run r1")

        async def hangs() -> Result:
            looking.set()
            await asyncio.Event().wait()
            raise AssertionError

        verified = replace(action, runner=Scripted(runs), verify=hangs)
        work = asyncio.ensure_future(door.perform(verified, Confirmation.yes(), sink=nowhere))
        await looking.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError) as ended:
            await work
        said = "run r1; it ran; its verification was cancelled"
        result = reached(ended.value)
        assert result is not None
        assert (result.outcome, result.detail) == (Outcome.CANCELLED, said)
        (entry,) = door._journal.entries()
        assert entry.conclusion is not None
        assert (entry.conclusion.outcome, entry.conclusion.detail) == ("cancelled", said)
        with pytest.raises(TimeoutError):  # as a plain cancellation: whoever limits its time is told so
            async with asyncio.timeout(0.05):
                await door.perform(verified, Confirmation.yes(), sink=nowhere)


class TestSecrets:
    async def test_none_is_in_the_journal_the_output_or_the_result(
        self, door: Door, action: Action, journal: SqliteJournal
    ) -> None:
        own = "only-of-this-step"

        async def tells(sink: Sink) -> Result:
            text = f"{PASSWORD} {own}\n".encode()
            sink(text[:7])
            sink(text[7:])
            return Result(Outcome.FAILED, detail=f"rejected {own}")

        telling = replace(
            action,
            runner=Scripted(tells),
            title=f"t {PASSWORD}",
            command=f"curl -u {PASSWORD}:{own}",
            target=PASSWORD,
            undo=own,
            secrets=(Secret(own),),
            details=(("note", own),),
        )
        output: list[bytes] = []
        result = await door.perform(telling, Confirmation.yes(), sink=output.append)
        assert b"".join(output) == b"*** ***\n"
        everything = f"{result}{only(journal)}"
        for secret in (PASSWORD, own):
            assert secret not in everything
        rehearsal: list[bytes] = []
        await door.perform(telling, Confirmation.yes(), sink=rehearsal.append, dry_run=True)
        assert b"".join(rehearsal) == b"curl -u ***:***\n"


async def test_a_listener_that_fails_does_not_end_the_action(
    door: Door, action: Action, caplog: pytest.LogCaptureFixture
) -> None:
    async def talks(sink: Sink) -> Result:
        sink(b"a")
        sink(b"b")
        return Result(Outcome.OK)

    def full(_: bytes) -> None:
        raise BrokenPipeError

    result = await door.perform(replace(action, runner=Scripted(talks)), Confirmation.yes(), sink=full)
    assert (result.outcome, result.output_bytes) == (Outcome.OK, 2)
    assert len(caplog.records) == 1
