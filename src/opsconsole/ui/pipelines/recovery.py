"""The way to the runbook for a DAG that failed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsconsole.ui.console import Console

RECOVERY = "dag-failure-recovery"


def recovery_of(console: "Console", labels: Mapping[str, str]) -> None:
    """Open it, filled in for the `dag_id` in `labels`, and for the `run_id` where one is there."""
    from opsconsole.ui.runbook_choice import runbook_choice

    given = {"DAG_ID": labels["dag_id"]}
    if "run_id" in labels:
        given["RUN_ID"] = labels["run_id"]
    runbook_choice(console, RECOVERY, given, labels)
