"""The report of a week or a month: what was promised and kept, against the period before, and it as Markdown. Names and
reasons are text in it, whatever they hold. `report_html` makes a page of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.sla.standing import Standing
from opsconsole.sla.violations import Violation, mean_seconds_to_recovery
from opsconsole.sla.wording import (
    NOTHING,
    budget_text,
    change_text,
    days_text,
    moment_text,
    share_text,
    spent_text,
    target_text,
)

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_NAMED = 5
"""SLAs that the headline names."""
_CLOSE = 0.5
"""The share of a budget, with less of which left the headline speaks of an SLA that was kept."""


@dataclass(frozen=True, slots=True)
class Table:
    """One part of the report."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str
    """What is said where there are no rows."""


@dataclass(frozen=True, slots=True)
class Report:
    """Every SLA in one period."""

    environment: str
    period: str
    """`2026-W46`."""
    taken_at: float
    standings: tuple[Standing, ...]
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """One line."""
        return f"SLA report {self.period} of {self.environment}"

    @property
    def days(self) -> str:
        """Which days it is about, and in which zone; empty where nothing is promised."""
        spans = dict.fromkeys(days_text(one.period.start, one.period.end, one.sla.zone) for one in self.standings)
        return "; ".join(spans)

    @property
    def lead(self) -> str:
        """Its days and its sum, in words."""
        return f"{self.days}. {self.summary}" if self.days else self.summary

    @property
    def headline(self) -> str:
        """What whoever reads one line has to know: what was broken, of what too little is known, what came close."""
        over = all(one.period.end <= self.taken_at for one in self.standings)
        met = [one.met for one in self.standings]
        if not met:
            return "Nothing is promised."
        parts = [
            f"{'' if over else 'So far '}{met.count(True)} of {len(met)} promises {'were' if over else 'are'} kept."
        ]
        if broken := [one.sla.label for one in self.standings if one.met is False]:
            parts.append(f"Broken: {_listed(broken)}.")
        if unknown := [one.sla.label for one in self.standings if one.met is None]:
            parts.append(f"Too little is known of {_listed(unknown)}.")
        kept = [(one.budget_left, one.sla.label) for one in self.standings if one.met and one.budget_left is not None]
        left, closest = min(kept, default=(1.0, ""))
        if left < _CLOSE:
            parts.append(f"Closest to its limit: {closest}, with {budget_text(left)} of its budget left.")
        return " ".join(parts)

    @property
    def zone(self) -> str:
        """The zone that moments are told in."""
        return self.standings[0].sla.zone if self.standings else "UTC"

    @property
    def summary(self) -> str:
        """How many were kept, and what recovery took."""
        met = [one.met for one in self.standings]
        kept = f"{met.count(True)} of {len(met)} kept, {met.count(False)} broken, {met.count(None)} unknown"
        found = [violation for one in self.standings for violation in one.violations]
        before = sum(len(one.violations_before) for one in self.standings)
        mttr = mean_seconds_to_recovery(found)
        recovery = f", {duration_text(mttr)} to recovery on average" if mttr is not None else ""
        goes_on = sum(one.end is None for one in found)
        past = all(one.period.end < self.taken_at for one in self.standings)
        still = f", {goes_on} of them {'not over at its end' if past else 'going on'}" if goes_on else ""
        until = "" if all(one.period.end <= self.taken_at for one in self.standings) else "So far: "
        return f"{until}{kept}. {len(found)} violations{still} (the period before: {before}){recovery}."


def tables(report: Report) -> tuple[Table, ...]:
    """What the report consists of."""
    return _promises(report), _violations(report), _excluded(report), _unseen(report)


def markdown(report: Report) -> str:
    """As Markdown (CommonMark, tables as GitHub has them)."""
    lines = [f"# {_md(report.title)}", "", f"**{_md(report.headline)}**", ""]
    lines += [f"{_md(report.lead)} {_md(taken_text(report))}", ""]
    for table in tables(report):
        lines += [f"## {_md(table.title)}", ""]
        if table.rows:
            lines += [_md_row(map(_md, table.columns)), _md_row(["---"] * len(table.columns))]
            lines += [_md_row(map(_md, row)) for row in table.rows]
        else:
            lines.append(table.empty)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def taken_text(report: Report) -> str:
    """When it was made."""
    return f"Taken {moment_text(report.taken_at, report.zone)}."


