"""What deploys a version of a service of the demo:

`deploy status SERVICE`, `deploy release SERVICE VERSION [INSTANCE]`,
`deploy stage SERVICE VERSION`, `deploy switch SERVICE`

`release` puts a version on all instances, or on one, and restarts them. `stage` brings a version up beside the live
one, `switch` exchanges the two. A version with `bad` in its name makes the service answer with errors, until another
is released. Exit codes: 0 done, 1 failed, 2 no such service or wrong usage.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opsconsole.core.paths import state_dir
from opsconsole.demo.catalogue import Instance, select
from opsconsole.demo.faults import FAULTS, break_, heal
from opsconsole.demo.files import write_private
from opsconsole.demo.platform import Platform, running
from opsconsole.demo.supervision import SupervisorError

FIRST = "1.0.0"
"""The version that everything has when the demo starts."""
_COMING_UP = 60.0
"""Seconds within which what is released is up, or its start has failed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; gives the exit code."""
    parser = argparse.ArgumentParser(prog="deploy", description="deploys versions of the demo's services")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("action", choices=("status", "release", "stage", "switch"))
    parser.add_argument("service")
    parser.add_argument("version", nargs="?", default="")
    parser.add_argument("instance", nargs="?", default="")
    options = parser.parse_args(argv)
    platform = running(options.folder or state_dir() / "demo")
    if platform is None:
        return _complain("the demo is not running; start it with: opsconsole demo --headless", 1)
    if options.action in ("release", "stage") and not options.version:
        return _complain(f"{options.action} which version?", 2)
    try:
        every = select(options.service)
        chosen = select(f"{options.service}/{options.instance}") if options.instance else every
    except KeyError as error:
        return _complain(f"no service {error.args[0]!r}", 2)
    versions = _Versions(platform, options.service, every)
    try:
        _act(options.action, options.version, chosen, versions, platform)
    except (SupervisorError, ValueError) as error:
        return _complain(str(error), 1)
    sys.stdout.write(versions.text())
    return 0


class _Versions:
    """Which version each instance of a service has, and which is staged beside them; a file in the demo's folder."""

    def __init__(self, platform: Platform, service: str, every: Sequence[Instance]) -> None:
        self.file = platform.folders.root / f"deployed-{service}.json"
        self.service = service
        try:
            told: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            told = {}
        self.live: dict[str, str] = {one.name: FIRST for one in every} | told.get("live", {})
        self.staged: str = told.get("staged", "")

    @property
    def bad(self) -> bool:
        """Whether an instance has a version that answers with errors."""
        return any("bad" in version for version in self.live.values())

    def save(self) -> None:
        write_private(self.file, json.dumps({"live": self.live, "staged": self.staged}))

    def text(self) -> str:
        lines = [f"{self.service} {name} {version} live\n" for name, version in self.live.items()]
        return "".join([*lines, f"{self.service} - {self.staged} staged\n" if self.staged else ""])


def _act(action: str, version: str, chosen: Sequence[Instance], versions: _Versions, platform: Platform) -> None:
    if action == "status":
        return
    if action == "stage":
        versions.staged = version
    elif action == "switch" and not versions.staged:
        raise ValueError(f"nothing is staged for {versions.service}")
    elif action == "switch":
        version, versions.staged = versions.staged, next(iter(versions.live.values()))
        _release(version, chosen, versions, platform)
    else:
        _release(version, chosen, versions, platform)
    versions.save()


def _release(version: str, chosen: Sequence[Instance], versions: _Versions, platform: Platform) -> None:
    failing = versions.service in FAULTS["high-errors"].targets
    before, since = versions.bad, time.time() + _COMING_UP
    if failing and "bad" in version:  # from its first answer on: nobody may take it for a good one
        break_(platform, "high-errors", versions.service, since=since)
    for one in chosen:
        platform.supervisor.stop(one.unit)
        platform.supervisor.start(one.unit)
        versions.live[one.name] = version
    if failing and versions.bad:  # of the processes that run now
        break_(platform, "high-errors", versions.service, since=since)
    elif before:
        heal(platform, "high-errors")


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"deploy: {text}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
