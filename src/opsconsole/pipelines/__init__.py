"""Airflow's DAGs, runs and tasks without a screen: typed readings, whichever way they came (API of 3, API of 2,
metadata database of either), and pure functions for what follows from them.

`asking.Airflow` is where readings come from; `actions` is what changes something.
"""
