"""The fault `lock`: an idle transaction of an ETL task, and three sessions that wait behind it, for real.

Ends by itself when somebody ends the blocker.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from opsconsole.demo.simulation.service import Simulation, run

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_WAITERS = (
    ("api", "energy-service", "update meters set status = 'ok' where meter_id = 17"),
    ("api", "energy-service", "delete from meters where meter_id = 17"),
    ("dba", "psql", "alter table meters add column installed_on date"),
)


async def main(simulation: Simulation) -> None:
    """Hold the lock until stopped, or until the holder is ended from outside."""
    holder = await _connect(simulation, "etl", "airflow-task")
    await holder.execute("begin")
    await holder.execute("update meters set firmware = firmware || '' where meter_id = 17")
    waiters = []
    for user, application, statement in _WAITERS:
        session = await _connect(simulation, user, application)
        waiters.append(asyncio.create_task(_wait(session, statement)))
        await asyncio.sleep(0.2)  # so that they queue in this order
    with suppress(Exception):  # the server ends it, or the network does: both are its end
        async for _ in holder.notifies():
            pass
    await asyncio.gather(*waiters)


async def _connect(simulation: Simulation, user: str, application: str) -> "AsyncConnection[Any]":
    from psycopg import AsyncConnection
    from psycopg.conninfo import make_conninfo

    dsn = make_conninfo(simulation.plan["app_dsn"], user=user, application_name=application)
    return await AsyncConnection.connect(dsn, autocommit=True)


async def _wait(session: "AsyncConnection[Any]", statement: str) -> None:
    with suppress(Exception):  # cancelled or ended by the operator, which is what the fault is for
        await session.execute("begin")
        await session.execute(statement.encode())
        await session.execute("rollback")  # the demo can be broken more than once


if __name__ == "__main__":
    run(main)
