"""A real Airflow 3 in the place of the stand-ins: `opsconsole demo --with-airflow`."""
