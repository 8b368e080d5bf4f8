"""Services under a real supervisord: what is done to them, what is seen of them, and what is said when it fails."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Action, Outcome
from opsconsole.config.settings import Environment

BIN = Path(sys.executable).parent
PROGRAMS = """
[program:good]
command=sh -c 'echo started; exec sleep 1000'
[program:pair]
command=sleep 1000
process_name=%(program_name)s_%(process_num)s
numprocs=2
startsecs=0
[program:half]
command=sh -c 'test %(process_num)s = 0 && exec sleep 1000; exit 1'
process_name=%(program_name)s_%(process_num)s
numprocs=2
startsecs=0
autorestart=false
[program:bad]
command=sh -c 'echo broken; exit 1'
autostart=false
startretries=0
[program:missing]
command=/no/such/program
autostart=false
startretries=0
"""


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An environment whose services are the programs of a supervisord of its own."""
    folder = tmp_path_factory.mktemp("sup")
    configuration = folder / "supervisord.conf"
    configuration.write_text(
        f"[unix_http_server]\nfile={folder}/s\n[supervisord]\nnodaemon=true\nsilent=true\nlogfile={folder}/log\n"
        f"pidfile={folder}/pid\nchildlogdir={folder}\nuser=root\n"
        + "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
        f"[supervisorctl]\nserverurl=unix://{folder}/s\n{PROGRAMS}".replace("user=root\n", _user())
    )
    units = {"good": "good", "pair": "pair:*", "half": "half:*", "bad": "bad", "missing": "missing", "nobody": "nobody"}
    entries = {
        name: {"driver": "supervisor", "unit": unit, "files": [str(configuration)], "timeout": "10s"}
        for name, unit in units.items()
    }
    entries["away"] = {"driver": "supervisor", "files": [str(_away(folder))]}
    (folder / "services.yaml").write_text(json.dumps({"version": 1, "services": entries}))
    with subprocess.Popen([BIN / "supervisord", "-c", configuration], stdin=subprocess.DEVNULL) as process:
        try:
            _wait_for(configuration)
            yield Environment("e", folder, folder, services=folder / "services.yaml")
        finally:
            process.terminate()


def _user() -> str:
    import os

    return "user=root\n" if os.getuid() == 0 else ""


def _away(folder: Path) -> Path:
    """The configuration of a supervisord that does not run."""
    path = folder / "away.conf"
    path.write_text(f"[supervisorctl]\nserverurl=unix://{folder}/away.sock\n")
    return path


def _wait_for(configuration: Path) -> None:
    limit = time.monotonic() + 20
    while (
        "RUNNING"
        not in subprocess.run(
            [BIN / "supervisorctl", "-c", configuration, "status", "good"], capture_output=True, text=True, check=False
        ).stdout
    ):
        assert time.monotonic() < limit, "supervisord does not come up"


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{BIN}:/usr/bin:/bin")


def build(environment: Environment, verb: str, service: str) -> Action:
    registration = registry.find(f"service.{verb}")
    assert registration is not None
    return registration.build({"service": service}, environment)


async def done(environment: Environment, verb: str, service: str) -> tuple[Outcome, str, str]:
    said: list[bytes] = []
    result = await build(environment, verb, service).runner.run(said.append)
    return result.outcome, result.detail, b"".join(said).decode()


async def test_it_is_restarted_stopped_and_started_and_that_is_seen(supervisor: Environment) -> None:
    for verb, found in (
        ("restart", "it runs"),
        ("stop", "it does not run"),
        ("restart", "it runs"),
        ("start", "it runs"),
    ):
        action = build(supervisor, verb, "good")
        result = await action.runner.run(lambda _: None)
        assert result.outcome is Outcome.OK, (verb, result)
        assert action.verify is not None
        assert (await action.verify()).outcome is Outcome.OK
        assert (await done(supervisor, "status", "good"))[:2] == (Outcome.OK, found)


async def test_the_log_is_shown(supervisor: Environment) -> None:
    assert "started" in (await done(supervisor, "logs", "good"))[2]


async def test_of_a_group_every_process_counts(supervisor: Environment) -> None:
    assert (await done(supervisor, "restart", "pair"))[0] is Outcome.OK
    assert (await done(supervisor, "status", "pair"))[:2] == (Outcome.OK, "it runs")
    outcome, detail, output = await done(supervisor, "status", "half")
    assert "RUNNING" in output
    assert outcome is Outcome.WARN
    assert detail.startswith("neither up nor down: half:half_1")


@pytest.mark.parametrize(
    ("verb", "service", "advice"),
    [
        ("restart", "bad", "bad ends as soon as it is started; its log says why: supervisorctl tail bad"),
        ("restart", "missing", "the command of missing is not there"),
        ("restart", "nobody", "supervisor has no program nobody; look with `supervisorctl status`"),
        ("status", "nobody", "supervisor has no program nobody;"),
        ("restart", "away", "supervisord does not answer; is it running"),
        ("status", "away", "supervisord does not answer; is it running"),
        ("logs", "pair", "supervisor shows the log of one program, by its full name;"),
    ],
)
async def test_what_fails_says_what_to_do(supervisor: Environment, verb: str, service: str, advice: str) -> None:
    outcome, detail, _ = await done(supervisor, verb, service)
    assert outcome is Outcome.FAILED
    assert detail.startswith(f"{verb} {service} by supervisor: {advice}")
