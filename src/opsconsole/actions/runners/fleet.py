"""A script on a group of hosts, through Ansible: some at a time, a result for each, and an end when too many fail."""

import json
import re
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.actions.action import Outcome, Result, Risk, Sink
from opsconsole.actions.runners.remote import bundle
from opsconsole.actions.runners.shell import INTERPRETERS, ShellRunner
from opsconsole.actions.runners.text_table import text_table
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.secret import Secret, mask

MISSING = "Ansible is not installed here; run: pip install 'opsconsole[fleet]'"
_CALLBACK = Path(__file__).with_name("ansible_callback")
_WARNING = 2
_FAREWELL = re.compile(r"^(Shared c|C)onnection to \S+ closed\.\s*\Z", re.MULTILINE)
_NO_ENV: Mapping[str, "str | Secret"] = MappingProxyType({})


def ansible() -> str | None:
    """The path of `ansible`: beside this Python, else on the PATH; None where it is not installed."""
    beside = Path(sys.executable).with_name("ansible")
    return str(beside) if beside.exists() else shutil.which("ansible")


@dataclass(frozen=True, slots=True)
class HostResult:
    """How one host ended."""

    host: str
    state: str
    """`ok`, `warn`, `failed`, `unreachable`, or `not run`."""
    exit_code: int | None = None
    output: str = ""
    message: str = ""

    @property
    def bad(self) -> bool:
        """Whether it counts against `max_fail`."""
        return self.state in ("failed", "unreachable")


@dataclass(frozen=True, slots=True)
class FleetRunner:
    """Runs `script` on the hosts of `group`, `parallel` at a time, until more than `max_fail` of them failed."""

    group: str
    hosts: tuple[str, ...]
    """The group's hosts; empty: those that the inventory has."""
    inventory: Path | None
    script: str
    interpreter: tuple[str, ...] = INTERPRETERS["bash"]
    env: Mapping[str, "str | Secret"] = field(default_factory=lambda: _NO_ENV, repr=False)
    secrets: tuple[Secret, ...] = ()
    risk: Risk = Risk.WRITE
    expected_exits: tuple[int, ...] = (0,)
    parallel: int = 1
    max_fail: int = 0
    ssh_config: str = ""

    async def run(self, sink: Sink) -> Result:
        """Run it once on each host. Good if no more than `max_fail` hosts failed; with some, a warning."""
        started = time.monotonic()
        program = ansible()
        if program is None:
            return Result(Outcome.FAILED, 127, MISSING)
        with tempfile.TemporaryDirectory(prefix="opsconsole-") as folder:
            try:
                content = bundle(self.script, self.interpreter, self.env)
            except ValueError as error:
                return Result(Outcome.FAILED, detail=str(error))
            result = await _Fleet(self, program, Path(folder), content, sink).run()
        return replace(result, duration=time.monotonic() - started)

    @property
    def all_secrets(self) -> tuple[Secret, ...]:
        """The given ones and those in `env`."""
        return (*self.secrets, *(value for value in self.env.values() if isinstance(value, Secret)))


