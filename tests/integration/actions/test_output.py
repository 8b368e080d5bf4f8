"""A step that talks too much: memory stays bounded, the spool is whole, and the event loop answers meanwhile."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# A process of its own for each, for its peak of memory is read at the end.
MEASURED = """
import asyncio, json, resource, sys, time
from pathlib import Path
from opsconsole.actions.runners.shell import ShellRunner
from opsconsole.core.secret import Secret

async def main():
    script, spool = sys.argv[1], Path(sys.argv[2])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen, longest, done = 0, 0.0, False

    def sink(piece):
        nonlocal seen
        seen += len(piece)

    async def pulse():
        nonlocal longest
        while not done:
            started = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - started)

    beating = asyncio.create_task(pulse())
    result = await ShellRunner(script, spool=spool, secrets=(Secret("never to be seen"),)).run(sink)
    done = True
    await beating
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({
        "outcome": result.outcome, "bytes": result.output_bytes, "seen": seen, "spooled": spool.stat().st_size,
        "grown_kib": after - before, "longest": longest, "detail": result.detail,
    }))

asyncio.run(main())
"""
MEGABYTE = 1_000_000


def measured(script: str, spool: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, script, str(spool)], capture_output=True, check=True, timeout=100
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("script", "size"),
    [
        ("head -c 100000000 /dev/urandom", 100 * MEGABYTE),
        ("head -c 100000000 /dev/zero | tr '\\0' x", 100 * MEGABYTE),
        ("seq 10000000 14999999", 45 * MEGABYTE),
    ],
    ids=["100 MB of noise", "one line of 100 MB", "five million lines"],
)
async def test_memory_is_bounded_and_nothing_is_lost(tmp_path: Path, script: str, size: int) -> None:
    found = await asyncio.to_thread(measured, script, tmp_path / "step.out")
    assert found["outcome"] == "ok", found
    assert found["bytes"] == found["seen"] == found["spooled"] == size
    assert found["grown_kib"] < 20_000
    assert found["longest"] < 0.5  # a key press is not held up for as long as the output flows; bench/ has the figure


async def test_what_a_killed_console_was_running_goes_on_and_reads_as_unknown(tmp_path: Path) -> None:
    """kill -9 between intent and conclusion."""
    script = """
import asyncio, sys
from pathlib import Path
from opsconsole.actions.action import Action, Risk
from opsconsole.actions.confirmation import Confirmation
from opsconsole.actions.door import Door
from opsconsole.actions.guard import Context
from opsconsole.actions.runners.shell import ShellRunner
from opsconsole.config.settings import Mode, Role
from opsconsole.store.sqlite import SqliteJournal
folder = Path(sys.argv[1])
runner = ShellRunner("echo ready; sleep 1; touch done", cwd=folder)
action = Action("test", "t", "c", "x", Risk.WRITE, runner, 60)
context = Context("alice", "h", "e", Mode.OPEN, Role.ADMIN)
door = Door(context, SqliteJournal(folder / "journal"))
asyncio.run(door.perform(action, Confirmation.none(), sink=lambda piece: print(piece, flush=True)))
"""
    from opsconsole.store.sqlite import SqliteJournal

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert b"ready" in await asyncio.wait_for(process.stdout.readline(), 20)
    process.kill()
    await process.wait()
    journal = SqliteJournal(tmp_path / "journal")
    [entry] = journal.entries()
    assert entry.outcome == "unknown"
    assert journal.verify() == []
    async with asyncio.timeout(10):
        while not await asyncio.to_thread((tmp_path / "done").exists):  # noqa: ASYNC110 - nobody is left to tell
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
async def test_a_console_that_is_told_to_go_ends_its_step_and_records_that(tmp_path: Path, name: str) -> None:
    script = """
import asyncio, signal, sys
from pathlib import Path
from opsconsole.actions.action import Action, Risk
from opsconsole.actions.confirmation import Confirmation
from opsconsole.actions.door import Door
from opsconsole.actions.guard import Context
from opsconsole.actions.runners.shell import ShellRunner
from opsconsole.config.settings import Mode, Role
from opsconsole.store.sqlite import SqliteJournal
folder = Path(sys.argv[1])
runner = ShellRunner("trap '' TERM; echo $$; sleep 60", cwd=folder)
action = Action("test", "t", "c", "x", Risk.WRITE, runner, 60)
door = Door(Context("alice", "h", "e", Mode.OPEN, Role.ADMIN), SqliteJournal(folder / "journal"))
async def main():
    show = lambda piece: print(piece.decode(), flush=True)
    work = asyncio.create_task(door.perform(action, Confirmation.none(), sink=show))
    leaving = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, leaving.set)
    await leaving.wait()
    work.cancel()
    await asyncio.sleep(0.1)
asyncio.run(main())
"""
    import signal

    from opsconsole.store.sqlite import SqliteJournal

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    pid = int(await asyncio.wait_for(process.stdout.readline(), 20))
    process.send_signal(getattr(signal, name))
    await asyncio.wait_for(process.wait(), 4)
    journal = SqliteJournal(tmp_path / "journal")
    [entry] = journal.entries()
    assert entry.outcome == "cancelled"
    assert not await asyncio.to_thread(Path(f"/proc/{pid}").exists)
