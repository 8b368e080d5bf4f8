"""What the shipped screens ask, and what the demo platform answered, kept as JSON.

`python -m tests.screens.recording CONFIG [ENVIRONMENT]` asks everything once and writes `recorded.json.gz` anew.
Times are kept relative to the end of the recording, so that they can be replayed at any moment.
"""

import asyncio
import gzip
import json
import math
import sys
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Cell, Matrix, Sample, Scalar, Series, Table, Text, Value, Vector

FILE = Path(__file__).parent / "recorded.json.gz"


def key_of(query: Query) -> str:
    """What a question is found by: all of it but the moment."""
    return json.dumps([query.source, query.text, query.window, query.step, list(query.binds)])


@cache
def load() -> dict[str, Any]:
    """The recording; to be looked at only, it is read once."""
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        recorded: dict[str, Any] = json.load(file)
    return recorded


def decode(said: Any, at: float) -> Value:
    """A recorded value as of `at`."""
    kind, content = said
    match kind:
        case "vector":
            return Vector(tuple(Sample(labels, _number(value), at + when) for labels, value, when in content))
        case "matrix":
            return Matrix(
                tuple(
                    Series(labels, tuple((at + when, _number(value)) for when, value in points))
                    for labels, points in content
                )
            )
        case "scalar":
            return Scalar(_number(content), at)
        case "text":
            return Text(content, at)
        case _:
            rows = tuple(tuple(_cell(cell, at) for cell in row) for row in content["rows"])
            return Table(tuple(content["columns"]), rows, content["truncated"])


def encode(value: Value, at: float) -> Any:
    """A value in JSON, its times relative to `at`."""
    match value:
        case Vector(samples):
            return ["vector", [[dict(one.labels), _brief(one.value), round(one.at - at, 1)] for one in samples]]
        case Matrix(series):
            return [
                "matrix",
                [[dict(one.labels), [[round(when - at, 1), _brief(y)] for when, y in one.points]] for one in series],
            ]
        case Scalar(number, _):
            return ["scalar", _brief(number)]
        case Text(text, _):
            return ["text", text]
        case Table(columns, rows, truncated):
            cells = [[_plain(cell, at) for cell in row] for row in rows]
            return ["table", {"columns": list(columns), "rows": cells, "truncated": truncated}]


def _brief(number: float) -> float | str:
    return str(number) if not math.isfinite(number) else float(f"{number:.4g}")


def _number(said: float | str) -> float:
    return float(said)


def _plain(cell: Cell, at: float) -> Any:
    if isinstance(cell, datetime):
        return {"seconds": round(cell.timestamp() - at, 1)}
    return cell


def _cell(said: Any, at: float) -> Cell:
    if isinstance(said, dict):
        return datetime.fromtimestamp(at + said["seconds"], UTC)
    cell: Cell = said
    return cell


async def record(config: str, name: str) -> dict[str, Any]:
    """Ask all that the shipped screens ask, once."""
    from opsconsole.cli.wiring import open_sources
    from opsconsole.config.loading import load_settings
    from opsconsole.screens.loading import load_screens
    from opsconsole.screens.queries import pane_queries
    from opsconsole.screens.timerange import TimeRange
    from opsconsole.screens.variables import default_selections, options_query
    from opsconsole.screens.watchlist import watchlist

    settings = load_settings(Path(config))
    environment = settings.environments[name or settings.default_environment]
    screens, _ = load_screens(environment.screens, environment.airflow_metrics)
    wanted: dict[Query, None] = {}
    for screen in screens:
        wanted |= dict.fromkeys(watchlist(screens, areas_of=screen).intervals)
        selections = default_selections(screen)
        for pane in screen.panes:
            wanted |= dict.fromkeys(pane_queries(pane, selections, TimeRange(screen.window)))
        questions = [options_query(variable, selections) for variable in screen.variables]
        wanted |= {question: None for question in questions if question is not None}
    sources = open_sources(environment)
    recorded: dict[str, Any] = {}
    for query in wanted:
        try:
            answer = await sources.get(query.source).read(query)
        except SourceError as error:
            print(f"{query.source}: {error}: {query.text}", file=sys.stderr)
            continue
        recorded[key_of(query)] = encode(answer.value, time.time())
    await sources.close()
    return recorded


if __name__ == "__main__":
    answers = asyncio.run(record(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
    with gzip.open(FILE, "wt", encoding="utf-8") as out:
        json.dump(answers, out, separators=(",", ":"))
    print(f"{len(answers)} answers", file=sys.stderr)
