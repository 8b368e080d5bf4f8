"""A terminal for one interactive step: the program has one end of it, whoever sits at the real one the other.

The real terminal is elsewhere, and may be gone any moment; the program never sees it. What is typed comes in here, and
what the program prints goes the way of every output: masked, recorded, and shown.
"""

import asyncio
import contextlib
import fcntl
import os
import struct
import sys
import termios

MOST_TYPED = 64 * 1024
"""Bytes that wait for a program that does not read; what is typed beyond is dropped, as a real terminal does."""
_IN_CONTROL = (
    "import _signal,fcntl,os,sys,termios\n"
    # Whoever started us in the background has these ignored, and no program could catch them again.
    "for one in (_signal.SIGINT,_signal.SIGQUIT,_signal.SIGTSTP): _signal.signal(one,_signal.SIG_DFL)\n"
    "fcntl.ioctl(0,termios.TIOCSCTTY,0)\n"
    "try: os.execvp(sys.argv[1],sys.argv[1:])\n"
    "except OSError as error: sys.exit(f'{sys.argv[1]}: {error.strerror}')"
)


def in_control(command: list[str]) -> list[str]:
    """`command` with the terminal at its stdin as the controlling one of its session: for Ctrl-C, and `/dev/tty`.

    A program of its own does that between fork and exec: a function there could deadlock, for we have threads.
    """
    return [sys.executable, "-I", "-S", "-c", _IN_CONTROL, *command]


class Terminal:
    """Our end of one pseudo-terminal."""

    def __init__(self, rows: int, columns: int) -> None:
        self._size = (rows, columns)
        self._master = -1
        self._typed = bytearray()

    def open(self) -> tuple[int, int]:
        """A new pair of ends: to read from, and for the program. Whoever asks closes them.

        Raises:
            OSError: the system has none left.
        """
        self.close()
        reader, program = os.openpty()
        self._master = os.dup(reader)
        os.set_blocking(self._master, False)
        self.resize(*self._size)
        self._pass_on()
        return reader, program

    def type(self, data: bytes) -> None:
        """Pass on what was typed; before the program has started, it waits."""
        self._typed += data[: MOST_TYPED - len(self._typed)]
        self._pass_on()

    def resize(self, rows: int, columns: int) -> None:
        """The real terminal has another size."""
        self._size = (rows, columns)
        if self._master >= 0:
            size = struct.pack("HHHH", *(max(1, min(one, 10_000)) for one in self._size), 0, 0)
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Nothing more will be typed."""
        if self._master >= 0:
            asyncio.get_running_loop().remove_writer(self._master)
            os.close(self._master)
            self._master = -1
            self._typed.clear()

    def _pass_on(self) -> None:
        if self._master < 0:
            return
        loop = asyncio.get_running_loop()
        try:
            del self._typed[: os.write(self._master, self._typed) if self._typed else 0]
        except BlockingIOError:
            pass
        except OSError:  # the program has closed its end
            self._typed.clear()
        if self._typed:
            loop.add_writer(self._master, self._pass_on)
        else:
            loop.remove_writer(self._master)
