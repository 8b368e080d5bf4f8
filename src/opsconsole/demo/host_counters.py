"""What this machine's own counters stand at, so that a made-up past can lead up to them without a jump."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

CPU_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
"""The columns of a `cpuN` line of /proc/stat, as proc(5) and node-exporter name them."""


def cpu_seconds() -> dict[tuple[str, str], float]:
    """(cpu, mode) -> seconds since boot; empty where there is no /proc."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    ticks = os.sysconf("SC_CLK_TCK")
    return {
        (match[1], mode): int(value) / ticks
        for line in lines
        if (match := re.match(r"cpu(\d+) (.*)", line))
        for mode, value in zip(CPU_MODES, match[2].split(), strict=False)
    }


def network_bytes(device: str) -> tuple[float, float]:
    """Bytes that `device` has received and transmitted; zeros where that is not known."""
    try:
        lines = Path("/proc/net/dev").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0, 0.0
    for line in lines:
        name, _, numbers = line.partition(":")
        if name.strip() == device:
            fields = numbers.split()
            return float(fields[0]), float(fields[8])
    return 0.0, 0.0


def leading_to(end: float | None, values: Sequence[float]) -> list[float]:
    """`values` moved so that the last is `end`: the same increases, and no reset where the real counter goes on.
    The first may be negative, which a rate does not mind. Where no end is known they stay as they are."""
    shift = end - values[-1] if values and end is not None else 0.0
    return [value + shift for value in values]
