"""How much counters grew in each of many windows that follow one another, so that nothing falls between two of them.

`increase(x[1h])` looks only at the samples within the hour, and reckons from these to its edges. What happened between
the last sample of an hour and the first of the next is in neither: of a burst all of it, and of samples 270 s apart
7.5 % of the time; in a window with one sample there is nothing at all. As Prometheus reckons, that cancels out for even
traffic, and does not for errors, which come in bursts.

So each series counts from its last sample before a window to the last one in it: windows add up to what one window over
all of them would count. Where that cannot be had, because the series began in the window or the counter was reset, it
is `increase`, which knows how to go on after a reset.

Many a counter is there only from its first event on. To `increase` that event is a beginning, not an increase: the one
failure of a night never counts. `increments_and_births` counts it, by what is known of the target.
"""

import re
from collections.abc import Callable

MINUTE, HOUR = 60.0, 3600.0
CARRIED = 15 * MINUTE
"""Seconds, at least, for which a counter's last sample is its value: those of short windows may lie so far apart."""
REMEMBERED = 6 * HOUR
"""Seconds for which a series that is gone is one that was there, and not born when it comes back: those of a database
are gone while it is down, and its exporter is not."""
_STRING = r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*'|`[^`]*`"
_MATCHERS = rf"\{{(?:{_STRING}|[^{{}}\"'`])*\}}"
_INCREASE = re.compile(
    rf"{_STRING}|\bincrease\s*\(\s*(?P<selector>(?:[A-Za-z_:][\w:]*\s*)?(?:{_MATCHERS})?)"
    r"\s*\[\s*\$(?P<name>\w+)\s*\]\s*\)"
)
"""A string, which is passed over, or the increase of a selector over a window that has a name."""


def carried(window: float) -> float:
    """Seconds for which a counter's last sample is its value, of windows of `window` seconds: at least as long as an
    hour lasts, so that each hour that ends without a value had no sample, and is unknown."""
    return min(HOUR, max(CARRIED, window))


def increments(text: str, window: float) -> str:
    """`text` over the last `window` seconds; each `increase(SELECTOR[$window])` in it loses nothing at its edges.

    What has no such form (`increase(x[$window] offset 1h)`, a subquery) is asked as it is.
    """

    def grown(selector: str) -> str:
        return f"({_since(selector, window, carried(window))} or increase({selector}[{_seconds(window)}]))"

    return _each_increase(text, "window", grown).replace("$window", _seconds(window))


def increments_and_births(text: str, step: float) -> str:
    """`text` over the last `step` seconds, as `increments`, of `$step`; and a series that was born in them counts with
    all that it has.

    It was born if it is not remembered, and its target (`up`, by `job` and `instance`) was read more often than it was
    seen: a new Prometheus, a target that is new and one that comes back have seen both as often. What was counted while
    nobody read it, for an hour at most, counts where it is read again.
    """
    span = _seconds(step)

    def grown(selector: str) -> str:
        seen, read = f"count_over_time({selector}[{span}])", f"min by (job, instance) (sum_over_time(up[{span}]))"
        remembered = f"present_over_time({selector}[{_seconds(REMEMBERED)}] offset {span})"
        born = f"0 * ({seen} < on (job, instance) group_left () {read} unless {remembered})"
        # After a gap of less than an hour; by itself, for a reset spoils all windows that look so far back.
        resumed = _since(selector, step, HOUR)
        return f"({_since(selector, step, carried(step), born)} or {resumed} or increase({selector}[{span}]))"

    return _each_increase(text, "step", grown).replace("$step", span)


def with_births(text: str) -> str:
    """`text`, in which each `increase(SELECTOR[$window])` counts what a series has that was not there before.

    For a rule, whose windows overlap and need no edges, in PromQL that is as short as it can be.
    """

    def grown(selector: str) -> str:
        read = "min by (job, instance) (sum_over_time(up[$window]))"
        born = f"({selector} unless {selector} offset $window)"
        new = f"(count_over_time({selector}[$window]) < on (job, instance) group_left () {read})"
        return f"({born} and {new} or increase({selector}[$window]))"

    return _each_increase(text, "window", grown)


def _each_increase(text: str, name: str, grown: Callable[[str], str]) -> str:
    """`text` with what `grown` makes of the selector in the place of each `increase(SELECTOR[$name])`."""

    def replaced(found: re.Match[str]) -> str:
        return grown(found["selector"]) if found["selector"] and found["name"] == name else found[0]

    return _INCREASE.sub(replaced, text)


def _since(selector: str, window: float, back: float, otherwise: str = "") -> str:
    """From the last sample before the window, of `back` seconds, to the last one; nothing where a reset lies between.

    `otherwise` is what a series counts from that has no such sample.
    """
    value, before = f"last_over_time({selector}[{_seconds(back)}])", _before(selector, window, back)
    # A reset is looked for from the sample on that it is counted from.
    reset = f"resets({selector}[{_seconds(window, back)}]) > 0"
    return f"({value} - {f'({before} or {otherwise})' if otherwise else before} unless {reset})"


def _before(selector: str, window: float, back: float) -> str:
    return f"last_over_time({selector}[{_seconds(back)}] offset {_seconds(window)})"


def _seconds(*several: float) -> str:
    return f"{sum(max(1, round(one)) for one in several)}s"
