"""Ports that nobody uses, and that nobody will be given while a service is being restarted."""

import random
import socket
from pathlib import Path

_LOWEST, _USUAL = 15_000, 32_768
"""Below the range from which the kernel takes the local ends of connections; 32768 is Linux's default for it."""
_ATTEMPTS = 200


def free_ports(count: int) -> list[int]:
    """`count` neighbouring free ports of 127.0.0.1, below the ephemeral range: a client's connection must not
    happen to sit on the port of a service that is down for a moment.

    Raises:
        OSError: there are none.
    """
    highest = max(_LOWEST + 10 * count, min(_ephemeral(), _USUAL)) - count
    for _ in range(_ATTEMPTS):
        first = random.randrange(_LOWEST, highest)
        wanted = range(first, first + count)
        if all(map(_is_free, wanted)):
            return list(wanted)
    raise OSError(f"no {count} free ports between {_LOWEST} and {highest}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one just let go of will do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _ephemeral() -> int:
    """The first port of the kernel's range."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL
