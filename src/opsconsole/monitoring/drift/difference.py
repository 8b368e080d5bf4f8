"""One thing in which a server differs from the definitions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Things = Mapping[str, Mapping[str, str]]
"""Things by name, each as named texts."""


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """`state` is `missing` (the server lacks it), `extra` (nothing here says it) or `changed`."""

    source: str
    kind: str
    """`alert`, `recording`, `scrape job`, `global`, `route`, `receiver`, `inhibition`, `quiet hours`."""
    name: str
    state: str
    what: str = ""
    """Of `changed`: what. `for: 5m here, 1m loaded`."""


def compared(source: str, kind: str, here: Things, loaded: Things) -> Iterator[Drift]:
    """Those that one side lacks, and those whose texts differ."""
    for name, ours in here.items():
        if name not in loaded:
            yield Drift(source, kind, name, "missing")
        elif what := changes(ours, loaded[name]):
            yield Drift(source, kind, name, "changed", what)
    for name in loaded:
        if name not in here:
            yield Drift(source, kind, name, "extra")


def changes(here: Mapping[str, str], loaded: Mapping[str, str]) -> str:
    """What differs, in words."""
    keys = dict.fromkeys((*here, *loaded))
    return "; ".join(
        f"{key}: {here.get(key) or 'nothing'} here, {loaded.get(key) or 'nothing'} loaded"
        for key in keys
        if here.get(key, "") != loaded.get(key, "")
    )
