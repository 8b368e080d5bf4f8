"""Exit codes, a contract with scripts (docs/reference.md). `status` has its own, the monitoring plugins'."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's end means."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    """Wrong usage, or content that is not valid."""
    DECLINED = 3
    """The operator said no."""
    LOCKED = 4
    """Somebody else holds the lock."""
    UNAPPROVED = 5
    """An approval is missing or has expired."""
    UNKNOWN = 6
    """It was started; how it ended is not known."""
    GUARDED = 7
    """Refused by the guard: read-only, or the role."""
    TIMED_OUT = 124
