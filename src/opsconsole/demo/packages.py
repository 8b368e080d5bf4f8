"""Programs unpacked from Debian packages into the user's cache: no root, no daemon started, nothing installed."""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from opsconsole.core.paths import cache_dir

Narrate = Callable[[str], None]
"""Takes one line for the person who waits."""


class FetchError(Exception):
    """The packages could not be had; says why, in words for the operator."""


def available() -> bool:
    """Whether this machine can fetch and unpack Debian packages at all."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None


@contextmanager
def exclusive(name: str) -> Iterator[Path]:
    """Hold the cache's lock for `name`, so that two demos started at once download once; gives the folder
    in which things are unpacked."""
    folder = cache_dir() / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder


def unpack(
    name: str,
    packages: Sequence[str],
    narrate: Narrate,
    *,
    skip: str = r"(?!)",
    finish: Callable[[Path], None] = lambda root: None,
) -> Path:
    """Unpack `packages`, and the libraries they need that this machine lacks, into the cache as `name`.

    A package name may be a pattern over what apt would install for the first one (`postgresql-[0-9]+`).
    Libraries that match `skip` are left out; `finish` may work on the unpacked folder. Done once: an unpacked
    folder is complete, for it is put in its place by one rename.

    Returns:
        The folder that stands for `/`.

    Raises:
        FetchError: no package lists, no network, no such package.
    """
    with exclusive(name) as folder:
        place = folder / name
        if place.is_dir():
            return place
        wanted = _closure(packages, skip, narrate)
        narrate(f"fetching {' '.join(wanted)} into {place}")
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}-") as scratch:
            downloads, root = Path(scratch) / "deb", Path(scratch) / "root"
            downloads.mkdir()
            root.mkdir()
            _apt("download", *wanted, cwd=downloads)
            for archive in sorted(downloads.glob("*.deb")):
                _run(["dpkg-deb", "-x", str(archive), str(root)])
            finish(root)
            root.chmod(0o755)
            root.rename(place)
        return place


def library_folders(root: Path) -> list[Path]:
    """The folders under `root`, relative to it, with the libraries that came along with a program."""
    found = {
        path.parent for pattern in ("usr/lib/*-linux-*", "lib/*-linux-*") for path in root.glob(f"{pattern}/*.so*")
    }
    return sorted(folder.relative_to(root) for folder in found)


def launcher(root: Path, program: Path, folder: str = "") -> Path:
    """A script `bin/NAME` under `root` that runs `program` of the same tree, with the libraries unpacked there,
    in the working directory `folder` where one is named (arguments must then be absolute paths).

    The tree can be moved: the script finds the rest by its own place.
    """
    script = root / "bin" / program.name
    if script.exists():
        return script
    lines = ["#!/bin/sh", 'root="${0%/*}/.."']
    if libraries := ":".join(f"$root/{one}" for one in library_folders(root)):
        lines += [f'LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"', "export LD_LIBRARY_PATH"]
    if folder:
        lines.append(f'cd "$root/{folder}" && root="$PWD{"/.." * len(Path(folder).parts)}"')
    lines.append(f'exec "$root/{program.relative_to(root)}" "$@"')
    script.parent.mkdir(exist_ok=True)
    scratch = script.with_name(f".{script.name}-{os.getpid()}")
    scratch.write_text("\n".join(lines) + "\n", encoding="utf-8")
    scratch.chmod(0o755)
    scratch.rename(script)
    return script


def relocate(program: Path, built_in: str) -> None:
    """Make a program look for its files in its working directory instead of the folder `built_in`.

    Some of Debian's Go programs carry an absolute folder that no option changes. It is replaced by a relative
    one of the same length: `./././…`.
    """
    relative = "./" * (len(built_in) // 2) + "/" * (len(built_in) % 2)
    program.write_bytes(program.read_bytes().replace(built_in.encode(), relative.encode()))


def _closure(packages: Sequence[str], skip: str, narrate: Narrate) -> list[str]:
    """The packages themselves and the libraries that apt would install with them."""
    first = packages[0]
    try:
        plan = _apt("--simulate", "--no-install-recommends", "--reinstall", "install", first)
    except FetchError:
        if os.geteuid() != 0:
            raise FetchError(
                f"apt knows no package {first!r}; if its lists are missing, run: sudo apt-get update"
            ) from None
        narrate("apt-get update")
        _apt("update")
        plan = _apt("--simulate", "--no-install-recommends", "--reinstall", "install", first)
    planned = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    libraries = [one for one in planned if re.fullmatch(r"lib(?!js-).*(?<!-dev)", one) and not re.match(skip, one)]
    named: list[str] = []
    for pattern in packages:
        is_name = re.fullmatch(r"[a-z0-9.+-]+", pattern) is not None
        matching = [pattern] if is_name else [one for one in planned if re.fullmatch(pattern, one)]
        if not matching:  # an incomplete folder in the cache would be taken for a complete one
            raise FetchError(f"apt would install nothing like {pattern!r} for {first!r}")
        named += matching
    return list(dict.fromkeys([*named, *libraries]))


def _apt(*arguments: str, cwd: Path | None = None) -> str:
    # No lock: nothing of the system is changed. No sandbox user: it could not write to the user's cache.
    options = ["-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root", "-q"]
    return _run(["apt-get", *options, *arguments], cwd=cwd)


def _run(argv: Sequence[str], cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            argv,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=600,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(str(error)) from error
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise FetchError(f"{argv[0]} failed: {' / '.join(reason)}")
    return done.stdout
