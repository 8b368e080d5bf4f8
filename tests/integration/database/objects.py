"""Databases of a test's own, with the objects that it is about."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import PostgresServer

HOSTILE_SCHEMA = 'we"ird.sch%s'
HOSTILE_TABLE = "tab'le\nnewline ☃ %"
HOSTILE = """
create schema "we""ird.sch%s";
create table "we""ird.sch%s"."tab'le
newline ☃ %" (id int primary key, "col;drop" int, "MiXed" text);
create index "i[red]x[/red]" on "we""ird.sch%s"."tab'le
newline ☃ %" ("col;drop");
create table "Aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg" (" lead" int);
"""


@contextmanager
def database_with(server: PostgresServer, sql: str = "") -> Iterator[str]:
    """The name of a new database in which `sql` was run. Gone afterwards, whoever is connected."""
    name = f"objects_{uuid.uuid4().hex[:12]}"
    server.psql(f"create database {name}")
    try:
        if sql:
            server.psql(sql, name)
        yield name
    finally:
        server.psql(f"drop database {name} with (force)")


@contextmanager
def role(server: PostgresServer, member_of: str = "") -> Iterator[str]:
    """A role that may log in and owns nothing."""
    name = f"role_{uuid.uuid4().hex[:12]}"
    server.psql(f"create role {name} login" + (f" in role {member_of}" if member_of else ""))
    try:
        yield name
    finally:
        server.psql(f"drop role {name}")
