"""How the pages write numbers, times and texts from a database into cells."""

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import age_text, duration_text
from opsconsole.core.units import format_value
from opsconsole.ui.lines import Role
from opsconsole.ui.table_layout import Cell

LONGEST_TEXT = 400
"""Characters of a statement in a cell; the detail has all of it."""

NOTHING = Cell("")


def words(text: str, role: Role = "text", limit: int = LONGEST_TEXT) -> Cell:
    """A text from outside, on one line."""
    return Cell(clean_line(" ".join(text[: 4 * limit].split()), limit=limit), role)


def lasting(seconds: float | None, warn: float | None = None, crit: float | None = None) -> Cell:
    """A duration; from `warn` and `crit` seconds on it stands out."""
    if seconds is None:
        return NOTHING
    role = (
        "crit" if crit is not None and seconds >= crit else "warn" if warn is not None and seconds >= warn else "text"
    )
    return Cell(duration_text(seconds), role)


def ago(then: float | None, now: float) -> Cell:
    """How long ago a moment (unix seconds) was."""
    return Cell("never", "dim") if then is None else Cell(age_text(max(0.0, now - then)), "text")


def number(value: float | None, unit: str = "none", role: Role = "text") -> Cell:
    """A number in one of the console's units; blank for None."""
    return NOTHING if value is None else Cell(format_value(value, unit), role)


def count(value: float | None, role: Role = "text") -> Cell:
    """A whole number, with its thousands apart."""
    return NOTHING if value is None else Cell(f"{round(value):,}", role if value else "dim")


def size(value: float | None, role: Role = "text") -> Cell:
    """Bytes."""
    return number(value, "bytes", role)


def share(value: float | None, warn: float | None = None, crit: float | None = None) -> Cell:
    """0.12 as `12 %`; from `warn` and `crit` on it stands out."""
    if value is None:
        return NOTHING
    role = "crit" if crit is not None and value >= crit else "warn" if warn is not None and value >= warn else "text"
    return Cell(format_value(value, "percentunit"), role)
