"""What the linter says: which finding, where, and that good runbooks have none."""

from datetime import date

import pytest

from opsconsole.runbooks.lint import errors, lint
from opsconsole.runbooks.parsing import parse_runbook

TODAY = date(2026, 11, 21)
FRONT = "runbook: 1\nid: t\n"
GOOD = '"risk":"read","timeout":"1s"'
WRITES = '"risk":"write","timeout":"1s","excludeFromRunAll":"true"'


def findings(body: str, front: str = "") -> list[tuple[str, int, int, str]]:
    text = f"---\n{FRONT}{front}---\n{body}"
    return [
        (one.code, one.line, one.column, one.severity)
        for one in lint(parse_runbook(text.encode(), "t.md"), today=TODAY)
    ]


def sh(body: str, attributes: str = GOOD) -> str:
    return f'```sh {{"name":"x",{attributes}}}\n{body}\n```\n'


def sql(body: str, attributes: str = GOOD) -> str:
    return f'```sql {{"name":"x","conn":"app",{attributes}}}\n{body}\n```\n'


def http(body: str, attributes: str = '"timeout":"1s"') -> str:
    return f'```http {{"name":"x",{attributes}}}\n{body}\n```\n'


def prom(body: str, attributes: str = '"timeout":"1s"') -> str:
    return f'```promql {{"name":"x",{attributes}}}\n{body}\n```\n'


def text(body: str, attributes: str = '"title":"x"') -> str:
    return f'```text {{"name":"x",{attributes}}}\n{body}\n```\n'


PARAM = "params: {DAG: {required: true}, TABLE: {type: enum, values: [a, b]}}\n"
USED = ': "$DAG" "$TABLE"'


def test_a_good_runbook_has_no_findings() -> None:
    assert findings(sh(USED), PARAM) == []
    assert findings(sql("select :'DAG', * from :\"TABLE\" where a::text = ':x' -- :y"), PARAM) == []


@pytest.mark.parametrize(
    "above",
    ["There is no undo.\n", "It cannot be undone.\n", "Irreversible!\n", "## A\nNo undo.\n- [ ] look\n"],
)
def test_a_reason_above_a_step_stands_for_its_undo(above: str) -> None:
    assert "no-undo" not in [code for code, *_ in findings(above + sh("true", WRITES))]


@pytest.mark.parametrize("above", ["Undocumented.\n", "## A\nNo undo.\n## B\nMore.\n"])
def test_a_reason_elsewhere_does_not(above: str) -> None:
    assert "no-undo" in [code for code, *_ in findings(above + sh("true", WRITES))]


