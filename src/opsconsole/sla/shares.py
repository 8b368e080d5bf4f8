"""Which of many series burn the budget: services, tables or DAGs, ranked by their share of all that was bad. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOST = 20
"""Series that are told; the rest is summed up."""


@dataclass(frozen=True, slots=True)
class Share:
    """One series, and its part in what was bad."""

    of: Mapping[str, str]
    """Its labels; empty: all that are not told by themselves."""
    bad: float
    """As the SLA counts: events, runs, minutes."""
    share: float
    """Of all that was bad, 0 to 1."""


def ranked(bad: Iterable[tuple[Mapping[str, str], float]], most: int = MOST) -> tuple[Share, ...]:
    """The series in which anything was bad, the worst first; what is beyond `most` as one at the end."""
    found = sorted(((of, count) for of, count in bad if count > 0), key=lambda one: (-one[1], sorted(one[0].items())))
    whole = sum(count for _, count in found)
    told = [Share(of, count, count / whole) for of, count in found[:most]]
    rest = sum(count for _, count in found[most:])
    return (*told, Share({}, rest, rest / whole)) if rest > 0 else tuple(told)


def scaled(shares: Iterable[Share], bad: float) -> tuple[Share, ...]:
    """The same shares, of `bad`: what tells them apart looks less closely than what counts, and leaves no maintenance
    out."""
    return tuple(Share(one.of, one.share * bad, one.share) for one in shares)


def subjects(shares: Iterable[Share]) -> list[str]:
    """What each is called: its labels, without those that are the same in all."""
    listed = list(shares)
    named = [one.of for one in listed if one.of]
    alike = {
        label for label in (named[0] if named else ()) if len(named) > 1 and len({of.get(label) for of in named}) == 1
    }
    return [_called({label: value for label, value in one.of.items() if label not in alike}) for one in listed]


def _called(of: Mapping[str, str]) -> str:
    return of.get("dag_id") or " ".join(f"{label}={value}" for label, value in of.items()) or "the others"
