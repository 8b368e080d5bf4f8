"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.core.units import UNITS, WIDTH, format_value, is_unit


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (13, "short", "13"),
        (1234, "short", "1.23k"),
        (999.6, "short", "1k"),
        (1_234_567, "short", "1.23M"),
        (0.4, "short", "0.4"),
        (0, "short", "0"),
        (-0.0, "short", "0"),
        (123456, "none", "123456"),
        (12.345, "none", "12.3"),
        (1_234_567_890, "none", "1.23G"),
        (1e-5, "none", "1e-5"),
        (0.312, "s", "312 ms"),
        (0.0000005, "s", "500 ns"),
        (59.97, "s", "1m"),
        (252, "s", "4m12s"),
        (7500, "s", "2h05m"),
        (100_000, "s", "1d03h"),
        (86_400, "s", "1d"),
        (1e9, "s", "31.7 y"),
        (-252, "s", "-4m12s"),
        (312, "ms", "312 ms"),
        (1500, "ms", "1.5 s"),
        (90, "m", "1h30m"),
        (36, "h", "1d12h"),
        (100_000, "dtdurations", "1d03h"),
        (1023, "bytes", "1 KiB"),
        (2**30 * 1.234, "bytes", "1.23 GiB"),
        (-(2**30) * 1.234, "bytes", "-1.2 GiB"),
        (1.5e9, "decbytes", "1.5 GB"),
        (2048, "kbytes", "2 MiB"),
        (12.34, "percent", "12.3 %"),
        (99.97, "percent", "99.97 %"),
        (99.9999, "percent", "99.99 %"),
        (100, "percent", "100 %"),
        (0.0004, "percentunit", "0.04 %"),
        (0.991, "percentunit", "99.1 %"),
        (0.4, "ops", "0.4 /s"),
        (1234, "reqps", "1.23k /s"),
        (1234, "Bps", "1.2 kB/s"),
        (123_456, "binBps", "121KiB/s"),
        (1.23e7, "bps", "12 Mb/s"),
        (12_345, "pps", "12k p/s"),
        (2.4e9, "hertz", "2.4 GHz"),
        (41.26, "celsius", "41.3 °C"),
        (17, "suffix:jobs", "17 jobs"),
        (12345678, "suffix:jobs", "12M jobs"),
        (250, "timeticks", "2.5 s"),
        (1, "bool", "true"),
        (0, "bool_on_off", "off"),
        (1, "bool_yes_no", "yes"),
        (12, "cats", "12 cats"),
    ],
)
def test_a_value_is_shown_in_the_prefix_that_keeps_it_short(value: float, unit: str, shown: str) -> None:
    assert format_value(value, unit) == shown


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_what_is_not_a_number_is_said_and_never_shown_as_zero(unit: str) -> None:
    assert format_value(None, unit) == "–"
    assert format_value(math.nan, unit) == "–"
    assert format_value(math.inf, unit) == "∞"
    assert format_value(-math.inf, unit) == "-∞"


def test_decimals_are_kept_when_asked_for() -> None:
    assert format_value(0.3, "none", 2) == "0.30"
    assert format_value(2**30 * 1.2345, "bytes", 3) == "1.234 GiB"
    assert format_value(99.996, "percent", 1) == "99.9 %"


def test_calendar_units_take_milliseconds_since_the_epoch() -> None:
    assert format_value(1_000_000, "dateTimeFromNow", now=1_180) == "3m ago"
    assert format_value(1_000_000, "dateTimeFromNow", now=970) == "in 30s"
    assert format_value(0, "dateTimeAsIso", now=1) == "1970-01-01 00:00:00"
    assert format_value(1e300, "dateTimeAsIso", now=1) == "–"


@pytest.mark.parametrize(
    "name", ["suffix:", "suffix: ", "suffix:\x1b[2J", "suffix:a\u202eb", "suffix:" + "x" * 21, "jobs", "prefix:a"]
)
def test_a_unit_is_a_known_one_or_a_few_words_that_can_be_shown(name: str) -> None:
    assert not is_unit(name)
    assert all(map(is_unit, ("suffix:jobs/s", "suffix:open files", "suffix:°", "s")))


@given(st.floats(min_value=0), st.sampled_from(sorted(UNITS)))
def test_an_automatic_text_fits_and_does_not_hide_a_value_as_zero(value: float, unit: str) -> None:
    text = format_value(value, unit, now=1.0)
    if 1e-9 < value < 1e18 and not unit.startswith("dateTime"):
        assert len(text) <= WIDTH, text
    if value > 1e-290 and unit not in {"bool", "bool_on_off", "bool_yes_no"} and not unit.startswith("dateTime"):
        assert not text.startswith("0 ")
        assert text != "0"


@given(st.floats(min_value=0, max_value=99.99999999, exclude_max=True))
def test_less_than_all_is_never_shown_as_100_percent(value: float) -> None:
    assert not format_value(value, "percent").startswith("100")
    assert not format_value(value, "percent", 1).startswith("100")
