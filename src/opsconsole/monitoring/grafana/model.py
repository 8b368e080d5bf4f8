"""A Grafana dashboard as conversion sees it, whatever schema it was written in. All text is cleaned."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

PROMETHEUS = "prometheus"
"""The kind of a data source that takes PromQL, whatever product it is."""


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel."""

    ref: str
    query: str = ""
    """PromQL; empty for other sources."""
    legend: str = ""
    instant: bool = False
    hidden: bool = False
    source: str = PROMETHEUS
    """The kind of the data source: `prometheus`, `loki`, `expression`, …"""


@dataclass(frozen=True, slots=True)
class Step:
    """A colour from a number on; None: from the lowest."""

    value: float | None
    colour: str


@dataclass(frozen=True, slots=True)
class Field:
    """How values are shown. None and empty: not said."""

    unit: str | None = None
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    steps: tuple[Step, ...] = ()
    percentage: bool = False
    """The steps are percentages of the way from minimum to maximum."""
    mappings: tuple[tuple[float, str], ...] = ()
    display_name: str = ""
    hidden: bool = False
    lost: tuple[str, ...] = ()
    """What of it cannot be said in our words."""


@dataclass(frozen=True, slots=True)
class Override:
    """How the values of some fields are shown."""

    by: str
    """Grafana's matcher: `byName`, `byRegexp`, `byFrameRefID`, …"""
    match: str
    field: Field


@dataclass(frozen=True, slots=True)
class Organized:
    """What a table's transformations say of its columns."""

    order: tuple[str, ...] = ()
    """Every field that they name, in the order of the table."""
    hidden: frozenset[str] = frozenset()
    names: tuple[tuple[str, str], ...] = ()
    """(field, its title)."""
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel, its options in the words of today's panel types."""

    id: int
    title: str
    type: str
    x: int = 0
    y: int = 0
    width: int = 12
    height: int = 8
    """In Grafana's units: a row has 24, one is about 38 pixels high."""
    description: str = ""
    targets: tuple[Target, ...] = ()
    field: Field = Field()
    overrides: tuple[Override, ...] = ()
    organized: Organized = Organized()
    calc: str = ""
    """How many points become one number: `lastNotNull`, `mean`, …"""
    over_time: bool = False
    """A number with its course."""
    coloured: bool = True
    """Whether thresholds are shown."""
    text: str = ""
    repeat: str = ""
    library: str = ""
    """The name of the library panel that it stands for, where its content is not here."""
    window: str = ""
    """Its own time range, as Grafana writes it."""
    links: tuple[tuple[str, str], ...] = ()
    """(title, URL)."""
    lost: tuple[str, ...] = ()
    """What reading it left out."""


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under one heading: a row or a tab."""

    title: str = ""
    panels: tuple[Panel, ...] = ()
    repeat: str = ""
    folded: bool = False


@dataclass(frozen=True, slots=True)
class DashboardVariable:
    """One variable."""

    name: str
    type: str
    """`query`, `custom`, `interval`, `constant`, `textbox`, `datasource`, `adhoc`."""
    query: str = ""
    label: str = ""
    source: str = PROMETHEUS
    regex: str = ""
    multi: bool = False
    everything: bool = False
    """Whether all can be chosen."""
    all_value: str = ""
    values: tuple[str, ...] = ()
    """Fixed choices."""
    current: tuple[str, ...] = ()
    """What was chosen when it was saved; `$__all` is all."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard."""

    title: str
    uid: str = ""
    schema: str = ""
    """The version of its format: `39`, `v2beta1`."""
    sections: tuple[Section, ...] = ()
    variables: tuple[DashboardVariable, ...] = ()
    refresh: str = ""
    window: str = "now-1h"
    annotations: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = field(default=())
    exported: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Its JSON, where it was exported from a screen and says what Grafana does not; else empty."""
