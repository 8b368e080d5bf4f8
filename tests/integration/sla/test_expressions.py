"""The PromQL of objectives by promtool: counter resets, gaps, errors that never were, no traffic."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from opsconsole.config.slas import Promql, Sla
from opsconsole.demo import binaries
from opsconsole.sla.expressions import Counts, counts_of

REQUESTS = counts_of(
    Sla(
        "a",
        "availability",
        promql=Promql(bad='sum(increase(r{code="500"}[$window]))', total="sum(increase(r[$window]))"),
    )
)
LATENCY = counts_of(Sla("a", "latency", target=0.5, promql=Promql(histogram="h")))
UP = counts_of(Sla("a", "availability", promql=Promql(value="up")))
FRESH = counts_of(Sla("a", "freshness", target=86400.0, promql=Promql(value="age")))

# One sample a minute, two hours. Increases over an hour at 1h: 61 samples, 60 steps.
SERIES = {
    # 60 a minute, reset after half an hour; and 5 bad ones a minute from 1h on.
    'r{code="200"}': "0+60x30 0+60x89",
    'r{code="500"}': "0x60 5+5x59",
    'clean{code="200"}': "0+10x120",
    "quiet": "5x120",
    'h_bucket{le="0.50"}': "0+9x120",
    'h_bucket{le="+Inf"}': "0+10x120",
    "h_count": "0+10x120",
    # Down for 15 minutes of the first hour; nothing is known from 1h on until 1h 30m.
    "up": "1x30 0x14 1x15 _x29 stale 1x29",
    'age{table="a"}': "100x120",
    'age{table="b"}': "90000x120",
}


def values(*wanted: tuple[str, str, float | None]) -> list[dict[str, Any]]:
    """(expression, moment, value; None: no sample) as promtool has it."""
    return [
        {"expr": text, "eval_time": at, "exp_samples": [] if value is None else [{"labels": "{}", "value": value}]}
        for text, at, value in wanted
    ]


def test_promtool_reckons_the_same(tmp_path: Path) -> None:
    assert REQUESTS is not None
    assert LATENCY is not None
    assert UP is not None
    assert FRESH is not None
    clean = Counts("", 'increase(clean{code="500"}[$window])', "increase(clean[$window])", sampled=False)
    quiet = Counts("", 'increase(quiet{code="500"}[$window])', "increase(quiet[$window])", sampled=False)
    absent = Counts("increase(none[$window])", "", "increase(nobody[$window])", sampled=False)
    cases = values(
        # 60 a minute although the counter began anew, but for the minute in which it did; nothing bad.
        (f"round({REQUESTS.total('1h')})", "1h", 3540),
        (REQUESTS.error_ratio("1h"), "1h", 0.0),
        # 5 of 65 a minute.
        (f"round({REQUESTS.bad('30m')})", "1h30m", 150),
        (f"round({REQUESTS.error_ratio('30m')}, 0.0001)", "1h30m", 0.0769),
        # Errors that never were are none, not unknown; no traffic has no ratio; what is not there is not there.
        (clean.error_ratio("1h"), "1h", 0.0),
        (f"round({clean.good('1h')})", "1h", 600),
        (quiet.total("1h"), "1h", 0.0),
        (quiet.error_ratio("1h"), "1h", None),
        (absent.error_ratio("1h"), "1h", None),
        (f"round({LATENCY.error_ratio('1h')}, 0.0001)", "1h", 0.1),
        # 15 of 60 minutes; over the gap only what is known counts.
        (UP.error_ratio("3599s"), "1h", 0.25),
        (f"count_over_time({UP.total_now_text}[3599s:1m])", "1h", 60),
        (UP.error_ratio("3599s"), "2h", 0.0),
        # The last value before the gap is looked back to for five minutes.
        (f"count_over_time({UP.total_now_text}[3599s:1m])", "2h", 35),
        # One of two tables is too old, all the time.
        (FRESH.error_ratio("1h"), "2h", 0.5),
    )
    test = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": shape} for name, shape in SERIES.items()],
                "promql_expr_test": cases,
            }
        ],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
    promtool = binaries.find("promtool")
    done = subprocess.run(
        [promtool, "test", "rules", tmp_path / "test.yaml"], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
