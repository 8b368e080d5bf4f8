"""What a PostgreSQL server is, and what the connected role may see there."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Capabilities
from opsconsole.sources.sqltext import quoted_identifier

OLDEST = 120_000


@dataclass(frozen=True, slots=True)
class Facts:
    """Read anew with every connection: a fail-over or an upgrade may have happened in between."""

    version_num: int
    """150018 is 15.18. Decides about views; for pg_stat_statements its own version does."""
    version: str
    encoding: str
    """Of the database, as PostgreSQL names it."""
    tracks_activities: bool
    standby: bool
    database: str
    role: str
    superuser: bool
    memberships: frozenset[str]
    """Predefined roles such as `pg_monitor`."""
    statements_version: str | None
    """Of the extension pg_stat_statements; None: not created in this database."""
    statements_schema: str | None
    statements_loaded: bool
    """In shared_preload_libraries; without it the view only raises."""

    @property
    def sees_all_queries(self) -> bool:
        """Whether other users' query texts are readable."""
        return self.superuser or "pg_read_all_stats" in self.memberships

    @property
    def has_statements(self) -> bool:
        """Whether pg_stat_statements can be read."""
        return self.statements_loaded and self.statements_version is not None


@cache
def facts_sql() -> bytes:
    """The query behind `Facts`."""
    return files("opsconsole.sources").joinpath("postgres_facts.sql").read_bytes()


def facts_of(row: dict[str, str | None]) -> Facts:
    """From the one row of `facts_sql`."""
    text = {name: value or "" for name, value in row.items()}
    return Facts(
        version_num=int(text["version_num"]),
        version=text["version"],
        encoding=text["encoding"],
        tracks_activities=text["track_activities"] == "on",
        standby=text["in_recovery"] == "true",
        database=text["database"],
        role=text["role"],
        superuser=text["superuser"] == "true",
        memberships=frozenset(filter(None, text["memberships"].split(","))),
        statements_version=row["statements_version"],
        statements_schema=row["statements_schema"],
        statements_loaded=text["statements_loaded"] == "true",
    )


def capabilities_of(facts: Facts) -> Capabilities:
    """The same for people: what is there, what cannot be seen, and the command that allows it."""
    features = {f"role:{name}" for name in facts.memberships}
    features.add("standby" if facts.standby else "primary")
    if facts.superuser:
        features.add("superuser")
    if facts.has_statements:
        features.add("pg_stat_statements")
    return Capabilities("PostgreSQL", clean_line(facts.version, limit=80), frozenset(features), tuple(_notes(facts)))


def _notes(facts: Facts) -> list[str]:
    notes = []
    role = _name(facts.role)
    if facts.version_num < OLDEST:
        notes.append(f"version {facts.version} is older than 12; some views will not work")
    if not facts.sees_all_queries:
        notes.append(f"other users' queries are hidden: grant pg_monitor to {role};")
    elif facts.superuser:
        notes.append(f"{role} is a superuser; a role with pg_monitor is enough to watch")
    if not facts.tracks_activities:
        notes.append("what sessions are doing is not tracked: alter system set track_activities = on;")
    if not facts.statements_loaded:
        notes.append("no statistics of statements: add pg_stat_statements to shared_preload_libraries and restart")
    elif facts.statements_version is None:
        notes.append(f"no statistics of statements in {_name(facts.database)}: create extension pg_stat_statements;")
    return notes


def _name(name: str) -> str:
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        return name
    return clean_line(quoted_identifier(name), limit=80)
