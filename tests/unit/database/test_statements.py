"""What can be read of pg_stat_statements, by version and by what is set up."""

import pytest

from opsconsole.database.catalog import Catalog, Extension
from opsconsole.database.statement import statement
from opsconsole.database.statements import Counters, shortcomings, why_not

_1_7 = (
    "userid dbid queryid query calls total_time min_time max_time mean_time stddev_time rows shared_blks_hit "
    "shared_blks_read shared_blks_dirtied shared_blks_written local_blks_hit local_blks_read local_blks_dirtied "
    "local_blks_written temp_blks_read temp_blks_written blk_read_time blk_write_time"
)
_TIMES = ["total", "min", "max", "mean", "stddev"]
_1_8 = (frozenset(_1_7.split()) - {f"{one}_time" for one in _TIMES}) | {
    *(f"{one}_exec_time" for one in _TIMES),
    *(f"{one}_plan_time" for one in _TIMES),
    *("plans", "wal_records", "wal_fpi", "wal_bytes"),
}
_1_9 = _1_8 | {"toplevel"}
_1_10 = _1_9 | {"temp_blk_read_time", "temp_blk_write_time"}
_1_11 = (_1_10 - {"blk_read_time", "blk_write_time"}) | {
    *("shared_blk_read_time", "shared_blk_write_time", "local_blk_read_time", "local_blk_write_time"),
    *("stats_since", "minmax_stats_since"),
}
_1_12 = _1_11 | {"wal_buffers_full", "parallel_workers_to_launch", "parallel_workers_launched"}
VERSIONS = {"1.7": frozenset(_1_7.split()), "1.8": _1_8, "1.9": _1_9, "1.10": _1_10, "1.11": _1_11, "1.12": _1_12}


@pytest.mark.parametrize("version", VERSIONS)
def test_only_columns_that_the_version_has_are_asked_for(version: str) -> None:
    columns = VERSIONS[version]
    text = statement("statements", {"pg_stat_statements": columns})
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    asked = {word[2:].rstrip(",") for word in code.replace("::", " ").split() if word.startswith("s.")}
    assert asked - columns == set()
    assert ("total_exec_time" in asked) == (version != "1.7")
    assert ("stats_since" in asked) == (version in ("1.11", "1.12"))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_answers_with_the_same_columns(version: str) -> None:
    def names(columns: frozenset[str]) -> list[str]:
        text = statement("statements", {"pg_stat_statements": columns})
        body = text[text.index("select") + 6 : text.index("  from :")]
        return [line.split()[-1].rstrip(",").rpartition(".")[2] for line in body.splitlines() if line.strip()]

    assert names(VERSIONS[version]) == names(_1_12)


def test_the_view_of_resets_is_asked_only_where_it_is() -> None:
    assert "pg_stat_statements_info" in statement("statements_about", {"pg_stat_statements_info": frozenset()})
    without = statement("statements_about", {}).partition("select")[2]
    assert "pg_stat_statements_info" not in without
    assert "null::bigint as dealloc" in without


def catalog(*, created: str = "", available: str = "", loaded: bool = False, **settings: str) -> Catalog:
    given = {"server_version": "15.4", **settings}
    if loaded:
        given["pg_stat_statements.max"] = "5000"
    return Catalog(
        {},
        {"pg_stat_statements": Extension(created, "public")} if created else {},
        {"pg_stat_statements": available} if available else {},
        settings=given,
        facts={"database": "app", "role": "watch"},
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (catalog(), "install PostgreSQL's contrib package"),
        (catalog(available="1.10"), "neither loaded nor created: put pg_stat_statements into shared_preload_libraries"),
        (catalog(available="1.10", loaded=True), "not created in app: CREATE EXTENSION pg_stat_statements;"),
        (catalog(available="1.10", created="1.10"), "the server does not load it"),
    ],
    ids=["no package", "nothing done", "not created", "not loaded"],
)
def test_what_is_missing_is_said_with_what_to_do(found: Catalog, said: str) -> None:
    assert said in (why_not(found) or "")


def test_nothing_is_missing_where_it_is_loaded_and_created() -> None:
    assert why_not(catalog(available="1.10", created="1.10", loaded=True)) is None


def test_an_extension_that_stayed_old_and_what_is_not_measured_are_said() -> None:
    notes = shortcomings(catalog(available="1.10", created="1.7", loaded=True, track_io_timing="off"))
    assert (
        "pg_stat_statements 1.7 on server 15.4, which has 1.10: ALTER EXTENSION pg_stat_statements UPDATE" in notes[0]
    )
    assert "track_io_timing is off" in notes[1]
    assert shortcomings(catalog(available="1.10", created="1.10", loaded=True, track_io_timing="on")) == []


def test_counters_are_taken_off_each_other_and_what_is_not_counted_stays_so() -> None:
    less = Counters(calls=5, total=2.0, wal_bytes=None, plans=3) - Counters(calls=2, total=0.5, plans=4)
    assert (less.calls, less.total, less.wal_bytes, less.plans) == (3, 1.5, None, 0.0)
