"""What metrics say of an SLA's DAGs while neither API nor database of Airflow answers. Pure.

Metrics count how runs ended, and not when they could have begun: whether they ended in time is not known, nor how many
should have been there. So this stands beside the SLA's own figures, and never in their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from opsconsole.config.slas import Sla
from opsconsole.pipelines.measured import SOME
from opsconsole.pipelines.metrics import Metrics


@dataclass(frozen=True, slots=True)
class RunsMeasured:
    """How the runs of an SLA's DAGs ended within the last hour."""

    failed: float | None
    """None: that is not told."""
    succeeded: float | None
    of: tuple[str, ...] = ()
    """The DAGs of which runs failed, by their ids; the one with the most first."""

    @property
    def words(self) -> str:
        """`metrics: 2 of 14 runs failed within 1h: load_tariffs`; in time or not is not said."""
        if self.failed is None and self.succeeded is None:
            return "metrics do not tell how its runs end"
        failed, succeeded = round(self.failed or 0.0), round(self.succeeded or 0.0)
        if self.succeeded is None:
            return f"metrics: {failed} runs failed within 1h{self._which}"
        if self.failed is None:
            return f"metrics: {succeeded} runs succeeded within 1h; of failures they tell nothing"
        if failed + succeeded == 0:
            return "metrics: no run ended within 1h"
        return f"metrics: {failed} of {failed + succeeded} runs failed within 1h{self._which}"

    @property
    def _which(self) -> str:
        if not self.of:
            return ""
        more = f" and {len(self.of) - 1} more" if len(self.of) > 1 else ""
        return f": {self.of[0]}{more}"


def runs_measured(slas: Sequence[Sla], sla: Sla, metrics: Metrics) -> RunsMeasured:
    """Of the DAGs that `sla` is the first of `slas` to cover."""
    listed = [one for one in slas if one.dag]
    mine = [dag for dag in metrics.dags if next((one for one in listed if one.covers(dag.dag_id)), None) is sla]
    failed = sorted(
        ((dag.failed, dag.dag_id) for dag in mine if dag.failed is not None and dag.failed >= SOME), reverse=True
    )
    return RunsMeasured(
        _sum([dag.failed for dag in mine]), _sum([dag.succeeded for dag in mine]), tuple(name for _, name in failed)
    )


def _sum(counts: Sequence[float | None]) -> float | None:
    told = [one for one in counts if one is not None]
    return sum(told) if told else None
