"""Running a script, as a process group of its own that can be ended whole."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.actions.action import Outcome, Result, Risk, Sink
from opsconsole.actions.runners import capture, process_group
from opsconsole.actions.runners.environment import environment
from opsconsole.actions.runners.feed import Feed
from opsconsole.actions.runners.output import OutputPipe, Spool
from opsconsole.actions.runners.terminal import Terminal, in_control
from opsconsole.core.duration import duration_text
from opsconsole.core.secret import Secret

INTERPRETERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # A line that fails ends the step: going on after a failed `cd` is how the wrong files get deleted.
        "sh": ("sh", "-e"),
        "bash": ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail"),
        "zsh": ("zsh", "-f", "-e", "-o", "pipefail"),
    }
)
"""Language of a fence -> the command its script is given to."""

GRACE = 10.0
"""Seconds between the request to end (SIGTERM) and the end (SIGKILL)."""
_IMPATIENT = 0.3  # seconds that remain after a second cancellation: the console itself is about to go
_BRIEF = 1.0  # seconds in which the kernel cannot have given out all the numbers of processes there are
_LOOK = 0.05  # seconds between two looks whether the group is gone; no event tells
_UNKILLABLE = 5.0  # seconds to wait after SIGKILL: a process stuck in the kernel does not even follow that
_WARNING = 2  # exit code of a check that found something worth a look
_NO_ENV: Mapping[str, str | Secret] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ShellRunner:
    """Runs `script` with `interpreter`, or the command `argv`. Values reach it through the environment, never as text.

    The script is a file of mode 0600, stdin is empty, the umask is 077, and there is no terminal unless one is given.
    The step ends when
    its process does, whoever still holds its output; what it leaves running is reported. Cancelling sends SIGTERM
    to the whole group and after `grace` seconds SIGKILL.
    """

    script: str = ""
    argv: tuple[str, ...] = ()
    """A command to run instead of a script, without a shell."""
    stdin: bytes | None = None
    """Written to the command, whose stdin then stays open until it ends; None: an empty one."""
    interpreter: tuple[str, ...] = INTERPRETERS["bash"]
    env: Mapping[str, str | Secret] = field(default_factory=lambda: _NO_ENV, repr=False)
    cwd: Path | None = None
    secrets: tuple[Secret, ...] = ()
    """Masked in output and spool, beside those in `env`."""
    spool: Path | None = None
    """Gets the whole output."""
    risk: Risk = Risk.WRITE
    """With `read`, exit code 2 is a warning."""
    expected_exits: tuple[int, ...] = (0,)
    capture: tuple[str, ...] = ()
    """Names the step has to write to `$OPS_OUT`."""
    terminal: Terminal | None = None
    """Stdin, stdout and stderr are this terminal."""
    grace: float = GRACE
    on_start: Callable[[int], None] | None = None
    """Told the process id, which is the group's, too. If it raises, the step is ended at once."""

    async def run(self, sink: Sink) -> Result:
        """Run it once. Cancelled, it returns how that ended (outcome `cancelled`) instead of raising."""
        started = time.monotonic()
        folder = Path(tempfile.mkdtemp(prefix="opsconsole-"))
        try:
            result = await _Execution(self, folder).run(sink)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return replace(result, duration=time.monotonic() - started)

    @property
    def all_secrets(self) -> tuple[Secret, ...]:
        """The given ones and those in `env`."""
        return (*self.secrets, *(value for value in self.env.values() if isinstance(value, Secret)))


