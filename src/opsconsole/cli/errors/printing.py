"""What the verbs of `errors` print of kinds of errors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsconsole.errors.model import Kind, Survey

_BLOCKS = " ▁▂▃▄▅▆▇█"
_SERVICE_COLUMNS = ("SERVICE", "KINDS", "NEW", "COUNT", "BEFORE", "RATE", "LAST", "TREND", "COUNTED BY")


def newness(kind: "Kind") -> str:
    """`new`, `?` where that is not known, `muted`; empty for what is old."""
    if kind.mute is not None:
        return "muted"
    return {True: "new", False: "", None: "?"}[kind.new]


def sparks(trend: Sequence[int]) -> str:
    """Counts as blocks; a blank is none."""
    most = max(trend, default=0)
    if not most:
        return ""
    return "".join(_BLOCKS[-(-count * 8 // most)] for count in trend).replace(" ", "·")


def kind_json(kind: "Kind") -> dict[str, Any]:
    """One kind as JSON has it."""
    from opsconsole.cli.db.printing import fields_of

    said = fields_of(kind)
    if kind.mute is not None:
        from opsconsole.cli.output import rfc3339

        said["mute"] = {**said["mute"], "at": rfc3339(kind.mute.at), "until": rfc3339(kind.mute.until)}
    said["samples"] = [sample_json(one) for one in kind.samples]
    return {**said, "example": kind.example}


def sample_json(sample: Any) -> dict[str, Any]:
    """One sample as JSON has it."""
    from opsconsole.cli.db.printing import fields_of
    from opsconsole.cli.output import rfc3339

    return {**fields_of(sample), "at": rfc3339(sample.at)}


def survey_json(survey: "Survey", listed: "Sequence[Kind]", matched: int) -> dict[str, Any]:
    """The whole as JSON has it."""
    return {**_common(survey), "errors": [kind_json(one) for one in listed], "matched": matched}


def print_services(survey: "Survey", kinds: "Sequence[Kind]", *, as_json: bool) -> None:
    """One row a service."""
    from opsconsole.cli.db.printing import ago, fields_of
    from opsconsole.cli.output import print_json, print_table
    from opsconsole.errors.merging import by_service
    from opsconsole.errors.report import rate_text

    services = by_service(kinds)
    if as_json:
        print_json({**_common(survey), "services": fields_of(services)})
        return
    rows = [
        (
            one.service or None, one.kinds, one.new, one.count, one.before, rate_text(one.rate),
            ago(one.last_at, survey.taken_at), sparks(one.trend), "metrics" if one.metered else "logs",
        )
        for one in services
    ]  # fmt: skip
    print_table(_SERVICE_COLUMNS, rows)


def _common(survey: "Survey") -> dict[str, Any]:
    from opsconsole.cli.output import rfc3339

    sources = [
        {"name": one.source, "covers_from_at": rfc3339(one.covers_from_at), "error": one.error or None}
        for one in survey.heard
    ]
    return {
        "taken_at": rfc3339(survey.taken_at), "window_seconds": survey.window, "sources": sources,
        "notes": list(survey.notes),
    }  # fmt: skip
