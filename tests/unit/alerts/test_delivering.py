"""Who was told, by Alertmanager's counters; and labels that lead to a receiver."""

import pytest

from opsconsole.alerts.delivering import Counted, counters, labels_to, told
from opsconsole.alerts.routing import routing_of

METRICS = """
# TYPE alertmanager_notification_requests_total counter
alertmanager_notification_requests_total{integration="webhook"} 7
alertmanager_notification_requests_failed_total{integration="webhook"} 2
alertmanager_notification_requests_total{integration="email",receiver_name="a"} 1
alertmanager_notification_requests_total{integration="email",receiver_name="b"} 2e+00
alertmanager_notifications_total{integration="webhook"} 5
alertmanager_alerts{state="active"} 3
"""
ROUTES = """
route:
  receiver: default
  routes:
  - receiver: pager
    matchers: [severity=~"critical|page", team!="test"]
    continue: true
    routes: [{receiver: data, matchers: ['team="data"', 'job=~"etl-.+"']}]
  - {receiver: odd, matchers: ['build=~"[0-9]{7}(a|b)+"']}
  - {receiver: shadowed, matchers: [severity="critical", other="1"], continue: true}
receivers:
- {name: default, webhook_configs: [{url: "http://127.0.0.1/"}]}
- {name: pager, pagerduty_configs: [{routing_key: x}]}
- {name: data, webhook_configs: [{url: "http://127.0.0.1/"}, {url: "http://127.0.0.1/2"}]}
- {name: odd, webhook_configs: [{url: "http://127.0.0.1/"}]}
- {name: nobody}
- {name: unused, webhook_configs: [{url: "http://127.0.0.1/"}]}
- {name: shadowed, webhook_configs: [{url: "http://127.0.0.1/"}]}
"""


def test_attempts_are_counted_by_integration() -> None:
    assert counters(METRICS) == {"webhook": Counted(7, 2), "email": Counted(3, 0)}


@pytest.mark.parametrize("receiver", ["default", "pager", "data", "shadowed"])
def test_labels_that_lead_to_a_receiver_really_do(receiver: str) -> None:
    routing = routing_of(ROUTES)
    labels = labels_to(routing, receiver)
    assert labels is not None
    assert receiver in {one.receiver for one in routing.notified(labels, 0.0)}


@pytest.mark.parametrize("receiver", ["odd", "nobody", "unused", "not there"])
def test_what_cannot_be_reached_is_none(receiver: str) -> None:
    assert labels_to(routing_of(ROUTES), receiver) is None


def test_who_was_told() -> None:
    notifies = routing_of(ROUTES).notified({"severity": "page", "team": "data", "job": "etl-x"}, 0.0)
    before, after = {"webhook": Counted(7, 2)}, {"webhook": Counted(10, 3)}
    (one,) = told(notifies, before, after)
    assert (one.receivers, one.expected, one.reached) == (("data",), 2, True)
    assert one.words == "data by webhook: 2 of 2 sent, 1 attempts failed"
    (lost,) = told(notifies, before, {"webhook": Counted(9, 4)})
    assert (lost.reached, lost.words) == (False, "data by webhook: 0 of 2 sent, 2 attempts failed")


def test_counters_that_began_anew() -> None:
    assert Counted(1, 0).since(Counted(7, 2)) == Counted(1, 0)
