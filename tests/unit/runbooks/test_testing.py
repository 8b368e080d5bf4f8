"""Test files of runbooks: what they may say, and that a case fails where the runbook does not do what it should."""

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from opsconsole.config.settings import Environment
from opsconsole.runbooks.model import Kind
from opsconsole.runbooks.testfile import Case, Need, load_test_file
from opsconsole.runbooks.testing import CaseOutcome, CaseResult, StageError, check_tests, is_stub, run_case, with_stubs

BOOK = """\
---
runbook: 1
id: trial
title: Trial
params:
  NAME: {type: string, pattern: "[a-z]+", default: anna}
---
# Trial
```sql {"name":"look","conn":"app","risk":"read","timeout":"5s","expectRows":">0","capture":["FOUND"],"captureRegex":"found ([0-9]+)"}
select 1;
```
```sh {"name":"change","risk":"write","timeout":"5s","verify":"is-changed","undo":"change-back","excludeFromRunAll":"true"}
echo "changed $NAME $FOUND" > changed
```
```sh {"name":"is-changed","risk":"read","timeout":"5s","expect":"^changed"}
cat changed
```
```sh {"name":"change-back","risk":"write","timeout":"5s","excludeFromRunAll":"true"}
rm changed
```
- [ ] Tell somebody
"""  # noqa: E501
GOOD = """\
title: good
confirm: {change: "yes"}
stubs: {look: {output: "found 17\\n", rows: 1}}
"""


def written(tmp_path: Path, cases: str) -> Path:
    (tmp_path / "trial.md").write_text(BOOK)
    path = tmp_path / "trial.test.yaml"
    indented = textwrap.indent(cases, "    ").replace("    title", "  - title")
    path.write_text(f"test: 1\ncases:\n{indented}")
    return path


async def outcome(tmp_path: Path, case: str, stage: "FakeStage | None" = None) -> CaseResult:
    tests, problems = load_test_file(written(tmp_path, case))
    assert tests is not None, problems
    runbook, wrong = check_tests(tests)
    assert wrong == []
    return await run_case(runbook, tests.cases[0], stage)


