"""Statements in the form that a server understands."""

import pytest

from opsconsole.database import statement as module
from opsconsole.database.statement import conditions, names, own, statement
from opsconsole.sources.sqltext import slots

TEXT = """\
select a.pid,
       a.leader_pid,  -- if pg_stat_activity.leader_pid else null::int as leader_pid,
       a.query_id,    -- if pg_stat_activity.query_id
       a.old,         -- unless pg_stat_activity.query_id
       a.query        -- a plain comment
  from pg_stat_activity a
  join pg_stat_io i on true  -- if pg_stat_io"""


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_text", lambda name: TEXT)


@pytest.mark.usefixtures("shown")
def test_a_new_server_gets_the_lines_as_they_stand() -> None:
    text = statement("any", {"pg_stat_activity": frozenset({"leader_pid", "query_id"}), "pg_stat_io": frozenset()})
    assert "       a.leader_pid,\n       a.query_id,\n       a.query        -- a plain comment" in text
    assert "pg_stat_io" in text
    assert "a.old" not in text


@pytest.mark.usefixtures("shown")
def test_an_old_server_gets_the_replacement_or_no_line() -> None:
    text = statement("any", {"pg_stat_activity": frozenset({"pid"})})
    assert "null::int as leader_pid,\n       a.old,\n" in text
    assert "query_id" not in text
    assert "pg_stat_io" not in text


@pytest.mark.usefixtures("shown")
def test_what_a_statement_asks_about_is_known() -> None:
    assert conditions("any") == {
        ("pg_stat_activity", "leader_pid"),
        ("pg_stat_activity", "query_id"),
        ("pg_stat_io", ""),
    }


@pytest.mark.parametrize("name", names())
def test_every_statement_can_be_taken_apart_on_servers_with_everything_and_with_nothing(name: str) -> None:
    everything: dict[str, set[str]] = {}
    for view, column in conditions(name):
        everything.setdefault(view, set()).add(column)
    slots(statement(name, {view: frozenset(found) for view, found in everything.items()}))
    slots(statement(name, {}))


def test_the_questions_of_the_console_are_known_by_how_they_begin() -> None:
    assert all(own(statement(name, {})[:100]) for name in names())
    assert not own("select 1")
    assert not own("")
    assert not own("-- Who")
