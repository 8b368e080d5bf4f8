"""Rows read by type."""

from datetime import UTC, datetime

from opsconsole.database.row import Row


def test_what_has_no_value_is_none_and_not_zero() -> None:
    row = Row({"n": None})
    assert (row.whole("n"), row.number("n"), row.moment("n"), row.text("n")) == (None, None, None, "")
    assert row.list("n") == ()


def test_values_by_type() -> None:
    row = Row({"n": 3, "f": 0.5, "at": datetime(2026, 1, 1, tzinfo=UTC), "yes": True, "list": "[1, 2]", "text": "a"})
    assert (row.whole("n"), row.number("f"), row.flag("yes"), row.list("list")) == (3, 0.5, True, (1, 2))
    assert row.moment("at") == 1767225600.0


def test_text_of_another_encoding_is_read_by_that_encoding_and_cleaned() -> None:
    row = Row({"q": "café \x1b[31m".encode("latin-1").hex(), "none": None})
    assert row.encoded("q", "iso8859-1").startswith("café ")
    assert "\x1b" not in row.encoded("q", "iso8859-1")
    assert "\ufffd" in row.encoded("q", "utf-8")
    assert row.encoded("none", "utf-8") == ""
