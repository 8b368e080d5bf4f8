"""By which labels an alert of a rule and one that Alertmanager has are the same, with any number of Prometheus.

Prometheus adds its external labels when it sends: an alert of a rule does not have them, in Alertmanager it does. Those
that all Prometheus have in common say nothing, and are left out on both sides. Those by which the two of a pair for
high availability differ are left out by their names. The others tell clusters apart and stay: the alerts of a rule get
them, as Prometheus would add them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from opsconsole.alerts.model import Labels, RuleSide

Key = frozenset[tuple[str, str]]

REPLICAS = frozenset({"replica", "prometheus_replica", "__replica__"})
"""Names of labels that tell the two of a pair apart. `prometheus_replica` is what the Prometheus operator sets
(`replicaExternalLabelName`), `replica` what Thanos is shown with (`--query.replica-label`, `--alert.label-drop`),
`__replica__` what the HA trackers of Cortex and Mimir take off."""
_NOTHING: Key = frozenset()


@dataclass(frozen=True, slots=True)
class Joining:
    """How labels become what alerts are joined by."""

    left_out: Key = _NOTHING
    """External labels that are taken off on both sides."""
    replicas: Key = _NOTHING
    """Those among them that tell a pair apart."""
    by_name: frozenset[str] = frozenset()
    """Names that are taken off Alertmanager's alerts whatever they say: the value of a Prometheus is not known."""
    added: Mapping[str, Labels] = field(default_factory=dict)
    """Name of a Prometheus -> its external labels that stay; where they are not known, it is missing."""

    def of_rule(self, labels: Labels, prometheus: str) -> Key:
        """Of an alert of a rule of that Prometheus."""
        own = frozenset(labels.items()) - self.left_out
        added = self.added.get(prometheus)
        if not added:
            return own
        # What the alert says itself is not overwritten (prometheus/notifier, `Manager.Send`).
        return own | {(name, value) for name, value in added.items() if name not in labels}

    def of_delivered(self, labels: Labels) -> Key:
        """Of an alert that an Alertmanager has."""
        found = frozenset(labels.items()) - self.left_out
        return frozenset(one for one in found if one[0] not in self.by_name) if self.by_name else found

    def asked(self, labels: Labels, prometheus: str) -> Labels:
        """The joined `labels` as this Prometheus has them in its own series: without what it adds when it sends."""
        added = self.added.get(prometheus)
        return {name: value for name, value in labels.items() if added.get(name) != value} if added else labels

    def lasting(self, labels: Labels) -> Labels:
        """`labels` as Alertmanager has them, without those of one of a pair: what a silence of both has to say."""
        if not self.replicas:
            return labels
        return {
            name: value
            for name, value in labels.items()
            if (name, value) not in self.replicas and name not in self.by_name
        }


def joining_of(rules: Sequence[RuleSide]) -> Joining:
    """How the alerts of these are joined. Of one alone, all its external labels are left out.

    Where fewer than two of several say theirs, nothing is taken to be common: that would hide of which cluster an
    alert is, just when the others are away.
    """
    known = [frozenset(one.external_labels.items()) for one in rules if one.external_labels is not None]
    if len(rules) == 1:
        return Joining(left_out=known[0] if known else _NOTHING)
    common = frozenset.intersection(*known) if len(known) > 1 else _NOTHING
    replicas = frozenset(one for labels in known for one in labels if one[0] in REPLICAS)
    unknown = len(known) < len(rules)
    stays = {
        one.name: {
            name: value
            for name, value in one.sent_labels.items()
            if (name, value) not in common and name not in REPLICAS
        }
        for one in rules
        if one.external_labels is not None
    }
    by_name = frozenset(name for name, _ in replicas) if unknown else frozenset[str]()
    return Joining(common | replicas, replicas, by_name, stays)


class External(NamedTuple):
    """What is added to an alert on its way, where only its labels are known."""

    labels: Labels
    notes: tuple[str, ...] = ()
    """What could not be seen, and why."""
    ambiguous: tuple[str, ...] = ()
    """Names of labels that tell apart the Prometheus that could send it: nothing says which value it will have."""


def external_of(labels: Labels, said: Sequence[Labels], notes: tuple[str, ...] = ()) -> External:
    """What each Prometheus adds (`said`), narrowed by what the alert's own `labels` say of where it is from."""
    if len(said) < 2:
        return External(said[0] if said else {}, notes)
    fitting = [one for one in said if all(labels.get(name, value) == value for name, value in one.items())] or said
    telling = [{name: value for name, value in one.items() if name not in REPLICAS} for one in fitting]
    common = frozenset.intersection(*(frozenset(one.items()) for one in telling))
    differ = sorted({name for one in telling for name, value in one.items() if (name, value) not in common})
    return External(dict(common), notes, tuple(differ))
