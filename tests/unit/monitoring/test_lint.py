"""The lint of rule files: each trap is found, and rules that are right are left alone."""

# ruff: noqa: E501  expressions stand on one line

import json
from pathlib import Path

import pytest

from opsconsole.cli.main import main
from opsconsole.config.alerting import load_alerting
from opsconsole.config.document import parse_document
from opsconsole.core.content import shipped_content
from opsconsole.monitoring.lint.files import rules_of
from opsconsole.monitoring.lint.labels import kept_labels
from opsconsole.monitoring.lint.linting import lint_rules
from opsconsole.monitoring.lint.promql import constant, normalized
from opsconsole.monitoring.lint.rule import Rule
from opsconsole.monitoring.lint.templates import labels_in, uses_value, wrong_in
from opsconsole.sources.promqltree import parse


def codes(expr: str, *, alerting: bool = True, **more: object) -> list[str]:
    """What is said of a rule with this expression that lacks nothing else."""
    given: dict[str, object] = {
        "labels": {"severity": "warning"},
        "annotations": {"summary": "x", "runbook": "y"},
        "hold": 60.0,
        **more,
    }
    rule = Rule("r.yml", "X", expr, alerting, **given)  # type: ignore[arg-type]  # what a test says of it
    return [one.code for one in lint_rules([rule])[0]]


@pytest.mark.parametrize(
    ("expr", "code"),
    [
        ("up == 0 and", "bad-promql"),
        ("sum(rate(x)) > 1", "bad-promql"),
        ("rate(http_requests_total[5m])", "always-fires"),
        ("http_errors > bool 5", "always-fires"),
        ("1", "always-fires"),
        ("kube_job_failed", "always-fires"),
        ("errors > 5 or more_errors", "always-fires"),
        ("slo:sli_error:ratio_rate1h > (14.4 * 0.1)", "never-fires"),
        ("up > 1", "never-fires"),
        ("count(up == 1) == 0", "never-fires"),
        ("count by (job) (up) < 1", "never-fires"),
        ("rate(x_total[5m]) < 0", "never-fires"),
        ("absent(up) == 0", "never-fires"),
        ("max(up) > 1", "never-fires"),
        ("sum by (job) (a) / sum by (instance) (b) > 1", "never-matches"),
        ("sum by (job) (a) and max(b) > 1", "never-matches"),
        ("sum by (job) (a) > on (instance) max by (instance) (b)", "never-matches"),
        ("sum by (job) (a) > 1 unless sum(b) > 1", "never-matches"),
        ("rate(x_total[30s]) > 1", "short-window"),
        ("rate(node_memory_MemAvailable_bytes[5m]) > 1", "rate-of-gauge"),
        ("increase(up[5m]) > 1", "rate-of-gauge"),
        ("rate(sum(x_total)[5m:]) > 1", "rate-of-sum"),
        ("http_errors_total > 100", "raw-counter"),
        ("sum by (job) (http_errors_total) >= 100", "raw-counter"),
        ("histogram_quantile(0.9, sum by (job) (rate(x_bucket[5m]))) > 1", "no-le"),
        ("sum(rate(good_total[5m])) / sum(rate(all_total[5m])) < 0.9", "zero-division"),
    ],
)
def test_each_trap_is_found(expr: str, code: str) -> None:
    assert codes(expr) == [code]


@pytest.mark.parametrize(
    "expr",
    [
        "vector(1)",
        "absent(up{job='a'})",
        "job:errors:ratio5m > 0.05",
        "slo:sli_error:ratio_rate1h > (14.4 * 0.005)",
        "ALERTS{alertstate='firing'}",
        "up == 0",
        "count(up == 0) > 2",
        "sum(increase(http_errors_total[5m])) > 0",
        "rate(x_total[1m]) > 1",
        "rate(x_total[1m:15s]) > 1",
        "sum by (job) (a) / on (job) group_left (team) owner > 1",
        "a * on (job) group_left (team) max by (job, team) (b) > 1",
        "sum by (job) (a) > 1 and on () max(b) > 1",
        "sum(rate(bad_total[5m])) / sum(rate(all_total[5m])) > 0.1",
        "sum(rate(good_total[5m])) / (sum(rate(all_total[5m])) > 0) < 0.9",
        "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1",
        "histogram_quantile(0.9, sum by (job, le) (rate(x_bucket[5m]))) > 1",
        "histogram_quantile(0.9, sum by (job) (rate(x[5m]))) > 1",  # a native histogram
        "time() - last_success_timestamp_seconds > 3600",
        "changes(up[1h]) > 3",
        "predict_linear(node_filesystem_avail_bytes[1h], 4 * 3600) < 0",
        "label_replace(up, 'host', '$1', 'instance', '(.*):.*') == 0",
        "topk(3, errors) > 5",
        "resets(http_requests_total[1h]) > 2",
    ],
)
def test_what_is_right_is_left_alone(expr: str) -> None:
    assert codes(expr) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"hold": 0.0}, ["no-for"]),
        ({"labels": {}}, ["no-severity"]),
        ({"annotations": {"summary": "x"}}, ["no-runbook"]),
        ({"annotations": {"runbook": "x"}}, ["no-summary"]),
        ({"labels": {"severity": "a", "value": "{{ $value }}"}}, ["value-in-label"]),
        ({"labels": {"severity": "a", "instance": "db"}}, ["label-collision"]),
        ({"annotations": {"runbook": "x", "summary": "{{ $label.job }} is down"}}, ["bad-template"]),
        ({"annotations": {"runbook": "x", "summary": "{{ $labels.job is down"}}, ["bad-template"]),
        ({"annotations": {"runbook": "x", "summary": "{{ $labels.job }}: {{ $value }}"}}, []),
    ],
)
def test_what_a_rule_lacks(more: dict[str, object], expected: list[str]) -> None:
    assert codes("errors > 1", **more) == expected  # type: ignore[arg-type]  # as above


