"""What frees space on the demo's simulated volume, as a platform's own script would:

`cleanup list|free MOUNTPOINT`

`list` says what would go, `free` deletes it. Exit codes: 0 done, 1 nothing to free, 2 no such volume or wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from opsconsole.core.paths import state_dir
from opsconsole.demo.history import VOLUME_BYTES
from opsconsole.demo.volume import FULL, USUAL

MOUNTPOINT = "/data"


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; gives the exit code."""
    parser = argparse.ArgumentParser(prog="cleanup", description="frees space on the demo's volume")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("action", choices=("list", "free"))
    parser.add_argument("mountpoint")
    options = parser.parse_args(argv)
    from opsconsole.demo.faults import active, heal
    from opsconsole.demo.platform import running

    platform = running(options.folder or state_dir() / "demo")
    if platform is None:
        return _complain("the demo is not running; start it with: opsconsole demo --headless", 1)
    if options.mountpoint != MOUNTPOINT:
        return _complain(f"no volume {options.mountpoint}; there is {MOUNTPOINT}", 2)
    if not any(fault.name == "disk-full" for fault in active(platform)):
        return _complain(f"nothing on {MOUNTPOINT} that may be deleted", 1)
    gigabytes = (USUAL - FULL) * VOLUME_BYTES / 1e9
    sys.stdout.write(f"{gigabytes:.0f} GB  {MOUNTPOINT}/landing/archive  loaded files older than 14 days\n")
    if options.action == "free":
        heal(platform, "disk-full")
        sys.stdout.write(f"deleted; {gigabytes:.0f} GB are free again\n")
    return 0


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"cleanup: {text}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
