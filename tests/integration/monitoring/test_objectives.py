"""What the rules of objectives make of maintenance, calendar weeks and too few events, as promtool evaluates them."""

import subprocess
from pathlib import Path
from typing import Any

from opsconsole.config.alerting import Alerting
from opsconsole.config.slas import Maintenance, Promql, Sla
from opsconsole.demo import binaries
from opsconsole.monitoring.objectives import GROUP, with_objectives
from opsconsole.monitoring.recordings import RECORDINGS, recording_rules
from opsconsole.monitoring.rules import rule_file
from opsconsole.monitoring.text import yaml_text

COUNTS = Promql(bad="sum(increase(bad_total[$window]))", total="sum(increase(all_total[$window]))")
HOUR = 3600.0


def api(name: str = "api", **given: Any) -> Sla:
    return Sla(name, "availability", objective=0.995, promql=COUNTS, owner="ops", title="API", **given)


def evaluate(
    folder: Path, slas: list[Sla], bad: str, total: str, *samples: dict[str, Any], sums_only: bool = False,
    up: str = "",
) -> None:  # fmt: skip
    """promtool agrees with `samples` on what the rules of `slas` record, of counters with a sample a minute."""
    alerting = with_objectives(Alerting(), slas)
    if sums_only:  # days of the others take promtool seconds
        kept = [one for one in alerting.recordings if "increase5m" in one.record or "calendar" in one.record]
        alerting = Alerting(alerting.alerts, tuple(kept))
    for group in (RECORDINGS, GROUP):
        (folder / f"{group}.yml").write_text(yaml_text(rule_file(alerting, group, {}), origin="a test"))
    given = {"bad_total": bad, "all_total": total, "up": up} if up else {"bad_total": bad, "all_total": total}
    series = [{"series": f'{name}{{job="api",instance="a"}}', "values": values} for name, values in given.items()]
    case = {"interval": "1m", "input_series": series, "promql_expr_test": list(samples)}
    # Recordings first: they are what the alerts look at.
    content = {
        "rule_files": ["slo.yml", "sla.yml"], "group_eval_order": [RECORDINGS, GROUP], "evaluation_interval": "5m",
        "tests": [case],
    }  # fmt: skip
    (folder / "case.yml").write_text(yaml_text(content, origin="a test"))
    command = [str(binaries.find("promtool")), "test", "rules", str(folder / "case.yml")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def sample(expr: str, at: str, *values: float) -> dict[str, Any]:
    return {"expr": f"round(sum by () ({expr}), 0.001)", "eval_time": at, "exp_samples": [
        {"labels": "{}", "value": round(value, 3)} for value in values
    ]}  # fmt: skip


def firing(slo: str, long: str = "1h") -> str:
    return f'ALERTS{{alertname="ErrorBudgetBurn", slo="{slo}", long="{long}", alertstate="firing"}}'


def test_what_is_bad_in_maintenance_pages_nobody_and_is_in_no_budget(tmp_path: Path) -> None:
    """Half of all is bad from two to four hours after the beginning, which is maintenance for one of two."""
    pause = Maintenance("disks", begin=2 * HOUR, end=4 * HOUR)
    evaluate(
        tmp_path, [api("counted"), api("excused", maintenance=(pause,))],
        "0x120 5+5x119 600x180", "0+10x420",
            sample(firing("counted"), "3h", 1),
            sample(firing("excused"), "3h"),
            sample(firing("counted"), "4h30m"),  # the short window has forgotten
            sample(firing("counted", "6h"), "4h20m", 1),
            sample(firing("excused", "6h"), "4h20m"),
            sample('slo:sli_error:ratio_rate30d{slo="counted"}', "6h", 600 / 3600),
            sample('slo:sli_error:ratio_rate30d{slo="excused"}', "6h", 0),
            sample('slo:sli_error:ratio_rate1h{slo="excused"}', "3h20m"),  # nothing counted is no share
    )  # fmt: skip


def test_the_first_failure_that_a_counter_tells_burns_the_budget(tmp_path: Path) -> None:
    """Two requests an hour; two hours after the beginning one fails, whose counter is there only from then on."""
    evaluate(
        tmp_path, [api()], "_x122 1x180", "0x30 1x30 2x30 3x30 4x30 5x30 6x60",
            sample('slo:sli_error:ratio_rate1h{slo="api"}', "2h10m", 0.5),
            sample(firing("api", "6h"), "2h10m", 1),
            sample('slo:bad:increase5m{slo="api"}', "2h5m", 1), sample('slo:bad:increase5m{slo="api"}', "2h15m", 0),
            up="1x300",
    )  # fmt: skip


def test_outside_of_its_maintenance_it_burns_as_ever(tmp_path: Path) -> None:
    pause = Maintenance("disks", begin=1 * HOUR, end=2 * HOUR)
    evaluate(
        tmp_path, [api(maintenance=(pause,))], "0+5x240", "0+10x240",
            sample(firing("api"), "50m", 1), sample(firing("api"), "1h30m"), sample(firing("api"), "2h10m", 1),
            sample('slo:sli_error:ratio_rate6h{slo="api"}', "2h10m", 0.5),
    )  # fmt: skip


def test_a_calendar_week_begins_anew_on_monday(tmp_path: Path) -> None:
    """Time begins on a Thursday. All is bad in the last two hours of Sunday, half of it on Monday from 01:00 on."""
    week = Sla("api", "availability", objective=0.9, window="week", promql=COUNTS)
    recorded = {one.record: one.expr for one in recording_rules(week)}
    bad, total = recorded["slo:bad:increase_period"], recorded["slo:total:increase_period"]
    evaluate(
        tmp_path, [week], "0x5640 2+2x119 240x59 241+1x59 300x20", "0+2x5900",
        sample(bad, "95h55m", 230), sample(bad, "96h", 240), sample(bad, "97h", 0), sample(bad, "98h", 60),
        sample(total, "98h", 240),
        sums_only=True,
    )  # fmt: skip
    assert recorded["slo:sli_error:ratio_period"] == (
        'slo:bad:increase_period{slo="api"} / (slo:total:increase_period{slo="api"} > 0)'
    )
