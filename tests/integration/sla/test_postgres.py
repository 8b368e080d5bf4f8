"""SLAs counted by SQL on a real PostgreSQL: counts, values, what is no answer, and what may not be done."""

# ruff: noqa: E501  SQL and messages stand here on one line

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import Environment, PostgresSettings
from opsconsole.config.slas import Sla, Sql
from opsconsole.core.state import State
from opsconsole.sla.asking import Slas
from opsconsole.sla.standing import Standing
from opsconsole.sources.registry import Sources
from tests.servers import PostgresServer

HOUR, DAY = 3600.0, 86400.0
NOW = time.time() // HOUR * HOUR
DATABASE = "promised"

# A load each ten minutes; those of 30 to 28 hours ago failed. An age each five minutes, too old from 10 to 9 hours ago.
MADE = f"""
create table loads as
select at, at < to_timestamp({NOW - 30 * HOUR}) or at >= to_timestamp({NOW - 28 * HOUR}) as ok
from generate_series(to_timestamp({NOW - 9 * DAY}), to_timestamp({NOW - 1}), '10 min') at;
create table ages as
select at, case when at >= to_timestamp({NOW - 10 * HOUR}) and at < to_timestamp({NOW - 9 * HOUR})
                then 90000 else 100 end as age
from generate_series(to_timestamp({NOW - 9 * DAY}), to_timestamp({NOW - 1}), '5 min') at;
"""
SPAN = "at >= :'FROM' and at < :'TO'"
EACH = f"select at, (not ok)::int as bad, 1 as total from loads where {SPAN}"
HOURLY = (
    "select date_trunc('hour', at) as at, count(*) filter (where ok) as good, count(*) as total"
    f" from loads where {SPAN} group by 1"
)
AGES = f"select at, age as value from ages where {SPAN}"


@pytest.fixture(scope="module")
def dsn(postgres: PostgresServer) -> Iterator[str]:
    postgres.psql(f"create database {DATABASE}")
    postgres.psql(MADE, DATABASE)
    yield postgres.dsn(DATABASE)
    postgres.psql(f"drop database {DATABASE} with (force)")


def stand(dsn: str, query: str, cache: Path | None = None, **given: Any) -> Standing:
    """How one SLA stands that `query` counts."""
    kind = {"kind": "availability", "objective": 0.99, "window": "7d", **given}
    sla = Sla("loads", sql=Sql("postgres/app", query), **kind)
    nowhere = Path("nowhere")
    settings = PostgresSettings("app", SecretRef.of(dsn))
    environment = Environment("test", screens=nowhere, runbooks=nowhere, postgres={"app": settings})

    async def ask() -> Standing:
        sources = Sources(environment)
        try:
            (found,) = (await Slas(environment, sources, [sla], clock=lambda: NOW, cache=cache).survey()).standings
            return found
        finally:
            await sources.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("query", [EACH, HOURLY])
def test_rows_are_counted_one_by_one_or_in_groups(dsn: str, query: str, tmp_path: Path) -> None:
    for _ in range(2):  # the second time closed days come from what was kept
        found = stand(dsn, query, tmp_path)
        assert (found.tally.total, found.tally.bad, found.tally.coverage) == (7 * 144, 12, 1.0)
        (violation,) = found.violations
        assert violation.start == NOW - 30 * HOUR
        # One by one the last bad one is known to five minutes, ten before the next good one.
        assert violation.end in (NOW - 28 * HOUR, NOW - 28 * HOUR - 300)


def test_a_value_is_judged_by_the_target_and_what_is_not_there_is_unknown(dsn: str) -> None:
    found = stand(dsn, AGES, kind="freshness", target=86400.0)
    assert (found.tally.total, found.tally.bad) == (7 * 288, 12)
    (violation,) = found.violations
    assert (violation.start, violation.end) == (NOW - 10 * HOUR, NOW - 9 * HOUR)
    half = stand(dsn, f"{AGES} and at < to_timestamp({NOW - 84 * HOUR})", kind="freshness", target=86400.0)
    assert half.tally.coverage == pytest.approx(0.5, abs=0.01)
    assert (half.state, half.why) == (State.UNKNOWN, "no data for 3d")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select 1 as good where :'FROM' < :'TO'", "the SQL returns good; expected at, and good and total, bad and total, or value"),
        ("select 'x' as at, 1 as value where :'FROM' < :'TO'", "at is 'x'; expected a timestamp with time zone"),
        ("select :'FROM'::timestamptz as at, 'many' as value where :'FROM' < :'TO'", "a count or value is 'many'; expected a number"),
        ("delete from loads where at >= :'FROM' and at < :'TO' returning at, 1 as value", "the query begins with DELETE"),
        ("with gone as (delete from loads returning at) select at, 1 as value from gone where :'FROM' < :'TO'", "in a read-only transaction"),
        ("select at, ok as value from nowhere where at >= :'FROM' and at < :'TO'", 'relation "nowhere" does not exist'),
    ],
)  # fmt: skip
def test_what_is_no_count_is_said_and_nothing_is_kept(dsn: str, query: str, why: str) -> None:
    found = stand(dsn, query)
    assert found.state is State.UNKNOWN
    assert why in found.why