class _Fleet:
    """One run on all hosts."""

    def __init__(self, runner: FleetRunner, program: str, folder: Path, content: bytes, sink: Sink) -> None:
        self._runner = runner
        self._program = program
        self._script = folder / "step.sh"
        self._inventory = runner.inventory or folder / "inventory"
        self._sink = sink
        self._mark = uuid.uuid4().hex
        self._results: list[HostResult] = []
        self._noise: list[str] = []
        self._script.touch(0o600)
        self._script.write_bytes(content)
        if runner.hosts:
            self._inventory = folder / "inventory"
            self._inventory.write_text("\n".join([f"[{runner.group}]", *runner.hosts]) + "\n", "utf-8")

    async def run(self) -> Result:
        runner = self._runner
        hosts = list(runner.hosts) or await self._listed()
        if not hosts:
            why = f": {self._noise[-1]}" if self._noise else ""
            return Result(Outcome.FAILED, detail=f"group {runner.group} has no hosts{why}")
        for start in range(0, len(hosts), runner.parallel):
            some = hosts[start : start + runner.parallel]
            ended = await self._on(some)
            if ended.outcome is Outcome.CANCELLED:
                self._leave_out([*some, *hosts[start + runner.parallel :]], "cancelled")
                self._say_all()
                return replace(ended, detail=self._summary())
            self._leave_out(some, "no result", state="failed")
            if sum(one.bad for one in self._results) > runner.max_fail:
                self._leave_out(hosts[start + runner.parallel :], "")
                break
        self._say_all()
        bad = sum(one.bad for one in self._results)
        if bad > runner.max_fail:
            return Result(Outcome.FAILED, detail=self._summary())
        warned = bad or any(one.state == "warn" for one in self._results)
        return Result(Outcome.WARN if warned else Outcome.OK, detail=self._summary())

    async def _listed(self) -> list[str]:
        lines: list[str] = []

        def take(text: str) -> None:
            lines.append(text)

        result = await self._ansible(["--list-hosts", self._runner.group], take)
        if result.outcome is not Outcome.OK:
            self._noise += [line for line in lines if line.strip()]
            return []
        return [line.strip() for line in lines[1:] if line.startswith("    ") and line.strip()]

    async def _on(self, hosts: Sequence[str]) -> Result:
        arguments = ["--forks", str(len(hosts)), "-m", "ansible.builtin.script", "-a", str(self._script)]
        return await self._ansible([*arguments, ",".join(hosts)], self._take_line)

    async def _ansible(self, arguments: Sequence[str], take: Any) -> Result:
        lines = _Lines(take)
        env: dict[str, str | Secret] = {
            "ANSIBLE_CALLBACK_PLUGINS": str(_CALLBACK),
            "ANSIBLE_STDOUT_CALLBACK": "opsconsole_rows",
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",  # without it `ansible` uses its own
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
            "OPSCONSOLE_MARK": self._mark,
        }
        if self._runner.ssh_config:
            env["ANSIBLE_SSH_ARGS"] = f"-F {self._runner.ssh_config} -o BatchMode=yes"
        argv = (self._program, "-i", str(self._inventory), *arguments)
        # exit codes of its own: 2 a host failed, 4 a host was unreachable
        result = await ShellRunner(argv=argv, env=env, expected_exits=(0, 2, 4)).run(lines.take)
        lines.flush()
        return result

    def _take_line(self, line: str) -> None:
        if not line.startswith(self._mark):
            if line.strip():
                self._noise.append(clean_line(line, limit=400))
            return
        row = json.loads(line.removeprefix(self._mark))
        result = self._judged(row)
        self._results.append(result)
        head = f"== {result.host}: {result.state}"
        head += f" (exit code {result.exit_code})" if result.exit_code else ""
        head += f": {result.message}" if result.message else ""
        body = "".join(f"{part.rstrip()}\n" for part in _streams(row) if part.strip())
        self._sink(mask(f"{head}\n{body}", self._runner.all_secrets).encode("utf-8", "replace"))

    def _judged(self, row: Mapping[str, Any]) -> HostResult:
        host, code = str(row["host"]), row.get("rc")
        output = mask(clean("\n".join(part for part in _streams(row) if part)), self._runner.all_secrets)
        if row["state"] == "unreachable" or not isinstance(code, int):
            state = "unreachable" if row["state"] == "unreachable" else "failed"
            return HostResult(host, state, None, output, clean_line(row["message"], limit=200))
        if code in self._runner.expected_exits:
            return HostResult(host, "ok", code, output)
        warned = code == _WARNING and self._runner.risk is Risk.READ
        return HostResult(host, "warn" if warned else "failed", code, output)

    def _leave_out(self, hosts: Sequence[str], why: str, state: str = "not run") -> None:
        known = {one.host for one in self._results}
        said = why if not self._noise else f"{why}: {self._noise[-1]}" if why == "no result" else why
        self._results += [HostResult(host, state, message=said) for host in hosts if host not in known]

    def _summary(self) -> str:
        good = sum(one.state in ("ok", "warn") for one in self._results)
        parts = [f"{good} of {len(self._results)} hosts ok"]
        for state in ("failed", "unreachable", "not run"):
            if names := [one.host for one in self._results if one.state == state]:
                more = f" and {len(names) - 5} more" if len(names) > 5 else ""
                parts.append(f"{state}: {', '.join(names[:5])}{more}")
        return "; ".join(parts)

    def _say_all(self) -> None:
        rows = []
        for one in self._results:
            lines = [line for line in one.output.splitlines() if line.strip()]
            last = one.message or (clean_line(lines[-1], limit=80) if lines else "")
            rows.append([one.host, one.state, "" if one.exit_code is None else str(one.exit_code), last])
        self._sink(f"\n{text_table(['host', 'state', 'exit', 'last line'], rows, [2])}".encode("utf-8", "replace"))


def _streams(row: Mapping[str, Any]) -> tuple[str, str]:
    """stdout and stderr as the script wrote them. Ansible gives it a terminal, so that it ends with the connection:
    that adds carriage returns, and a word of farewell."""
    stdout, stderr = (str(row[name]).replace("\r\n", "\n") for name in ("stdout", "stderr"))
    return stdout, _FAREWELL.sub("", stderr)


class _Lines:
    """Cuts output into lines."""

    def __init__(self, take: Any) -> None:
        self._take = take
        self._rest = b""

    def take(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._take(line.decode("utf-8", "replace"))

    def flush(self) -> None:
        if self._rest:
            self._take(self._rest.decode("utf-8", "replace"))
            self._rest = b""
