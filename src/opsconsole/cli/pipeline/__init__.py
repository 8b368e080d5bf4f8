"""Airflow's pipelines on the command line.

A verb is a module of this package, imported when it is asked for.
"""

import argparse

from opsconsole.cli.verbs import add_verbs

EXAMPLE = """\
opsconsole pipeline list
  opsconsole pipeline tasks load_tariffs
  opsconsole pipeline errors --since 6h --format json
  opsconsole pipeline retry load_tariffs --yes"""

VERBS: dict[str, str] = {
    "list": "every DAG: its last runs, how long they take, how often they succeed; what failed first",
    "runs": "the runs of a DAG",
    "tasks": "the tasks of a run: where its time went, the critical path, waiting, retries",
    "log": "the log of a task's try, as it is or followed",
    "errors": "what failed over all DAGs, by cause",
    "health": "scheduler, DAG processor, triggerer, API: which of them live",
    "metrics": "what Prometheus knows of it, when nobody else answers",
    "pools": "pools, and what takes their slots",
    "imports": "files of DAGs that cannot be imported",
    "sla": "which DAGs keep what was promised of them (slas.yaml)",
    "trends": "how long a DAG and its tasks take, against their own past",
    "dependencies": "who feeds whom by assets, and what waits for what",
    "params": "what a run of a DAG can be given",
    "trigger": "start a run of a DAG",
    "retry": "run the failed tasks of a run again",
    "clear": "run tasks of a run again, whatever their state",
    "mark": "call a run or a task a success, or failed",
    "pause": "let no new runs of a DAG begin",
    "unpause": "let runs of a DAG begin again",
    "backfill": "run a DAG for a span of days that has passed",
}
"""Verb -> its line in the help; it lives in `cli/pipeline/VERB.py`, which has `add_arguments` and `run`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of `pipeline`."""
    add_verbs(parser, __name__, VERBS)
