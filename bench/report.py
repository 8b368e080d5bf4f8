"""The table of what was measured against what is demanded."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One bar: the figure, its limit, and what was compared."""

    what: str
    measured: float
    limit: float
    unit: str
    how: str = ""

    @property
    def met(self) -> bool:
        """At or below the limit."""
        return self.measured <= self.limit


def table(rows: list[Row]) -> str:
    """The rows as aligned text."""
    cells = [("", "what", "measured", "bar", "how")]
    cells += [
        ("ok" if row.met else "MISSED", row.what, f"{row.measured:,.2f} {row.unit}", f"<= {row.limit:,.2f}", row.how)
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if column in (2, 3) else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )
