"""Where the rules of objectives say something else than `sla status` does, and by how much. What rules keep exactly is
not told."""

from collections.abc import Callable, Iterable

from opsconsole.config.slas import Sla
from opsconsole.monitoring.recordings import has_ratios
from opsconsole.sla.expressions import counts_of


def approximations(slas: Iterable[Sla]) -> list[str]:
    """One line for each difference, with the SLAs that it is about."""
    listed = list(slas)
    found = []
    for about, text in _DIFFERENCES:
        names = [one.name for one in listed if about(one)]
        if names:
            found.append(f"{', '.join(names)}: {text}")
    return found


def _in_calendar(window: str) -> Callable[[Sla], bool]:
    return lambda sla: sla.window == window and has_ratios(sla)


_DIFFERENCES: tuple[tuple[Callable[[Sla], bool], str], ...] = (
    (
        lambda sla: not has_ratios(sla),
        "no burn rates, for Prometheus cannot count it: `opsconsole sla metrics` can, with metrics_every in slas.yaml",
    ),
    (_in_calendar("week"), "rules begin the week up to five minutes late"),
    (_in_calendar("month"), "rules begin the month up to five minutes late, and reckon burn rates as of 30 days"),
    (
        lambda sla: bool(sla.maintenance) and counts_of(sla) is not None,
        "rules leave out up to five minutes more at each end of maintenance",
    ),
)
