"""One thing in which a server differs from the definitions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

Things = Mapping[str, Mapping[str, str]]
"""Things by name, each as named texts."""


class Change(NamedTuple):
    """A part of a thing that is one way here, and another way loaded; empty: it is not there."""

    part: str
    here: str
    loaded: str


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """`state` is `missing` (the server lacks it), `extra` (nothing here says it) or `changed`."""

    source: str
    kind: str
    """`alert`, `recording`, `scrape job`, `global`, `route`, `receiver`, `inhibition`, `quiet hours`."""
    name: str
    state: str
    changes: tuple[Change, ...] = ()
    """Of `changed`."""


def compared(source: str, kind: str, here: Things, loaded: Things) -> Iterator[Drift]:
    """Those that one side lacks, and those whose texts differ."""
    for name, ours in here.items():
        if name not in loaded:
            yield Drift(source, kind, name, "missing")
        elif found := changes(ours, loaded[name]):
            yield Drift(source, kind, name, "changed", found)
    for name in loaded:
        if name not in here:
            yield Drift(source, kind, name, "extra")


def changes(here: Mapping[str, str], loaded: Mapping[str, str]) -> tuple[Change, ...]:
    """What differs."""
    parts = dict.fromkeys((*here, *loaded))
    pairs = (Change(part, here.get(part, ""), loaded.get(part, "")) for part in parts)
    return tuple(one for one in pairs if one.here != one.loaded)
