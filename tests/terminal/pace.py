"""How fast the machine is just now: whoever holds the console to seconds holds it to those of this machine."""

import time

from bench.terminal import Terminal

QUICK = 0.15
"""Seconds that opening the help and closing it again takes at most where the machine has nothing else to do."""


def slowness(terminal: Terminal) -> float:
    """How many times more than `QUICK` that takes now, at least 1; to be measured while all is well."""
    began = time.monotonic()
    terminal.press("?")
    terminal.wait_for("› Keys: ")
    terminal.press("esc")
    terminal.wait_gone("› Keys: ")
    return max(1.0, (time.monotonic() - began) / QUICK)
