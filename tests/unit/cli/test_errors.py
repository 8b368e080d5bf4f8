"""`opsconsole errors` on log files: the table, the JSON, one kind in full, muting; nothing else is needed for that."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsconsole.cli.main import main

CONFIG = """\
version: 1
environments: {{test: {{errors: errors.yaml, screens: {folder}, runbooks: {folder}{more}}}}}
"""
ERRORS = """\
version: 1
files: [{name: api, paths: api.log, service: api, runbook: restart}]
"""
TRACE = 'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in load\nKeyError: 7'


def line(at: float, message: str, **more: str) -> str:
    return json.dumps({"ts": at, "level": "error", "msg": message, **more}) + "\n"


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    config = tmp_path / "opsconsole.yaml"
    config.write_text(CONFIG.format(folder=tmp_path, more=""))
    (tmp_path / "errors.yaml").write_text(ERRORS)
    now = time.time()
    old = "".join(line(now - hours * 3600 + 1200, f"meter {hours} failed") for hours in range(60, 1, -1))
    new = "".join(line(now - 60, "cannot load", exc_info=TRACE) for _ in range(3))
    (tmp_path / "api.log").write_text(old + new)

    def ran(*argv: str) -> tuple[int, str, str]:
        code = main(["--config", str(config), "errors", *argv])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ran


def document(run: Run, *argv: str) -> Any:
    code, out, err = run(*argv, "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_what_is_new_comes_first(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    header, first, second = out.splitlines()
    assert header.split()[:3] == ["FINGERPRINT", "NEW", "COUNT"]
    assert first.split()[1:3] == ["new", "3"]
    assert "KeyError" in first
    assert "meter 2 failed" in second


def test_json_has_the_whole(run: Run) -> None:
    said = document(run)
    new, old = said["errors"]
    assert said["window_seconds"] == 86_400
    assert [one["name"] for one in said["sources"]] == ["logs/api"]
    assert (new["new"], new["count"], new["type"], new["frame"]) == (True, 3, "KeyError", "a.py:load")
    assert (old["new"], old["count"], old["before"]) == (False, 23, 24)
    assert len(old["trend"]) == 24
    assert new["samples"][0]["trace"] == TRACE
    assert new["samples"][0]["at"].endswith("Z")
    assert [one["fingerprint"] for one in document(run, "--new")["errors"]] == [new["fingerprint"]]
    assert document(run, "--service", "web")["errors"] == []
    assert document(run, "--limit", "1")["matched"] == 2
    assert document(run, "--services")["services"][0]["count"] == 26
    assert document(run, "--since", "2h")["errors"][0]["count"] == 3


def test_one_kind_in_full_by_the_first_digits(run: Run) -> None:
    fingerprint = document(run)["errors"][0]["fingerprint"]
    code, out, _ = run("show", fingerprint[:6])
    assert code == 0
    assert "  runbook      restart" in out
    assert '  File "/srv/a.py", line 3, in load' in out
    assert document(run, "show", fingerprint)["error"]["runbook"] == "restart"
    code, _, err = run("show", "zzz")
    assert code == 2
    assert "no kind of error" in err
    code, _, err = run("show", "")
    assert (code, "2 fingerprints begin with ''; give more of one: " in err) == (2, True)


def test_that_there_is_nothing_is_said(run: Run) -> None:
    code, out, err = run("--service", "aip", "--since", "2h")
    assert (code, len(out.splitlines())) == (0, 1)
    assert err == "no errors of service aip within 2h; there are some of api\n"


def test_a_muted_kind_is_not_new_and_stands_last_until_that_is_taken_back(run: Run) -> None:
    fingerprint = document(run)["errors"][0]["fingerprint"]
    code, _, err = run("mute", fingerprint, "--for", "1h", "--note", "OPS-1")
    assert (code, "muted: " in err) == (0, True)
    last = document(run)["errors"][-1]
    assert (last["fingerprint"], last["new"], last["mute"]["note"]) == (fingerprint, False, "OPS-1")
    assert run("unmute", fingerprint)[0] == 0
    assert document(run)["errors"][0]["fingerprint"] == fingerprint
    assert run("unmute", fingerprint)[0] == 1


def test_new_holds_across_runs_when_the_log_is_gone(run: Run, tmp_path: Path) -> None:
    fingerprint = document(run)["errors"][1]["fingerprint"]
    (tmp_path / "api.log").write_text(line(time.time() - 5, "meter 99 failed") + line(time.time() - 4, "other"))
    kinds = {one["fingerprint"]: one for one in document(run)["errors"]}
    assert kinds[fingerprint]["new"] is False
    assert [one["new"] for name, one in kinds.items() if name != fingerprint] == [True]


def test_a_source_that_is_silent_is_said_and_is_code_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "api.log").unlink()
    code, out, err = run()
    assert (code, "not seen: logs/api: no file matches api.log" in err) == (1, True)
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize(("argv", "said"), [(("--since", "soon"), "--since"), (("--since", "1s"), "from 1m to 31d")])
def test_wrong_usage(run: Run, argv: tuple[str, ...], said: str) -> None:
    code, _, err = run(*argv)
    assert (code, said in err) == (2, True)
