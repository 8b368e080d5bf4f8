"""What PostgreSQL sends, as cells: no byte of it can fail."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.sources.postgres_cells import cell, codec_of, seconds_of_interval, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:00", 0),
        ("-00:00:00.5", -0.5),
        ("04:05:06.789", 14_706.789),
        ("1 day", DAY),
        ("1 day -00:00:01", DAY - 1),
        ("-1 days +02:00:00", -DAY + 7200),
        ("1 mon", 30 * DAY),
        ("-2 mons", -60 * DAY),
        ("1 year 2 mons 3 days 00:00:01", 365.25 * DAY + 63 * DAY + 1),
        ("100:00:00", 360_000),
    ],
)
def test_intervals_are_seconds(text: str, seconds: float) -> None:
    assert seconds_of_interval(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "infinity", "1 fortnight", "P1D"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        seconds_of_interval(text)


@pytest.mark.parametrize(
    ("oid", "data", "expected"),
    [
        (16, b"t", True),
        (16, b"f", False),
        (20, b"-9223372036854775808", -(2**63)),
        (1700, b"12.50", 12.5),
        (701, b"-Infinity", float("-inf")),
        (1184, b"2026-11-21 14:00:00+02", datetime(2026, 11, 21, 12, tzinfo=UTC)),
        (1184, b"2026-11-21 14:00:00.25+05:30", datetime(2026, 11, 21, 8, 30, 0, 250_000, tzinfo=UTC)),
        (1184, b"1890-01-01 00:00:00+00:53:28", datetime(1890, 1, 1, tzinfo=timezone(timedelta(seconds=3208)))),
        (1114, b"2026-07-01 14:00:00", datetime(2026, 7, 1, 12, tzinfo=UTC)),
        (1184, b"infinity", "infinity"),
        (1184, b"0044-03-15 12:00:00+00:53:28 BC", "0044-03-15 12:00:00+00:53:28 BC"),
        (1186, b"infinity", "infinity"),
        (17, b"\\x63616669e9", "cafi�"),
        (25, b"caf\xe9 \x1b[2J", "caf� ␛[2J"),
        (1009, b"{a,NULL}", "{a,NULL}"),
        (25, None, None),
    ],
)
def test_a_column_of_each_type(oid: int, data: bytes | None, expected: object) -> None:
    found = cell(oid, data, "utf-8", BERLIN)
    assert found == expected
    assert type(found) is type(expected)


@given(st.sampled_from([16, 17, 20, 25, 700, 1114, 1184, 1186, 1700, 99_999]), st.binary(max_size=40))
def test_no_bytes_can_fail(oid: int, data: bytes) -> None:
    cell(oid, data, "utf-8", UTC)


def test_encodings_and_zones_that_nobody_knows_are_no_failure() -> None:
    assert codec_of("LATIN1") == "iso8859-1"
    assert codec_of("LATIN9") == "iso8859-15"
    assert codec_of("SQL_ASCII") == codec_of("MULE_INTERNAL") == codec_of("EUC_TW") == "utf-8"
    assert zone_of("Mars/Olympus") is UTC
    assert zone_of("../../etc/passwd") is UTC
    assert zone_of("Europe/Berlin") == BERLIN


@pytest.mark.parametrize("number", [*range(1, 11)])
def test_every_latin_encoding_is_one_of_pythons(number: int) -> None:
    assert "x".encode(codec_of(f"LATIN{number}")) == b"x"
