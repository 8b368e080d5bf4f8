"""Alerts without a screen: what Prometheus says of its rules, and Alertmanager of delivery, silence and inhibition, as
one list; who is notified by which route, now or at any time.

`model` is what is known, `wire` makes it of answers, `merging` joins both sides; `matching`, `intervals` and `routing`
are Alertmanager's own rules, worked out here; `filtering` is the language that lists are filtered with.
"""
