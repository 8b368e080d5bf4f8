"""What follows from readings: findings in their order, advice about settings, rates, estimates, the report."""

from dataclasses import replace
from typing import Any

import pytest

from opsconsole.core.state import State
from opsconsole.database.bloat import Bloat, BloatReading, index_bloat, table_bloat
from opsconsole.database.finding import Coverage, Finding
from opsconsole.database.findings import Readings, findings, ranked, sequence_findings
from opsconsole.database.instance import Instance, between, instance_of, lifetime
from opsconsole.database.report import Report, html, markdown
from opsconsole.database.sequences import Sequence, sequence_of
from opsconsole.database.settings import Setting, advise
from opsconsole.database.tables import Autovacuum, Sizes
from opsconsole.database.vacuum import Holder, VacuumReport, reason, remedy, sentences, stuck_tables
from tests.unit.database.made import row, table


def ids(*found: Finding) -> list[str]:
    return [one.id for one in found]


def test_worst_first_then_what_is_worth_most() -> None:
    def one(state: State, effect: float, unit: str) -> Finding:
        return Finding(f"{effect:g}{unit}", state, "t", "", "", effect=effect, unit=unit)

    objects = [one(State.OK, 9, "bytes"), one(State.WARN, 1, "bytes"), one(State.WARN, 2, "bytes")]
    others = [one(State.WARN, 1, "s"), one(State.CRIT, 0, ""), one(State.WARN, 0, "")]
    assert ids(*ranked(objects, others)) == ["0", "1s", "2bytes", "1bytes", "0", "9bytes"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, []),
        ({"dead": 20_000, "live": 20_000}, ["dead-rows"]),
        ({"dead": 20_000, "live": 2_000_000}, []),
        ({"dead": 2_000_000, "live": 2_000_000, "analyze_at": 1.0}, ["dead-rows", "autovacuum-late"]),
        ({"updated": 200_000, "hot": 10}, ["few-hot-updates"]),
        ({"xid_age": 1_700_000_000}, ["wraparound"]),
        ({"live": 20_000}, ["old-statistics"]),
        ({"rows": 1e6, "seq_rows": 10**9, "seq_scans": 1000, "index_scans": 5}, ["sequential-scans"]),
        ({"rows": 900.0, "seq_rows": 10**9, "seq_scans": 1000}, []),
        ({"sizes": Sizes(2e11, 0.0, 0.0, 2e11)}, ["large-table"]),
        ({"autovacuum": Autovacuum(False, 50.0, 0.0, 0.0, 0.0, 0.0), "options": "autovacuum_enabled=false"},
         ["autovacuum-off"]),
    ],
)  # fmt: skip
def test_findings_about_a_table(given: dict[str, Any], told: list[str]) -> None:
    given = {"analyze_at": 1.0} | given if given.get("live") != 20_000 or "dead" in given else given
    assert ids(*findings(Readings((table(**given),)))) == told


def test_a_fix_is_for_the_database_that_was_read() -> None:
    (found,) = findings(Readings(available=frozenset({"pgstattuple"}), conn="app"))
    assert found.fix is not None
    assert (found.fix.action, found.fix.arguments) == (
        "postgres.create-extension",
        {"extension": "pgstattuple", "conn": "app"},
    )
    assert findings(Readings(available=frozenset({"pgstattuple"}), extensions=frozenset({"pgstattuple"}))) == ()


def test_names_in_statements_are_quoted() -> None:
    hostile = table(schema='we"ird.sch%s', name="tab'le\nnewline", xid_age=1_700_000_000)
    (found,) = findings(Readings((hostile,)))
    assert found.fix is not None
    assert found.fix.sql == 'VACUUM (FREEZE) "we""ird.sch%s"."tab\'le\nnewline";'
    assert found.fix.arguments == {"schema": 'we"ird.sch%s', "table": "tab'le\nnewline", "mode": "freeze"}


HOLDER = Holder("session", "7", "psql", "bob", "idle in transaction", 200_000, 50.0, "2026-01-01", False)


