"""`python -m bench.programs.airflow_survey URL`: survey that Airflow ten times.

Prints the MiB that the first, and all ten, added to what the process had.
"""

import asyncio
import sys
from pathlib import Path

from opsconsole.config.settings import AirflowSettings, Environment
from opsconsole.pipelines.history import standings
from opsconsole.pipelines.opening import open_airflow
from opsconsole.sources.registry import Sources

_TURNS = 10


def most() -> float:
    """MiB that this program has had at most. `ru_maxrss` is no less than what the process had that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def main(url: str) -> None:
    """Survey, and print."""
    here = Environment("bench", Path("s"), Path("r"), airflow=AirflowSettings(url=url, timeout=60.0))
    sources = Sources(here)
    try:
        airflow = open_airflow(here, sources)
        await airflow.pools()  # connected, and everything imported
        before, after = most(), []
        for _ in range(_TURNS):
            told = await airflow.survey()
            assert len(standings(told.value, told.now)) == 5_000
            after.append(most() - before)
    finally:
        await sources.close()
    print(after[0], after[-1])


asyncio.run(main(sys.argv[1]))
