"""A survey made by hand: one alert of each kind, with silences and two Alertmanagers."""

from dataclasses import replace

from opsconsole.alerts.flapping import Flapping
from opsconsole.alerts.matching import parse_matchers
from opsconsole.alerts.merging import merged
from opsconsole.alerts.model import Cluster, Delivered, DeliverySide, RuleAlert, RuleSide, RuleState, Silence, Survey
from opsconsole.alerts.routing import routing_of

NOW = 1_800_000_000.0
ROUTES = """
route:
  receiver: default
  group_by: [alertname, job]
  routes:
  - {receiver: pager, matchers: [severity="critical"], repeat_interval: 1h, mute_time_intervals: [later]}
receivers: [{name: default}, {name: pager, pagerduty_configs: [{routing_key: x}]}]
time_intervals: [{name: later, time_intervals: [{years: ["2028"]}]}]
"""
EXTERNAL = {"cluster": "demo"}


def fired(name: str, ago: float = 600.0, *, state: RuleState = RuleState.FIRING, **labels: str) -> RuleAlert:
    given = {"alertname": name, **labels}
    annotations = {"summary": f"{name} [/red] \u202e", "runbook": "service-restart-procedures"}
    return RuleAlert(given, annotations, state, NOW - ago, 0.5, "up == 0", 0.0, 15.0, "g", "ok", "")


def held(one: RuleAlert, state: str = "active", *by: str, inhibited: tuple[str, ...] = ()) -> Delivered:
    labels = {**one.labels, **EXTERNAL}
    print_ = f"{sum(map(ord, one.labels['alertname'])):016x}"
    return Delivered(labels, one.annotations, print_, state, NOW - 500, NOW - 10, ("default",), by, inhibited, (), "")


API = fired("ApiDown", severity="critical", job="api", instance="app-1")
DISK = fired("DiskFull", 7200.0, severity="warning", job="node", table="meters", datname="app")
LOST = fired("Lost", 3600.0, severity="critical", job="etl", dag_id="load")
NEW = fired("New", 10.0, severity="info", job="api")
PENDING = fired("Slow", 30.0, state=RuleState.PENDING, severity="warning", job="api")
WATCHDOG = fired("Watchdog", 90_000.0, severity="none")


def silence(identity: str, matchers: str, ends: float, comment: str = "work", state: str = "active") -> Silence:
    return Silence(identity, parse_matchers(matchers), NOW - 60, NOW + ends, "alice", comment, state)


SILENCES = (
    silence("5a5a5a5a-1", 'alertname="DiskFull"', 600.0, "ACK! on it"),
    silence("5a5a5a5a-2", 'job="nobody"', 7200.0),
    silence("5a5a5a5a-3", 'job="api"', -600.0, state="expired"),
)


def survey(*, second: DeliverySide | None = None, flapping: dict[str, int] | None = None) -> Survey:
    rules = RuleSide(
        (API, DISK, LOST, NEW, PENDING, WATCHDOG), frozenset({"Watchdog", "ApiDown"}), (), EXTERNAL, False, 60.0,
        ("http://am-1:9093/api/v2/alerts",),
    )  # fmt: skip
    first = DeliverySide(
        "alertmanager", (held(API), held(DISK, "suppressed", "5a5a5a5a-1"), held(WATCHDOG)), SILENCES,
        routing_of(ROUTES), "0.25.0", cluster=Cluster("ready", ("10.0.0.1:9094",)), place="am-1:9093",
    )  # fmt: skip
    sides = (first,) if second is None else (replace(first, name="alertmanager/eu"), second)
    times = {frozenset({*API.labels.items()}): count for count in (flapping or {}).values()}
    return Survey(NOW, merged([rules], sides, NOW), {one.id: one for one in SILENCES}, (rules,), sides, (), False,
                  Flapping(times))  # fmt: skip
