"""Whether somebody is told of every alert, worked out from the definitions before anything fires."""

from collections.abc import Iterator

from opsconsole.config.alerting import Alerting
from opsconsole.config.escalation import Escalation
from opsconsole.core.problem import Problem


def unheard(alerting: Alerting, escalation: Escalation) -> Iterator[Problem]:
    """Alerts of which nobody is told, and critical ones that have to wait for the end of quiet hours."""
    from opsconsole.alerts.routing import matching_routes, routing_of
    from opsconsole.monitoring.notifying import alertmanager_file
    from opsconsole.monitoring.text import yaml_text

    routing = routing_of(yaml_text(alertmanager_file(escalation), origin=escalation.file))
    for alert in alerting.alerts:
        # Labels that the expression leaves are not known here: routes by them are not taken.
        routes = matching_routes(routing.root, {"alertname": alert.name, **alert.all_labels})
        reached = [route for route in routes if routing.receivers.get(route.receiver)]
        if not reached:
            names = ", ".join(route.receiver for route in routes)
            message = f"{alert.name}: nobody is told: {names} in {escalation.file} has no way to tell anybody"
            yield Problem(alerting.file, *alert.at, "warning", "unheard", message)
        elif alert.severity == "critical" and all(route.mutes for route in reached):
            quiet = ", ".join(sorted({name for route in reached for name in route.mutes}))
            message = f"{alert.name}: critical, and nobody is told during {quiet}; expected a route without quiet hours"
            yield Problem(alerting.file, *alert.at, "warning", "unheard", message)
