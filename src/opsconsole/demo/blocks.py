"""The history as blocks of Prometheus' database, made by promtool; the old part is kept for the next start."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from opsconsole.core.paths import cache_dir
from opsconsole.demo import catalogue, history


class HistoryError(Exception):
    """promtool did not make the blocks; carries what it said."""


class BlockMaking:
    """Making the history in the background, in two processes for two cores."""

    def __init__(self, promtool: Path, present: frozenset[str], folder: Path) -> None:
        """Begin. `present` names the services that the platform has; blocks and logs go into `folder`."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        shared = [str(promtool), f"{time.time():.0f}", str(folder), ",".join(sorted(present))]
        self._workers = [self._begin(parts, shared) for parts in ("0", "1,2")]

    def install(self, data: Path) -> None:
        """Wait for the blocks, and move them to where Prometheus keeps its own.

        Raises:
            HistoryError: they could not be made.
        """
        for worker in self._workers:
            if worker.wait(timeout=120) != 0:
                logs = self._folder.glob("*.log")
                raise HistoryError("the history: " + " ".join(log.read_text(errors="replace").strip() for log in logs))
        for block in self._folder.glob("part-*/*"):
            block.rename(data / block.name)
        shutil.rmtree(self._folder)

    def abandon(self) -> None:
        """End what is still at work."""
        for worker in self._workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()

    def _begin(self, parts: str, shared: list[str]) -> subprocess.Popen[bytes]:
        with (self._folder / f"{parts}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "opsconsole.demo.blocks", parts, *shared],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self._folder,
            )


def make_part(part: int, promtool: Path, now: float, folder: Path, present: frozenset[str]) -> None:
    """Put the blocks of one part of the history (an index into `history.moments`) into `folder/part-N`.

    Raises:
        HistoryError: promtool refused.
    """
    place = folder / f"part-{part}"
    kept = _kept(now, present) / place.name
    times = history.moments(now)
    is_recent = part == len(times) - 1
    if not is_recent and kept.is_dir():
        shutil.copytree(kept, place)
        return
    text = history.text(history.anchor(now), times[part], present, seed=part)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        source, made = Path(scratch) / "history.om", Path(scratch) / "blocks"
        with source.open("w", encoding="ascii") as handle:
            handle.writelines(text)
        _run_promtool(promtool, source, made)
        made.rename(place)
    if not is_recent:
        _keep(place, kept)


def _run_promtool(promtool: Path, source: Path, folder: Path) -> None:
    folder.mkdir()
    # The flag is hidden in promtool's help; without it the input is read once for each two hours: a minute.
    arguments: list[str | Path] = [
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "--max-block-duration=720h",
        "-q",
        source,
        folder,
    ]
    done = subprocess.run(
        [promtool, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={**os.environ, "GOGC": "400"},  # it lives for seconds; collecting garbage is a quarter of them
    )
    if done.returncode != 0:
        raise HistoryError(f"promtool: {done.stderr.decode(errors='replace').strip()}")


def _kept(now: float, present: frozenset[str]) -> Path:
    """The folder for the old part of this history; another program, machine or six hours is another history."""
    sources = b"".join(Path(str(module.__file__)).read_bytes() for module in (history, catalogue))
    machine = f"{os.cpu_count()} {os.sysconf('SC_PHYS_PAGES')} {sorted(present)}".encode()
    name = hashlib.sha256(sources + machine).hexdigest()[:12]
    return cache_dir() / "history" / f"{history.anchor(now):.0f}-{name}"


def _keep(place: Path, kept: Path) -> None:
    """Copy a part into the cache as `kept`, and drop the histories that no start will ask for any more."""
    mine = kept.parent
    mine.mkdir(parents=True, exist_ok=True)
    for other in mine.parent.iterdir():
        if other.name.partition("-")[0] < mine.name.partition("-")[0]:
            shutil.rmtree(other, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=mine) as scratch:
        copy = Path(scratch) / "copy"
        shutil.copytree(place, copy)
        with contextlib.suppress(OSError):  # another start was faster
            copy.rename(kept)


def main(argv: Sequence[str]) -> int:
    """`PARTS PROMTOOL NOW FOLDER SERVICES`: a process of its own."""
    parts, promtool, now, folder, services = argv
    try:
        for part in parts.split(","):
            make_part(int(part), Path(promtool), float(now), Path(folder), frozenset(services.split(",")))
    except HistoryError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
