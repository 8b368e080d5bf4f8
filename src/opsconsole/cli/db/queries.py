"""Statements by what they cost, from pg_stat_statements: since its counters began, or over a window from now on.

Marks: `slow` takes more than a second, `slow-at-worst` did at least once; `n+1?` looks like a query in a loop (very
often, one row, quick, dear in sum); `anew` was counted anew within the window; `console` is a question of the
console itself. There are no percentiles: the server keeps none.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from opsconsole.cli.arguments import count, lasting
from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.output import narrate, print_json, print_table
from opsconsole.cli.wiring import UsageError
from opsconsole.core.duration import duration_text
from opsconsole.core.exit_codes import Exit
from opsconsole.core.units import format_value

if TYPE_CHECKING:
    from opsconsole.database.asking import Database
    from opsconsole.database.comparison import Comparison
    from opsconsole.database.statement_usage import Span, Usage

EXAMPLE = """\
opsconsole db queries --window 10s
  opsconsole db queries --sort mean --slow
  opsconsole db queries --window 5m --save-baseline before-release
  opsconsole db queries --window 5m --against before-release"""

_SORTS = ("total", "mean", "calls", "rows", "temp", "wal", "io")
_COLUMNS = (
    "SHARE", "CALLS", "CALLS/S", "TOTAL", "MEAN", "STDDEV", "MAX EVER", "ROWS/CALL", "BLOCKS/CALL", "TEMP", "WAL",
    "USER", "DATABASE", "QUERYID", "MARKS", "QUERY",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db queries`."""
    parser.description = __doc__
    add_common(parser)
    span = parser.add_mutually_exclusive_group()
    span.add_argument("--window", metavar="DURATION", type=lasting, help="read, wait so long, and show what was done")
    span.add_argument("--since-reset", action="store_true", help="all that is counted (the default)")
    parser.add_argument("--sort", choices=_SORTS, default="total", help="most first, of what (total)")
    parser.add_argument("--limit", metavar="N", type=count, default=20, help="the first N (20); 0: all")
    parser.add_argument("--slow", action="store_true", help="only those slower than a second")
    parser.add_argument("--save-baseline", metavar="NAME", help="keep it, to compare with later")
    parser.add_argument("--against", metavar="NAME", help="say what became slower since that baseline")


def run(args: argparse.Namespace) -> int:
    """Read, rank and print; code 1 where there is nothing to read, or something became slower."""
    from opsconsole.database.captures import CaptureError, load_capture, save_baseline
    from opsconsole.database.comparison import beyond, compare

    try:
        earlier = load_capture(args.against) if args.against else None
        span, chosen = ask(args, lambda database: _read(database, args))
        if span is None:
            return Exit.FAILED
        if args.save_baseline:
            narrate(f"saved: {save_baseline(args.save_baseline, span)}")
    except CaptureError as error:
        raise UsageError(str(error)) from None
    comparison = compare(earlier, beyond(earlier, span)) if earlier is not None else None
    if args.format == "json":
        _print_json(span, chosen, comparison)
    else:
        _print_table(span, chosen, comparison)
    for note in span.coverage.notes:
        narrate(note)
    return Exit.FAILED if comparison is not None and comparison.regressions else Exit.DONE


async def _read(database: "Database", args: argparse.Namespace) -> "tuple[Span | None, Sequence[Usage]]":
    """What was done, and of that what is to be shown, with texts. No span: there is nothing to read; that is said."""
    from opsconsole.core.reading import SourceError
    from opsconsole.database.finding import Coverage
    from opsconsole.database.statement_usage import between, ranked, since_reset
    from opsconsole.database.statements import read_statements, read_texts

    first = await read_statements(database)
    if not first.available:
        for note in first.coverage.notes:
            narrate(note)
        return None, ()
    if args.window:
        narrate(f"counting for {duration_text(args.window)}")
        await asyncio.sleep(args.window)
        span = between(first, await read_statements(database))
    else:
        span = since_reset(first)
    chosen = ranked(span, args.sort, slow=args.slow)[: args.limit or None]
    # Another cluster knows a statement by its text only, so that a baseline takes all of them along.
    wanted = span.usages if args.save_baseline or args.against else chosen
    try:
        texts = await read_texts(database, [usage.key for usage in wanted])
    except SourceError as error:
        texts = {}
        lacking = Coverage((f"the texts of the statements cannot be read: {error}",))
        span = replace(span, coverage=span.coverage + lacking)
    span = replace(span, usages=tuple(replace(one, text=texts.get(one.key[:3], "")) for one in span.usages))
    return span, ranked(span, args.sort, slow=args.slow)[: args.limit or None]


def _print_json(span: "Span", chosen: "Sequence[Usage]", comparison: "Comparison | None") -> None:
    from opsconsole.cli.db.compare import comparison_fields
    from opsconsole.database.captures import capture_of

    document = capture_of(span, chosen)
    if comparison is not None:
        document["against"] = comparison_fields(comparison)
    print_json(document)


def _print_table(span: "Span", chosen: "Sequence[Usage]", comparison: "Comparison | None") -> None:
    print_table(_COLUMNS, [_row(usage, span.block_size) for usage in chosen])
    length = f" in {duration_text(span.seconds)}" if span.seconds is not None else ""
    narrate(f"{len(chosen)} of {len(span.usages)} statements; {format_value(span.total, 's')} of execution{length}")
    if comparison is not None:
        from opsconsole.cli.db.compare import print_changes

        print_changes(comparison.regressions)
        narrate(f"{len(comparison.regressions)} became slower")
        for note in comparison.notes:
            narrate(note)


def _row(usage: "Usage", block_size: int) -> tuple[object, ...]:
    counters = usage.counters
    return (
        format_value(usage.share, "percentunit"),
        int(counters.calls),
        None if usage.rate is None else format_value(usage.rate, "ops"),
        format_value(counters.total, "s"),
        format_value(usage.mean, "s"),
        format_value(usage.stddev, "s"),
        format_value(usage.most, "s"),
        format_value(usage.rows_per_call),
        format_value(usage.blocks_per_call),
        format_value(counters.temp * block_size, "bytes"),
        format_value(counters.wal_bytes, "bytes"),
        usage.user,
        usage.database,
        str(usage.key.queryid),
        _marks(usage),
        usage.text.strip() or "(text not there any more)",
    )


def _marks(usage: "Usage") -> str:
    from opsconsole.database.statement import own

    marks = (
        ("slow-at-worst" if usage.slow_at_worst else "slow", usage.slow),
        ("n+1?", usage.n_plus_one),
        ("anew", usage.restarted),
        ("console", own(usage.text)),
    )
    return " ".join(name for name, there in marks if there)
