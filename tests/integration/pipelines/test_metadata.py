"""The metadata database of a large installation, and of what is none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import AirflowSettings, Environment, PostgresSettings
from opsconsole.core.reading import SourceError
from opsconsole.core.state import State
from opsconsole.pipelines import metadata
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.history import standings
from opsconsole.pipelines.opening import open_airflow
from opsconsole.sources.registry import Sources
from tests.servers import PostgresServer

FILL = """
do $$  -- only what is read is filled
declare one record;
begin
  for one in select table_name, column_name from information_schema.columns
              where table_schema = 'public' and table_name in ('dag', 'dag_run') and is_nullable = 'NO'
                and column_name not in ('id', 'dag_id')
  loop execute format('alter table %I alter column %I drop not null', one.table_name, one.column_name); end loop;
end $$;
insert into dag (dag_id, is_paused, is_stale, fileloc, owners)
select 'dag-' || d, d % 10 = 0, false, '/x.py', 'a, b' from generate_series(1, 5000) d;
insert into dag_run (dag_id, run_id, run_type, state, logical_date, run_after, start_date, end_date)
select 'dag-' || d, 'scheduled__' || r, 'scheduled', case when d = 7 and r = 1 then 'failed' else 'success' end,
       at, at, at, at + interval '1 min'
  from generate_series(1, 5000) d, generate_series(1, 20) r, lateral (select now() - r * interval '1 day' as at) t;
insert into dag (dag_id, is_stale) values ('gone', true);
insert into dag (dag_id, is_stale, owners, timetable_summary) values (E'odd '';--\\n\\x1b[2J"<b>', false, '', null);
insert into dag_run (dag_id, run_id, run_type, state, run_after)
values (E'odd '';--\\n\\x1b[2J"<b>', E'r\\x1b]52;c;x\\x07\\u202e', 'manual', null, now());
insert into dag (dag_id, is_stale) values ('wordy', false);
insert into dag_run (dag_id, run_id, run_type, state, run_after)
select 'wordy', repeat(E'\\x02', 240) || r, 'manual', 'success', now() - r * interval '1 min'
  from generate_series(1, 20) r;
analyze;
"""


def environment(server: PostgresServer, database: str) -> Environment:
    dsn = PostgresSettings("meta", SecretRef.of(server.dsn(database)), statement_timeout=60.0)
    return Environment(
        "test", Path("s"), Path("r"), postgres=MappingProxyType({"meta": dsn}), airflow=AirflowSettings(metadata="meta")
    )


@pytest.fixture(scope="module")
def many_dags(postgres: PostgresServer) -> PostgresServer:
    postgres.psql("drop database if exists many_dags")
    postgres.psql("create database many_dags")
    postgres.psql(files("opsconsole.demo").joinpath("sql", "airflow.sql").read_bytes(), "many_dags")
    postgres.psql(FILL, "many_dags")
    return postgres


@asynccontextmanager
async def opened(server: PostgresServer) -> AsyncIterator[Airflow]:
    here = environment(server, "many_dags")
    sources = Sources(here)
    try:
        yield open_airflow(here, sources)
    finally:
        await sources.close()


async def test_five_thousand_dags_are_read_whole_and_what_failed_comes_first(many_dags: PostgresServer) -> None:
    async with opened(many_dags) as airflow:
        told = await airflow.survey()
    assert (len(told.value.dags), told.cut) == (5002, False)
    assert {len(runs) for dag_id, runs in told.value.runs.items() if dag_id.startswith("dag-")} == {14}
    wordy = told.value.runs["wordy"]  # what does not fit into one cell of an answer
    assert [one.run_id[-2:].lstrip("␂") for one in wordy] == [str(number) for number in range(1, 15)]
    found = standings(told.value, told.now)
    assert (found[0].dag.dag_id, found[0].state, found[0].dag.owners) == ("dag-7", State.CRIT, ("a", "b"))
    assert "gone" not in {one.dag.dag_id for one in found}
    (odd,) = [one for one in found if one.dag.dag_id.startswith("odd")]
    assert "\x1b" not in odd.dag.dag_id
    assert odd.latest is not None
    assert (odd.latest.run_id, odd.latest.state, odd.latest.logical_at) == ("r␛]52;c;x␇�", "", None)


async def test_runs_beyond_the_newest_are_found_where_a_dag_has_few_of_late(
    many_dags: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(many_dags) as airflow:
        whole = (await airflow.survey()).value
        monkeypatch.setattr(metadata, "_NEWEST", 5_000)  # one run of every other DAG, and all of the last one's
        found = (await airflow.survey()).value
    assert found.dags == whole.dags
    assert found.runs == whole.runs


async def test_only_what_changed_is_made_anew(many_dags: PostgresServer) -> None:
    async with opened(many_dags) as airflow:
        first = await airflow.survey()
        known = standings(first.value, first.now)
        many_dags.psql(
            "update dag_run set state = 'failed' where dag_id = 'dag-12' and run_id = 'scheduled__1';"
            " update dag set is_paused = true where dag_id = 'dag-11'",
            "many_dags",
        )
        second = await airflow.survey()
    changed = {new.dag_id for old, new in zip(first.value.dags, second.value.dags, strict=True) if old is not new}
    assert changed == {"dag-11", "dag-12"}
    taken_over = {id(one) for one in known}
    fresh = [one for one in standings(second.value, second.now, known) if id(one) not in taken_over]
    assert {one.dag.dag_id: one.state for one in fresh} == {"dag-11": State.OK, "dag-12": State.CRIT, "wordy": State.OK}


async def test_a_database_that_is_none_of_an_airflow_says_so(postgres: PostgresServer) -> None:
    here = environment(postgres, "postgres")
    sources = Sources(here)
    try:
        with pytest.raises(SourceError, match="no metadata database of an Airflow"):
            await open_airflow(here, sources).survey()
    finally:
        await sources.close()