def test_a_table_vacuumed_while_something_held_rows_is_stuck() -> None:
    dirty = table(dead=500, autovacuum_at=980.0, autovacuum=Autovacuum(True, 50.0, 10.0, 0.0, 0.0, 0.0))
    report = VacuumReport((HOLDER,), (dirty,), 1000.0)
    assert stuck_tables(report) == [dirty]
    assert stuck_tables(replace(report, tables=(replace(dirty, autovacuum_at=900.0),))) == []
    assert stuck_tables(replace(report, holders=())) == []
    assert sentences(report)[0].startswith("session 7 of bob (idle in transaction) has a snapshot open for 50 s")


@pytest.mark.parametrize(
    ("kind", "id", "says", "do"),
    [
        ("prepared", "it's", "prepared transaction it's", "ROLLBACK PREPARED 'it''s'"),
        ("slot", "gone", "replication slot gone", "pg_drop_replication_slot('gone')"),
        ("standby", "s1", "standby s1", "hot_standby_feedback = off"),
    ],
)
def test_each_kind_of_holder_has_its_words(kind: str, id: str, says: str, do: str) -> None:  # noqa: A002
    holder = replace(HOLDER, kind=kind, id=id, seconds=None)
    assert reason(holder).startswith(says)
    assert do in remedy(holder)


def setting(name: str, value: str, unit: str = "", **given: Any) -> Setting:
    fields: dict[str, Any] = {"source": "default", "context": "sighup", "pending_restart": False} | given
    return Setting(name=name, value=value, unit=unit, **fields)


@pytest.mark.parametrize(
    ("settings", "advised"),
    [
        ([], []),
        ([setting("autovacuum", "off"), setting("track_io_timing", "off")], ["autovacuum", "track_io_timing"]),
        ([setting("random_page_cost", "4", source="configuration file")], []),
        ([setting("shared_buffers", "16384", "8kB"), setting("(database bytes)", "5e9", "B")], ["shared_buffers"]),
        ([setting("shared_buffers", "16384", "8kB"), setting("(database bytes)", "5e6", "B")], []),
        ([setting("work_mem", "1048576", "kB"), setting("max_connections", "100")], ["work_mem"]),
        ([setting("idle_in_transaction_session_timeout", "0", "ms")], ["idle_in_transaction_session_timeout"]),
        ([setting("log_temp_files", "0", "kB")], []),
        ([setting("max_connections", "200", pending_restart=True)], ["max_connections"]),
    ],
)
def test_settings_worth_changing(settings: list[Setting], advised: list[str]) -> None:
    assert [one.name for one in advise({one.name: one for one in settings})] == advised


@pytest.mark.parametrize(
    ("source", "restart", "how"),
    [
        ("default", False, "ALTER SYSTEM SET fsync = 'on'; then SELECT pg_reload_conf();"),
        ("configuration file", True, "ALTER SYSTEM SET fsync = 'on'; then a restart"),
        ("command line", False, "it is given on the server's command line, which ALTER SYSTEM does not override"),
        ("database", False, "it is set for this database: ALTER DATABASE … RESET fsync;"),
    ],
)  # fmt: skip
def test_a_setting_is_changed_where_it_comes_from(source: str, restart: bool, how: str) -> None:
    found = setting("fsync", "off", source=source, context="postmaster" if restart else "sighup")
    (advice,) = advise({"fsync": found})
    assert advice.how.startswith(how)
    assert advice.restart == (restart or source == "command line")
    assert (advice.sql == "") == ("ALTER SYSTEM SET" not in how)


@pytest.mark.parametrize(
    ("cycles", "column_ends_first", "state"),
    [(False, False, State.CRIT), (True, False, State.OK), (True, True, State.CRIT)],
)
def test_a_sequence_that_begins_again_is_urgent_only_where_its_column_ends(
    cycles: bool, column_ends_first: bool, state: State
) -> None:
    cells = row(
        oid="1", schema="app", name="seq", type="bigint", last=99, increment=1, cycles=cycles, used=0.99, remaining=1.0,
        table_name="t", column_name="id", column_type="integer", column_ends_first=column_ends_first, readable=True,
        locked=False,
    )  # fmt: skip
    assert sequence_of(cells).state is state


