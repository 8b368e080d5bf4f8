"""Grafana dashboards: read in every format they come in, and turned into screens."""
