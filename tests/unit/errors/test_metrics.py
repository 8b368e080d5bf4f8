"""What is done where a Prometheus takes too long over days at once, which no real one does when it is wanted."""

from typing import cast

import pytest

from opsconsole.config.errors import HTTP_ERRORS
from opsconsole.core.reading import Answer, SourceError
from opsconsole.core.values import Matrix, Sample, Series, Vector
from opsconsole.errors.metrics import MetricErrorsOf
from opsconsole.errors.model import DAY
from opsconsole.sources.prometheus import PrometheusSource

NOW = 1_700_000_000 // 900 * 900 + 450.0
LABELS = {"job": "api", "status": "500"}


class SlowPrometheus:
    """One error in each part; no answer over more than `most` parts."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked: list[int] = []

    async def instant(self, text: str, *, at: float) -> Answer:
        del text
        return Answer(Vector((Sample(LABELS, at, 1.0),)), at, 0.0)

    async def range(self, text: str, *, start: float, end: float, step: float) -> Answer:
        parts = [part * step for part in range(int(start // step), int(end // step) + 1)]
        if "increase" in text:
            if len(parts) > self.most:
                raise SourceError("prometheus", "timeout", "no answer within 10 s")
            self.asked.append(len(parts))
        return Answer(Matrix((Series(LABELS, tuple((part, 1.0) for part in parts)),)), end, 0.0)


@pytest.mark.parametrize("most", [1000, 50, 4])
async def test_what_takes_too_long_at_once_is_asked_for_in_pieces(most: int) -> None:
    slow = SlowPrometheus(most)
    now = NOW
    listener = MetricErrorsOf(HTTP_ERRORS, cast("PrometheusSource", slow), DAY, clock=lambda: now)
    (kind,) = (await listener.hear()).kinds
    assert (kind.count, kind.before) == (97, 96)  # the part that is not over is one
    assert sum(slow.asked) == 193
    slow.asked.clear()
    now += 900
    (kind,) = (await listener.hear()).kinds
    assert (kind.count, kind.before) == (97, 96)
    assert sum(slow.asked) <= 4


async def test_one_that_never_answers_is_dead() -> None:
    with pytest.raises(SourceError, match="no answer within"):
        await MetricErrorsOf(HTTP_ERRORS, cast("PrometheusSource", SlowPrometheus(1)), DAY, clock=lambda: NOW).hear()
