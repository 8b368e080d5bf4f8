"""Airflow 3 REST API (v2) on the metadata database, as far as a console asks for it."""
