"""Logs of tasks from the folder that workers write them to, where that is mounted here.

For what Airflow 3 makes its readers wait for: it parses and copies all of a log before it sends the first byte of it
(`LogStreamAccumulator` counts its lines first), at a cost of 0.3 s of CPU for each MB, whatever is asked of it: either
media type, with or without a token, the whole or what is new.
"""

import asyncio
import codecs
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from opsconsole.core.reading import SourceError
from opsconsole.pipelines import log_wire
from opsconsole.pipelines.model import FINISHED, Task
from opsconsole.sources.airflow.client import lines_of

LARGE = 4 * 1024 * 1024
"""Bytes from which a log is read here, and not asked for: Airflow would take more than a second."""
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogFile:
    """The log of a try, in a file."""

    path: Path
    size: int
    """Bytes."""
    goes_on: bool
    """It is still written to: what stands after its last line is not a line yet."""

    async def raw_log(self, task: Task, number: int) -> AsyncIterator[str]:
        """Its lines, after three that say where they are from, as Airflow's own answer begins. It is that of try
        `number` of `task`.

        Raises:
            SourceError: it cannot be read, or not any more.
        """
        for event in ("::group::Log message source details", str(self.path), "::endgroup::"):
            yield json.dumps({"event": event})
        async for line in lines_of(self._chunks()):
            for one in log_wire.unfolded(line):
                yield one

    read_line = staticmethod(log_wire.structured_line)

    async def _chunks(self) -> AsyncIterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            file = await asyncio.to_thread(self.path.open, "rb")
        except OSError as error:
            raise self._unreadable(error) from error
        rest = b""
        try:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                whole, found, after = (rest + chunk).rpartition(b"\n")
                rest = after
                yield decoder.decode(whole + found)
                if len(rest) > _CHUNK:  # a line without an end is no reason to hold all of it
                    yield decoder.decode(rest)
                    rest = b""
            if not self.goes_on:
                yield decoder.decode(rest, final=True)
        except OSError as error:
            raise self._unreadable(error) from error
        finally:
            file.close()

    def _unreadable(self, error: OSError) -> SourceError:
        return SourceError("airflow", "unreachable", f"{self.path} cannot be read: {error.strerror or error}")


class LogFolder:
    """`base_log_folder` of an Airflow, laid out as it does where nobody configured `log_filename_template`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def find(self, task: Task, number: int) -> LogFile | None:
        """The log of a try; None where there is none, or where Airflow puts several files together (a triggerer's)."""
        return await asyncio.to_thread(self._find, task, number)

    def _find(self, task: Task, number: int) -> LogFile | None:
        try:
            folder = self._folder.resolve(strict=True)
            path = (folder / place_in_folder(task, number)).resolve(strict=True)
            if not path.is_relative_to(folder) or not path.is_file() or any(path.parent.glob(f"{path.name}.*")):
                return None
            size = path.stat().st_size
        except (OSError, ValueError):
            return None
        latest = number >= task.try_number
        return LogFile(path, size, goes_on=latest and task.state not in FINISHED)


def place_in_folder(task: Task, number: int) -> str:
    """Where the log of a try is below Airflow's folder of logs, as it comes configured."""
    parts = [f"dag_id={task.dag_id}", f"run_id={task.run_id}", f"task_id={task.task_id}"]
    if task.map_index >= 0:
        parts.append(f"map_index={task.map_index}")
    return "/".join((*parts, f"attempt={number}.log"))
