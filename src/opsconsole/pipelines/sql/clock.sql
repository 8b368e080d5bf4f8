-- What time it is where the tables are.
-- Cost: none. Versions: any. Privilege: none.
select date_part('epoch', clock_timestamp()) as now
