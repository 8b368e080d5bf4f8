"""What Prometheus is told of SLAs that it cannot count: sums over windows, and nothing of what is unknown."""

from opsconsole.config.slas import Sla
from opsconsole.sla.metrics import metrics_text
from opsconsole.sla.periods import current
from opsconsole.sla.slices import Slice
from opsconsole.sla.standing import Counted, standing, unread

HOUR, DAY = 3600.0, 86400.0
NOW = 40 * DAY
DAGS = Sla("dags", "pipeline", dag="*", target=1.0, objective=0.95, window="7d")
PERIOD = current("7d", "UTC", NOW)


def test_counts_over_each_window_and_when_they_were_read() -> None:
    told = Counted((Slice(NOW - 8 * DAY, NOW - 2 * HOUR, 19.0, 190.0), Slice(NOW - 2 * HOUR, NOW, 3.0, 12.0)))
    lines = metrics_text([standing(DAGS, told, PERIOD, NOW)]).splitlines()
    assert 'opsconsole_sla_bad_events{slo="dags",window="1h"} 1.5' in lines
    assert 'opsconsole_sla_events{slo="dags",window="2h"} 12' in lines
    assert 'opsconsole_sla_read_timestamp_seconds{slo="dags"} 3456000.000' in lines
    assert [line for line in lines if line.startswith("# TYPE")] == [
        "# TYPE opsconsole_sla_events gauge", "# TYPE opsconsole_sla_bad_events gauge",
        "# TYPE opsconsole_sla_read_timestamp_seconds gauge",
    ]  # fmt: skip


def test_of_a_window_of_which_nothing_is_known_nothing_is_said() -> None:
    told = Counted((Slice(NOW - DAY, NOW - 3 * HOUR, 0.0, 7.0), Slice(NOW - HOUR, NOW, 0.0, 0.0, known=0.0)))
    text = metrics_text([standing(DAGS, told, PERIOD, NOW)])
    assert 'window="1h"' not in text
    assert 'opsconsole_sla_events{slo="dags",window="6h"} 1' in text


def test_nothing_happened_is_none_and_no_answer_is_silence() -> None:
    quiet = standing(DAGS, Counted((Slice(NOW - DAY, NOW, 0.0, 0.0),)), PERIOD, NOW)
    assert 'opsconsole_sla_events{slo="dags",window="1h"} 0' in metrics_text([quiet])
    silent = metrics_text([unread(DAGS, PERIOD, NOW, "postgres/app: connection refused"), unread(DAGS, PERIOD, NOW)])
    assert "slo=" not in silent