def test_a_recorded_share_of_nothing_is_reported_and_a_guarded_one_is_not() -> None:
    assert codes("sum(rate(a_total[5m])) / sum(rate(b_total[5m]))", alerting=False) == ["zero-division"]
    assert codes("sum(rate(a_total[5m])) / (sum(rate(b_total[5m])) > 0)", alerting=False) == []


@pytest.mark.parametrize(
    ("expr", "there", "gone"),
    [
        ("sum by (job) (x)", {"job"}, {"instance"}),
        ("sum without (job) (x)", {"instance"}, {"job"}),
        ("sum(x)", set(), {"job"}),
        ("topk(2, x)", {"job"}, set()),
        ('count_values("version", x)', {"version"}, {"job"}),
        ('absent(up{job="a", instance=~"b"})', {"job"}, {"instance"}),
        ('x{job=""}', {"instance"}, {"job"}),
        ("a * on (job) b", {"job"}, {"instance"}),
        ("a * ignoring (job) b", {"instance"}, {"job"}),
        ("a * on (job) group_left (team) sum by (job) (b)", {"job", "instance", "team"}, set()),
        ("sum by (team) (a) * on (team) group_right () b", {"instance", "team"}, set()),
        ("sum by (job) (x) or sum by (team) (y)", {"job", "team"}, {"instance"}),
        ("sum by (job) (x) and y", {"job"}, {"instance"}),
        ("1 - avg by (instance) (rate(x[5m]))", {"instance"}, {"cpu"}),
        ('label_replace(sum(x), "host", "$1", "a", "b")', {"host"}, {"job"}),
        ("histogram_quantile(0.9, sum by (job, le) (x))", {"job"}, {"le"}),
    ],
)
def test_which_labels_an_expression_leaves(expr: str, there: set[str], gone: set[str]) -> None:
    kept = kept_labels(parse(expr))
    assert {label for label in there | gone if kept.may_have(label)} == there


def test_a_template_that_asks_for_a_dropped_label_is_reported_at_its_place() -> None:
    text = """\
groups:
- name: g
  rules:
  - alert: X
    expr: sum by (job) (errors) > 1
    for: 1m
    labels: {severity: a}
    annotations:
      runbook: x
      summary: "{{ $labels.instance }} of {{ .Labels.job }}{{ if $labels.team }} ({{ $labels.team }}){{ end }}"
"""
    rules, problems = rules_of(parse_document(text, "r.yml"))
    found, _ = lint_rules(rules)
    assert problems == []
    # The team is asked for before it is used.
    assert [(one.line, one.column, one.code) for one in found] == [(10, 16, "lost-label"), (10, 16, "lost-label")][:1]
    assert "instance" in found[0].message


def test_templates() -> None:
    assert list(labels_in('{{ $labels.a }} {{ .Labels.b }} {{ index $labels "c" }} {{ "$labels.d" }}')) == [
        "a",
        "b",
        "c",
    ]
    assert uses_value("{{ $value | humanize }}")
    assert not uses_value("$value")
    assert wrong_in("{{ range $i, $x := query `up` }}{{ $x.Value }}{{ $i }}{{ end }}{{ $externalLabels.a }}") == ""
    assert "$nothing" in wrong_in("{{ $nothing }}")


def test_numbers_are_folded_and_expressions_have_one_spelling() -> None:
    assert constant(parse("(14.4 * 0.005) - -1")) == pytest.approx(1.072)
    assert constant(parse("1 / 0")) is None
    assert normalized('sum(rate(x{b="1",a="2"}[300s]))  by (job)') == normalized(
        'sum by(job)(rate(x{a="2", b="1"}[5m]))'
    )
    assert normalized("no (promql") == "no (promql"


