"""`python -m bench [CASE...]`: measure, print the table, end with 1 where a bar is missed."""

import signal
import sys

from bench.cases import CASES
from bench.report import Row, table
from bench.servers import demo


def main(names: list[str]) -> int:
    """Run the cases named, or all; the exit code."""
    chosen = [case for case in CASES if not names or case.__name__ in names]
    rows: list[Row] = []
    try:
        with demo() as platform:
            for case in chosen:
                print(f"measuring: {case.__doc__}", file=sys.stderr, flush=True)
                for row in case(platform):
                    rows.append(row)  # noqa: PERF402 - one by one: a case may break later
    finally:
        print(table(rows))  # what was measured before a case broke is worth having too
    return 0 if all(row.met for row in rows) else 1


# Ended from outside, the servers that were started have to go, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
sys.exit(main(sys.argv[1:]))
