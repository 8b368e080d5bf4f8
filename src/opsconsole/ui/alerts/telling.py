"""All there is to say about one alert, as far as a survey knows it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from opsconsole.alerts import wording
from opsconsole.alerts.model import Alert, Silence, Survey
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import age_text, duration_text
from opsconsole.ui.pages.page import Detail


def moment_text(at: float | None) -> str:
    """A moment with its zone, for detail."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def title_of(alert: Alert) -> str:
    """Name and severity."""
    return f"{clean_line(alert.name, limit=120)}  {clean_line(alert.severity, limit=40)}".rstrip()


def alert_detail(alert: Alert, survey: Survey) -> Detail:
    """State, since when, delivery, who is told, what keeps it back, labels and annotations."""
    return Detail(title_of(alert), alert_facts(alert, survey), alert_parts(alert, survey))


def alert_facts(alert: Alert, survey: Survey) -> tuple[tuple[str, str], ...]:
    """(name, value) of what is said first."""
    why = wording.why_text(alert, survey.silences, wording.names_of(survey), survey.taken_at)
    old, flaps = wording.age(alert, survey.taken_at), survey.flapping.of(alert.labels)
    facts = (
        ("state", f"{alert.state}{f': {why}' if why else ''}"),
        ("rule", alert.rule.value),
        ("since", f"{moment_text(alert.started_at)}, {duration_text(old)} ago" if old is not None else ""),
        ("flapping", f"began {flaps + 1} times within the hour" if flaps else ""),
        ("summary", alert.annotations.get("summary", "")),
        ("runbook", alert.annotations.get("runbook") or alert.annotations.get("runbook_url", "")),
    )
    return tuple((name, clean_line(value)) for name, value in facts if value)


def alert_parts(alert: Alert, survey: Survey) -> tuple[tuple[str, str], ...]:
    """(heading, text) of the rest."""
    now = survey.taken_at
    parts = [
        ("delivery", "\n".join(wording.delivery_text(one, now) for one in alert.deliveries) or "nobody to deliver to"),
        ("notifies", "\n".join(_told(alert)) or "nobody, or it is not known"),
    ]
    if len(survey.rules) > 1 and alert.rulings:
        parts.insert(0, ("prometheus", "\n".join(map(wording.ruling_text, alert.rulings))))
    held = [survey.silences[one] for one in alert.silenced_by if one in survey.silences]
    if held:
        parts.append(("silenced by", "\n".join(silence_line(one, now) for one in held)))
    labels = "\n".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))
    annotations = "\n".join(
        f"{name}: {value}" for name, value in sorted(alert.annotations.items()) if name != "summary"
    )
    parts += [("labels", labels), ("annotations", annotations)]
    return tuple((name, clean(text)) for name, text in parts if text)


def silence_line(silence: Silence, now: float) -> str:
    """One silence, on one line."""
    left = "" if silence.ends_at is None else f"for {age_text(max(0.0, silence.ends_at - now))} more "
    return f"{left}by {silence.created_by}: {clean_line(silence.comment)}  ({silence.id})"


def _told(alert: Alert) -> Iterator[str]:
    several = len({one.alertmanager for one in alert.notifies}) > 1
    for one in alert.notifies:
        yield f"{one.alertmanager}: {wording.route_text(one)}" if several else wording.route_text(one)
