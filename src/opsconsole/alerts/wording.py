"""What lists and details say of an alert, in few words: the same on the command line and on the screen."""

from collections.abc import Iterable, Mapping

from opsconsole.alerts.model import Alert, AlertState, Delivery, Ruling, Silence, Survey
from opsconsole.alerts.routing import Notification
from opsconsole.core.duration import age_text


def age(alert: Alert, now: float) -> float | None:
    """Seconds since it became active; None where that is not known."""
    return None if alert.started_at is None else max(0.0, now - alert.started_at)


def why_text(alert: Alert, silences: Mapping[str, Silence], names: Mapping[str, str], now: float) -> str:
    """Why it is where it is, in a few words; empty where the state says it all.

    Args:
        silences: all of them, by id.
        names: fingerprint -> the name of the alert, for those that inhibit it.
        now: unix seconds.
    """
    parts = [_silenced(one, silences.get(one), now) for one in alert.silenced_by]
    parts += [f"inhibited by {names.get(one, one)}" for one in alert.inhibited_by]
    muted = dict.fromkeys(name for given in alert.deliveries for name in given.muted_by)
    parts += [f"muted by {name}" for name in muted]
    # Of several that are no peers each has silences of its own.
    loud = [one.alertmanager for one in alert.deliveries if one.state in ("active", "unprocessed")]
    if parts and loud:
        parts.append(f"not so in {', '.join(loud)}, which notifies")
    if alert.seen and alert.missing_in and alert.state not in (AlertState.PENDING, AlertState.SENDING):
        parts.append(f"missing in {', '.join(alert.missing_in)}")
    if not alert.seen:
        away = ", ".join(one.prometheus for one in alert.rulings if one.state == "unknown")
        parts.append(f"fired when {away} last answered")
    if alert.quiet_in and alert.state is not AlertState.PENDING:
        parts.append(f"not firing in {', '.join(alert.quiet_in)}")
    return "; ".join(parts)


def names_of(survey: Survey) -> dict[str, str]:
    """Fingerprint -> name, of all alerts of a survey."""
    return {known: one.name for one in survey.alerts for known in (one.fingerprint, *one.replicas)}


def notified_text(notifies: Iterable[Notification]) -> str:
    """Who is notified, on one line: `pager (pagerduty)`; `default (nobody)`; `slack (muted: nights)`."""
    return ", ".join(dict.fromkeys(f"{one.receiver} ({means_text(one)})" for one in notifies)) or "-"


def means_text(one: Notification) -> str:
    """How a receiver is reached, or why nobody is."""
    if one.muted_by:
        return f"muted: {', '.join(one.muted_by)}"
    return ", ".join(dict.fromkeys(one.integrations)) or "nobody"


def route_text(one: Notification) -> str:
    """One notification: receiver, how, by which route, grouped and repeated how."""
    route = " > ".join(one.route) or "the root route"
    by = ", ".join(one.group_by) or "nothing"
    return (
        f"{one.receiver} ({means_text(one)}) by {route}; grouped by {by}, "
        f"after {one.group_wait}, again every {one.repeat_interval}"
    )


def delivery_text(one: Delivery, now: float) -> str:
    """How it stands with one Alertmanager, and when that last heard of it."""
    heard = "" if one.updated_at is None else f", last heard {age_text(max(0.0, now - one.updated_at))} ago"
    state = "not sent there by whoever fires it" if one.state == "elsewhere" else one.state
    return f"{one.alertmanager}: {state}{heard}"


def ruling_text(one: Ruling) -> str:
    """How it stands with one Prometheus."""
    words = {
        "quiet": "has the rule, which does not hold there",
        "no rule": "has no rule of that name",
        "unknown": "does not answer",
    }
    return f"{one.prometheus}: {words.get(one.state, one.state)}"


def labels_text(labels: Mapping[str, str], without: Iterable[str] = ("alertname", "severity")) -> str:
    """`job=api instance=app-1`, by name."""
    left_out = set(without)
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()) if name not in left_out)


def _silenced(identity: str, silence: Silence | None, now: float) -> str:
    if silence is None:
        return f"silenced by {identity}"
    word = "acknowledged" if silence.acknowledges else "silenced"
    left = "" if silence.ends_at is None else f" for {age_text(silence.ends_at - now)} more"
    return f"{word} by {silence.created_by}{left}"
