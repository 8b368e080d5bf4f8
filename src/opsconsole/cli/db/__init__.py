"""The PostgreSQL workbench on the command line.

A verb is a module of this package, imported when it is asked for.
"""

import argparse

from opsconsole.cli.verbs import add_verbs

EXAMPLE = """\
opsconsole db activity --conn app
  opsconsole db queries --window 10s
  opsconsole db locks --format json
  opsconsole db analyze --format md"""

VERBS: dict[str, str] = {
    "activity": "the sessions: what each does, for how long, and what it waits for",
    "locks": "who blocks whom, as a tree",
    "analyze": "the performance report: all findings, ranked, with SQL, lock and undo",
    "tables": "tables: size, dead rows, vacuum, age, what autovacuum does next",
    "vacuum-report": "why vacuum does not help",
    "bloat": "space beyond what rows need, estimated or counted",
    "indexes": "unused, redundant and invalid indexes; foreign keys without one",
    "sequences": "sequences near their end",
    "settings": "settings worth changing, each with its reason",
    "instance": "cache hits, checkpoints, WAL, temporary files in an interval",
    "connections": "connections and their limits, and how large a pool would do",
    "progress": "vacuum, index builds, copies and backups that are under way, with their end",
    "replication": "how far standbys are behind, and what slots keep",
    "queries": "statements by what they cost, over a window or since the statistics were reset",
    "explain": "the plan of a statement, and the difference between two plans",
    "compare": "before and after: two captures of queries, statement by statement",
    "kill": "end a session, or cancel what it does",
    "vacuum": "vacuum a table, and prove that it helped",
    "analyze-table": "analyze a table",
    "reindex": "rebuild an index, while its table is in use",
    "create-index": "build an index, while its table is in use",
    "drop-index": "drop an index that nothing needs",
    "autovacuum": "set a table's autovacuum parameters",
    "create-extension": "create an extension",
    "reset-statements": "let the counters of statements begin anew",
}
"""Verb -> its line in the help; it lives in `cli/db/VERB.py` (`_` for `-`), which has `add_arguments` and `run`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of `db`."""
    add_verbs(parser, __name__, VERBS)
