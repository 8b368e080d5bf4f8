"""A file of DAGs that Airflow cannot import."""

raise RuntimeError("this file is broken on purpose")
