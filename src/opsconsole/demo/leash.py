"""Tie a process's life to its parent's: when the supervisor is killed, even by SIGKILL, its children go too.

As a program: `python leash.py SIGNAL [UID:GID] -- PROGRAM ARGUMENTS...` becomes that program, leashed, and
first another user where one is named. Standard library only, and few of it: this runs before each server.
"""

import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tie_to_parent(number: int = signal.SIGTERM) -> None:
    """Ask the kernel to send this process `number` when its parent dies. Does nothing where that is unknown
    (it is Linux's).

    Changing the user afterwards would undo it; executing another program does not.
    """
    _tie(_prctl(), os.getppid(), number)


def _prctl() -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    call: Callable[..., int] = ctypes.CDLL(None).prctl
    return call


def _tie(prctl: Callable[..., int] | None, parent: int, number: int) -> None:
    if prctl is None:
        return
    prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it died before it could be tied to
        os.kill(os.getpid(), number)


def main(argv: list[str]) -> None:
    """Become the program after `--`."""
    parent, prctl = os.getppid(), _prctl()  # now: the other user may not be able to read Python's own files
    split = argv.index("--")
    options, command = argv[:split], argv[split + 1 :]
    number = signal.Signals[f"SIG{options[0]}"]
    if len(options) > 1:
        uid, _, gid = options[1].partition(":")
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
        os.chdir("/")  # the folder of the demo may be closed to that user
    _tie(prctl, parent, number)
    os.execv(command[0], command)  # noqa: S606 - becoming the program is the point


if __name__ == "__main__":
    main(sys.argv[1:])
