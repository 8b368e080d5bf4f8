"""Watch: whether alerting itself works, from the rules to every Alertmanager and its peers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opsconsole.alerts import wording
from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.model import Alert, AlertState, DeliverySide, RuleSide, RuleState, Survey
from opsconsole.alerts.reaching import addresses
from opsconsole.alerts.watchdog import watch_each
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
    several = len(survey.rules) > 1
    if not survey.rules:
        yield Part("rules", State.ERROR, "rules of Prometheus", next(iter(survey.notes), "there is none"))
    for side in survey.rules:
        yield _rules(side, f" {side.name}" if several else "")
    yield _delivered(survey)
    for name, watched in watch_each(survey).items():
        what = f"dead-man's switch of {name}" if several else "dead-man's switch"
        why = f"{watched.name}: {watched.why}".removeprefix(": ")
        yield Part(f"switch {name}" if several else "switch", watched.state, what, why)
    for alertmanager in survey.sides:
        yield _alertmanager(alertmanager, survey)
    for side in survey.rules:
        yield _targets(side, survey.sides, f" {side.name}" if several else "")
    if survey.flapping.times:
        yield _flapping(survey)


def _rules(side: RuleSide, named: str) -> Part:
    key, what = f"rules{named}", f"rules of{named or ' Prometheus'}"
    if side.error:
        return Part(key, State.ERROR, what, side.error)
    firing = sum(one.state is RuleState.FIRING for one in side.alerts)
    said = f"{len(side.names):,} alerting rules, {firing:,} alerts fire"
    if side.broken:
        why = f"{len(side.broken)} cannot be evaluated; {said}"
        return Part(key, State.CRIT, what, why, "\n".join(side.broken))
    return Part(key, State.OK, what, said)


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
    known = [addresses(one) for one in survey.rules]
    if known and peers <= 1 and not any(one is None or side.place in one for one in known):
        return Part(key, State.WARN, what, f"{said}; under this address Prometheus sends it nothing", more)
    return Part(key, State.OK, what, said, more)


def _targets(side: RuleSide, alertmanagers: Sequence[DeliverySide], named: str) -> Part:
    key, what = f"targets{named}", f"where{named or ' Prometheus'} sends to"
    targets = side.targets
    if targets is None or side.error:
        return Part(key, State.UNKNOWN, what, "it does not answer" if side.error else "it does not say")
    if not targets:
        return Part(key, State.CRIT, what, "to nobody: it knows no Alertmanager")
    known = {one.place: one.name for one in alertmanagers}
    others = (addresses(side) or frozenset()) - known.keys()
    said = f"{len(targets)} Alertmanager{'' if len(targets) == 1 else 's'}"
    if others:
        said += f", {len(others)} of them not known here by that address"
    elif named:
        said = ", ".join(sorted(known[one] for one in addresses(side) or ()))
    return Part(key, State.OK, what, said, "\n".join(targets))


def _flapping(survey: Survey) -> Part:
    found = survey.flapping.times
    lines = []
    for key, times in sorted(found.items(), key=lambda item: -item[1]):
        lines.append(f"{times + 1} times: {wording.labels_text(dict(key), ())}")
    many = f"{len(found):,} alert{'' if len(found) == 1 else 's'}"
    why = f"{many} began {min(found.values()) + 1} times or more within the hour"
    return Part("flapping", State.WARN, "flapping", why, "\n".join(lines[:100]))


def _listed(alerts: list[Alert], now: float) -> str:
    lines = []
    for one in alerts[:100]:
        old = wording.age(one, now)
        since = f", since {age_text(old)}" if old is not None else ""
        lines.append(f"{one.name}{since}  {wording.labels_text(one.labels)}")
    return "\n".join(lines)
