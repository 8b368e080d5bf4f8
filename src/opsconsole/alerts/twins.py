"""An alert that Alertmanager has twice, from both Prometheus of a pair that send their replica labels along."""

from opsconsole.alerts.model import Delivered

_LOUDEST = ("active", "unprocessed", "suppressed")


def together(one: Delivered, other: Delivered) -> Delivered:
    """The two as one: with the labels that they share, notifying where one of them does."""
    # Which of them answers come first in is chance.
    first, second = sorted((one, other), key=lambda given: sorted(given.labels.items()))
    return Delivered(
        labels={name: value for name, value in first.labels.items() if second.labels.get(name) == value},
        annotations=first.annotations,
        fingerprint=first.fingerprint,
        state=min(first.state, second.state, key=_loudness),
        started_at=min((at for at in (first.started_at, second.started_at) if at is not None), default=None),
        updated_at=max((at for at in (first.updated_at, second.updated_at) if at is not None), default=None),
        receivers=_both(first.receivers, second.receivers),
        silenced_by=_both(first.silenced_by, second.silenced_by),
        inhibited_by=_both(first.inhibited_by, second.inhibited_by),
        muted_by=_both(first.muted_by, second.muted_by),
        generator=first.generator,
        replicas=_both(first.replicas, (second.fingerprint, *second.replicas)),
    )


def _both(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _loudness(state: str) -> int:
    return _LOUDEST.index(state) if state in _LOUDEST else len(_LOUDEST)
