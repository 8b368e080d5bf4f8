"""A long log comes from the folder that it was written to, and any while the API is down."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from opsconsole.core.reading import SourceError
from opsconsole.pipelines import asking
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.log_absence import AbsenceFinder
from opsconsole.pipelines.log_folder import LogFolder, place_in_folder
from opsconsole.pipelines.model import LogLine, Task
from tests.unit.pipelines.made import task

TEXT = '{"event": "begins", "level": "info"}\nplain \xff text\n{"event": "goes on", "lev'


def written(folder: Path, one: Task, number: int = 1, text: str = TEXT) -> Path:
    path = folder / place_in_folder(one, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("latin-1"))
    return path


class Api:
    """Answers with a line of its own, or not at all."""

    failing: SourceError | None = None

    async def raw_log(self, one: Task, number: int) -> AsyncIterator[str]:
        if self.failing is not None:
            raise self.failing
        yield "from the API"

    def read_line(self, raw: str) -> LogLine:
        return LogLine(raw)


def airflow(api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Airflow:
    async def way(*_: object) -> Any:
        return api

    monkeypatch.setattr(Airflow, "_the_api", way)
    source: Any = object()
    return Airflow(source, None, LogFolder(folder))


async def lines(of: Airflow, one: Task, number: int = 1) -> list[str]:
    return [line.text async for line in of.log(one, number)]


async def test_a_large_log_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, api = task("load", 0, 1, state="failed"), Api()
    path = written(tmp_path, one)
    reader = airflow(api, tmp_path, monkeypatch)
    assert await lines(reader, one) == ["from the API"]
    monkeypatch.setattr(asking, "LARGE", path.stat().st_size)
    found = await lines(reader, one)
    assert found[1:3] == [str(path), "::endgroup::"], "as Airflow itself says where a log is from"
    assert found[3:] == ["begins", "plain � text", '{"event": "goes on", "lev']
    running = task("load", 0, state="running")
    assert (await lines(reader, running))[3:] == ["begins", "plain � text"], "the last line is still being written"


async def test_while_the_api_is_down_any_log_comes_from_there_but_not_what_it_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, api = task("load", 0, 1, state="failed"), Api()
    written(tmp_path, one)
    reader = airflow(api, tmp_path, monkeypatch)
    api.failing = SourceError("airflow", "unreachable", "connection refused")
    assert (await lines(reader, one))[3:4] == ["begins"]
    with pytest.raises(SourceError, match="connection refused"):
        await lines(reader, one, 2)  # there is no file of that try
    api.failing = SourceError("airflow", "permission", "403: may not read the log")
    with pytest.raises(SourceError, match="may not read the log"):
        await lines(reader, one)


async def test_an_empty_file_is_no_log_and_says_where_it_is(tmp_path: Path) -> None:
    one, absence = task("load", 0, 1), AbsenceFinder()
    path = written(tmp_path, one, text="")
    file = await LogFolder(tmp_path).find(one, 1)
    assert file is not None
    async for raw in file.raw_log(one, 1):
        absence.see(file.read_line(raw))
    assert (absence.absent, str(path) in absence.reason) == (True, True)


@pytest.mark.parametrize("run_id", ["r/../../../../outside", "\0", "linked"])
async def test_nothing_outside_of_the_folder_is_read(tmp_path: Path, run_id: str) -> None:
    folder = tmp_path / "a" / "logs"
    folder.mkdir(parents=True)
    one = task("load", 0, 1, run_id=run_id)
    outside = tmp_path / "outside" / "task_id=load"
    outside.mkdir(parents=True)
    (outside / "attempt=1.log").write_text("secret")
    (folder / "dag_id=load" / "run_id=r").mkdir(parents=True)
    os.symlink(outside.parent, folder / "dag_id=load" / "run_id=linked")
    assert await LogFolder(folder).find(one, 1) is None


async def test_what_airflow_puts_together_from_several_files_is_asked_for(tmp_path: Path) -> None:
    one = task("load", 0, 1)
    path = written(tmp_path, one)
    assert await LogFolder(tmp_path).find(one, 1) is not None
    path.with_name("attempt=1.log.trigger.7.log").touch()
    assert await LogFolder(tmp_path).find(one, 1) is None


async def test_a_line_of_any_length_comes_in_pieces(tmp_path: Path) -> None:
    one = task("load", 0, 1, state="failed")
    written(tmp_path, one, text="x" * 3_000_000 + "\nend\n")
    file = await LogFolder(tmp_path).find(one, 1)
    assert file is not None
    found = [raw async for raw in file.raw_log(one, 1)][3:]
    assert (sum(map(len, found[:-1])), found[-1], max(map(len, found))) == (3_000_000, "end", 20_000)
