"""Which PostgreSQL sessions are not to be signalled, and why: asked before anything is sent."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.config.settings import PostgresSettings
from opsconsole.core.reading import Query
from opsconsole.core.values import Cell, Table

# cost: one row of pg_stat_activity, no lock; any role, PostgreSQL 12 and later. Through jsonb, for `leader_pid` came
# with 13. The statement is looked at for autovacuum's own mark only.
_WHO = """\
select backend_type, state, application_name, usename::text as role,
       to_jsonb(a)->>'leader_pid' as leader,
       coalesce(query like '%(to prevent wraparound)%', false) as freezing,
       case when xact_start is not null then greatest(extract(epoch from clock_timestamp() - xact_start), 0) end::float8
         as transaction_seconds
  from pg_stat_activity a
 where pid = :'PID'::int and backend_start = :'STARTED'::timestamptz
"""
_SIGNALLED = ("client backend", "autovacuum worker", "parallel worker")
_BACKUP_TOOLS = ("pg_dump", "pg_dumpall", "pg_basebackup", "pg_restore", "pgbackrest", "pgBackRest", "barman", "wal-g")
"""What their application names begin with."""
_CONSOLE = "opsconsole"


@dataclass(frozen=True, slots=True)
class Who:
    """The session that a pid and a start name."""

    kind: str
    """`client backend`, `walsender`, …"""
    state: str
    application: str
    role: str
    leader: str
    """Of a parallel worker: the pid it works for."""
    freezing: bool
    """An autovacuum against wraparound."""
    transaction_seconds: float | None

    @property
    def in_words(self) -> str:
        """For the record."""
        taken = "" if self.transaction_seconds is None else f", in its transaction for {self.transaction_seconds:.0f} s"
        return f"{self.role or self.kind} ({self.application or 'no application name'}), {self.state or '-'}{taken}"


async def read_who(settings: PostgresSettings, values: Mapping[str, str]) -> Who | None:
    """Who that is; None where no session has this `PID` and `STARTED`.

    Raises:
        SourceError: the database cannot be asked.
    """
    from opsconsole.sources.postgres import PostgresSource

    source = PostgresSource(settings)
    try:
        answer = await source.read(Query(source.name, _WHO, binds=tuple(sorted(values.items())), max_rows=1))
    finally:
        await source.close()
    assert isinstance(answer.value, Table)
    if not answer.value.rows:
        return None
    cells = dict(zip(answer.value.columns, answer.value.rows[0], strict=True))
    seconds = cells["transaction_seconds"]
    return Who(
        kind=_text(cells["backend_type"]),
        state=_text(cells["state"]),
        application=_text(cells["application_name"]),
        role=_text(cells["role"]),
        leader=_text(cells["leader"]),
        freezing=cells["freezing"] is True,
        transaction_seconds=seconds if isinstance(seconds, float) else None,
    )


def objection(who: Who, *, ends: bool) -> str:
    """Why this session is not to be ended (`ends`) or cancelled; empty where nothing speaks against it."""
    if who.kind == "walsender":
        return "it sends the log to a standby or a backup, which would break off"
    if who.kind not in _SIGNALLED:
        return f"it is one of the server's own ({who.kind or 'not visible to this role'})"
    if who.kind == "parallel worker":
        return f"it works for session {who.leader or 'of its leader'}: that is the one to signal"
    if who.freezing:
        return "it keeps transaction numbers from running out, and would begin anew; let it end"
    if who.application.startswith(_BACKUP_TOOLS):
        return f"{who.application} takes or restores a backup, which would be lost; stop it where it was started"
    if who.application.partition("/")[0] == _CONSOLE:
        return "it is a console's, which ends it by itself; one that was killed, the server notices (from 14 on)"
    if ends:
        return ""
    if who.state.startswith("idle in transaction"):
        return "it runs nothing that could be cancelled; what it holds is let go by postgres.terminate alone"
    if who.state == "idle":
        return "it is idle: there is nothing to cancel"
    return ""


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)
