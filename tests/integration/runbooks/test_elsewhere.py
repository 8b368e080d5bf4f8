"""Steps on other hosts: by ssh to a real sshd, and on groups through a real Ansible."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from opsconsole.actions.action import Outcome, Result, Risk
from opsconsole.actions.runners import fleet
from opsconsole.actions.runners.fleet import FleetRunner
from opsconsole.actions.runners.remote import SshRunner
from opsconsole.actions.runners.shell import INTERPRETERS
from opsconsole.config.settings import Environment
from opsconsole.core.secret import Secret
from opsconsole.demo.binaries import MissingBinary
from tests.servers import SshServer, start_sshd
from tests.unit.runbooks.conftest import *  # noqa: F403 - the fixtures of runs
from tests.unit.runbooks.conftest import Begin, Write
from tests.unit.runbooks.test_kinds import HOSTILE
from tests.unit.runbooks.test_run import NONE, Screen, at


@pytest.fixture(scope="module")
def sshd() -> Iterator[SshServer]:
    try:
        with start_sshd() as server:
            yield server
    except MissingBinary as missing:
        pytest.skip(str(missing))


needs_ansible = pytest.mark.skipif(fleet.ansible() is None, reason=fleet.MISSING)


def process(pid: int) -> tuple[str, str, int]:
    """Name, state and parent of a process; empty where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "", "", 0
    name, _, rest = text.partition("(")[2].rpartition(")")
    return name, rest.split()[0], int(rest.split()[1])


async def gone(pid: int) -> None:
    deadline = asyncio.get_running_loop().time() + 15
    while process(pid)[1] not in ("", "Z"):
        assert asyncio.get_running_loop().time() < deadline, f"{process(pid)} still runs"
        await asyncio.sleep(0.02)


class Heard:
    """What a runner says."""

    def __init__(self) -> None:
        self.output = b""

    def __call__(self, piece: bytes) -> None:
        self.output += piece


async def on(sshd: SshServer, script: str, host: str = "app-1", **more: object) -> tuple[Result, bytes]:
    heard = Heard()
    runner = SshRunner(host, script, config=str(sshd.config), **more)  # type: ignore[arg-type]
    return await runner.run(heard), heard.output


