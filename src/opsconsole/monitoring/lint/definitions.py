"""The lint of rules that are still a definition: problems at their place in `alerts.yaml`."""

from collections.abc import Iterator

from opsconsole.config.alerting import Alerting
from opsconsole.core.problem import Problem
from opsconsole.monitoring.lint.linting import lint_rules
from opsconsole.monitoring.lint.rule import Rule


def lint_alerting(alerting: Alerting) -> list[Problem]:
    """What is wrong with the rules; nothing about PromQL where its parser is not installed."""
    return lint_rules(_rules(alerting))[0]


def _rules(alerting: Alerting) -> Iterator[Rule]:
    for one in alerting.alerts:
        texts = {"summary": one.summary, "description": one.description, "runbook": one.runbook}
        yield Rule(
            alerting.file, one.name, one.expr, group=one.group, hold=one.hold, labels=one.all_labels,
            annotations={name: text for name, text in texts.items() if text}, at=one.at, expr_at=one.expr_at,
        )  # fmt: skip
    for recording in alerting.recordings:
        yield Rule(
            alerting.file, recording.record, recording.expr, alerting=False, group=recording.group,
            labels=recording.labels, at=recording.expr_at, expr_at=recording.expr_at,
        )  # fmt: skip
