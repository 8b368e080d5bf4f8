"""What the pages of errors read, and what they say of one kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from opsconsole.core.clean import clean, clean_line
from opsconsole.errors.asking import Errors
from opsconsole.errors.model import Kind, Sample, Survey
from opsconsole.errors.report import facts, rate_text, stamp
from opsconsole.ui.glyphs import UNICODE
from opsconsole.ui.lines import Role
from opsconsole.ui.pages.page import Detail
from opsconsole.ui.table_layout import Cell

PERIOD = 10.0
"""Seconds between two readings: logs are followed, so they cost what is new in them."""


@dataclass(frozen=True, slots=True)
class ErrorsReading:
    """A survey, and where its kinds lead."""

    survey: Survey
    runbook_of: Callable[[str], str]

    @property
    def notes(self) -> tuple[str, ...]:
        """Who said nothing, and what could not be seen."""
        silent = (
            f"{one.source}: {one.error.removeprefix(f'{one.source}: ')}" for one in self.survey.heard if one.error
        )
        return (*silent, *self.survey.notes)

    def kind(self, fingerprint: str) -> Kind | None:
        """The kind with that fingerprint."""
        return next((one for one in self.survey.kinds if one.fingerprint == fingerprint), None)


async def take(source: Errors) -> ErrorsReading:
    """A reading; one survey serves all pages that ask at the same time."""
    return ErrorsReading(await source.survey(), source.runbook_of)


def labels_of(kind: Kind, runbook: str) -> Mapping[str, str]:
    """What the row is about: what runbooks are filled from."""
    return {
        **kind.labels, "service": kind.service, "job": kind.service, "fingerprint": kind.fingerprint,
        "source": kind.source, **({"runbook": runbook} if runbook else {}),
    }  # fmt: skip


def detail_of(reading: ErrorsReading, kind: Kind, sample: Sample | None = None) -> Detail:
    """All there is to say about it; `sample` first, where one was chosen."""
    rest = [one for one in kind.samples if one is not sample]
    samples: Sequence[Sample] = [sample, *rest] if sample is not None else rest
    told = facts(kind, reading.survey, reading.runbook_of(kind.source))
    parts = [_part(one) for one in samples]
    title = clean_line(kind.type or kind.service or "Error", limit=80)
    return Detail(title, tuple((name, clean_line(value, limit=2000)) for name, value in told), tuple(parts))


def _part(sample: Sample) -> tuple[str, str]:
    text = "\n".join(part for part in (sample.message, sample.trace) if part)
    return clean_line(f"{stamp(sample.at)}   {sample.where}"), clean(text)


def rate(value: float) -> Cell:
    """Occurrences, in the unit that reads well."""
    text = rate_text(value)
    return Cell(text, "dim" if value <= 0 else "crit" if value >= 1 else "warn" if value >= 1 / 60 else "text")


def trend(counts: Sequence[int], role: Role = "accent") -> Cell:
    """Counts as blocks, the newest right."""
    most = max(counts, default=0)
    levels = UNICODE.sparks
    if not most:
        return Cell("")
    steps = [0 if not count else max(1, round(count / most * (len(levels) - 1))) for count in counts]
    return Cell("".join(levels[step] for step in steps), role)
