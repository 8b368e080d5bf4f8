"""The pages of errors: what they show of a survey."""

import pytest

from opsconsole.errors.model import Heard, Mute, Sample, Survey
from opsconsole.ui.errors.kinds import KindsPage
from opsconsole.ui.errors.reading import ErrorsReading
from opsconsole.ui.errors.recent import RecentPage
from opsconsole.ui.errors.services import ServicesPage, change
from opsconsole.ui.pages.page import Order, Sheet
from tests.unit.errors.made import kind

NOW = 1_795_960_800.0
TRACE = 'Traceback\n  File "a.py", line 1, in f\nKeyError: 1'
KINDS = (
    kind("new", new=True, rate=2.0, count=40, first_at=NOW - 60, last_at=NOW - 5,
         samples=(Sample(NOW - 5, "no 7\x1b[31m", TRACE, "/var/log/a.log", {"dag_id": "d"}), Sample(NOW - 9, "no 6"))),
    kind("old", service="web", source="metrics/http", type="HTTP 503", new=False, count=9, before=3, first_at=NOW - 9e5,
         last_at=NOW - 600),
    kind("maybe", service="job", new=None, count=1, before=None, first_at=None, last_at=NOW - 50),
    kind("muted", new=False, mute=Mute("alice", NOW, None, "OPS-1"), count=2, last_at=NOW - 70),
    kind("gone", count=0, before=7),
)  # fmt: skip
HEARD = (Heard("logs/api", KINDS), Heard("airflow", error="airflow: connection refused"))
READING = ErrorsReading(Survey(NOW, 86_400.0, KINDS, HEARD, ("a note",)), lambda source: "restart")


def texts(sheet: Sheet, column: str) -> list[str]:
    at = [one.id for one in sheet.columns].index(column)
    return [row.cells[at].text for row in sheet.rows]


def test_kinds_say_what_is_new_and_what_could_not_be_seen() -> None:
    sheet = KindsPage().sheet(READING, Order("new"))
    assert [row.key for row in sheet.rows] == ["new", "old", "maybe"]
    assert texts(sheet, "new") == ["NEW", "", "new?"]
    assert texts(sheet, "rate") == ["2.0/s", "none", "none"]
    assert texts(sheet, "first") == ["1m", "10d", "never"]
    assert sheet.summary == "3 kinds of errors, 1 new, 50 times in the last day; 1 muted"
    assert sheet.notes == ("airflow: connection refused", "a note")
    assert "\x1b" not in sheet.rows[0].text
    assert sheet.rows[0].labels["runbook"] == "restart"
    assert sheet.rows[0].labels["dag_id"] == "d"


def test_kinds_in_other_forms_and_orders() -> None:
    page = KindsPage()
    assert [row.key for row in page.sheet(READING, Order("new", "new only")).rows] == ["new"]
    assert [row.key for row in page.sheet(READING, Order("new", "muted only")).rows] == ["muted"]
    assert [row.key for row in page.sheet(READING, Order("last")).rows] == ["new", "maybe", "old"]
    empty = ErrorsReading(Survey(NOW, 86_400.0, (), ()), lambda source: "")
    assert page.sheet(empty, Order("new")).summary == "no error in the last day"


def test_the_detail_has_facts_and_samples_with_their_traces() -> None:
    detail = KindsPage().detail(READING, "new")
    assert detail is not None
    facts = dict(detail.facts)
    assert facts["count"] == "40 in 1d; 0 in as long before"
    assert facts["runbook"] == "restart"
    assert facts["new"].startswith("yes")
    (heading, text), _ = detail.parts
    assert "/var/log/a.log" in heading
    assert text.startswith("no 7")
    assert "KeyError: 1" in text
    muted = KindsPage().detail(READING, "muted")
    assert muted is not None
    assert dict(muted.facts)["muted"] == "by alice for good: OPS-1"
    assert KindsPage().detail(READING, "none") is None


def test_services_are_compared_with_yesterday() -> None:
    sheet = ServicesPage().sheet(READING, Order("rate"))
    assert [row.key for row in sheet.rows] == ["api", "web", "job"]
    assert texts(sheet, "change") == ["x5.7", "x3.0", "?"]
    assert texts(sheet, "by") == ["what was logged", "metrics", "what was logged"]
    detail = ServicesPage().detail(READING, "api")
    assert detail is not None
    assert "no 7" in detail.parts[0][1]


@pytest.mark.parametrize(
    ("count", "before", "text"),
    [(4, 2, "x2.0"), (3, 2, "+50 %"), (1, 2, "-50 %"), (2, 2, "+0 %"), (3, 0, "from 0"), (0, 0, ""), (1, None, "?")],
)
def test_change(count: int, before: int | None, text: str) -> None:
    assert change(count, before).text == text


def test_recent_ones_are_told_one_by_one_and_the_chosen_one_comes_first() -> None:
    page = RecentPage()
    sheet = page.sheet(READING, Order("last"))
    assert texts(sheet, "last") == ["5s", "9s"]
    detail = page.detail(READING, sheet.rows[1].key)
    assert detail is not None
    assert detail.parts[0][1] == "no 6"
    assert page.detail(READING, "none 1 0") is None
