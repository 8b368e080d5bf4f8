"""The line between the supervisor of a run and a console: JSON objects, one a line, over a local socket.

Nobody waits for anybody: what is sent is handed to the kernel or kept, and who does not read what is kept for him
is let go. Output never travels this way; both sides have the file.
"""

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.runbooks.record import SOCKET

LONGEST = 64 * 1024 * 1024
"""Bytes of one message: the text of the largest runbook is in one."""
_MOST_KEPT = 32 * 1024 * 1024
"""Bytes that wait for somebody who does not read them, before he is let go."""
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as the kernel says."""

    pid: int
    uid: int


class Link:
    """One end of the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, connected: socket.socket) -> "Link":
        """The line over a socket that is connected; the socket is its own from now on."""
        connected.setblocking(False)
        return cls(*await asyncio.open_unix_connection(sock=connected, limit=LONGEST))

    @property
    def peer(self) -> Peer:
        """Who is at the other end.

        Raises:
            OSError: the kernel does not say.
        """
        return peer_of(self._writer.get_extra_info("socket"))

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message; nothing where the line is down."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        if transport.get_write_buffer_size() > _MOST_KEPT:
            transport.abort()

    @property
    def behind(self) -> bool:
        """Whether the other end has something to read still; what can wait may be left out."""
        return self._writer.transport.get_write_buffer_size() > 0

    async def receive(self) -> dict[str, Any] | None:
        """The next message; None when there will be none: the other end is gone, or talks nonsense."""
        try:
            line = await self._reader.readline()
            message = json.loads(line) if line.endswith(b"\n") else None
        except (OSError, ValueError, RecursionError):
            return None
        return message if isinstance(message, dict) else None

    async def flush(self, seconds: float) -> None:
        """Give the other end up to `seconds` to take what was sent."""
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.drain(), seconds)

    async def close(self) -> None:
        """Hang up, after what was sent."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), 1.0)


def peer_of(connected: Any) -> Peer:
    """Who is at the other end of a local socket.

    Raises:
        OSError: the kernel does not say.
    """
    pid, uid, _ = _CREDENTIALS.unpack(
        connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size),
    )
    return Peer(pid, uid)


def listen(folder: Path) -> socket.socket:
    """A socket in `folder`, mode 0600, in the place of any that was left there.

    Raises:
        OSError: it cannot be made.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with _address(folder) as address:
            (folder / SOCKET).unlink(missing_ok=True)
            before = os.umask(0o177)
            try:
                listening.bind(address)
            finally:
                os.umask(before)
        listening.listen(16)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


async def connect(folder: Path) -> Link | None:
    """The line to the supervisor of the run in `folder`; None where none is there."""
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    connected.setblocking(False)
    try:
        with _address(folder) as address:
            await asyncio.get_running_loop().sock_connect(connected, address)
    except OSError:
        connected.close()
        return None
    return await Link.over(connected)


@contextmanager
def _address(folder: Path) -> Iterator[str]:
    """The socket's path, however deep the folder lies: an address has room for 107 bytes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        short = f"/proc/self/fd/{descriptor}"
        yield f"{short if Path(short).exists() else folder}/{SOCKET}"
    finally:
        os.close(descriptor)
