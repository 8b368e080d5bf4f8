"""Lines typed on a terminal, awaited without a thread: a signal or a hangup is not kept waiting by a read."""

import asyncio
import contextlib
import os
import termios
from typing import TextIO


class TerminalLines:
    """Reads lines from a terminal in its ordinary mode: the terminal echoes and edits, we get whole lines."""

    def __init__(self, stream: TextIO) -> None:
        self.descriptor = stream.fileno()
        self._text = b""

    def forget(self) -> None:
        """Drop what was typed ahead: an answer is meant for the question that was on the screen."""
        self._text = b""
        with contextlib.suppress(termios.error):
            termios.tcflush(self.descriptor, termios.TCIFLUSH)

    async def read(self) -> str | None:
        """The next line without its end; None when there will be none: the terminal is gone, or Ctrl-D."""
        while b"\n" not in self._text:
            if not await self._more():
                return None
        line, _, self._text = self._text.partition(b"\n")
        return line.decode("utf-8", "replace").rstrip("\r")

    async def _more(self) -> bool:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self.descriptor, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            loop.remove_reader(self.descriptor)
        try:
            piece = os.read(self.descriptor, 4096)
        except OSError:
            return False
        self._text += piece
        return bool(piece)
