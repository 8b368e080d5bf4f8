"""Asking Prometheus, and holding the answer against what is expected of it."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from opsconsole.actions.action import Outcome, Result, Sink
from opsconsole.config.settings import PrometheusSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.core.values import Scalar, Value, Vector


class Demand(Protocol):
    """A demand on a number, such as `>0`; its `str` is how people write it."""

    def holds(self, value: float) -> bool:
        """Whether `value` meets it."""
        ...


class RowDemand(Protocol):
    """A demand on the number of series."""

    def holds(self, rows: int) -> bool:
        """Whether `rows` meets it."""
        ...


@dataclass(frozen=True, slots=True)
class PromRunner:
    """Evaluates `query` once and writes a line `{labels} value` for each sample.

    Every sample has to meet each of `values`, and there has to be one: no data proves nothing.
    """

    settings: PrometheusSettings
    query: str
    values: tuple[Demand, ...] = ()
    rows: RowDemand | None = None
    max_rows: int = 100

    async def run(self, sink: Sink) -> Result:
        """Ask once. The answer that was expected is `ok`, any other `failed`, and no data without a demand `warn`."""
        from opsconsole.sources.prometheus import PrometheusSource

        started = time.monotonic()
        source = PrometheusSource(self.settings)
        try:
            answer = await source.instant(self.query)
        except SourceError as error:
            return Result(Outcome.FAILED, detail=str(error), duration=time.monotonic() - started)
        finally:
            await source.close()
        found = samples(answer.value)
        lines = [f"{labels} {number(value)}".lstrip() for labels, value in found[: self.max_rows]]
        if len(found) > self.max_rows:
            lines.append(f"the first {self.max_rows} of {len(found)} series")
        if lines:
            sink(("\n".join(lines) + "\n").encode())
        for warning in answer.warnings:
            sink(f"-- {clean_line(warning)}\n".encode())
        return replace(self._judged(found), duration=time.monotonic() - started)

    def _judged(self, found: list[tuple[str, float]]) -> Result:
        count = f"{len(found)} series"
        if self.rows is not None and not self.rows.holds(len(found)):
            return Result(Outcome.FAILED, detail=f"{count}, expected {self.rows}")
        for wanted in self.values:
            if not found:
                return Result(Outcome.FAILED, detail=f"no data, expected {wanted}")
            wrong = [(labels, value) for labels, value in found if not wanted.holds(value)]
            if wrong:
                labels, value = wrong[0]
                more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
                return Result(Outcome.FAILED, detail=f"{labels} is {number(value)}{more}, expected {wanted}".lstrip())
        if not found and self.rows is None:
            return Result(Outcome.WARN, detail="no data")
        only = f": {number(found[0][1])}" if len(found) == 1 else ""
        return Result(Outcome.OK, detail=f"{count}{only}")


def samples(value: Value) -> list[tuple[str, float]]:
    """(labels as PromQL writes them, value) of an instant answer, sorted by labels."""
    match value:
        case Vector(found):
            return sorted((_labelled(one.labels), math.nan if one.histogram else one.value) for one in found)
        case Scalar(one, _):
            return [("", one)]
        case _:
            return []


def number(value: float) -> str:
    """A sample's value as Prometheus writes it."""
    if math.isfinite(value):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _labelled(labels: Mapping[str, str]) -> str:
    given = dict(labels)
    name = given.pop("__name__", "")
    inner = ",".join(f'{key}="{_escaped(value)}"' for key, value in sorted(given.items()))
    return clean_line(f"{name}{{{inner}}}" if inner or not name else name, limit=2000)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
