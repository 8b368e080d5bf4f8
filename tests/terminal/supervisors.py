"""Supervisors of runs that a test began: finding them, and seeing to it that none is left."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from opsconsole.runbooks.history import list_runs, read_journal
from opsconsole.runbooks.record import process_start


def supervisor_of(folder: Path) -> int | None:
    """The process that carries the run in `folder`; None where none does any more."""
    header = json.loads((folder / "run.json").read_bytes())
    taken_up = [header, *(one for one in read_journal(folder).records if one["ev"] == "resume")][-1]
    return int(taken_up["pid"]) if process_start(int(taken_up["pid"])) == taken_up["pid_start"] else None


@contextmanager
def ended_supervisors(state: Path) -> Iterator[None]:
    """Ends those of runs in the state folder `state` that are left at the end, with what they run."""
    try:
        yield
    finally:
        for run in list_runs(state / "runs") if (state / "runs").exists() else []:
            pid = supervisor_of(run.path)
            if pid is not None and pid != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)  # what watches over it ends what it runs


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something that another process does, and that no event tells here.

    Raises:
        AssertionError: it did not happen.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