class TestSsh:
    async def test_a_script_runs_there_and_its_exit_code_comes_back(self, sshd: SshServer) -> None:
        result, output = await on(sshd, "echo here: $SSH_CONNECTION\nexit 3\n")
        assert (result.outcome, result.exit_code) == (Outcome.FAILED, 3)
        assert output.startswith(b"here: 127.0.0.1")
        result, output = await on(sshd, "false | true\necho not reached\n")
        assert (result.outcome, output) == (Outcome.FAILED, b"")

    async def test_values_arrive_to_the_byte(self, sshd: SshServer) -> None:
        env = {f"V{at}": value for at, value in enumerate(HOSTILE)}
        result, output = await on(sshd, "\n".join(f'printf "%s|" "${name}"' for name in env), env=env)
        assert result.outcome is Outcome.OK
        assert output.decode() == "".join(f"{value}|" for value in HOSTILE)

    async def test_values_are_in_no_command_line_and_nothing_is_left_behind(self, sshd: SshServer) -> None:
        script = 'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " <$f 2>/dev/null || true; echo; done; echo "at $0"'
        result, output = await on(sshd, script, env={"TOKEN": Secret("s3cret-token")})
        assert result.outcome is Outcome.OK
        assert b"s3cret-token" not in output
        folder = Path(output.decode().rpartition("at ")[2].strip()).parent
        assert folder.name.startswith("tmp.")
        assert not folder.exists()

    async def test_the_script_cannot_eat_what_is_sent(self, sshd: SshServer) -> None:
        result, output = await on(sshd, "cat\necho after\n")
        assert (result.outcome, output) == (Outcome.OK, b"after\n")

    async def test_a_long_script_arrives_whole(self, sshd: SshServer) -> None:
        lines = "".join(f": {at:060d}\n" for at in range(2000))
        result, output = await on(sshd, f"{lines}echo end\n", interpreter=INTERPRETERS["sh"])
        assert (result.outcome, output) == (Outcome.OK, b"end\n")

    async def test_cancelling_ends_what_runs_there(self, sshd: SshServer, tmp_path: Path) -> None:
        heard = Heard()
        started = asyncio.Event()

        def sink(piece: bytes) -> None:
            heard(piece)
            if b"\n" in heard.output:
                started.set()

        script = "sleep 300 & echo $! $$\nwait\n"
        task = asyncio.ensure_future(SshRunner("app-1", script, config=str(sshd.config)).run(sink))
        await started.wait()
        task.cancel()
        assert (await task).outcome is Outcome.CANCELLED
        for pid in map(int, heard.output.split()):
            await gone(pid)

    async def test_killing_ssh_ends_what_runs_there_and_the_outcome_is_unknown(self, sshd: SshServer) -> None:
        heard = Heard()
        started = asyncio.Event()

        def sink(piece: bytes) -> None:
            heard(piece)
            started.set()

        task = asyncio.ensure_future(SshRunner("app-1", "echo $$; sleep 300", config=str(sshd.config)).run(sink))
        await started.wait()
        there = int(heard.output)
        assert os.getsid(there) != os.getsid(0)
        parent = there
        while "sshd" not in process(parent)[0]:
            parent = process(parent)[2]
        os.kill(parent, 9)  # the connection's own process: as if the line had dropped
        result = await task
        assert (result.outcome, "broke" in result.detail) == (Outcome.UNKNOWN, True)
        await gone(there)

    async def test_without_a_connection_nothing_was_started(self, sshd: SshServer) -> None:
        result, _ = await on(sshd, "true", host="gone")
        assert result.outcome is Outcome.FAILED
        assert "no connection to gone" in result.detail
        assert "refused" in result.detail

    async def test_a_stranger_is_not_trusted(self, sshd: SshServer) -> None:
        config = sshd.folder / "strange_config"
        config.write_text(sshd.config.read_text().replace(f"{sshd.folder}/known", f"{sshd.folder}/nobody"))
        result = await SshRunner("app-1", "true", config=str(config)).run(lambda _: None)
        assert result.outcome is Outcome.FAILED
        assert "verification failed" in result.detail.lower()


STEP = """
---
runbook: 1
id: trial
title: Trial
params: {WHERE: {default: app-1}, X: {default: "a'b $(id)"}}
---
```sh {"name":"look","risk":"read","timeout":"30s",%s}
echo "$OPS_STEP says $X"
```
"""


def hosted(environment: Environment, sshd: SshServer) -> Environment:
    hosts = {"web": ("app-1", "app-2"), "all_of_them": ("app-1", "gone", "app-2")}
    return replace(environment, hosts=MappingProxyType(hosts), ssh_config=sshd.config)


async def test_a_step_with_a_host_runs_there(
    write: Write, begin: Begin, environment: Environment, sshd: SshServer
) -> None:
    run = begin(write(STEP % '"host":"$WHERE"'), {}, environment=hosted(environment, sshd))
    screen = Screen(run)
    assert run.command(at(run)).startswith("# on app-1\nexport X=")
    assert (await run.execute(at(run), NONE, screen)).outcome is Outcome.OK
    assert screen.output == b"look says a'b $(id)\n"


@pytest.mark.parametrize("where", ["elsewhere", "-oProxyCommand=touch /tmp/x", "app-1 app-2", "app-1;id"])
async def test_a_host_that_is_not_listed_is_refused(
    write: Write, begin: Begin, environment: Environment, sshd: SshServer, where: str
) -> None:
    run = begin(write(STEP % '"host":"$WHERE"'), {"WHERE": where}, environment=hosted(environment, sshd))
    result = await run.execute(at(run), NONE, Screen(run))
    assert result.outcome is Outcome.FAILED
    assert "no host" in result.detail or "expected the name" in result.detail


