"""What was counted, as metrics in Prometheus' text format: of SLAs that only the console can count (SQL, Airflow), so
that Prometheus can tell somebody of them too.

Sums over the windows that rules ask about, not counters: a run that is cleared and ends well was never bad, rows that
come late belong to when they happened, and maintenance and calendars are left out and kept as on the screen. A counter
can take nothing back, and would need a state that two producers, a lost disk or a missed run falsify.
"""

from collections.abc import Iterable, Iterator

from opsconsole.sla.standing import Standing

EVENTS = "opsconsole_sla_events"
BAD = "opsconsole_sla_bad_events"
READ_AT = "opsconsole_sla_read_timestamp_seconds"
PERIOD = "period"
"""The value of `window` for the SLA's own."""
_HELP = {
    EVENTS: "What was counted in the window, without maintenance: events, runs of DAGs, or minutes of series.",
    BAD: "How much of that was bad.",
    READ_AT: "When that was read; nothing is told of an SLA whose source does not answer.",
}
_MISSED = 3
"""Runs of a producer in a row that may fail before what it wrote says nothing any more."""


def stale_after(every: float) -> float:
    """Seconds after which counts that should come `every` so many seconds are not believed."""
    return _MISSED * every


def metrics_text(standings: Iterable[Standing]) -> str:
    """The metrics of those whose source answered, sorted, so that the same counts are the same bytes."""
    known = sorted((one for one in standings if not one.error and not one.waiting), key=lambda one: one.sla.name)
    lines = []
    for name, told in _HELP.items():
        lines += [f"# HELP {name} {told}", f"# TYPE {name} gauge"]
        lines += [line for one in known for line in _samples(name, one)]
    return "\n".join(lines) + "\n"


def _samples(name: str, one: Standing) -> Iterator[str]:
    # A name is letters, digits, '-', '_' and '.': nothing in it needs escaping.
    if name == READ_AT:
        yield f'{name}{{slo="{one.sla.name}"}} {one.taken_at:.3f}'
        return
    for window, sums in (*((_duration(seconds), sums) for seconds, sums in one.windows), (PERIOD, one.tally)):
        if sums.known_seconds > 0:  # nothing known is not nothing bad
            value = sums.bad if name == BAD else sums.total
            yield f'{name}{{slo="{one.sla.name}",window="{window}"}} {value:.10g}'


def _duration(seconds: float) -> str:
    """As PromQL writes the windows of burn rates: whole days, hours or minutes."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"
