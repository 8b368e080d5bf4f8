"""What is known of alerts, at one moment. Times are unix seconds; texts are cleaned."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from opsconsole.alerts.flapping import NOTHING_FLAPS, Flapping
from opsconsole.alerts.matching import Matcher
from opsconsole.alerts.routing import Notification, Routing

Labels = Mapping[str, str]


class AlertState(StrEnum):
    """Where an alert is on its way from the rule to people."""

    PENDING = "pending"
    """Its rule holds, but not yet for as long as it says."""
    SENDING = "sending"
    """It fires, and Alertmanager may still lack it: Prometheus sends again only after a while."""
    UNDELIVERED = "undelivered"
    """It fires, and no Alertmanager has it although the time for that is over."""
    UNPROCESSED = "unprocessed"
    """Alertmanager has it and has not looked at it yet."""
    ACTIVE = "active"
    """Alertmanager has it and notifies."""
    SUPPRESSED = "suppressed"
    """Every Alertmanager that has it keeps it back: silenced, inhibited or muted."""
    UNKNOWN = "unknown"
    """It fires; whether anybody has it cannot be seen."""


class RuleState(StrEnum):
    """What Prometheus says."""

    PENDING = "pending"
    FIRING = "firing"
    NONE = "none"
    """Not one of Prometheus's rules: somebody else sent it, or it has just ended."""
    UNKNOWN = "unknown"
    """Prometheus does not say."""


@dataclass(frozen=True, slots=True)
class RuleAlert:
    """An alert of a rule, as Prometheus has it: without external labels."""

    labels: Labels
    annotations: Labels
    state: RuleState
    active_at: float | None
    """When the expression began to hold."""
    value: float | None
    expr: str
    hold: float
    """Seconds for which the expression has to hold (`for`)."""
    interval: float
    """Seconds between two evaluations."""
    group: str
    health: str
    """`ok`, `err` or `unknown`: whether the rule could be evaluated."""
    error: str

    @property
    def firing_at(self) -> float | None:
        """When it began to fire, as far as that can be known."""
        if self.active_at is None or self.state is not RuleState.FIRING:
            return None
        return self.active_at + self.hold


@dataclass(frozen=True, slots=True)
class RuleSide:
    """All that one Prometheus says. Where it does not answer: `error`, what it said earlier of how it sends, and what
    fired then, in the state `unknown`."""

    alerts: tuple[RuleAlert, ...]
    names: frozenset[str]
    """Names of all alerting rules, those that do not fire included."""
    broken: tuple[str, ...] = ()
    """Rules that cannot be evaluated, with the reason."""
    external_labels: Labels | None = None
    """None: not known."""
    relabelled: bool = False
    """Labels are rewritten on the way to Alertmanager, so that what is missing there may be there under other ones."""
    resend: float = 60.0
    """Seconds after which an alert is sent again."""
    targets: tuple[str, ...] | None = None
    """The addresses that it sends alerts to; None: not known."""
    labels: tuple[Labels, ...] = ()
    """Of each alerting rule: those that it adds, with its name as `alertname`. They may be templates."""
    interval: float = 60.0
    """Seconds between two evaluations of the rules that are evaluated most seldom."""
    dropped: frozenset[str] = frozenset()
    """Names of external labels that are dropped again on the way to Alertmanager."""
    name: str = "prometheus"
    """Of its source: `prometheus`, `prometheus/NAME`."""
    error: str = ""
    """Why it does not answer."""

    @property
    def sent_labels(self) -> Labels:
        """What it adds to every alert that it sends; empty where that is not known."""
        external = self.external_labels or {}
        return {name: value for name, value in external.items() if name not in self.dropped}


@dataclass(frozen=True, slots=True)
class Delivered:
    """An alert as one Alertmanager has it. Its end is not kept: while it is active that is only when it would be
    forgotten."""

    labels: Labels
    annotations: Labels
    fingerprint: str
    state: str
    """`active`, `suppressed` or `unprocessed`."""
    started_at: float | None
    updated_at: float | None
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    muted_by: tuple[str, ...]
    """Time intervals; empty in versions before 0.28, which do not say."""
    generator: str
    replicas: tuple[str, ...] = ()
    """Fingerprints of equal ones, which it has from the other Prometheus of a pair."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Something that keeps alerts back for a while."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: float | None
    ends_at: float | None
    created_by: str
    comment: str
    state: str
    """`active`, `pending` or `expired`."""
    updated_at: float | None = None
    """When it was made, changed or ended last."""

    @property
    def acknowledges(self) -> bool:
        """It is somebody's acknowledgement, by the convention that its comment begins with `ACK!`."""
        return self.comment.startswith("ACK!")