@needs_ansible
class TestFleet:
    async def test_each_host_has_its_result(
        self, write: Write, begin: Begin, environment: Environment, sshd: SshServer
    ) -> None:
        run = begin(write(STEP % '"hosts":"web","parallel":2'), {}, environment=hosted(environment, sshd))
        screen = Screen(run)
        result = await run.execute(at(run), NONE, screen)
        assert (result.outcome, result.detail) == (Outcome.OK, "2 of 2 hosts ok")
        for host in (b"app-1", b"app-2"):
            assert b"== %s: ok\nlook says a'b $(id)\n" % host in screen.output

    async def test_it_ends_when_too_many_failed(self, sshd: SshServer) -> None:
        heard = Heard()
        runner = FleetRunner("g", ("app-1", "gone", "app-2"), None, "echo $$", ssh_config=str(sshd.config))
        result = await runner.run(heard)
        assert result.outcome is Outcome.FAILED
        assert result.detail == "1 of 3 hosts ok; unreachable: gone; not run: app-2"
        table = [line.split("|")[:2] for line in heard.output.decode().splitlines() if " | " in line]
        assert [[cell.strip() for cell in row] for row in table[1:]] == [
            ["app-1", "ok"], ["gone", "unreachable"], ["app-2", "not run"],
        ]  # fmt: skip

    async def test_some_may_fail(self, sshd: SshServer) -> None:
        hosts, config = ("app-1", "gone", "app-2"), str(sshd.config)
        runner = FleetRunner("g", hosts, None, "exit 0", ssh_config=config, max_fail=1, parallel=3)
        result = await runner.run(lambda _: None)
        assert (result.outcome, result.detail) == (Outcome.WARN, "2 of 3 hosts ok; unreachable: gone")

    async def test_exit_codes_are_judged_as_here(self, sshd: SshServer) -> None:
        config = str(sshd.config)
        runner = FleetRunner("g", ("app-1",), None, "exit 2", ssh_config=config, risk=Risk.READ)
        assert (await runner.run(lambda _: None)).outcome is Outcome.WARN
        assert (await replace(runner, risk=Risk.WRITE).run(lambda _: None)).outcome is Outcome.FAILED
        assert (await replace(runner, expected_exits=(0, 2)).run(lambda _: None)).outcome is Outcome.OK

    async def test_values_arrive_to_the_byte_and_secrets_are_masked(self, sshd: SshServer) -> None:
        heard = Heard()
        plain = [value for value in HOSTILE if value.isascii() and "\r" not in value and "\n" not in value]
        env = {f"V{at}": value for at, value in enumerate(plain)} | {"TOKEN": Secret("s3cret-token")}
        script = "\n".join(f'printf "<%s>\\n" "${name}"' for name in env)
        config = str(sshd.config)
        await FleetRunner("g", ("app-1",), None, script, env=env, ssh_config=config).run(heard)
        text = heard.output.decode()
        assert all(f"<{value}>\n" in text for value in plain)
        assert "s3cret-token" not in text

    async def test_a_group_of_an_inventory(self, tmp_path: Path) -> None:
        inventory = tmp_path / "hosts.ini"
        inventory.write_text("[near]\none ansible_connection=local\ntwo ansible_connection=local\n")
        runner = FleetRunner("near", (), inventory, 'echo "on $(hostname)"', parallel=5)
        result = await runner.run(lambda _: None)
        assert (result.outcome, result.detail) == (Outcome.OK, "2 of 2 hosts ok")
        result = await replace(runner, group="far").run(lambda _: None)
        assert result.outcome is Outcome.FAILED
        assert "far has no hosts" in result.detail

    async def test_cancelling_ends_what_runs_there_and_says_who_was_not_reached(
        self, sshd: SshServer, tmp_path: Path
    ) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        script, config = f"echo $$ > {pipe}; sleep 300", str(sshd.config)
        task = asyncio.ensure_future(
            FleetRunner("g", ("app-1", "app-2"), None, script, ssh_config=config).run(lambda _: None)
        )
        there = int(await asyncio.to_thread(pipe.read_bytes))  # the first host is under way
        task.cancel()
        result = await task
        assert (result.outcome, result.detail) == (Outcome.CANCELLED, "0 of 2 hosts ok; not run: app-1, app-2")
        await gone(there)


async def test_without_ansible_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "ansible", lambda: None)
    result = await FleetRunner("g", ("a",), None, "true").run(lambda _: None)
    assert (result.outcome, result.detail) == (Outcome.FAILED, fleet.MISSING)