@pytest.mark.parametrize("text", ["(" * 30_000 + "1" + ")" * 30_000, "1" + "+1" * 5000, "(" * 500 + "up" + ")" * 500])
def test_no_expression_takes_more_stack_than_there_is(text: str) -> None:
    assert codes(text) == ["too-deep"]
    assert normalized(text) == text


def test_two_rules_that_cannot_be_told_apart() -> None:
    texts = {"severity": "a"}
    one, other = (Rule("r.yml", "X", "up == 0", labels=labels, at=(4, 3)) for labels in (texts, {"severity": "b"}))
    again = Rule("r.yml", "X", "up == 0", labels=texts, at=(9, 3))
    assert "duplicate-rule" not in [problem.code for problem in lint_rules([one, other])[0]]
    (found,) = [problem for problem in lint_rules([one, other, again])[0] if problem.code == "duplicate-rule"]
    assert (found.line, found.message) == (9, "X: the same alert as in line 4")


@pytest.mark.parametrize(
    ("text", "line", "column", "code"),
    [
        ("groups:\n- name: g\n  rules:\n  - {alert: X, expr: up, annotation: {}}\n", 4, 26, "unknown-key"),
        ("groups:\n- name: g\n- name: g\n", 3, 9, "duplicate-group"),
        ("groups:\n- rules: []\n", 2, 3, "missing-key"),
        ("groups:\n- name: g\n  rules:\n  - {alert: X, record: y, expr: up}\n", 4, 5, "rule-kind"),
        ("groups:\n- name: g\n  rules:\n  - {record: y, expr: up, for: 1m}\n", 4, 27, "misplaced-key"),
        ("groups:\n- name: g\n  rules:\n  - {record: 'y{a=\"b\"}', expr: up}\n", 4, 14, "bad-text"),
        ("groups:\n- name: g\n  rules:\n  - {alert: X, expr: up, for: 1.5h}\n", 4, 31, "bad-duration"),
        ("groups:\n- name: g\n  rules:\n  - {alert: X}\n", 4, 5, "missing-key"),
        ("groups:\n- name: g\n  rules:\n  - {record: y, expr: up, labels: {a-b: c}}\n", 4, 36, "bad-name"),
    ],
)
def test_what_prometheus_refuses_is_an_error_with_its_place(text: str, line: int, column: int, code: str) -> None:
    problems = rules_of(parse_document(text, "r.yml"))[1]
    assert [(one.line, one.column, one.code, one.severity) for one in problems] == [(line, column, code, "error")]


def test_rules_of_the_operator_and_of_thanos_are_read() -> None:
    text = "kind: PrometheusRule\nspec:\n  groups:\n  - {name: g, partial_response_strategy: warn, rules: [{alert: X, expr: up == 0, for: 0}]}\n"
    rules, problems = rules_of(parse_document(text, "r.yml"))
    assert (problems, [(one.name, one.expr, one.at[0]) for one in rules]) == ([], [("X", "up == 0", 4)])


def test_the_shipped_rules_are_without_fault(capsys: pytest.CaptureFixture[str]) -> None:
    alerting, _ = load_alerting(shipped_content() / "config" / "alerts.yaml")
    code = main(
        ["monitoring", "check", str(shipped_content() / "monitoring" / "prometheus" / "alerts"), "--format", "json"]
    )
    said = json.loads(capsys.readouterr().out)
    assert (code, said["notes"]) == (0, [])
    assert len(said["files"]) >= len(alerting.groups) >= 3
    assert said["problems"] == []


def test_codes_say_whether_something_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "r.yml"
    file.write_text('groups: [{name: g, rules: [{record: x, expr: "sum(rate(a_total[10s]))"}]}]\n')
    assert main(["monitoring", "check", str(tmp_path)]) == 0
    assert f"{file}:1:46: warning: x: rate over 10 s" in capsys.readouterr().out
    assert main(["monitoring", "check", str(file), "--strict"]) == 1
    assert main(["monitoring", "check", str(file), "--strict", "--scrape-interval", "1s"]) == 0
    assert main(["monitoring", "check", str(file), "--strict", "--ignore", "short-window"]) == 0
    file.write_text("groups: [{name: g, rules: [{record: x, expr: sum(}]}]\n")
    assert main(["monitoring", "check", str(file)]) == 2
    assert main(["monitoring", "check", str(tmp_path / "none.yml")]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["monitoring", "check", str(tmp_path / "empty")]) == 2
    assert "no rule files in" in capsys.readouterr().err
