"""Two captures of queries, statement by statement: what became slower or faster, what is new, what is gone.

A capture is a file that `db queries --format json` printed, or a baseline that `db queries --save-baseline` kept.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opsconsole.cli.output import narrate, print_json, print_table, rfc3339
from opsconsole.cli.wiring import UsageError
from opsconsole.core.exit_codes import Exit
from opsconsole.core.units import format_value

if TYPE_CHECKING:
    from opsconsole.database.comparison import Change, Comparison
    from opsconsole.database.statement_usage import Span, Usage

EXAMPLE = """\
opsconsole db compare before-release after-release
  opsconsole db compare before.json after.json --format json"""

_COLUMNS = ("VERDICT", "MEAN BEFORE", "MEAN AFTER", "CALLS BEFORE", "CALLS AFTER", "USER", "DATABASE", "QUERY")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db compare`."""
    parser.description = __doc__
    parser.add_argument("before", metavar="A", help="a file or the name of a baseline")
    parser.add_argument("after", metavar="B", help="likewise")
    parser.add_argument("--all", action="store_true", help="those without a change, too")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")


def run(args: argparse.Namespace) -> int:
    """Compare and print; code 1 where something became slower."""
    from opsconsole.database.captures import CaptureError, load_capture
    from opsconsole.database.comparison import Verdict, compare

    try:
        comparison = compare(load_capture(args.before), load_capture(args.after))
    except CaptureError as error:
        raise UsageError(str(error)) from None
    if args.format == "json":
        print_json(comparison_fields(comparison))
    else:
        print_changes([change for change in comparison.changes if args.all or change.verdict is not Verdict.SAME])
        _narrate_totals(comparison)
    for note in comparison.notes:
        narrate(note)
    return Exit.FAILED if comparison.regressions else Exit.DONE


def comparison_fields(comparison: "Comparison") -> dict[str, Any]:
    """A comparison as JSON. Fields may be added; none is renamed."""
    from opsconsole.database.comparison import Verdict

    return {
        "before": _span_fields(comparison.before),
        "after": _span_fields(comparison.after),
        "counts": {verdict.value: comparison.count(verdict) for verdict in Verdict},
        "changes": [_change_fields(change) for change in comparison.changes],
        "notes": list(comparison.notes),
    }


def print_changes(changes: "Sequence[Change]") -> None:
    """A table of them on stdout."""
    print_table(_COLUMNS, [_row(change) for change in changes])


def _row(change: "Change") -> tuple[object, ...]:
    factor = f" {change.factor:.2g}x" if change.factor is not None else ""
    usage = change.usage
    return (
        f"{change.verdict.value}{factor}",
        _mean(change.before),
        _mean(change.after),
        _calls(change.before),
        _calls(change.after),
        usage.user,
        usage.database,
        usage.text.strip() or f"queryid {usage.key.queryid}",
    )


def _narrate_totals(comparison: "Comparison") -> None:
    from opsconsole.database.comparison import Verdict

    before, after = comparison.before, comparison.after
    narrate(", ".join(f"{comparison.count(verdict)} {verdict.value}" for verdict in Verdict))
    narrate(f"execution: {_load(before)} before, {_load(after)} after")


def _load(span: "Span") -> str:
    """Time by itself says nothing of spans of different lengths."""
    total = format_value(span.total, "s")
    return f"{total} ({span.total / span.seconds:.3g} s a second)" if span.seconds else total


def _span_fields(span: "Span") -> dict[str, Any]:
    return {
        "system": span.system,
        "server_version": span.version,
        "database": span.database,
        "began_at": rfc3339(span.began_at),
        "taken_at": rfc3339(span.ended_at),
        "seconds": span.seconds,
        "total": span.total,
        "calls": sum(usage.counters.calls for usage in span.usages),
    }


def _change_fields(change: "Change") -> dict[str, Any]:
    usage = change.usage
    return {
        "verdict": change.verdict.value,
        "queryid": str(usage.key.queryid),
        "user": usage.user,
        "database": usage.database,
        "toplevel": usage.key.toplevel,
        "mean_factor": change.factor,
        "before": _usage_fields(change.before),
        "after": _usage_fields(change.after),
        "text": usage.text,
    }


def _usage_fields(usage: "Usage | None") -> dict[str, Any] | None:
    if usage is None:
        return None
    counters = usage.counters
    names = ("calls", "total", "rows", "temp_written", "wal_bytes")
    return {
        **{name: getattr(counters, name) for name in names},
        "mean": usage.mean,
        "stddev": usage.stddev,
        "calls_per_second": usage.rate,
        "share": usage.share,
        "blocks_per_call": usage.blocks_per_call,
    }


def _mean(usage: "Usage | None") -> str:
    return format_value(usage.mean if usage is not None else None, "s")


def _calls(usage: "Usage | None") -> int | None:
    return None if usage is None else int(usage.counters.calls)
