"""Monitoring as code: rules, routes and dashboards made from the same definitions that the console reads."""
