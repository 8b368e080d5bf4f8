"""What the pages of the workbench say of readings made by hand, and what they offer to do."""

from typing import Any

import pytest

from opsconsole.actions import registry
from opsconsole.database.finding import Coverage
from opsconsole.database.instance import between
from opsconsole.database.statement_usage import since_reset
from opsconsole.runbooks.lint import lint
from opsconsole.runbooks.repair import runbook_for
from opsconsole.ui.pages.page import Order, Page, Sheet
from opsconsole.ui.screens.pages_view import page_bar
from opsconsole.ui.workbench.connections import ConnectionsPage
from opsconsole.ui.workbench.findings import FindingsPage, FindingsReading
from opsconsole.ui.workbench.locks import LocksPage
from opsconsole.ui.workbench.pages import PAGES
from opsconsole.ui.workbench.progress import ProgressPage
from opsconsole.ui.workbench.queries import QueriesPage, QueriesReading
from opsconsole.ui.workbench.replication import ReplicationPage
from opsconsole.ui.workbench.server import ServerPage, ServerReading
from opsconsole.ui.workbench.sessions import SessionsPage, key_of
from opsconsole.ui.workbench.tables import TablesPage, TablesReading
from tests.screens import workbench_readings as made

QUERIES = QueriesReading(made.SNAPSHOT, since_reset(made.SNAPSHOT), None)
TABLES = TablesReading(made.TABLES, {"1": 7.0e9})
FINDINGS = FindingsReading(made.FINDINGS, Coverage())
AnyPage = type[Page[Any, Any]]
READINGS: list[tuple[AnyPage, Any]] = [
    (SessionsPage, made.ACTIVITY),
    (LocksPage, made.BLOCKING),
    (LocksPage, made.PREPARED),
    (LocksPage, made.DEADLOCK),
    (QueriesPage, QUERIES),
    (TablesPage, TABLES),
    (ConnectionsPage, made.CONNECTIONS),
    (ConnectionsPage, made.POOLED),
    (ConnectionsPage, made.SILENT),
    (ProgressPage, made.PROGRESS),
    (ReplicationPage, made.REPLICATION),
    (ReplicationPage, made.STANDBY),
    (ServerPage, ServerReading(made.INSTANCE, None)),
    (ServerPage, ServerReading(made.LATER, between(made.INSTANCE, made.LATER))),
    (FindingsPage, FINDINGS),
]


def cells(sheet: Sheet, row: int) -> dict[str, str]:
    """One row by its columns' ids."""
    return {column.id: cell.text for column, cell in zip(sheet.columns, sheet.rows[row].cells, strict=True)}


def roles(sheet: Sheet, row: int) -> dict[str, str]:
    return {column.id: cell.role for column, cell in zip(sheet.columns, sheet.rows[row].cells, strict=True)}


@pytest.mark.parametrize(("kind", "reading"), READINGS)
def test_every_order_gives_a_sheet_whose_keys_are_unique_and_lead_further(
    kind: type[Page[Any, Any]], reading: Any
) -> None:
    page = kind()
    for sort in page.sorts:
        for grouping in ("", *page.groupings):
            sheet = page.sheet(reading, Order(sort, grouping))
            keys = [row.key for row in sheet.rows]
            assert len(set(keys)) == len(keys)
            assert all(len(row.cells) == len(sheet.columns) for row in sheet.rows)
            assert sheet.sort in {"", *(column.id for column in sheet.columns)}
            for row in sheet.rows:
                page.detail(reading, row.key)
                for choice in page.choices(reading, row.key):
                    assert registry.find(choice.repair.action) is not None, choice
                    assert [one for one in lint(runbook_for(choice.repair)) if one.severity == "error"] == []
    assert page.detail(reading, "nothing of that name") is None or kind is ConnectionsPage
    assert page.choices(reading, "nothing of that name") == []


@pytest.mark.parametrize("spec", PAGES)
def test_a_page_is_what_its_place_says(spec: Any) -> None:
    page = spec.make()
    assert (page.id, page.title) == (spec.id, spec.title)
    assert page.period > 0


def test_sessions_that_need_somebody_come_first_and_ours_not_at_all() -> None:
    sheet = SessionsPage().sheet(made.ACTIVITY, Order("attention"))
    assert [row["pid"] for row in (cells(sheet, at) for at in range(5))] == ["8123", "8124", "8125", "8130", "8140"]
    assert cells(sheet, 0)["state"] == "idle in tx"
    assert roles(sheet, 0)["transaction"] == "crit"
    assert roles(sheet, 1)["wait"] == "crit"
    assert cells(sheet, 3)["state"] == "active +1"
    assert cells(sheet, 4)["transaction"] == ""
    assert sheet.summary == "5 sessions   3 active   2 waiting for locks   1 idle in transaction"
    groups = SessionsPage().sheet(made.ACTIVITY, Order("attention", "user"))
    assert cells(groups, 0) | {"rest": ""} == {
        "name": "api", "sessions": "3", "active": "2", "waiting": "1", "idle": "0", "longest": "3m 1s", "rest": "",
    }  # fmt: skip


