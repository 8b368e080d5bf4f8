"""Where an alert is on its way, of what each Prometheus and each Alertmanager say of it."""

from collections.abc import Iterable, Sequence

from opsconsole.alerts.model import AlertState, Delivery, RuleAlert, RuleSide, RuleState

Fired = tuple[RuleAlert | None, ...]
"""An alert as each Prometheus has it, in their order."""
TIMELESS = frozenset({AlertState.PENDING, AlertState.ACTIVE, AlertState.UNPROCESSED, AlertState.SUPPRESSED})
"""States that do not change by time alone."""


def state_of(fired: Fired, deliveries: Iterable[Delivery], rules: Sequence[RuleSide], now: float) -> AlertState:
    """The state at `now` (unix seconds) of an alert that each of `rules` has as in `fired`."""
    leading = leading_of(fired)
    if leading is not None and leading[0].state is RuleState.PENDING:
        return AlertState.PENDING
    states = {one.state for one in deliveries}
    for state in (AlertState.ACTIVE, AlertState.UNPROCESSED, AlertState.SUPPRESSED):
        # One that keeps it back does not help where another one notifies, or where it cannot be asked.
        if state in states:
            return AlertState.UNKNOWN if state is AlertState.SUPPRESSED and "unknown" in states else state
    if "absent" not in states or "unknown" in states:
        return AlertState.UNKNOWN
    return _missing(fired, rules, now)


def leading_of(fired: Fired) -> tuple[RuleAlert, int] | None:
    """The alert as the Prometheus has it which fires it for the longest time, or where none does waits for the longest;
    and the place of that Prometheus. None: no one has it."""
    found = [(one, place) for place, one in enumerate(fired) if one is not None]
    if len(found) > 1:
        return min(found, key=lambda one: (one[0].state is not RuleState.FIRING, one[0].active_at or 0.0))
    return found[0] if found else None


def grace(rule: RuleAlert, side: RuleSide) -> float:
    """Seconds after it began to fire in which an Alertmanager may still lack it: the first attempt can be lost before
    Prometheus has found its Alertmanagers, the next comes after the resend delay, with an evaluation."""
    return 2 * side.resend + 2 * rule.interval


def _missing(fired: Fired, rules: Sequence[RuleSide], now: float) -> AlertState:
    """That of an alert that no Alertmanager has."""
    firing = [
        (one, side, one.firing_at)
        for one, side in zip(fired, rules, strict=True)
        if one is not None and one.firing_at is not None
    ]
    if not firing:
        return AlertState.UNKNOWN
    if all(now - since <= grace(one, side) for one, side, since in firing):
        return AlertState.SENDING
    blurred = any(side.relabelled or side.external_labels is None for _, side, _ in firing)
    return AlertState.UNKNOWN if blurred else AlertState.UNDELIVERED
