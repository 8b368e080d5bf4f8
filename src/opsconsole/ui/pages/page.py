"""What one page is: which reading it takes of its source, what it shows of it, and what can be done about a row."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

from opsconsole.runbooks.repair import Repair
from opsconsole.ui.table_layout import Column, Row

S = TypeVar("S")
"""What is asked: a database, an Airflow."""
R = TypeVar("R")
"""What a reading of it is."""


@dataclass(frozen=True, slots=True)
class Order:
    """How the operator wants a page: by one of its `sorts`, and by one of its `groupings` or none."""

    sort: str
    grouping: str = ""
    filter: str = ""
    """In the page's own language, where it has one (`Page.speaks`)."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page shows of one reading. All of it is clean."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]
    summary: str = ""
    """One line: the sums, and over which time."""
    sort: str = ""
    """The column that the rows are sorted by."""
    descending: bool = True
    notes: tuple[str, ...] = ()
    """What could not be seen, and how to allow it; by which way it came, where not by the usual one, and why."""
    begin: str = ""
    """The key of the row that the cursor is on at first; empty: the first."""


@dataclass(frozen=True, slots=True)
class Detail:
    """All there is to say about one row. All of it is clean."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    """(name, value), one a line."""
    parts: tuple[tuple[str, str], ...] = ()
    """(heading, text of any length)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be done about a row."""

    label: str
    """What the operator chooses it by: `cancel`, `vacuum full`."""
    repair: Repair


_NO_LABELS: Mapping[str, str] = MappingProxyType({})


class Page(ABC, Generic[S, R]):
    """One page. It is made once for a view, and holds nothing but what spares questions."""

    id: ClassVar[str]
    """As `:db ID` has it."""
    title: ClassVar[str]
    period: ClassVar[float]
    """Seconds between two readings."""
    thrift: ClassVar[float] = 0.0
    """Seconds of pause for each second of CPU that a reading takes, where that is more than `period`: a page of
    thousands of rows is read less often, so that leaving it open costs no more than others do."""
    sorts: ClassVar[tuple[str, ...]]
    """What it can be sorted by; the first is the default."""
    groupings: ClassVar[tuple[str, ...]] = ()
    asks_form: ClassVar[str] = ""
    """What is asked for another form of the page, where there are too many to go through one after the other:
    `forms` are offered, any that `check_form` takes is one. Empty: `groupings` are gone through."""

    @abstractmethod
    async def take(self, source: S, before: R | None, order: Order) -> R:
        """A reading; `before` is the last one that was shown.

        Raises:
            SourceError: it cannot be asked.
        """

    def again(self, reading: R) -> float:
        """Seconds from `reading` to the next one: sooner than `period` where it is not whole yet."""
        return self.period

    def forget(self, source: S) -> None:
        """The next reading has to be of after now: what `source` shares between those who ask is no answer."""

    @abstractmethod
    def sheet(self, reading: R, order: Order) -> Sheet:
        """What to show of it. Asks nothing; may be called in a thread."""

    def forms(self, reading: R) -> Sequence[tuple[str, str]]:
        """(form, what it is) of those to offer."""
        return ()

    def check_form(self, form: str) -> None:
        """Whether `form` is one.

        Raises:
            ValueError: it is none; what would be one.
        """

    def speaks(self, text: str) -> bool:
        """Whether a filter is in the page's own language, so that its rows follow `Order.filter`. Others are looked
        for in the text of the rows.

        Raises:
            ValueError: it is in that language, and wrong.
        """
        return False

    def detail(self, reading: R, key: str) -> Detail | None:
        """More about the row with that key; None where there is no more."""
        return None

    def statement(self, reading: R, key: str) -> str:
        """The SQL of the row with that key, as it is; empty where it has none."""
        return ""

    def choices(self, reading: R, key: str) -> list[Choice]:
        """What can be done about the row with that key, the mildest first."""
        return []


@dataclass(frozen=True, slots=True)
class PageSpec:
    """A page that is imported when it is first looked at."""

    id: str
    title: str
    made_by: str = field(repr=False)
    """`module:class`."""
    about: tuple[str, ...] = ()
    """What it is made with: the ids of what it is about."""

    def make(self) -> Page[Any, Any]:
        """The page."""
        module, _, name = self.made_by.partition(":")
        page: Page[Any, Any] = getattr(importlib.import_module(module), name)(*self.about)
        return page
