"""The stream of meter readings: a queue that fills and drains, rows that arrive, and how fresh each table is."""

import asyncio
import random

from opsconsole.demo.catalogue import TABLES
from opsconsole.demo.simulation.loads import FRESHNESS, load
from opsconsole.demo.simulation.metadata import Database
from opsconsole.demo.simulation.service import Simulation, forever, run


async def main(simulation: Simulation) -> None:
    """Ingest until stopped."""
    database = Database(simulation.plan["app_dsn"], "ingestion")
    turn = 0
    simulation.metrics.add("ingest_rows_total", 0, table="readings")

    async def step() -> None:
        nonlocal turn
        if simulation.fault("stale-data", "readings", survives_restart=True) is None:
            await load(database, "readings")
            simulation.metrics.add("ingest_rows_total", 20, table="readings")
            await database.rows(
                "insert into ingest.queue (payload) select jsonb_build_object('meter_id', n, 'kwh', 0.5)"
                " from generate_series(1, %(n)s) n",
                {"n": random.randint(4, 12)},
            )
            await database.rows(
                "delete from ingest.queue where id in (select id from ingest.queue order by id limit"
                " greatest(0, (select count(*) from ingest.queue) - %(keep)s))",
                {"keep": random.randint(5, 20)},
            )
        await _measure(simulation, database)
        turn += 1
        if turn % 300 == 0:  # every ten minutes; a demo may run for days
            await database.rows("delete from readings where id < (select max(id) from readings) - 200000")
            await database.rows("delete from ingest.loads where loaded_at < now() - interval '1 hour'")

    await asyncio.gather(simulation.serve(), forever(2.0, step))


async def _measure(simulation: Simulation, database: Database) -> None:
    ages = dict(await database.rows(FRESHNESS))
    for table in TABLES:
        if ages.get(table) is not None:
            simulation.metrics.set("data_freshness_age_seconds", ages[table], table=table)
    waiting = await database.rows("select count(*) from ingest.queue")
    simulation.metrics.set("ingest_queue_rows", waiting[0][0])


if __name__ == "__main__":
    run(main)
