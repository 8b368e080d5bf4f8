"""Airflow's REST API, version 1 (Airflow 2) and version 2 (Airflow 3): getting in, asking, and what was refused.

What the answers mean is for `opsconsole.pipelines`; here is only how they are had.
"""