class _Execution:
    """One run of a script, in a folder of its own."""

    def __init__(self, runner: ShellRunner, folder: Path) -> None:
        self._runner = runner
        self._script = folder / "script"
        self._handed_on = folder / "out"
        self._mark = uuid.uuid4().hex
        self._cancelled = False
        self._began = time.monotonic()
        self._notes: list[str] = []
        self._feed: Feed | None = None

    async def run(self, sink: Sink) -> Result:
        runner = self._runner
        spool = Spool(runner.spool)
        try:
            ends = runner.terminal.open() if runner.terminal is not None else None
        except OSError as error:
            return Result(Outcome.FAILED, detail=f"there is no terminal for it: {error.strerror}")
        pipe = OutputPipe(sink, spool, runner.all_secrets, ends)
        try:
            process = self._start(pipe.writer)
        except ValueError as error:
            pipe.finish()
            self._end_input()
            return Result(Outcome.FAILED, detail=str(error))
        except OSError as error:
            pipe.finish()
            self._end_input()
            return _not_started(error)
        pipe.start()
        exited = _exit_of(process)
        process_group.announce(process.pid, started=True)
        try:
            if runner.on_start is not None:
                runner.on_start(process.pid)
            await self._outlast(process.pid, exited)
        except BaseException:
            await self._end(process.pid, exited)  # nobody could end it later
            raise
        finally:
            pipe.finish()
            self._end_input()
        process_group.announce(process.pid, started=False)
        await self._look_for_what_is_left(process.pid)
        code = process.poll()  # reaps it; from here on its number may be somebody else's
        if spool.complaint:
            self._notes.append(spool.complaint)
        return replace(self._result(code), output_bytes=pipe.taken)

    def _start(self, writer: int) -> "subprocess.Popen[bytes]":
        runner = self._runner
        command = list(runner.argv) if runner.argv else [*runner.interpreter, str(self._write_script())]
        fixed = {"OPS_OUT": str(self._handed_on), "OPS_ATTEMPT": self._mark}
        env = environment(runner.env, fixed)
        if runner.stdin is not None:
            self._feed = Feed(runner.stdin)
        if runner.terminal is not None:
            command, stdin = in_control(command), writer
        else:
            stdin = subprocess.DEVNULL if self._feed is None else self._feed.reader
        try:
            return subprocess.Popen(
                command,
                stdin=stdin,
                stdout=writer,
                stderr=writer,
                cwd=runner.cwd,
                env=env,
                start_new_session=True,
                umask=0o077,
            )
        finally:
            if self._feed is not None:
                self._feed.handed_over()

    def _end_input(self) -> None:
        if self._feed is not None:
            self._feed.end()
        if self._runner.terminal is not None:
            self._runner.terminal.close()

    def _write_script(self) -> Path:
        descriptor = os.open(self._script, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self._runner.script.encode("utf-8", "surrogateescape"))
        return self._script

    async def _outlast(self, group: int, exited: "asyncio.Future[None]") -> None:
        """Wait for the end of the process; when cancelled, see to it."""
        try:
            await asyncio.wait({exited})
        except asyncio.CancelledError:
            if not exited.done():
                self._cancelled = True
                await self._end(group, exited)

    async def _end(self, group: int, exited: "asyncio.Future[None]") -> None:
        began = time.monotonic()
        deadline = began + self._runner.grace
        process_group.send(group, signal.SIGTERM)
        process_group.send(group, signal.SIGCONT)  # a stopped process would sleep through it
        while not exited.done() or process_group.members(group):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            try:
                if exited.done():
                    await asyncio.sleep(min(_LOOK, remaining))
                else:
                    await asyncio.wait({exited}, timeout=remaining)
            except asyncio.CancelledError:
                deadline = min(deadline, time.monotonic() + _IMPATIENT)
        if stubborn := process_group.members(group):
            waited = duration_text(time.monotonic() - began)
            self._notes.append(f"{_named(stubborn)} did not end on SIGTERM within {waited} and got SIGKILL")
        process_group.send(group, signal.SIGKILL)
        await _uninterrupted(exited, _UNKILLABLE)

    async def _look_for_what_is_left(self, group: int) -> None:
        """Processes that the script started and that go on: in the background, or in a session of their own."""
        since = process_group.start_of(group)
        brief = time.monotonic() - self._began < _BRIEF and process_group.in_order(group)
        search = partial(process_group.marked, f"OPS_ATTEMPT={self._mark}", since, group if brief else 0)
        look = asyncio.ensure_future(asyncio.to_thread(search))
        await _uninterrupted(look)
        left = [process for process in look.result() if not (self._cancelled and process.group == group)]
        if left:
            where = "still running, outside its process group" if self._cancelled else "left running"
            self._notes.append(f"{where}: {_named(left)}")

    def _result(self, code: int | None) -> Result:
        if code is None:
            self._notes.insert(0, "the process does not end, not even on SIGKILL")
            return Result(Outcome.UNKNOWN, detail="; ".join(self._notes))
        exit_code = code if code >= 0 else 128 - code
        if self._cancelled:
            return Result(Outcome.CANCELLED, exit_code, "; ".join([_manner(code), *self._notes]))
        if exit_code in self._runner.expected_exits:
            outcome = Outcome.OK
        elif exit_code == _WARNING and self._runner.risk is Risk.READ:
            outcome = Outcome.WARN
        else:
            return Result(Outcome.FAILED, exit_code, "; ".join([_manner(code), *self._notes]))
        return self._with_captured(outcome, exit_code)

    def _with_captured(self, outcome: Outcome, exit_code: int) -> Result:
        runner = self._runner
        try:
            captured = capture.read(self._handed_on, runner.capture, runner.all_secrets)
        except capture.CaptureError as error:
            return Result(Outcome.FAILED, exit_code, "; ".join([str(error), *self._notes]))
        if captured.ignored:
            self._notes.append(f"not declared in capture, and ignored: {', '.join(captured.ignored)}")
        pairs = captured.pairs
        if missing := [name for name in runner.capture if name not in dict(pairs)]:
            self._notes.insert(0, f"it did not write {', '.join(missing)} to $OPS_OUT")
            outcome = Outcome.FAILED
        return Result(outcome, exit_code, "; ".join(self._notes), captured=pairs)


