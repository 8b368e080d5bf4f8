"""What metrics say of an SLA's DAGs while Airflow cannot be asked."""

import pytest

from opsconsole.config.slas import Sla
from opsconsole.pipelines.metrics import Measured, Metrics
from opsconsole.sla.airflow_measured import RunsMeasured, runs_measured

LOADS = Sla("loads", "pipeline", dag="load_*", target=3600.0)
REST = Sla("rest", "pipeline", dag="*", target=3600.0)


def _dag(name: str, succeeded: float | None, failed: float | None) -> Measured:
    return Measured(name, "", None, succeeded, failed)


DAGS = (_dag("load_a", 3.0, 1.1), _dag("load_b", 4.0, 2.9), _dag("load_c", 1.0, None), _dag("report", 5.0, 0.0))
METRICS = Metrics("otel", 0.2, DAGS, (), ())


def test_each_dag_is_of_the_first_that_covers_it() -> None:
    loads, rest = (runs_measured((LOADS, REST), one, METRICS) for one in (LOADS, REST))
    assert (loads.failed, loads.succeeded, loads.of) == (4.0, 8.0, ("load_b", "load_a"))
    assert loads.words == "metrics: 4 of 12 runs failed within 1h: load_b and 1 more"
    assert rest.words == "metrics: 0 of 5 runs failed within 1h"


@pytest.mark.parametrize(
    ("failed", "succeeded", "said"),
    [
        (None, None, "metrics do not tell how its runs end"),
        (0.0, 0.2, "metrics: no run ended within 1h"),
        (2.0, None, "metrics: 2 runs failed within 1h: a"),
        (None, 3.0, "metrics: 3 runs succeeded within 1h; of failures they tell nothing"),
    ],
)
def test_what_is_not_told_is_not_none(failed: float | None, succeeded: float | None, said: str) -> None:
    assert RunsMeasured(failed, succeeded, ("a",) if failed else ()).words == said
    assert (
        runs_measured((LOADS,), LOADS, Metrics("otel", None, (), (), ())).words
        == "metrics do not tell how its runs end"
    )
