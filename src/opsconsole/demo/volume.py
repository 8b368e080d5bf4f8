"""The simulated volume /data, as node-exporter's text file."""

from pathlib import Path

from opsconsole.demo.history import VOLUME_BYTES

_HELP = {  # node-exporter refuses a text file that says it otherwise than itself
    "size": "Filesystem size in bytes.",
    "free": "Filesystem free space in bytes.",
    "avail": "Filesystem space available to non-root users in bytes.",
}
_LABELS = '{device="/dev/mapper/data",fstype="ext4",mountpoint="/data"}'
USUAL = 0.39
"""The part that is free."""
FULL = 0.03
"""The part that is free while `disk-full` is active."""


def write_volume(folder: Path, free: float) -> None:
    """Say in `folder` that the part `free` of the volume is free; in one step, for it may be read at any time."""
    lines = []
    for name, part in (("size", 1.0), ("free", free), ("avail", free)):
        metric = f"node_filesystem_{name}_bytes"
        lines += [
            f"# HELP {metric} {_HELP[name]}",
            f"# TYPE {metric} gauge",
            f"{metric}{_LABELS} {part * VOLUME_BYTES:.0f}",
        ]
    scratch = folder / "data.prom.new"
    scratch.write_text("\n".join(lines) + "\n", encoding="utf-8")
    scratch.replace(folder / "data.prom")
