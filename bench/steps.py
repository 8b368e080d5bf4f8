"""Steps of a run, measured without a screen: what the supervisor and the journal add to a process."""

import asyncio
import subprocess
import time
from pathlib import Path

from bench.measure import median
from opsconsole.actions.confirmation import Confirmation
from opsconsole.actions.guard import Context
from opsconsole.config.settings import Environment, Mode
from opsconsole.core.secret import Secret
from opsconsole.runbooks.library import Library, load_runbook
from opsconsole.runbooks.lint import lint
from opsconsole.runbooks.order import Order
from opsconsole.runbooks.starting import Supervision, packed

HEAD = "---\nrunbook: 1\nid: steps\ntitle: Steps\n---\n"


def step(name: str, body: str, *, timeout: str = "60s") -> str:
    """A block that reads."""
    return f'```sh {{"name":"{name}","risk":"read","timeout":"{timeout}"}}\n{body}\n```\n'


def bare_times(folder: Path, count: int) -> list[float]:
    """Seconds that the same script takes without any of it: started as a step is, and waited for."""
    script = folder / "script"
    script.write_text("true\n")
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        subprocess.run(
            ["sh", "-e", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True, check=True
        )
        times.append(time.perf_counter() - begin)
    return times


def step_times(folder: Path, count: int) -> list[float]:
    """Seconds from asking for a step, `true`, to its recorded end, as a front sees it."""
    path = folder / "steps.md"
    path.write_text(HEAD + "".join(step(f"s{number}", "true") for number in range(count)))
    return asyncio.run(_walked(path))


async def _walked(path: Path) -> list[float]:
    environment = Environment("bench", path.parent, path.parent, mode=Mode.OPEN)
    book = load_runbook(path)
    name, source = packed(book)
    order = Order(environment, Context.current(environment), Secret("sqlite"), path=name, source=source)
    run = await Supervision.prepare().begin(order, book)
    times = []
    while (current := run.current) is not None:
        begin = time.perf_counter()
        await run.execute(current, Confirmation.none(), lambda _piece: None)
        times.append(time.perf_counter() - begin)
    await run.finish()
    await run.close()
    return times


def overhead(folder: Path, count: int = 60) -> tuple[float, float]:
    """(median of a step, median of the bare process), milliseconds; in turn, so that a busy machine slows both."""
    steps, bare = [], []
    for turn in range(3):
        place = folder / str(turn)
        place.mkdir()
        bare += bare_times(place, count // 3)
        steps += step_times(place, count // 3)
    return median(steps) * 1000, median(bare) * 1000


def reading_time(files: list[Path]) -> float:
    """Milliseconds that a file takes on average to be read, parsed and checked."""
    libraries = {folder: Library(folder) for folder in {path.parent for path in files}}
    lint(load_runbook(files[0]))  # what is imported once is no cost of a file
    begin = time.perf_counter()
    for path in files:
        lint(load_runbook(path), find=libraries[path.parent].get)
    return (time.perf_counter() - begin) * 1000 / len(files)