def test_an_int_may_stand_bare_in_promql() -> None:
    number = "params: {N: {type: int, default: 1}}\n"
    assert findings(prom("up > $N"), number) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (sh("true", '"risk":"read"'), ("no-timeout", 6, 8, "error")),
        (sh("true", '"timeout":"1s"'), ("no-risk", 6, 8, "warning")),
        (sh("kubectl get pod <pod-name>"), ("placeholder", 7, 17, "error")),
        (sh("  $ ls"), ("prompt", 7, 3, "error")),
        (sh("echo {{ dag_id }}"), ("template", 7, 6, "error")),
        (sh("rm -rf\u00a0/x"), ("invisible", 7, 7, "error")),
        (sh("echo a\u202eb"), ("invisible", 7, 7, "error")),
        (sh('echo "$DAGG"'), ("unknown-variable", 7, 7, "warning")),
        (sh("true", GOOD + ',"verify":"y"'), ("unknown-step", 6, 48, "error")),
        (sh("true", GOOD + ',"undo":"x"'), ("cycle", 6, 48, "error")),
        (sh("true", GOOD + ',"onFail":"goto:x"'), ("cycle", 6, 48, "error")),
        (sh("true", GOOD + ',"when":"step:y=ok"'), ("unknown-step", 6, 48, "error")),
        (sh("true", GOOD + ',"confirm":"type:DAGG"'), ("unknown-param", 6, 48, "error")),
        (sh("true", '"risk":"write","timeout":"1s"'), ("run-all", 6, 19, "warning")),
        (sh("true", WRITES), ("no-verify", 6, 8, "warning")),
        (sh("true", WRITES), ("no-undo", 6, 8, "warning")),
        (sh("true", WRITES + ',"retries":2'), ("retries", 6, 76, "error")),
        (sh("true", WRITES + ',"until":"x"'), ("until", 6, 76, "error")),
        (sh("true", '"risk":"destructive","timeout":"1s"'), ("run-all", 6, 19, "error")),
        (sh("true", '"risk":"destructive","timeout":"1s"'), ("destructive-confirm", 6, 1, "error")),
        (sh("", GOOD), ("empty", 6, 1, "error")),
        (sql("select :X"), ("sql", 7, 8, "error")),
        (sql("select 1; select 2"), ("sql", 7, 1, "error")),
        (sql("delete from a"), ("sql-writes", 7, 1, "error")),
        (sql("select :'NOPE'"), ("unknown-param", 7, 8, "error")),
        (sql('select * from :"DAG"'), ("identifier-list", 7, 15, "error")),
        (sql("select ${DAG}"), ("template", 7, 8, "error")),
        (http("GET /"), ("http", 7, 5, "error")),
        (http("GET https://h/${DAGG}"), ("unknown-param", 7, 15, "error")),
        (http("GET https://${DAG}/"), ("http", 7, 5, "error")),
        (http("GET https://h/\nAuthorization: Bearer abc"), ("http", 8, 1, "error")),
        (http("POST https://h/\n\n{"), ("http", 9, 2, "error")),
        (http("POST https://h/\n\n${DAG}"), ("http", 9, 1, "error")),
        (http("DELETE https://h/x", GOOD), ("bad-risk", 6, 21, "error")),
        (prom('up{job="$DAGG"}'), ("unknown-param", 7, 9, "error")),
        (prom("up > $DAG"), ("promql", 7, 6, "error")),
        (prom("up", '"risk":"write","timeout":"1s"'), ("bad-risk", 6, 23, "error")),
        (prom("up", '"expect":">0"'), ("no-timeout", 6, 12, "error")),
        (text("", '"kind":"choice"'), ("options", 6, 1, "error")),
        (text("", '"kind":"choice","options":["a","b"]'), ("options", 6, 1, "error")),
        (text("", '"kind":"choice","options":["a","b"],"set":"PATH"'), ("dangerous-name", 6, 57, "error")),
        (text("", '"kind":"wait"'), ("wait", 6, 10, "error")),
        (text("", '"kind":"wait","duration":"1s","until":"step:y"'), ("wait", 6, 10, "error")),
        (text("", '"kind":"wait","until":"step:y","timeout":"1s"'), ("unknown-step", 6, 35, "error")),
        (text("", '"kind":"wait","until":"step:x","timeout":"1s"'), ("wait", 6, 35, "error")),
        (text("", '"kind":"include"'), ("no-runbook", 6, 10, "error")),
        (text("", '"kind":"action","timeout":"1s"'), ("no-action", 6, 10, "error")),
        (text("", '"kind":"action","action":"service.restrat"'), ("unknown-action", 6, 28, "error")),
        (text("service: a b", '"kind":"action","action":"service.status"'), ("bad-argument", 6, 28, "error")),
        (text("service: $DAGG", '"kind":"action","action":"service.status"'), ("unknown-param", 7, 1, "error")),
        (text("serv: x", '"kind":"action","action":"service.status"'), ("bad-argument", 6, 28, "error")),
        (text("restart", '"kind":"action","action":"service.status"'), ("bad-argument", 6, 10, "error")),
        (text("service: x", '"kind":"action","action":"service.stop","risk":"write"'), ("bad-risk", 6, 61, "error")),
        (text("Sure?", '"confirm":"none"'), ("bad-confirm", 6, 21, "error")),
        (text(""), ("empty", 6, 1, "error")),
        (sh("true", GOOD + ',"expectRows":">0"'), ("misplaced-attribute", 6, 48, "error")),
        (sh("true", GOOD + ',"captureRegex":"(x)"'), ("capture", 6, 48, "error")),
        (sh("true", GOOD + ',"capture":["A","B"],"captureRegex":"(x)"'), ("capture", 6, 68, "error")),
        (sh("true", GOOD + ',"parallel":2'), ("hosts", 6, 48, "error")),
        (sh("true", GOOD + ',"hosts":"-x"'), ("hosts", 6, 48, "error")),
        (sh("true", GOOD + ',"hosts":"web","host":"a"'), ("hosts", 6, 62, "error")),
        (sh("true", GOOD + ',"host":"$HOOST"'), ("unknown-param", 6, 48, "error")),
        (sh("true", GOOD + ',"hosts":"web","capture":"A"'), ("capture", 6, 62, "error")),
        (sh("true", GOOD + ',"confirm":"approve:0"'), ("bad-confirm", 6, 48, "error")),
        (sh("true", GOOD + ',"confirm":"approve:2","approvers":["bob"]'), ("approvers", 6, 70, "error")),
        (sh("true", GOOD + ',"approvers":["bob"]'), ("approvers", 6, 48, "error")),
        (sh("true", GOOD + ',"onFail":"rollback"'), ("rollback", 6, 48, "error")),
        (sh("true", GOOD + ',"timeot":"1s"'), ("unknown-attribute", 6, 48, "error")),
        (sql("select 1; select 2", WRITES + ',"txn":"false"'), ("sql", 7, 1, "error")),
        (sql("select 1", GOOD + ',"txn":"true"'), ("txn", 6, 62, "error")),
    ],
)
def test_findings_in_steps(body: str, expected: tuple[str, int, int, str]) -> None:
    assert expected in findings(body, PARAM)


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("review_by: 2026-01-31\n", ("review-overdue", 4, 1, "warning")),
        ('lock: "dag:{DAGG}"\n' + PARAM, ("unknown-param", 4, 1, "error")),
        ('lock: "dag:{DAG"\n' + PARAM, ("bad-lock", 4, 1, "error")),
        ("params: {PGHOST: {}}\n", ("dangerous-name", 4, 10, "error")),
        ("params: {LD_PRELOAD: {}}\n", ("dangerous-name", 4, 10, "error")),
        ("params: {A: {type: enum}}\n", ("enum-values", 4, 10, "error")),
        ('params: {A: {pattern: "("}}\n', ("bad-pattern", 4, 10, "error")),
        ('params: {A: {pattern: "[a-z]", default: "7"}}\n', ("bad-default", 4, 10, "error")),
        ("params: {A: {required: true, default: x}}\n", ("required-default", 4, 10, "warning")),
        ("params: {A: {}}\n", ("unused-param", 4, 10, "warning")),
        ("secrets: [DAG]\n" + PARAM, ("duplicate-name", 4, 1, "error")),
    ],
)
def test_findings_in_the_front_matter(front: str, expected: tuple[str, int, int, str]) -> None:
    assert expected in findings(sh(USED), front)


def test_a_later_format_is_readable_and_cannot_run() -> None:
    book = parse_runbook(
        b'---\nrunbook: 2\nid: t\n---\n```sh {"name":"x","risk":"read","timeout":"1s"}\ntrue\n```\n', "t.md"
    )
    assert [problem.code for problem in errors(lint(book))] == ["format-version"]
    assert book.step("x")


def test_plain_markdown_has_no_findings() -> None:
    assert lint(parse_runbook(b"# Disk\n\n```\n$ df -h <mount>\n```\n- [ ] look\n", "t.md")) == ()


def test_go_templates_heredocs_and_html_entities_are_no_findings() -> None:
    body = "docker ps --format '{{.Names}}'\ncat <<EOF\n${OPS_RUN}\nEOF\nLOCAL=1; echo \"$LOCAL\" 2>&1 </dev/null >out"
    assert findings(sh(body)) == []
