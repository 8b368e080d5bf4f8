"""Watch: whether alerting itself works, from the rules to every Alertmanager and its peers."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from opsconsole.alerts import wording
from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.model import Alert, AlertState, DeliverySide, RuleState, Survey
from opsconsole.alerts.watchdog import watch
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import age_text
from opsconsole.core.state import State
from opsconsole.ui.alerts import marks
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Column, Row

_COLUMNS = (
    Column("state", "STATE", least=7),
    Column("what", "WHAT", widest=34, least=18),
    Column("why", "", grows=True, least=30),
)


_HELD = (AlertState.ACTIVE, AlertState.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class Part:
    """Something that has to work, so that people are told."""

    key: str
    state: State
    what: str
    why: str
    more: str = ""
    """What there is to say in full."""


class WatchPage(Page[Alerts, Survey]):
    """The way of an alert, part for part."""

    id = "watch"
    title = "Watch"
    period = 5.0
    sorts = ("way", "state")

    async def take(self, source: Alerts, before: Survey | None, order: Order) -> Survey:
        return await source.shared_survey()

    def sheet(self, reading: Survey, order: Order) -> Sheet:
        """One row a part, in the order in which an alert passes them."""
        found = list(parts(reading))
        if order.sort == "state":
            found.sort(key=lambda one: -one.state.severity)
        rows = [Row(one.key, (marks.judged(one.state), cells.words(one.what), cells.words(one.why))) for one in found]
        bad, fine = (
            sum(one.state is not State.OK for one in found),
            "alerting works, as far as it can be seen from here",
        )
        summary = f"{bad} of {len(found)} parts need{'s' if bad == 1 else ''} a look" if bad else fine
        return Sheet(_COLUMNS, rows, summary, notes=reading.notes)

    def detail(self, reading: Survey, key: str) -> Detail | None:
        """In full."""
        one = next((part for part in parts(reading) if part.key == key), None)
        if one is None:
            return None
        more = ((("in full", clean(one.more)),)) if one.more else ()
        return Detail(clean_line(one.what), (("state", one.state.value), ("why", clean_line(one.why))), more)


def parts(survey: Survey) -> Iterator[Part]:
    """Every part, in the order of the way."""
    yield _rules(survey)
    yield _delivered(survey)
    watched = watch(survey)
    yield Part("switch", watched.state, "dead-man's switch", f"{watched.name}: {watched.why}".removeprefix(": "))
    for side in survey.sides:
        yield _alertmanager(side, survey)
    yield _unheard(survey)
    if survey.flapping.times:
        yield _flapping(survey)


def _rules(survey: Survey) -> Part:
    rules = survey.rules
    if rules is None:
        why = next((note for note in survey.notes if "rules" in note), "it does not answer")
        return Part("rules", State.ERROR, "rules of Prometheus", why)
    firing = sum(one.state is RuleState.FIRING for one in rules.alerts)
    said = f"{len(rules.names):,} alerting rules, {firing:,} alerts fire"
    if rules.broken:
        return Part("rules", State.CRIT, "rules of Prometheus", f"{len(rules.broken)} cannot be evaluated; {said}",
                    "\n".join(rules.broken))  # fmt: skip
    return Part("rules", State.OK, "rules of Prometheus", said)


def _delivered(survey: Survey) -> Part:
    missing = [one for one in survey.alerts if one.state is AlertState.UNDELIVERED]
    if missing:
        why = f"{len(missing):,} fire, and no Alertmanager has them: nobody is told"
        return Part("delivery", State.CRIT, "delivery", why, _listed(missing, survey.taken_at))
    unknown = [one for one in survey.alerts if one.state is AlertState.UNKNOWN]
    if unknown:
        why = f"of {len(unknown):,} it cannot be seen whether anybody has them"
        return Part("delivery", State.UNKNOWN, "delivery", why, _listed(unknown, survey.taken_at))
    partly = [
        one for one in survey.alerts if one.missing_in and one.state in (AlertState.ACTIVE, AlertState.SUPPRESSED)
    ]
    if partly:
        why = f"{len(partly):,} are with some Alertmanagers only"
        return Part("delivery", State.WARN, "delivery", why, _listed(partly, survey.taken_at))
    sending = sum(one.state is AlertState.SENDING for one in survey.alerts)
    waiting = f"; {sending} are on their way" if sending else ""
    return Part("delivery", State.OK, "delivery", f"every alert that fires is with an Alertmanager{waiting}")


def _alertmanager(side: DeliverySide, survey: Survey) -> Part:
    key, what = f"side {side.name}", f"{side.name} at {side.place}" if side.place else side.name
    if side.error:
        return Part(key, State.ERROR, what, side.error)
    peers = len(side.cluster.peers)
    members = f", one of {peers} peers ({side.cluster.status})" if peers > 1 else ""
    said = f"Alertmanager {side.version or '?'}, {len(side.alerts):,} alerts{members}"
    more = "\n".join(f"peer {one}" for one in side.cluster.peers)
    if side.cluster.status == "settling":
        return Part(key, State.WARN, what, f"{said}; it waits for its peers", more)
    if side.routing is None:
        return Part(key, State.WARN, what, f"{said}; its routes cannot be worked out", more)
    targets = survey.rules.targets if survey.rules is not None else None
    if targets is not None and not _among(side.place, targets) and peers <= 1:
        return Part(key, State.WARN, what, f"{said}; under this address Prometheus sends it nothing", more)
    return Part(key, State.OK, what, said, more)


def _among(place: str, targets: tuple[str, ...]) -> bool:
    return place in {urlsplit(one).netloc for one in targets}


def _unheard(survey: Survey) -> Part:
    targets = survey.rules.targets if survey.rules is not None else None
    if targets is None:
        return Part("targets", State.UNKNOWN, "where Prometheus sends to", "it does not say")
    if not targets:
        return Part("targets", State.CRIT, "where Prometheus sends to", "to nobody: it knows no Alertmanager")
    known = {side.place for side in survey.sides}
    others = [one for one in targets if urlsplit(one).netloc not in known]
    said = f"{len(targets)} Alertmanager{'' if len(targets) == 1 else 's'}"
    if others:
        said += f", {len(others)} of them not known here by that address"
    return Part("targets", State.OK, "where Prometheus sends to", said, "\n".join(targets))


def _flapping(survey: Survey) -> Part:
    found = survey.flapping.times
    lines = []
    for key, times in sorted(found.items(), key=lambda item: -item[1]):
        lines.append(f"{times + 1} times: {wording.labels_text(dict(key), ())}")
    why = f"{len(found):,} alerts began {min(found.values()) + 1} times or more within the hour"
    return Part("flapping", State.WARN, "flapping", why, "\n".join(lines[:100]))


def _listed(alerts: list[Alert], now: float) -> str:
    lines = []
    for one in alerts[:100]:
        old = wording.age(one, now)
        since = f", since {age_text(old)}" if old is not None else ""
        lines.append(f"{one.name}{since}  {wording.labels_text(one.labels)}")
    return "\n".join(lines)