class FakeStage:
    """A demo that does nothing but note what it is asked for; it fails to break `impossible`."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.calls: list[object] = []

    def prepare(self, need: Need) -> None:
        self.calls.append(need)
        if need.faults and need.faults[0][0] == "impossible":
            raise StageError("no such fault")

    def restore(self) -> None:
        self.calls.append("restored")


async def test_stubs_take_the_place_of_steps_and_the_rest_of_the_engine_is_real(tmp_path: Path) -> None:
    result = await outcome(tmp_path, GOOD)
    assert (result.outcome, result.complaints, result.run) == (CaseOutcome.PASSED, (), "ok")
    assert result.executed == ()
    assert dict(result.steps) == {
        "look": "ok", "change": "ok", "is-changed": "ok", "tell-somebody": "done",
    }  # fmt: skip
    assert not (tmp_path / "changed").exists()


async def test_what_is_listed_as_real_is_run(tmp_path: Path) -> None:
    case = GOOD + "real: [change, is-changed, change-back]\nundo: [change-back]\n"
    case = case.replace('change: "yes"', 'change: "yes", change-back: "yes"')
    result = await outcome(
        tmp_path, case + 'expect: {output: {is-changed: "changed anna 17"}, steps: {change-back: ok}}\n'
    )
    assert result.complaints == ()
    assert result.executed == ("change", "is-changed", "change-back")
    assert not (tmp_path / "changed").exists()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"rows: 1": "rows: 0"}, "the run is failed, expected ok"),
        ({"found 17": "nothing"}, "the run is failed, expected ok"),
        ({"rows: 1}": "rows: 1}, is-changed: {output: no}"}, "the run is failed, expected ok"),
        ({"rows: 1}": "rows: 1, exit: 3}"}, "look: failed"),
        ({'{change: "yes"}': "{}"}, "it did not begin: change: "),
        ({"title": "params: {NAME: X9}\ntitle"}, "it did not begin: NAME: "),
        ({"title": "expect: {steps: {change: failed}}\ntitle"}, "change: ok, expected failed"),
        ({"title": "expect: {run: refused}\ntitle"}, "the run is ok, expected refused"),
        ({"title": "expect: {run: failed}\ntitle"}, "the run is ok, expected failed"),
        ({"title": 'expect: {output: {look: "found 18"}}\ntitle'}, "look: its output does not have found 18"),
        ({"title": "skip: {change: not today}\ntitle"}, "the run is warn, expected ok"),
    ],
)
async def test_a_case_that_is_not_as_expected_fails_and_says_why(
    tmp_path: Path, change: Mapping[str, str], complaint: str
) -> None:
    case = GOOD
    for old, new in change.items():
        assert old in case
        case = case.replace(old, new)
    lines = sorted(case.splitlines(), key=lambda line: not line.startswith("title"))
    result = await outcome(tmp_path, "\n".join(lines) + "\n")
    assert result.outcome is CaseOutcome.FAILED
    assert any(one.startswith(complaint) for one in result.complaints), result.complaints


async def test_a_reason_for_a_refusal_is_compared(tmp_path: Path) -> None:
    refused = "title: refused\nexpect: {run: refused, reason: 'change: '}\n"
    assert (await outcome(tmp_path, refused)).outcome is CaseOutcome.PASSED
    wrong = refused.replace("'change: '", "NAME")
    assert "expected NAME" in (await outcome(tmp_path, wrong)).complaints[0]


async def test_a_case_that_never_ends_has_failed(tmp_path: Path) -> None:
    (tmp_path / "trial.md").write_text(BOOK)
    case = GOOD + "real: [is-changed]\ntimeout: 1s\n"
    path = written(tmp_path, case)
    slow = BOOK.replace("cat changed", "sleep 60").replace('"timeout":"5s","expect"', '"timeout":"1m","expect"')
    (tmp_path / "trial.md").write_text(slow)
    tests, _ = load_test_file(path)
    assert tests is not None
    runbook, _ = check_tests(tests)
    result = await run_case(runbook, tests.cases[0], None)
    assert result.complaints[0].startswith("not at its end after 1 s")
    assert result.duration < 50


async def test_without_a_demo_what_needs_one_is_skipped(tmp_path: Path) -> None:
    result = await outcome(tmp_path, GOOD + "demo: yes\n")
    assert result.outcome is CaseOutcome.SKIPPED
    assert "--demo" in result.complaints[0]


async def test_the_demo_is_broken_before_and_healed_after_even_if_the_case_fails(
    tmp_path: Path, environment: Environment
) -> None:
    stage = FakeStage(environment)
    case = GOOD.replace("rows: 1", "rows: 0") + "demo: {break: [dag-failure, lock meters], until: up}\n"
    case += "expect: {run: failed}\n"
    result = await outcome(tmp_path, case, stage)
    assert result.outcome is CaseOutcome.PASSED, result.complaints
    assert stage.calls == [Need((("dag-failure", ""), ("lock", "meters")), "up"), "restored"]
    stage.calls.clear()
    result = await outcome(tmp_path, GOOD + "demo: {break: impossible}\n", stage)
    assert (result.complaints, stage.calls[-1]) == (("no such fault",), "restored")


def test_a_stub_asks_for_what_the_step_asks(tmp_path: Path) -> None:
    tests, _ = load_test_file(written(tmp_path, GOOD))
    assert tests is not None
    runbook, _ = check_tests(tests)
    stubbed = with_stubs(runbook, tests.cases[0])
    for before, after in zip(runbook.steps, stubbed.steps, strict=True):
        assert (before.name, before.risk, before.confirm, before.verify) == (
            after.name, after.risk, after.confirm, after.verify,
        )  # fmt: skip
        assert is_stub(after) or after.kind is Kind.MANUAL
    whole = with_stubs(runbook, replace(tests.cases[0], demo=Need()))
    assert [is_stub(step) for step in whole.steps] == [True, False, False, False, False]


def test_output_of_a_stub_is_printed_to_the_byte(tmp_path: Path) -> None:
    case = Case("x", 1)
    tests, _ = load_test_file(written(tmp_path, GOOD.replace("found 17", "found 17 $(id) `id` ' % \\\\ <pod> é")))
    assert tests is not None
    runbook, _ = check_tests(tests)
    body = with_stubs(runbook, replace(case, stubs=tests.cases[0].stubs)).steps[0].body
    assert "$(id)" not in body


@pytest.mark.parametrize(
    ("case", "code", "line", "column"),
    [
        ("title: x\nparms: {}\n", "unknown-key", 4, 5),
        ("title: x\nexpect: {run: good}\n", "bad-choice", 4, 19),
        ("title: x\nexpect: {steps: {look: fine}}\n", "bad-choice", 4, 28),
        ("title: x\nexpect: {output: {look: '('}}\n", "bad-pattern", 4, 29),
        ("title: x\nstubs: {look: {exit: 999}}\n", "out-of-range", 4, 26),
        ("title: x\ntimeout: 5\n", "bad-duration", 4, 14),
        ("title: x\nexpect: {sql: {conn: app, query: select, rows: many}}\n", "bad-text", 4, 52),
        ("title: x\ndemo: perhaps\n", "bad-choice", 4, 11),
    ],
)
def test_mistakes_in_a_test_file_are_reported_where_they_stand(
    tmp_path: Path, case: str, code: str, line: int, column: int
) -> None:
    tests, problems = load_test_file(written(tmp_path, case))
    assert tests is None
    assert [(one.code, one.line, one.column) for one in problems] == [(code, line, column)]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("title: x\nstubs: {loook: {}}\n", "trial.md has no 'loook'; did you mean 'look'?"),
        ("title: x\nstubs: {tell-somebody: {}}\n", "trial.md has no 'tell-somebody'"),
        ("title: x\nexpect: {steps: {nothing: ok}}\n", "trial.md has no 'nothing'"),
        ("title: x\nparams: {NAMES: x}\n", "trial.md has no 'NAMES'; did you mean 'NAME'?"),
        ("title: x\nundo: [look]\n", "trial.md has no 'look'"),
        ("title: x\nfrom: end\n", "trial.md has no 'end'"),
    ],
)
def test_names_that_the_runbook_does_not_have_are_reported(tmp_path: Path, case: str, message: str) -> None:
    tests, problems = load_test_file(written(tmp_path, case))
    assert tests is not None, problems
    _, wrong = check_tests(tests)
    assert [one.message for one in wrong] == [message]
    assert wrong[0].line > 2