@dataclass(frozen=True, slots=True)
class Cluster:
    """What an Alertmanager says of its peers."""

    status: str = ""
    """`ready`, `settling`, `disabled`; empty: it does not say."""
    peers: tuple[str, ...] = ()
    """Addresses, its own included."""


@dataclass(frozen=True, slots=True)
class DeliverySide:
    """All that one Alertmanager says; `error` where it does not answer."""

    name: str
    """Of its source: `alertmanager`, `alertmanager/NAME`."""
    alerts: tuple[Delivered, ...] = ()
    silences: tuple[Silence, ...] = ()
    routing: Routing | None = None
    """None: it did not say, or its configuration cannot be worked out; a note says which."""
    version: str = ""
    error: str = ""
    cluster: Cluster = Cluster()
    place: str = ""
    """`host:port` where it is asked."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an alert stands with one Alertmanager."""

    alertmanager: str
    state: str
    """`active`, `suppressed`, `unprocessed`, `absent`, `elsewhere` where whoever fires it sends to others, or `unknown`
    where it does not answer."""
    updated_at: float | None = None
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """How an alert stands with one Prometheus that could fire it."""

    prometheus: str
    state: str
    """`firing`, `pending`, `quiet` where its rule does not hold, `no rule` where it has none of that name, or `unknown`
    where it does not answer."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, from all who know it."""

    name: str
    severity: str
    state: AlertState
    rule: RuleState
    labels: Labels
    """Without external labels, where those are known; those that tell clusters apart stay."""
    sent_labels: Labels
    """As Alertmanager has them, or will: what silences match. Without those of one of a pair."""
    annotations: Labels
    fingerprint: str
    """Alertmanager's, or what it will be."""
    started_at: float | None
    """Since when it is active: in Prometheus, else in Alertmanager."""
    value: float | None
    expr: str
    deliveries: tuple[Delivery, ...]
    notifies: tuple[Notification, ...]
    """Who is notified, by which route, at the time of the reading; also where it is kept back."""
    generator: str = ""
    rulings: tuple[Ruling, ...] = ()
    """Of each Prometheus that could fire it: the two of a pair, or that of its cluster."""
    replicas: tuple[str, ...] = ()
    """Further fingerprints, where Alertmanager has it from both of a pair."""
    key: str = ""
    """What tells it from all others, whoever of a pair fires or sends it: the labels that it is joined by."""
    escalation: str = ""
    """Where its escalation stands; empty: nobody escalates it. Incidents will say so; nothing shows it yet."""

    @property
    def silenced_by(self) -> tuple[str, ...]:
        """Ids of silences, of all Alertmanagers."""
        return tuple(dict.fromkeys(one for given in self.deliveries for one in given.silenced_by))

    @property
    def inhibited_by(self) -> tuple[str, ...]:
        """Fingerprints of alerts that inhibit it."""
        return tuple(dict.fromkeys(one for given in self.deliveries for one in given.inhibited_by))

    @property
    def fired_by(self) -> tuple[str, ...]:
        """Each Prometheus that fires it, or is about to."""
        return tuple(one.prometheus for one in self.rulings if one.state in ("firing", "pending"))

    @property
    def seen(self) -> bool:
        """Whether anybody says so now; else it fired when a Prometheus last answered that is away since."""
        return bool(self.fired_by) or any(
            one.state in ("active", "suppressed", "unprocessed") for one in self.deliveries
        )

    @property
    def quiet_in(self) -> tuple[str, ...]:
        """Each Prometheus that has its rule and does not fire it, while another does."""
        return tuple(one.prometheus for one in self.rulings if one.state == "quiet") if self.fired_by else ()

    @property
    def missing_in(self) -> tuple[str, ...]:
        """Alertmanagers that answer and do not have it."""
        return tuple(one.alertmanager for one in self.deliveries if one.state == "absent")


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything at one moment."""

    taken_at: float
    alerts: tuple[Alert, ...]
    silences: Mapping[str, Silence]
    """By id, those of all Alertmanagers."""
    rules: tuple[RuleSide, ...]
    """Of each Prometheus; empty: none is configured."""
    sides: tuple[DeliverySide, ...]
    notes: tuple[str, ...] = ()
    """What could not be seen, and why."""
    failed: bool = False
    """A source that is configured did not answer."""
    flapping: Flapping = NOTHING_FLAPS
    keeps: str = ""
    """Whose acknowledgements this program prolongs for as long as it runs; empty: nobody's."""