COUNTED = [
    "commits",
    "rollbacks",
    "read",
    "hit",
    "temp_files",
    "temp_bytes",
    "deadlocks",
    "conflicts",
    "rows_returned",
    "rows_fetched",
    "checksum_failures",
    "sessions_lost",
    "checkpoints_timed",
    "checkpoints_requested",
    "checkpoint_write_seconds",
    "checkpoint_sync_seconds",
    "buffers_checkpoint",
    "buffers_clean",
    "maxwritten_clean",
    "buffers_alloc",
    "wal_records",
    "wal_fpi",
    "wal_bytes",
    "wal_buffers_full",
    "backends",
    "standbys",
]


def instance(at: float, **given: float | None) -> Instance:
    cells: dict[str, Any] = dict.fromkeys(COUNTED, 0) | {"reset_ago": None, "uptime": 60.0} | given
    return instance_of(row(**cells), at, Coverage())


def test_shares_of_an_interval_and_of_nothing() -> None:
    told = between(instance(0.0, hit=100, read=100), instance(10.0, hit=190, read=110))
    assert (told.seconds, told.hit_share, told.requested_share, told.reset) == (10.0, 0.9, None, False)
    assert lifetime(instance(0.0)).hit_share is None


def test_what_a_version_does_not_count_stays_unknown() -> None:
    assert between(instance(0.0, wal_bytes=None), instance(1.0, wal_bytes=None)).grown.wal_bytes is None


def test_after_a_reset_no_counter_is_believed() -> None:
    told = between(instance(0.0, hit=100, commits=5), instance(-1.0, hit=3, commits=9))
    assert (told.reset, told.grown.commits, told.hit_share, told.seconds) == (True, None, None, 0.0)


def relation(**given: Any) -> dict[str, Any]:
    sized = {"pages": 1000.0, "rows": 10_000.0, "block_size": 8192.0, "fillfactor": 100.0, "width": 40.0}
    named = {"oid": "1", "schema": "app", "name": "t", "table_name": "t"}
    return {**named, **sized, "nulls": False, "columns": 3, **given}


def test_a_table_is_estimated_by_the_width_of_its_rows() -> None:
    # 24 of header, 40 of columns, 4 of line pointer: 120 rows a page, 84 pages.
    assert table_bloat(row(**relation())).needed == 84 * 8192
    assert table_bloat(row(**relation(width=None))).wasted is None
    assert table_bloat(row(**relation(rows=0.0, pages=0.0))).share is None
    assert table_bloat(row(**relation(pages=10.0))).wasted == 0.0
    # 8 of header, 8 of column, 4 of line pointer: 28 leaves, one page above them, one of metadata.
    assert index_bloat(row(**relation(width=8.0, fillfactor=90.0))).needed == 30 * 8192


@pytest.mark.parametrize("exact", [False, True])
def test_bloat_is_a_finding_where_it_is_large(exact: bool) -> None:
    small = Bloat("table", "1", "app", "s", "s", 1e6, 1.0)
    large = Bloat("index", "2", "app", "i", "t", 2e8, 1e8, exact)
    (found,) = findings(Readings(bloat=BloatReading((small, large), 0.0)))
    assert (found.id, found.effect, bool(found.caveats)) == ("bloated-index", 1e8, not exact)


@pytest.mark.parametrize(
    ("used", "cycles", "told"), [(0.5, False, 0), (0.8, False, 1), (0.95, True, 0), (None, False, 0)]
)
def test_a_sequence_near_its_end(used: float | None, cycles: bool, told: int) -> None:
    one = Sequence("1", "app", "s", "bigint", 9, 1, cycles, used, 1.0, "t", "id", "integer", False, True, False)
    assert len(list(sequence_findings([one]))) == told


def test_a_report_shows_what_comes_from_outside_as_text() -> None:
    bait = "<b>|`x`</b>\n# head"
    found = Finding("x", State.WARN, bait, "t", "w")
    report = Report(Readings(database=bait, coverage=Coverage((bait,))), (found,))
    assert "<b>" not in html(report)
    assert "\n# head" not in markdown(report)
    assert "\\<b\\>\\|\\`x\\`" in markdown(report)


def test_only_statements_are_shown_as_sql() -> None:
    (found,) = findings(Readings((table(xid_age=1_700_000_000),)))
    text = markdown(Report(Readings(), (found,)))
    assert "- Undo: none: nothing is lost" in text
    assert text.count("```sql") == 1
