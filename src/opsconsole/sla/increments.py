"""How much counters grew in each of many windows that follow one another, so that nothing falls between two of them.

`increase(x[1h])` looks only at the samples within the hour, and reckons from these to its edges. What happened between
the last sample of an hour and the first of the next is in neither: of a burst all of it, and of samples 270 s apart
7.5 % of the time; in a window with one sample there is nothing at all. As Prometheus reckons, that cancels out for even
traffic, and does not for errors, which come in bursts.

So each series counts from its last sample before a window to the last one in it: windows add up to what one window over
all of them would count. Where that cannot be had, because the series began in the window or the counter was reset, it
is `increase`, which knows how to go on after a reset.
"""

import re

from opsconsole.sla.burn import HOUR, MINUTE

CARRIED = 15 * MINUTE
"""Seconds, at least, for which a counter's last sample is its value: those of short windows may lie so far apart."""
_STRING = r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*'|`[^`]*`"
_MATCHERS = rf"\{{(?:{_STRING}|[^{{}}\"'`])*\}}"
_INCREASE = re.compile(
    rf"{_STRING}|\bincrease\s*\(\s*(?P<selector>(?:[A-Za-z_:][\w:]*\s*)?(?:{_MATCHERS})?)\s*\[\s*\$window\s*\]\s*\)"
)
"""A string, which is passed over, or the increase of a selector over the window."""


def carried(window: float) -> float:
    """Seconds for which a counter's last sample is its value, of windows of `window` seconds: at least as long as an
    hour lasts, so that each hour that ends without a value had no sample, and is unknown."""
    return min(HOUR, max(CARRIED, window))


def increments(text: str, window: float) -> str:
    """`text` over the last `window` seconds; each `increase(SELECTOR[$window])` in it loses nothing at its edges.

    What has no such form (`increase(x[$window] offset 1h)`, a subquery) is asked as it is.
    """
    span, back = f"{_whole(window)}s", f"{_whole(carried(window))}s"
    both = f"{_whole(window) + _whole(carried(window))}s"

    def grown(found: re.Match[str]) -> str:
        selector = found["selector"]
        if not selector:
            return found[0]
        value, before = f"last_over_time({selector}[{back}])", f"last_over_time({selector}[{back}] offset {span})"
        # A reset is looked for from the sample on that it is counted from.
        return f"(({value} - {before} unless resets({selector}[{both}]) > 0) or increase({selector}[{span}]))"

    return _INCREASE.sub(grown, text).replace("$window", span)


def _whole(seconds: float) -> int:
    return max(1, round(seconds))
