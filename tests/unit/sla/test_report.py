"""The report: what it says, and that no name becomes markup in it."""

# ruff: noqa: E501  tables of cases stand here on one line

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from opsconsole.config.slas import Maintenance, Promql, Sla
from opsconsole.core.state import State
from opsconsole.sla.periods import before, week_of
from opsconsole.sla.report import Report, markdown, tables
from opsconsole.sla.report_html import html
from opsconsole.sla.slices import Slice
from opsconsole.sla.standing import Counted, standing
from opsconsole.sla.wording import budget_text, burn_text, change_text, share_text, spent_text
from tests.screens.fake_session import NOW
from tests.screens.sla_readings import ByHand

REPORT = Report("production", "2026-W46", NOW, tuple(ByHand().standings))


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100 %"), (0.9999999, "99.999 %"), (0.995, "99.5 %"), (0.98608, "98.6 %"), (0.98618, "98.61 %"), (0.9, "90 %"), (0.1234, "12.3 %"), (0.0, "0 %"), (None, "–")],
)  # fmt: skip
def test_a_share_is_never_rounded_up_to_a_promise(share: float | None, text: str) -> None:
    assert share_text(share) == text


def test_numbers_in_words() -> None:
    assert [budget_text(one) for one in (0.389, -1.2, 1.0, None)] == ["38 %", "-120 %", "100 %", "–"]
    assert [spent_text(one) for one in (0.003, 0.16, 1.5)] == ["0.3 %", "16 %", "150 %"]
    assert [change_text(one) for one in (0.00123, -0.01, 0.0, None)] == ["+0.123", "-1", "±0", "–"]
    assert [burn_text(one) for one in (14.4, 6.04, 0.01, None)] == ["14×", "6.0×", "0×", "–"]


def test_it_says_how_many_were_kept_and_what_recovery_took() -> None:
    assert REPORT.summary.startswith("4 of 7 kept, 1 broken, 2 unknown. 5 violations, 1 of them going on")
    promises, found, excluded, unseen = tables(REPORT)
    assert promises.rows[0][0] == f"{State.CRIT} broken"
    assert {row[0] for row in promises.rows} == {"CRIT broken", "CRIT kept", "WARN kept", "UNKNOWN", "OK kept"}
    assert "goes on" in {row[2] for row in found.rows}
    assert [row[0] for row in excluded.rows] == ["disks"]
    assert ("Data fresher than 24 h", "prometheus: connection refused") in unseen.rows


def test_names_are_text_in_markdown_and_html() -> None:
    text = markdown(REPORT)
    assert "# SLA report 2026-W46 of production" in text
    assert "\\[31m" in text
    columns = {line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("| ")}
    assert columns == {3, 7, 13}