def _promises(report: Report) -> Table:
    columns = (
        "State", "SLA", "Promised", "Good", "Before", "Change (points)", "Budget left", "Violations", "MTTR", "Counted",
        "Known", "Owner",
    )  # fmt: skip
    return Table("Promises", columns, tuple(map(_promise, report.standings)), "Nothing is promised.")


def _promise(one: Standing) -> tuple[str, ...]:
    limit = target_text(one.sla.kind, one.sla.target)
    coverage = one.tally.coverage
    return (
        _verdict(one),
        one.sla.label,
        share_text(one.sla.objective) + (f" {limit}" if limit else ""),
        share_text(one.sli),
        _before(one),
        change_text(one.change),
        budget_text(one.budget_left),
        f"{len(one.violations)} (before {len(one.violations_before)})",
        NOTHING if one.mttr is None else duration_text(one.mttr),
        f"{one.tally.total:,.0f}",
        NOTHING if coverage is None else budget_text(coverage),
        one.sla.owner,
    )


def _before(one: Standing) -> str:
    """The share of the period before, and of how much of it that is known where it is not about all."""
    if one.before is None or one.before.sli is None:
        return NOTHING
    coverage = one.before.coverage or 0.0
    return share_text(one.before.sli) + (f" (known {budget_text(coverage)})" if coverage < 0.9 else "")


def _verdict(one: Standing) -> str:
    """`CRIT broken`; of what is known to be kept, whether that was close."""
    if one.met is None or one.state is State.UNKNOWN:
        return f"{State.UNKNOWN}"
    return f"{one.state} {'kept' if one.met else 'broken'}"


def _violations(report: Report) -> Table:
    rows = [(one, found) for one in report.standings for found in one.violations]
    rows.sort(key=lambda row: row[1].start)
    columns = ("SLA", "Start", "End", "Recovered after", "Bad", "Of the budget")
    return Table(
        "Violations", columns, tuple(_violation(one, found) for one, found in rows), "None that cost 0.5 % of a budget."
    )


def _violation(one: Standing, found: Violation) -> tuple[str, ...]:
    return (
        one.sla.label + (f": {found.subject}" if found.subject else ""),
        moment_text(found.start, one.sla.zone),
        _end(one, found),
        NOTHING if found.seconds is None else _seconds(found),
        f"{found.bad:,.0f} of {found.total:,.0f}",
        spent_text(found.spent),
    )


def _end(one: Standing, found: Violation) -> str:
    if found.end is not None:
        return moment_text(found.end, one.sla.zone)
    return "goes on" if one.period.end >= one.taken_at else f"after {one.period.title}"


def _seconds(found: Violation) -> str:
    assert found.seconds is not None
    grain = f" (± {duration_text(found.grain)})" if found.grain > 60 else ""
    return duration_text(found.seconds) + grain


def _excluded(report: Report) -> Table:
    seen: dict[tuple[str, float, float, str], list[str]] = {}
    for one in report.standings:
        for pause in one.excluded:
            seen.setdefault((pause.name, pause.start, pause.end, pause.why), []).append(one.sla.label)
    rows = tuple(
        (
            name,
            moment_text(start, report.zone),
            moment_text(end, report.zone),
            duration_text(end - start),
            why,
            ", ".join(labels),
        )
        for (name, start, end, why), labels in sorted(seen.items(), key=lambda item: item[0][1])
    )
    return Table("Excluded as maintenance", ("Name", "Start", "End", "For", "Why", "SLAs"), rows, "Nothing.")


def _unseen(report: Report) -> Table:
    rows = [("", note) for note in report.notes]
    for one in report.standings:
        rows += [(one.sla.label, note) for note in (one.error, *one.notes) if note]
        if one.state is State.UNKNOWN and not one.error:
            rows.append((one.sla.label, one.why))
    return Table("What could not be seen", ("SLA", "What"), tuple(rows), "Nothing.")


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - _NAMED
    return ", ".join(labels[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _md(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text.replace("\n", "⏎"))


def _md_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
