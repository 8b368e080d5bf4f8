"""The terminal of a front, handed over to an interactive step for as long as that runs."""

import asyncio
import contextlib
import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opsconsole.actions.action import Result
from opsconsole.actions.confirmation import Confirmation
from opsconsole.runbooks.client import RunClient, StepCancelledError, SupervisorLostError
from opsconsole.runbooks.model import Step
from opsconsole.runbooks.states import IllegalTransitionError

WAY_OUT = b"\x1d"
"""Ctrl-]: ends the step, whatever it does with the terminal. As of telnet, and nothing that shells or editors need."""
SAID = "the terminal is handed over to this step; ctrl-] ends it"
_AS_IT_WAS = b"\x1b[0m\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l"
"""Plain text, a cursor, no mouse, no bracketed paste: what a program that was ended may have left behind."""
_OTHER_SCREEN, _OWN_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"


async def hand_over(
    run: RunClient, step: Step, confirmation: Confirmation, *, again: bool, source: int, target: int
) -> Result:
    """Run `step` with the terminal at its disposal: what is typed goes there, what it prints comes here as it is.

    Args:
        run: that this front drives.
        step: an interactive one.
        confirmation: what the operator said.
        again: it was run before.
        source: descriptor to read what is typed from; a terminal.
        target: descriptor to write to.

    Raises:
        Exception: as `RunClient.execute`.
    """
    screen = _Screen(target)
    with _typing(run, source), _resizing(run, target):
        try:
            size = os.get_terminal_size(target)
            return await run.execute(step, confirmation, screen.write, again=again, size=(size.lines, size.columns))
        finally:
            screen.restore()


class _Screen:
    """What the step paints on."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._elsewhere = False

    def write(self, piece: bytes) -> None:
        if _OTHER_SCREEN in piece or _OWN_SCREEN in piece:
            self._elsewhere = piece.rfind(_OTHER_SCREEN) > piece.rfind(_OWN_SCREEN)
        self._put(piece)

    def restore(self) -> None:
        self._put((_OWN_SCREEN if self._elsewhere else b"") + _AS_IT_WAS)

    def _put(self, piece: bytes) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone; the step is not ours to end for that
            view = memoryview(piece)
            while view:
                view = view[os.write(self._target, view) :]


@contextmanager
def _typing(run: RunClient, source: int) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    ending: list[asyncio.Task[None]] = []

    def read() -> None:
        try:
            typed = os.read(source, 4096)
        except OSError:
            typed = b""
        if not typed:
            loop.remove_reader(source)
        elif WAY_OUT in typed:
            ending.append(asyncio.ensure_future(_end(run)))
        else:
            run.type(typed)

    before = termios.tcgetattr(source)
    tty.setraw(source)
    loop.add_reader(source, read)
    try:
        yield
    finally:
        loop.remove_reader(source)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(source, termios.TCSAFLUSH, before)


async def _end(run: RunClient) -> None:
    with contextlib.suppress(SupervisorLostError, StepCancelledError, IllegalTransitionError):
        await run.cancel()


@contextmanager
def _resizing(run: RunClient, target: int) -> Iterator[None]:
    def resized(*_: object) -> None:
        with contextlib.suppress(OSError):
            size = os.get_terminal_size(target)
            run.resize(size.lines, size.columns)

    before: Callable[..., object] | int | None = signal.getsignal(signal.SIGWINCH)
    asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, resized)
    try:
        yield
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGWINCH)
        if before is not None:
            signal.signal(signal.SIGWINCH, before)
