"""Flapping: alerts that begin again and again."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.alerts.episodes import Key, key_of
from opsconsole.core.values import Value, Vector

WINDOW = "1h"
OFTEN = 3
"""New beginnings within the window from which it is said. One is an alert that came back, two may be chance."""
QUERY = f"changes(ALERTS_FOR_STATE[{WINDOW}]) >= {OFTEN}"
"""The value is when the expression began to hold: each change is a new beginning. karma counts so, too."""


@dataclass(frozen=True, slots=True)
class Flapping:
    """Which alerts began again how often within the window, by their labels; those of now and those that are gone."""

    times: Mapping[Key, int]

    def of(self, labels: Mapping[str, str]) -> int:
        """How often the alert with these labels began again; 0: not so often that it matters."""
        return self.times.get(key_of(labels), 0)


NOTHING_FLAPS = Flapping({})


def flapping(answer: Value) -> Flapping:
    """The answer to `QUERY`."""
    samples = answer.samples if isinstance(answer, Vector) else ()
    return Flapping({key_of(one.labels): round(one.value) for one in samples})