def test_a_page_loads_nothing_holds_no_markup_of_names_and_fits_on_paper() -> None:
    class Page(HTMLParser):
        seen: set[str] = set()
        given: set[str] = set()
        numbers: set[str] = set()
        in_number = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.seen.add(tag)
            self.given |= {name for name, _ in attrs}
            self.in_number = ("class", "number") in attrs

        def handle_data(self, data: str) -> None:
            if self.in_number:
                self.numbers.add(data)

    named = replace(
        REPORT.standings[0], sla=replace(REPORT.standings[0].sla, title='<script src="//x">alert(1)</script>')
    )
    text = html(replace(REPORT, standings=(named, *REPORT.standings)))
    Page().feed(text)
    assert Page.seen == {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    assert Page.given == {"lang", "charset", "name", "content", "class"}
    assert "&lt;script src=&quot;//x&quot;&gt;" in text
    assert not [word for word in ("url(", "@import", "http") if word in text]
    assert "size: A4 landscape" in text
    assert "Good" in Page.numbers
    # Dark is for screens: ink is not.
    assert "@media screen and (prefers-color-scheme: dark)" in text


def test_what_a_manager_has_to_know_is_said_first() -> None:
    (broken,) = [one.sla.label for one in REPORT.standings if one.met is False]
    assert REPORT.headline == (
        f"4 of 7 promises were kept. Broken: {broken}. Too little is known of Data fresher than 24 h, Queries < 1 s."
        " Closest to its limit: API requests succeed, with 16 % of its budget left."
    )
    assert replace(REPORT, taken_at=NOW - 3600).headline.startswith("So far 4 of 7 promises are kept.")
    kept = [one for one in REPORT.standings if one.met and one.state is State.OK]
    closest = replace(kept[0], budget_left=0.364)
    over = Report("production", "2026-W46", kept[0].period.end, (*kept[1:], closest))
    assert over.headline.startswith(f"{len(kept)} of {len(kept)} promises were kept.")
    assert over.headline.endswith(f"Closest to its limit: {closest.sla.label}, with 36 % of its budget left.")
    for text in (markdown(REPORT), html(REPORT)):
        assert text.index("4 of 7 promises") < text.index("Promises")


def test_a_week_across_the_end_of_a_year_is_told_in_its_zone() -> None:
    zone = "Europe/Amsterdam"
    week = week_of("2026-W53", zone)
    midnight = week.start + 4 * 86400.0  # 1 January
    hours = [Slice(week.start + at * 3600.0, week.start + (at + 1) * 3600.0, 0.0, 60.0) for at in range(168)]
    hours[96] = Slice(midnight, midnight + 3600.0, 60.0, 60.0)
    sla = Sla("up", "availability", objective=0.99, zone=zone, window="week", promql=Promql(value="up"))
    found = standing(sla, Counted(tuple(hours)), week, week.end + 1.0, earlier=before(week, zone))
    text = markdown(Report("production", "2026-W53", week.end + 1.0, (found,)))
    assert "2026-12-28 to 2027-01-03, Europe/Amsterdam. 1 of 1 kept" in text
    assert "| up | 2027-01-01 00:00 CET | 2027-01-01 01:00 CET |" in text
    assert "Taken 2027-01-04 00:00 CET." in text


def test_two_weeks_are_told_as_they_are_reckoned_by_hand() -> None:
    week = week_of("2026-W46", "UTC")
    earlier, sunday = before(week, "UTC"), week.end - 3600.0
    # 100 an hour; in W45 84 of them bad, in W46 60, 30 of which half is in maintenance, 100 of which all are, and 10 at its end.
    bad = {earlier.start + 5 * 3600.0: 84.0, sunday: 10.0}
    bad |= {week.start + hour * 3600.0: count for hour, count in ((10, 40.0), (11, 20.0), (50, 30.0), (100, 100.0))}
    begins = [earlier.start + hour * 3600.0 for hour in range(336)]
    pauses = (
        Maintenance("disks", "bigger", week.start + 50.5 * 3600.0, week.start + 51 * 3600.0),
        Maintenance("move", "", week.start + 100 * 3600.0, week.start + 101 * 3600.0),
    )
    sla = Sla("api", "availability", objective=0.99, window="week", promql=Promql(total="t"), maintenance=pauses)
    slices = tuple(Slice(at, at + 3600.0, bad.get(at, 0.0), 100.0) for at in begins)
    found = standing(sla, Counted(slices), week, week.end + 86400.0, earlier=earlier)
    report = Report("production", "2026-W46", week.end + 86400.0, (found,))
    promises, violated, excluded, _ = tables(report)
    # Counted: 168 hours without 1.5. Bad: 40 + 20 + 15 + 10 = 85 of a budget of 166.5; before: 84 of 16,800.
    assert promises.rows == (
        (
            "OK kept",
            "api",
            "99 %",
            "99.489 %",
            "99.5 %",
            "-0.011",
            "48 %",
            "3 (before 1)",
            "1h 30m",
            "16,650",
            "100 %",
            "",
        ),
    )
    assert violated.rows == (
        ("api", "2026-11-09 10:00 UTC", "2026-11-09 12:00 UTC", "2h (± 1h)", "60 of 200", "36 %"),
        ("api", "2026-11-11 02:00 UTC", "2026-11-11 03:00 UTC", "1h (± 1h)", "15 of 50", "9.0 %"),
        ("api", "2026-11-15 23:00 UTC", "after 2026-W46", "–", "10 of 100", "6.0 %"),
    )
    assert [row[:5] for row in excluded.rows] == [
        ("disks", "2026-11-11 02:30 UTC", "2026-11-11 03:00 UTC", "30m", "bigger"),
        ("move", "2026-11-13 04:00 UTC", "2026-11-13 05:00 UTC", "1h", ""),
    ]
    assert report.summary == (
        "1 of 1 kept, 0 broken, 0 unknown. 3 violations, 1 of them not over at its end (the period before: 1), 1h 30m to recovery on average."
    )


def test_what_is_known_of_a_day_alone_is_neither_kept_nor_broken() -> None:
    week = week_of("2026-W46", "UTC")
    sla = Sla("api", "availability", objective=0.99, window="week", promql=Promql(total="t"))
    told = Counted((Slice(week.end - 86400.0, week.end, 0.0, 100.0),))
    found = standing(sla, told, week, week.end + 86400.0)
    report = Report("production", "2026-W46", week.end + 86400.0, (found,))
    assert (found.sli, found.met, tables(report)[0].rows[0][0]) == (1.0, None, "UNKNOWN")
    assert report.summary.startswith("0 of 1 kept, 0 broken, 1 unknown.")


def test_nothing_promised_is_said() -> None:
    empty = Report("production", "2026-W46", NOW, ())
    assert "Nothing is promised." in markdown(empty)
    assert "0 of 0 kept" in empty.summary
    assert markdown(empty).splitlines()[4].startswith("0 of 0 kept"), "no days, and no stop for them"
