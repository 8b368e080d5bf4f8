"""A past made for tests: series as blocks of a real Prometheus."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from opsconsole.demo import binaries
from tests.servers import WebServer, start_prometheus

MINUTE = 60.0
NAN = float("nan")
"""No sample."""

Shape = Callable[[float], float]
"""Seconds since the beginning -> value."""


@contextmanager
def past_in_prometheus(
    series: Mapping[str, Shape], start: float, seconds: float, every: Callable[[str], float] = lambda name: MINUTE
) -> Iterator[WebServer]:
    """A Prometheus that scrapes nothing, and holds `series` (name with labels -> shape) from `start` on.

    Args:
        every: seconds between two samples, by name with labels.
    """
    with start_prometheus(
        config="global: {{scrape_interval: 1h}}", options=["--storage.tsdb.retention.time=90d"]
    ) as server:
        server.program.stop()
        text = server.folder / "past.om"
        with text.open("w", encoding="ascii") as file:
            for name, shape in series.items():
                apart = every(name)
                for step in range(int(seconds / apart) + 1):
                    value = shape(step * apart)
                    if value == value:
                        file.write(f"{name} {value:.10g} {start + step * apart:.0f}\n")
            file.write("# EOF\n")
        _import(text, server.folder / "data")
        server.program.start()
        yield server


def _import(text: Path, data: Path) -> None:
    # Without the flag, which is hidden, the input is read once for each two hours.
    options = ["--max-block-duration=720h", "-q"]
    command = ["tsdb", "create-blocks-from", "openmetrics", *options]
    argv = [str(binaries.find("promtool")), *command, str(text), str(data)]
    done = subprocess.run(argv, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
