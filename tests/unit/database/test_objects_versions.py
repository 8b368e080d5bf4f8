"""Statements of tables, indexes and counters in the form that each version of PostgreSQL understands.

The column sets are those of the versions' own catalogs (documentation, chapter 28), as far as a statement asks.
"""

import pytest

from opsconsole.database.statement import conditions, statement

_STAT_12 = {
    "pg_stat_all_tables": {"relid", "n_mod_since_analyze"},
    "pg_stat_all_indexes": {"idx_scan"},
    "pg_stat_database": {"deadlocks", "checksum_failures"},
    "pg_stat_bgwriter": {"checkpoints_timed", "buffers_clean"},
}
_ADDED: dict[int, dict[str, set[str]]] = {
    13: {"pg_stat_all_tables": {"n_ins_since_vacuum"}},
    14: {
        "pg_stat_database": {"sessions_fatal"},
        "pg_stat_wal": {"wal_records", "wal_fpi", "wal_bytes", "wal_buffers_full", "wal_write"},
    },
    16: {"pg_stat_all_tables": {"last_seq_scan"}, "pg_stat_all_indexes": {"last_idx_scan"}},
    17: {"pg_stat_checkpointer": {"num_timed", "num_requested", "write_time", "sync_time", "buffers_written"}},
}


def columns(version: int) -> dict[str, frozenset[str]]:
    """What the views of that version have."""
    found = {view: set(names) for view, names in _STAT_12.items()}
    for since, views in _ADDED.items():
        for view, names in views.items() if version >= since else ():
            found.setdefault(view, set()).update(names)
    return {view: frozenset(names) for view, names in found.items()}


@pytest.mark.parametrize("version", range(12, 19))
def test_checkpoints_are_read_where_the_version_counts_them(version: int) -> None:
    text = statement("instance", columns(version))
    assert ("cross join pg_stat_checkpointer" in text) == ("c.num_timed" in text) == (version >= 17)
    assert ("b.checkpoints_timed" in text) == ("b.checkpoints_req as checkpoints_requested" in text) == (version < 17)
    assert ("cross join pg_stat_wal" in text) == ("w.wal_bytes" in text) == (version >= 14)
    assert text.count(" as checkpoints_requested") == 1


@pytest.mark.parametrize("version", range(12, 19))
def test_what_later_versions_count_is_null_before(version: int) -> None:
    tables, indexes = statement("tables", columns(version)), statement("indexes", columns(version))
    assert ("pg_stat_get_ins_since_vacuum" in tables) == (version >= 13)
    assert tables.count("as inserted_since") == 1
    assert ("pg_stat_get_lastscan" in indexes) == (version >= 16)
    assert indexes.count("as last_scan_at") == 1


@pytest.mark.parametrize("name", ["tables", "indexes", "instance"])
def test_the_recorded_columns_are_all_that_is_asked_about(name: str) -> None:
    newest = columns(18)
    assert all(view in newest and (not column or column in newest[view]) for view, column in conditions(name))
