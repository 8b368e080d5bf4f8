"""Which version of a runbook is being used: the hash of its bytes, and the Git commit around it."""

import hashlib
import os
import subprocess
from pathlib import Path

from opsconsole.runbooks.model import Provenance

_LIMIT = 2.0
"""Seconds. A work tree on a dead network mount must not keep a runbook from starting."""


def provenance_of(path: Path, content: bytes) -> Provenance:
    """The version that `content`, read from `path`, is. Without Git, or outside of a work tree, only the hash.

    `dirty` means that the bytes are not those of the commit: changed, or never added.
    """
    digest = hashlib.sha256(content).hexdigest()
    place = path.resolve()
    said = _git(place.parent, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not said:
        return Provenance(digest)
    blob = _git(place.parent, "rev-parse", "--verify", "--quiet", f"HEAD:./{place.name}")
    algorithm = hashlib.sha256 if len(said) == 64 else hashlib.sha1
    committed = algorithm(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return Provenance(digest, said, dirty=blob != committed)


def _git(folder: Path, *arguments: str) -> str:
    """What `git` says in `folder`; nothing where it fails, is not there, or takes too long."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-C", os.fspath(folder), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT,
            check=False,
            env={**surroundings, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("ascii", "replace").strip() if done.returncode == 0 else ""
