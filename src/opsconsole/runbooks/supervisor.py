"""The process that carries a run: started by a console or a command, and outliving both.

`python -P -m opsconsole.runbooks.supervisor`, in a session of its own, its standard input a socket to whoever
started it, who sends what to carry as the first message. From then on the run takes the decisions of one operator,
its driver, and shows itself to everybody who connects to the socket in its folder. The process ends when the run is
over or was left, and when nobody came back for long enough: then the run stays as it is and can be resumed.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from opsconsole.actions.runners import process_group
from opsconsole.runbooks.answers import described
from opsconsole.runbooks.encoding import decode
from opsconsole.runbooks.leash import Leash
from opsconsole.runbooks.link import Link
from opsconsole.runbooks.order import Order, carry_out
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.service import RunService

LOG = "supervisor.log"
"""In the run's folder: what the supervisor has to say when something is wrong with itself."""


def main() -> int:
    """Carry one run. The exit code is 0 however the run ends; 1: it did not begin."""
    front = socket.socket(fileno=os.dup(0))
    _let_go_of_the_terminal()
    os.umask(0o077)
    leash = Leash.fork()
    process_group.watch(leash.tie)
    return asyncio.run(_serve(front))


async def _serve(front: socket.socket) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGINT):
        # a handler rather than "ignore", which the steps would inherit
        loop.add_signal_handler(number, lambda: None)
    link = await Link.over(front)
    gc.freeze()
    message = await link.receive()
    if message is None:
        return 0  # it was not needed
    try:
        order = decode(Order, message.get("order"))
        run = await asyncio.to_thread(carry_out, order)
    except Exception as error:  # whatever it is, the front has to hear of it
        link.send({"re": message.get("id"), "error": described(error)})
        await link.close()
        return 1
    with _log_of(run), _work_in(run):
        service = RunService(run, order)
        loop.add_signal_handler(signal.SIGTERM, service.stop)
        await service.serve(link, message.get("id"))
    return 0


def _let_go_of_the_terminal() -> None:
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


@contextmanager
def _log_of(run: Run) -> Iterator[None]:
    """Errors go to a file in the run's folder from now on; it is removed where there were none."""
    path = run.folder.path / LOG
    try:
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.dup2(log, 2)
        os.close(log)
    except OSError:
        os.dup2(1, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        with contextlib.suppress(OSError):
            if not path.stat().st_size:
                path.unlink()


@contextmanager
def _work_in(run: Run) -> Iterator[None]:
    """What steps write while they run is in the run's folder: whoever kills this process leaves nothing elsewhere."""
    tempfile.tempdir = str(run.folder.work_folder())
    try:
        yield
    finally:
        run.folder.clear_work()


if __name__ == "__main__":
    sys.exit(main())
