"""A log that is followed: through all tries of its task."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from opsconsole.cli.pipeline import log
from opsconsole.pipelines.model import LogLine, Origin, RunDetail, Task, Told, Way
from tests.unit.pipelines.made import run, task


class Going:
    """An Airflow whose task goes through `moments`, one at each look; each try has a log of two lines."""

    def __init__(self, *moments: Task) -> None:
        self.moments = list(moments)

    async def run(self, dag_id: str, run_id: str) -> Told[RunDetail | None]:
        now = self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]
        return Told(RunDetail(run(run_id="r"), (now,), {}), 0.0, Origin(Way.API, "3"))

    async def log(self, one: Task, number: int) -> AsyncIterator[LogLine]:
        for line in ("begins", "ends"):
            yield LogLine(f"try {number} {line}")


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, ["try 1 begins", "try 1 ends", "try 2 begins", "try 2 ends"]), (1, ["try 1 begins", "try 1 ends"])],
)
async def test_a_followed_task_that_is_tried_again_is_followed_into_its_next_try(
    number: int, said: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log, "_PAUSE", 0.0)
    moments = (
        task("load", 0), task("load", 0, 1, state="up_for_retry"),
        task("load", 0, 1, state="queued", try_number=2), task("load", 2, try_number=2),
        task("load", 2, 3, try_number=2),
    )  # fmt: skip
    args = argparse.Namespace(
        dag="d", task="load", run_id="r", number=number, grep="", follow=True, format="table"
    )  # fmt: skip
    assert await log._print(args, cast("Any", Going(*moments))) == 0
    assert capsys.readouterr().out.splitlines() == said


async def test_who_waits_for_the_first_line_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_LONG", 0.0)
    said = asyncio.Event()

    def narrate(text: str) -> None:
        assert "Airflow 3 reads it to its end" in text
        said.set()

    async def lines() -> AsyncIterator[LogLine]:
        await said.wait()
        for text in ("begins", "ends"):
            yield LogLine(text)

    monkeypatch.setattr(log, "narrate", narrate)
    async with asyncio.timeout(5):
        assert [one.text async for one in log._told_of_waiting(lines())] == ["begins", "ends"]
