"""Burn windows and their factors, against the tables of the SRE Workbook and of sloth."""

import pytest

from opsconsole.sla.burn import burn_windows, effective, silent

HOUR = 3600.0


def test_thirty_days_have_the_factors_of_the_workbook() -> None:
    windows = burn_windows("30d")
    assert [one.factor for one in windows] == pytest.approx([14.4, 6.0, 3.0, 1.0])
    assert [(one.severity, one.long / HOUR, one.short / HOUR) for one in windows] == [
        ("page", 1, pytest.approx(1 / 12)), ("page", 6, 0.5), ("ticket", 24, 2), ("ticket", 72, 6),
    ]  # fmt: skip
    assert [one.exhausts_in(720 * HOUR) / HOUR for one in windows] == pytest.approx([50, 120, 240, 720])
    assert [one.error_ratio(0.995) for one in windows] == pytest.approx([0.072, 0.03, 0.015, 0.005])


@pytest.mark.parametrize(
    ("window", "factors"),
    [
        ("7d", [13.44, 3.5, 1.4, 0.98]),
        ("week", [13.44, 3.5, 1.4, 0.98]),
        ("28d", [13.44, 5.6, 2.8, 28 / 30]),
        ("month", [14.4, 6.0, 3.0, 1.0]),
    ],
)
def test_each_window_has_factors_of_its_own(window: str, factors: list[float]) -> None:
    assert [one.factor for one in burn_windows(window)] == pytest.approx(factors, rel=1e-9)


def test_a_factor_that_no_share_of_bad_can_reach_is_silent() -> None:
    windows = burn_windows("30d")
    assert effective(windows, 0.95) == windows
    assert silent(windows, 0.95) == ()
    # 14.4 * 0.07 > 1: even if everything is bad, the rate stays below.
    assert [one.factor for one in silent(windows, 0.93)] == pytest.approx([14.4])
    assert [one.factor for one in effective(windows, 0.8)] == pytest.approx([3.0, 1.0])