def test_a_session_is_cancelled_only_where_it_does_something_and_is_named_by_its_start() -> None:
    page = SessionsPage()
    idle = page.choices(made.ACTIVITY, key_of(made.HOLDER))
    assert [one.label for one in idle] == ["terminate"]
    assert idle[0].repair.arguments == {"pid": "8123", "backend_start": made.STARTED}
    assert [one.label for one in page.choices(made.ACTIVITY, key_of(made.BUSY))] == ["cancel", "terminate"]
    assert page.choices(made.ACTIVITY, "8123 2020-01-01 00:00:00+00") == []  # another session had that number


def test_the_tree_says_what_ending_its_root_would_do() -> None:
    sheet = LocksPage().sheet(made.BLOCKING, Order("effect"))
    assert [cells(sheet, at)["node"] for at in range(3)] == ["8123", "├ 8124", "└ 8125"]
    assert cells(sheet, 0)["lock"] == "frees 2, the longest waits 3m 1s"
    assert "ending 8123 frees 2 sessions" in sheet.summary
    prepared = LocksPage().sheet(made.PREPARED, Order("effect"))
    assert (cells(prepared, 0)["node"], cells(prepared, 0)["state"]) == ("2PC order-7", "prepared")
    assert LocksPage().choices(made.PREPARED, prepared.rows[0].key) == []
    told = LocksPage().detail(made.PREPARED, prepared.rows[0].key)
    assert told is not None
    assert "ROLLBACK PREPARED 'order-7';" in dict(told.facts)["how"]
    deadlock = LocksPage().sheet(made.DEADLOCK, Order("effect"))
    assert cells(deadlock, 0)["node"] == "8124 > 8125 > 8124"


def test_queries_say_what_is_worth_a_look() -> None:
    page = QueriesPage()
    page._texts.update(made.TEXTS)
    sheet = page.sheet(QUERIES, Order("total"))
    assert (cells(sheet, 0)["marks"], cells(sheet, 1)["marks"]) == ("slow", "n+1?")
    assert cells(sheet, 1)["text"] == made.TEXTS[10, 5, 2]
    assert sheet.summary == "3 statements   5m50s of execution in 1h"
    detail = page.detail(QUERIES, sheet.rows[0].key)
    assert detail is not None
    assert ("plan", "e, or opsconsole db explain --queryid 1") in detail.facts
    assert page.sheet(QUERIES, Order("calls")).rows[0].key == sheet.rows[1].key


def test_tables_show_what_grew_and_what_vacuum_would_do() -> None:
    page = TablesPage()
    sheet = page.sheet(TABLES, Order("size"))
    first, second = cells(sheet, 0), cells(sheet, 1)
    assert (first["growth"], first["dead_share"], first["vacuum"]) == ("+955 MiB", "29.4 %", "1d")
    assert (second["growth"], second["vacuum"]) == ("", "never")
    assert roles(sheet, 1)["age"] == "crit"
    labels = [one.label for one in page.choices(TABLES, "1")]
    assert labels == ["analyze", "vacuum", "vacuum analyze", "vacuum freeze", "vacuum full"]
    assert [one.repair.destructive for one in page.choices(TABLES, "1")] == [False, False, False, False, True]
    assert sheet.notes == (made.HIDDEN,)


def test_connections_against_their_limits() -> None:
    sheet = ConnectionsPage().sheet(made.CONNECTIONS, Order("connections"))
    assert sheet.summary.startswith("88 of 97 (90.7 %)   3 busy now   a pool of 8 would do   the most of: 5 at least;")
    etl = next(at for at in range(len(sheet.rows)) if cells(sheet, at)["name"] == "etl")
    assert (cells(sheet, etl)["limit"], roles(sheet, etl)["used"]) == ("1", "crit")