def _exit_of(process: "subprocess.Popen[bytes]") -> "asyncio.Future[None]":
    """A future that is done when the process has ended. It is not reaped: its number stays its own."""
    loop = asyncio.get_running_loop()
    exited: asyncio.Future[None] = loop.create_future()

    def ended() -> None:
        if not exited.done():
            exited.set_result(None)

    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # an older kernel, or no Linux

        def watch() -> None:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            with contextlib.suppress(RuntimeError):  # the loop may be gone
                loop.call_soon_threadsafe(ended)

        threading.Thread(target=watch, daemon=True).start()
        return exited

    def readable() -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        ended()

    loop.add_reader(descriptor, readable)
    return exited


async def _uninterrupted(future: "asyncio.Future[Any]", timeout: float | None = None) -> None:
    """Wait for `future`, at most `timeout` seconds, through any cancellation: whoever cancelled waits for us."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while not future.done():
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({future}, timeout=remaining)


def _manner(code: int) -> str:
    """How a process ended. A shell whose command was ended by signal n itself exits with 128+n: 141 is a pipe that
    nobody reads any more."""
    if 0 <= code <= 128:
        return f"exit code {code}"
    number = -code if code < 0 else code - 128
    known = number in set(signal.Signals)
    name = signal.Signals(number).name if known else f"signal {number}"
    if code < 0:
        return f"ended by {name}"
    return f"exit code {code} (128 + {name})" if known else f"exit code {code}"


def _not_started(error: OSError) -> Result:
    # As shells have it: 127 not found, 126 found but not runnable.
    exit_code = 127 if isinstance(error, FileNotFoundError) else 126
    what = f"{error.filename}: " if error.filename else ""
    return Result(Outcome.FAILED, exit_code, f"it could not be started: {what}{error.strerror}")


def _named(processes: Iterable[process_group.Process]) -> str:
    return ", ".join(map(str, processes))
