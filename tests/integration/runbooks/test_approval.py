"""Approval by a second person, through the command line, by real users: who requests and who approves are processes of
different users, and an approval of one version counts for no other."""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from opsconsole.core.exit_codes import Exit
from tests.servers import scratch

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as several users")

CONFIG = "version: 1\nenvironments: {test: {screens: ., runbooks: ., approvals: {folder: approvals, expire: 5m}}}\n"
BOOK = """\
---
runbook: 1
id: fix
params: {NAME: {default: db}}
---
```sh {"name":"look","risk":"read","timeout":"20s"}
true
```
```sh {"name":"repair","risk":"write","confirm":"approve:1","timeout":"9s","verify":"look","excludeFromRunAll":"true"%s}
echo "repairing $NAME" >> mark
```
"""


class Site:
    """A configuration that two users share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requester, self.other = (
            entry for entry in sorted(pwd.getpwall(), key=lambda one: one.pw_uid) if entry.pw_uid in _two_users()
        )
        (folder / "opsconsole.yaml").write_text(CONFIG)
        (folder / "approvals").mkdir()
        (folder / "approvals").chmod(0o1777)
        self.write()

    def write(self, more: str = "") -> None:
        (self.folder / "fix.md").write_text(BOOK % more)

    def run(self, user: Any, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        state = self.folder / f"state-{user.pw_uid}"
        if not state.exists():
            state.mkdir(mode=0o700)
            os.chown(state, user.pw_uid, user.pw_gid)
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(state),
            "OPSCONSOLE_CONFIG": str(self.folder / "opsconsole.yaml"),
            "OPSCONSOLE_STATE": str(state),
            **_PATHS,
            **more,
        }
        return subprocess.run(
            [_python(), "-m", "opsconsole.cli.main", "runbook", *arguments],
            user=user.pw_uid, group=user.pw_gid, extra_groups=[], env=env, cwd=self.folder,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def waiting(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run(self.other, "approvals", "--format", "json").stdout)
        return found


_PATHS = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@cache
def _python() -> str:
    """A Python that others may start: this one may live where only its owner gets."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        try:
            subprocess.run(
                [candidate, "-c", "import opsconsole.cli.main, yaml, sqlite3, markdown_it"],
                user=_two_users()[0], extra_groups=[], env=_PATHS, check=True, capture_output=True, cwd="/",
            )  # fmt: skip
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    pytest.skip("no Python here that another user can start")


def _two_users() -> list[int]:
    return sorted(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0)[:2]


@pytest.fixture
def site() -> Iterator[Site]:
    with scratch("approval") as folder:
        folder.chmod(0o777)  # the step writes beside its runbook
        yield Site(folder)


GO = ("run", "fix", "--auto", "--yes")


def test_two_people(site: Site) -> None:
    refused = site.run(site.requester, *GO)
    assert refused.returncode == Exit.UNAPPROVED, refused.stderr
    assert "opsconsole runbook approve fix repair" in refused.stderr
    (request,) = site.waiting()
    assert (request["step"], request["requested_by"], request["approved_by"]) == ("repair", site.requester.pw_name, [])
    assert "repairing $NAME" in request["command"]

    own = site.run(site.requester, "approve", "fix", "repair", "--yes")
    assert own.returncode == Exit.UNAPPROVED
    assert "requested himself" in own.stderr
    by_sudo = site.run(site.other, "approve", "fix", "repair", "--yes", SUDO_UID=str(site.requester.pw_uid))
    assert by_sudo.returncode == Exit.UNAPPROVED
    assert "by sudo or su" in by_sudo.stderr
    assert site.run(site.requester, *GO).returncode == Exit.UNAPPROVED
    assert not (site.folder / "mark").exists()

    approved = site.run(site.other, "approve", "fix", "repair", "--yes")
    assert approved.returncode == Exit.DONE, approved.stderr
    assert "repairing $NAME" in approved.stdout
    done = site.run(site.requester, *GO)
    assert done.returncode == Exit.DONE, done.stderr
    assert (site.folder / "mark").read_text() == "repairing db\n"


def test_an_approval_of_one_version_or_value_counts_for_no_other(site: Site) -> None:
    site.run(site.requester, *GO)
    assert site.run(site.other, "approve", "fix", "repair", "--yes").returncode == Exit.DONE
    assert site.run(site.requester, *GO, "--param", "NAME=other").returncode == Exit.UNAPPROVED
    site.write(',"retryDelay":"1s"')
    assert site.run(site.requester, *GO).returncode == Exit.UNAPPROVED
    assert not (site.folder / "mark").exists()
    site.write()
    assert site.run(site.requester, *GO).returncode == Exit.DONE


def test_what_is_refused_is_recorded(site: Site) -> None:
    site.run(site.requester, *GO)
    site.run(site.requester, "approve", "fix", "repair", "--yes")
    listed = subprocess.run(
        [_python(), "-m", "opsconsole.cli.main", "audit", "list", "--format", "json"],
        env={**os.environ, **_PATHS, "OPSCONSOLE_CONFIG": str(site.folder / "opsconsole.yaml"),
             "OPSCONSOLE_STATE": str(site.folder / f"state-{site.requester.pw_uid}")},
        user=site.requester.pw_uid, group=site.requester.pw_gid, extra_groups=[],
        capture_output=True, text=True, cwd=site.folder, check=True,
    )  # fmt: skip
    entry = next(one for one in json.loads(listed.stdout) if one["action"] == "runbook.approve")
    assert (entry["outcome"], entry["target"]) == ("refused", "fix/repair")


def test_without_a_request_there_is_nothing_to_approve(site: Site) -> None:
    assert site.waiting() == []
    assert site.run(site.other, "approve", "fix", "repair", "--yes").returncode == Exit.USAGE