def test_pools_stand_below_the_groups_with_who_waits_and_where_they_are_full() -> None:
    page = ConnectionsPage()
    sheet = page.sheet(made.POOLED, Order("connections"))
    first = next(at for at, row in enumerate(sheet.rows) if row.key == "pooler")
    assert cells(sheet, first) | {"limit": ""} == {
        "name": "PgBouncer 1.18.0", "used": "5", "limit": "", "active": "2", "waiting": "3", "idle": "", "longest": "",
        "rest": "12 of 100 clients",
    }  # fmt: skip
    assert cells(sheet, first + 1) == {
        "name": "  app / api", "used": "2", "limit": "2", "active": "2", "waiting": "3", "idle": "", "longest": "4.2 s",
        "rest": "2 clients transaction + 1 reserve",
    }  # fmt: skip
    assert (roles(sheet, first + 1)["used"], roles(sheet, first + 1)["longest"]) == ("warn", "warn")
    assert cells(sheet, first + 2)["rest"].startswith("PAUSED")
    assert cells(sheet, first + 3)["limit"] == "?"
    assert "\x1b" not in "".join(cells(sheet, first + 3).values())
    detail = page.detail(made.POOLED, sheet.rows[first + 1].key)
    assert detail is not None
    assert ("pool_size", "2") in detail.facts
    assert [heading for heading, _ in detail.parts] == ["WARN app / api: the pool is at its limit"]
    whole = page.detail(made.POOLED, "pooler")
    assert whole is not None
    assert dict(whole.facts)["of this server, now"].startswith("which of the pooler's entries are this server's")
    assert len(whole.parts) == 2


def test_a_pooler_that_does_not_answer_is_a_row_and_the_rest_stays() -> None:
    sheet = ConnectionsPage().sheet(made.SILENT, Order("connections"))
    assert [row.key for row in sheet.rows][-1] == "pooler"
    assert cells(sheet, len(sheet.rows) - 1)["rest"] == "UNKNOWN: connection refused at db:6432; trying again"
    assert sheet.rows[:-1] == ConnectionsPage().sheet(made.CONNECTIONS, Order("connections")).rows


def test_progress_has_a_rate_and_an_end_where_they_are_known() -> None:
    sheet = ProgressPage().sheet(made.PROGRESS, Order("pid"))
    vacuum, build = cells(sheet, 0), cells(sheet, 1)
    assert (vacuum["kind"], vacuum["share"], vacuum["left"], vacuum["rate"]) == (
        "autovacuum", "25 %", "1m 30s", "100 blocks/s",
    )  # fmt: skip
    assert (build["on"], build["left"], build["detail"]) == ("meters_new on meters", "", "waits for 8123")


def test_replication_says_what_lags_and_what_keeps_the_log() -> None:
    sheet = ReplicationPage().sheet(made.REPLICATION, Order("kind"))
    assert sheet.summary == (
        "primary at 0/4A000000   1.5 MB/s of log   1 standby, 1 slot   archiving FAILS at 00000001000000000000004A"
    )
    assert [cells(sheet, at)["state"] for at in range(2)] == ["WARN", "WARN"]
    assert "replay is PAUSED" in ReplicationPage().sheet(made.STANDBY, Order("kind")).summary


def test_the_server_says_what_happened_since_the_last_reading_and_ever() -> None:
    reading = ServerReading(made.LATER, between(made.INSTANCE, made.LATER))
    sheet = ServerPage().sheet(reading, Order("subject"))
    said = {
        cells(sheet, at)["what"]: (cells(sheet, at)["now"], cells(sheet, at)["ever"]) for at in range(len(sheet.rows))
    }
    assert said["cache hits"] == ("50 %", "95 %")
    assert said["commits"] == ("20 /s", "2.5 /s")
    assert said["deadlocks"] == ("1", "3")
    marked = {cells(sheet, at)["what"] for at in range(len(sheet.rows)) if roles(sheet, at)["what"] == "warn"}
    assert marked == {"cache hits", "deadlocks"}
    first = ServerPage().sheet(ServerReading(made.INSTANCE, None), Order("subject"))
    assert {cells(first, at)["now"] for at in range(len(first.rows))} == {"…"}
    assert (
        "reset in between"
        in ServerPage()
        .sheet(ServerReading(made.INSTANCE, between(made.LATER, made.INSTANCE)), Order("subject"))
        .summary
    )


def test_a_finding_leads_to_its_statement_and_its_fix() -> None:
    page = FindingsPage()
    sheet = page.sheet(FINDINGS, Order("rank"))
    assert sheet.summary == "2 findings   1 WARN"
    assert [cells(sheet, at)["state"] for at in range(2)] == ["WARN", "advice"]
    detail = page.detail(FINDINGS, sheet.rows[0].key)
    assert detail is not None
    assert ("statement", 'VACUUM "app"."readings";') in detail.parts
    assert [one.label for one in page.choices(FINDINGS, sheet.rows[0].key)] == ["vacuum"]
    assert page.choices(FINDINGS, sheet.rows[1].key) == []


@pytest.mark.parametrize("width", [40, 78, 118])
def test_the_present_page_is_always_in_the_bar(width: int) -> None:
    for place, spec in enumerate(PAGES):
        text = "".join(span.text for span in page_bar(PAGES, place, width))
        assert text.index(spec.title) + len(spec.title) <= width
