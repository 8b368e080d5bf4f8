"""Steps that are service actions: the manager's word and the step's own verification count, and the date is kept."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from opsconsole.actions.action import Outcome
from opsconsole.config.settings import Environment
from tests.unit.runbooks.conftest import Begin, Write
from tests.unit.runbooks.test_run import YES, Screen, at

ATTRIBUTES = (
    '"name":"do","kind":"action","action":"service.restart","timeout":"9s","verify":"seen","capture":["SINCE"],'
    '"captureRegex":"done at ([0-9]+)$","excludeFromRunAll":"true"'
)
BOOK = f"""---
runbook: 1
id: trial
title: Trial
params: {{SINCE: {{type: int, default: 0}}}}
---
Cannot be undone.
```text {{{ATTRIBUTES}}}
service: api
```
```sh {{"name":"seen","risk":"read","timeout":"9s"}}
echo "since $SINCE"; exit METRIC
```
"""


@pytest.mark.parametrize(
    ("manager", "metric", "outcome"),
    [("true", "0", Outcome.OK), ("true", "1", Outcome.FAILED), ("false", "0", Outcome.FAILED)],
)
async def test_both_have_to_agree(
    manager: str, metric: str, outcome: Outcome,
    begin: Begin, write: Write, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("opsconsole.runbooks.attempts._MARGIN", 1.0)  # what never comes up is waited for to the end
    entry = {"restart": ["true"], "status": [manager], "timeout": "1s"}
    (tmp_path / "services.yaml").write_text(json.dumps({"version": 1, "services": {"api": entry}}))
    where = replace(environment, services=tmp_path / "services.yaml")
    run = begin(write(BOOK.replace("METRIC", metric).replace('"9s"', '"1s"')), environment=where)
    result = await run.execute(at(run), YES, Screen(run))
    assert result.outcome is outcome, result


async def test_a_verification_sees_when_it_was_done(
    begin: Begin, write: Write, environment: Environment, tmp_path: Path
) -> None:
    entry = {"restart": ["true"], "status": ["true"]}
    (tmp_path / "services.yaml").write_text(json.dumps({"version": 1, "services": {"api": entry}}))
    where = replace(environment, services=tmp_path / "services.yaml")
    run = begin(write(BOOK.replace("METRIC", "0")), environment=where)
    screen, before = Screen(run), time.time()
    assert (await run.execute(at(run), YES, screen)).outcome is Outcome.OK
    seen = re.search(rb"since (\d+)", screen.output)
    assert seen is not None
    assert before < int(seen[1]) <= time.time() + 1
