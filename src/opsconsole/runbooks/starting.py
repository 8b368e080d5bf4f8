"""Starting a supervisor, ahead of time where one can: it has loaded everything by the time that it is needed."""

import asyncio
import base64
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from opsconsole.runbooks.client import RunClient, SupervisorLostError
from opsconsole.runbooks.encoding import encode
from opsconsole.runbooks.includes import expand
from opsconsole.runbooks.link import Link
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.order import Order

_MODULE = "opsconsole.runbooks.supervisor"


class Supervision:
    """A supervisor process that waits for its order."""

    def __init__(self, process: "subprocess.Popen[bytes]", front: socket.socket, complaints: IO[bytes]) -> None:
        """For `prepare`; use that."""
        self._process = process
        self._front: socket.socket | None = front
        self._complaints = complaints

    @classmethod
    def prepare(cls) -> "Supervision":
        """Start one: a session of its own, no terminal, nothing of ours but the environment and this line.

        Raises:
            OSError: it cannot be started.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - kept until it has begun, or has said why it did not
        try:
            process = subprocess.Popen(
                # -P: what lies in the folder we happen to stand in is no module
                [sys.executable, "-P", "-m", _MODULE],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            complaints.close()
            raise
        finally:
            theirs.close()
        return cls(process, ours, complaints)

    @property
    def usable(self) -> bool:
        """Whether it waits still."""
        return self._front is not None and self._process.poll() is None

    async def begin(self, order: Order, runbook: Runbook) -> RunClient:
        """Have it carry a run, and drive that.

        Raises:
            ContentError, ValueError, LockHeldError, SecretError, JournalError, OSError: as `Run.create` and `resume`.
            SupervisorLostError: it did not begin; the message has what it said.
        """
        assert self._front is not None
        link, self._front = await Link.over(self._front), None
        client = RunClient(link, expand(runbook))
        try:
            client.welcome(await client.ask("open", order=encode(order)))
        except SupervisorLostError:
            await client.close()
            raise SupervisorLostError(f"the run's supervisor did not start: {self._last_words()}") from None
        except BaseException:
            await client.close()
            raise
        finally:
            self._complaints.close()
            # whoever started a process has to take note of its end, whenever that is
            threading.Thread(target=self._process.wait, name="supervisor-end", daemon=True).start()
        return client

    def dismiss(self) -> None:
        """It is not needed."""
        if self._front is not None:
            self._front.close()
            self._front = None
            self._complaints.close()

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2.0)
        self._complaints.seek(0)
        lines = self._complaints.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}"


def packed(runbook: Runbook) -> tuple[str, str]:
    """A runbook's path and bytes, for an order."""
    return os.fspath(Path(runbook.path).absolute()), base64.b64encode(runbook.source).decode("ascii")


async def carried_here(order: Order) -> RunClient:
    """A run that this process carries itself, behind the same line: for tests, and where no process can be started."""
    from opsconsole.runbooks.order import carry_out
    from opsconsole.runbooks.service import RunService

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    run = await asyncio.to_thread(carry_out, order)
    client = RunClient(await Link.over(ours), run.runbook)
    service = RunService(run, order)
    _serving.add(task := asyncio.ensure_future(service.serve(await Link.over(theirs), 1)))
    task.add_done_callback(_serving.discard)
    client.welcome(await client.ask("open"))
    return client


_serving: set["asyncio.Task[None]"] = set()
