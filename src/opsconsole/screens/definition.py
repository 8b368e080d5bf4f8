"""What a screen file says, typed. `loading` makes these from YAML; docs/screens.md is the reference."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold


class Kind(StrEnum):
    """The kinds of pane. A section is the heading of the panes that follow it, up to the next one."""

    STAT = "stat"
    GAUGE = "gauge"
    TIMESERIES = "timeseries"
    BARS = "bars"
    TABLE = "table"
    STATUS = "status"
    TIMELINE = "timeline"
    HEATMAP = "heatmap"
    TEXT = "text"
    VIEW = "view"
    SECTION = "section"


class Reduce(StrEnum):
    """How many points of a series become one number."""

    LAST = "last"
    MEAN = "mean"
    MAX = "max"
    MIN = "min"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a pane, variables not yet filled in, and the name of its series."""

    query: str
    legend: str = ""
    """`{{label}}` stands for the value of a label; empty: the labels that tell the series apart."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a `table` pane."""

    name: str
    """The SQL column; for a vector the label, or `value`."""
    title: str = ""
    unit: str = "none"
    thresholds: tuple[Threshold, ...] = ()
    decimals: int | None = None
    mappings: tuple[tuple[float, str], ...] = ()
    """(number, the word to show for it)."""
    width: int = 0
    """In cells; 0: as wide as the content asks for."""


@dataclass(frozen=True, slots=True)
class Drill:
    """Where `enter` on a pane's selected item leads: a screen, with variables set from labels."""

    screen: str
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """variable name -> label name."""


@dataclass(frozen=True, slots=True)
class RunbookLink:
    """The runbook for what a pane shows, and how its parameters are filled from the selected item's labels."""

    id: str
    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """parameter name -> label name. Parameters with `from_label` in the runbook need no entry here."""


@dataclass(frozen=True, slots=True)
class Pane:
    """One pane."""

    id: str
    title: str
    kind: Kind
    source: str = "prometheus"
    targets: tuple[Target, ...] = ()
    unit: str = "short"
    decimals: int | None = None
    thresholds: tuple[Threshold, ...] = ()
    mappings: tuple[tuple[float, str], ...] = ()
    """(number, the word to show for it): `(0.0, "down")`."""
    reduce: Reduce = Reduce.LAST
    window: float | None = None
    """Seconds of history; None: the screen's time range where the kind needs one."""
    refresh: float | None = None
    """Seconds; None: the screen's."""
    span: int = 1
    rows: int = 0
    """Height in lines; 0: by kind and content."""
    minimum: float | None = None
    maximum: float | None = None
    columns: tuple[Column, ...] = ()
    text: str = ""
    view: str = ""
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """For `view`: what the view takes."""
    folded: bool = False
    """For `section`: whether the panes below it are put away at first, and so not read."""
    area: str = ""
    """The area of the overview that this pane's state counts for; empty: none."""
    no_data: State = State.UNKNOWN
    """The state where the query answers with nothing, for queries such as `ALERTS` where nothing is good."""
    check: bool = True
    """Whether its thresholds make checks; False where they only colour, because another pane already checks this."""
    optional: bool = False
    """Whether there may be nothing to see here, for what not every platform has: then it makes no check."""
    drill: Drill | None = None
    runbook: RunbookLink | None = None
    broken: str = ""
    """Why this pane cannot work; the rest of its screen does."""
    line: int = 0
    """In the screen's file."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of a screen."""

    name: str
    query: str = ""
    """`label_values(metric, label)`, `label_values(label)`, or SQL with one column."""
    source: str = "prometheus"
    values: tuple[str, ...] = ()
    """Fixed choices, where there is no query."""
    multi: bool = False
    default: str = "all"
    everything: str = ".*"
    """The regular expression that all is, after `=~`."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen file."""

    id: str
    title: str
    panes: tuple[Pane, ...]
    columns: int = 4
    refresh: float = 5.0
    window: float = 3600.0
    """The time range to start with, in seconds."""
    variables: tuple[Variable, ...] = ()
    order: int = 100
    """Position among the tabs."""
    file: str = ""
