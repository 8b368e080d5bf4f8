"""SLAs without a screen: what `config.slas` promises, counted in slices of time (`slices`) that `asking` reads from
Prometheus, PostgreSQL and Airflow; pure functions for what follows: `compliance`, `burn`, `violations`, `calendar`."""
