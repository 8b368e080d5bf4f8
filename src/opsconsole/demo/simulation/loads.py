"""What a load of each table of `app` does, and how a table is made to look old."""

from opsconsole.demo.simulation.metadata import Database

LOADS = {
    "readings": """
        insert into readings (meter_id, read_at, kwh)
        select 1 + floor(random() * 1000)::int, now(), round((0.2 + random())::numeric, 3)
        from generate_series(1, 20)""",
    "tariffs": "update tariffs set cents_per_kwh = 18 + random() * 15, loaded_at = now()",
    "customers": "update customers set loaded_at = now() where customer_id % 10 = floor(random() * 10)::int",
    "consumption_hourly": """
        insert into consumption_hourly
        select c, date_trunc('hour', now()), round((random() * 3)::numeric, 3), now() from generate_series(1, 500) c
        on conflict (customer_id, hour) do update set kwh = excluded.kwh, loaded_at = now()""",
    "weather": """
        insert into weather
        select s, date_trunc('hour', now()) + make_interval(hours => h), 12 + h % 9, now()
        from unnest(array['EHBK', 'EBBR', 'EDDK']) s, generate_series(0, 48) h
        on conflict (station, forecast_for) do update set celsius = excluded.celsius, loaded_at = now()""",
}

AGE = {
    table: f"update {table} set loaded_at = loaded_at - interval '26 h' where loaded_at > now() - interval '26 h'"  # noqa: S608
    for table in LOADS
}
"""Makes the newest row 26 hours old, two more than the limit."""

FRESHNESS = " union all ".join(
    f"select '{table}', extract(epoch from now() - max(loaded_at))::float8 from {table}"  # noqa: S608
    for table in LOADS
)


async def load(database: Database, table: str) -> None:
    """Load one table and enter it in `ingest.loads`."""
    await database.rows(
        f"with done as ({LOADS[table]} returning 1)"  # noqa: S608
        f" insert into ingest.loads (table_name, rows) select '{table}', count(*) from done"
    )
