"""The PromQL of an objective: what was counted, good and bad, over any window. One text for the screen, for the report
and for the rules that are generated, so that they cannot tell different things.

Every expression yields one sample without labels, or none where nothing was counted.
"""

import math
from dataclasses import dataclass

from opsconsole.config.slas import Promql, Sla

RESOLUTION = "1m"
"""How often a value is looked at."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The PromQL of one indicator. A window is written as in PromQL: `5m`, `30d`."""

    good_text: str
    """With `$window`; empty: it follows from the other two."""
    bad_text: str
    total_text: str
    sampled: bool
    """Counts are samples of a value, one each `RESOLUTION` and series; else events."""
    value_text: str = ""
    """The value as it is now, of which `sampled` takes samples."""
    good_each_text: str = ""
    """1 or 0 for each of its series, now."""
    bad_now_text: str = ""
    """Of `sampled`: how many series are bad at a moment; no sample where none is, so that a good month is a short
    answer."""
    total_now_text: str = ""
    """Of `sampled`: how many series there are at a moment. Both at each minute are what the others count over a window,
    and are read in a tenth of the time."""

    def good(self, window: str) -> str:
        """How much was good in the last `window`; 0 where all of it was bad."""
        if self.good_text:
            return f"({_over(self.good_text, window)} or {_none_of(self.total_text, window)})"
        return f"({self.total(window)} - {self.bad(window)})"

    def bad(self, window: str) -> str:
        """How much was bad; 0 where all of it was good. A counter of errors that never were is absent, not unknown."""
        if self.bad_text:
            return f"({_over(self.bad_text, window)} or {_none_of(self.total_text, window)})"
        return f"({self.total(window)} - {self.good(window)})"

    def total(self, window: str) -> str:
        """How much was counted."""
        return _over(self.total_text, window)

    def error_ratio(self, window: str) -> str:
        """The share that was bad; no sample where nothing was counted, for 0 of 0 is neither 0 % nor 100 %."""
        return f"{self.bad(window)} / ({self.total(window)} > 0)"


def counts_of(sla: Sla) -> Counts | None:
    """The PromQL that counts `sla`; None where it is not read from Prometheus."""
    given = sla.promql
    if given is None:
        return None
    if given.histogram:
        return _of_histogram(given, sla.target)
    if given.value:
        return _of_value(given.value, sla)
    return Counts(given.good, given.bad, given.total, sampled=False)


def bucket_pattern(bound: float) -> str:
    """A regular expression for `le` of the bucket up to `bound` seconds, however a client writes it: 0.5, 0.50, 1, 1.0.

    Prometheus 3 writes floats in a normal form, older versions keep what the client wrote.
    """
    number = f"{bound:.9f}".rstrip("0").rstrip(".")
    return number.replace(".", "[.]") + "0*" if "." in number else number + "([.]0+)?"


def _of_histogram(given: Promql, target: float) -> Counts:
    match = given.match.strip().rstrip(",")
    both = f'{match}, le=~"{bucket_pattern(target)}"' if match else f'le=~"{bucket_pattern(target)}"'
    return Counts(
        good_text=f"sum(increase({given.histogram}_bucket{{{both}}}[$window]))",
        bad_text="",
        total_text=f"sum(increase({given.histogram}_count{{{match}}}[$window]))",
        sampled=False,
    )


def _of_value(value: str, sla: Sla) -> Counts:
    # An age may not reach its limit; a time may. Availability: any value above 0 is up.
    comparison = {"availability": "> bool 0", "freshness": f"< bool {sla.target:g}"}.get(
        sla.kind, f"<= bool {sla.target:g}"
    )
    return Counts(
        good_text=f"sum(sum_over_time((({value}) {comparison})[$window:{RESOLUTION}]))",
        bad_text="",
        total_text=f"sum(count_over_time(({value})[$window:{RESOLUTION}]))",
        sampled=True,
        value_text=value,
        good_each_text=f"({value}) {comparison}",
        bad_now_text=f"count({_not_good(value, sla)})",
        total_now_text=f"count({value})",
    )


def _not_good(value: str, sla: Sla) -> str:
    """The series of `value` that are not good, NaN among them, which no comparison but != holds for.

    What is good becomes one number, and is dropped: as most is good, that takes a third of the time of 1 - bool.
    """
    if sla.kind == "availability":
        return f"sgn({value}) != 1"
    # An age may not reach its limit: the number just below is the last that is good.
    last_good = math.nextafter(sla.target, 0.0) if sla.kind == "freshness" else sla.target
    return f"clamp_min({value}, {last_good!r}) != {last_good!r}"


def _over(text: str, window: str) -> str:
    return f"sum({text.replace('$window', window)})"


def _none_of(total: str, window: str) -> str:
    return f"0 * {_over(total, window)}"
