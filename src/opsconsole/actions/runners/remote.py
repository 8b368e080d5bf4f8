"""A script on another host, by ssh: values travel with it over the connection, and never through a command line.

What is sent is one shell script that sets the values, writes the real script to a folder of its own, and runs it with
an empty stdin. The connection's open end is a lifeline: when this side is gone, the far side ends what it started.
"""

import shlex
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from opsconsole.actions.action import Outcome, Result, Risk, Sink
from opsconsole.actions.runners.environment import environment
from opsconsole.actions.runners.shell import INTERPRETERS, ShellRunner
from opsconsole.core.clean import clean_bytes, clean_line
from opsconsole.core.secret import Secret

_LOST = 255  # ssh itself: no connection, or a broken one. The far side never ends with it
_NO_ENV: Mapping[str, "str | Secret"] = MappingProxyType({})
_WAIT_FOR_START = 64 * 1024
"""Bytes that ssh may say before the step begins; beyond, everything is passed on as it comes."""
_FAR_SIDE = r"""
umask 077
d=$(mktemp -d) || exit 70
trap 'rm -rf "$d"' EXIT
whole=
while IFS= read -r line; do
  [ "$line" = MARK ] && { whole=1; break; }
  printf '%s\n' "$line"
done >"$d/step"
[ "$whole" ] || exit 70
echo MARK
exec 3<&0
if command -v setsid >/dev/null 2>&1; then setsid sh "$d/step" 3<&- </dev/null & else sh "$d/step" 3<&- </dev/null & fi
step=$!
(
  cat <&3 >/dev/null
  kill -s TERM -- "-$step" || kill -s TERM "$step"
  sleep 10
  kill -s KILL -- "-$step"
) </dev/null >/dev/null 2>&1 &
watch=$!
wait "$step"
code=$?
kill "$watch" 2>/dev/null
[ "$code" = 255 ] && code=254
exit "$code"
"""


def ssh_argv(host: str, command: str, config: str = "") -> list[str]:
    """ssh to `host`, without terminal and questions; whom to trust is the user's ssh configuration's to say."""
    options = ["-F", config] if config else []
    return ["ssh", *options, "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "--", host, command]


def bundle(script: str, interpreter: tuple[str, ...], env: Mapping[str, "str | Secret"]) -> bytes:
    """One shell script that sets `env` and runs `script` with `interpreter`.

    Raises:
        ValueError: a name or a value that no environment can have, or a NUL in the script.
    """
    if "\0" in script:
        raise ValueError("the script holds a NUL character")
    given = environment(env, {}, {})
    mark = uuid.uuid4().hex
    lines = [
        "#!/bin/sh",
        "umask 077",
        "OPS_FOLDER=$(mktemp -d) || exit 70",
        "trap 'rm -rf \"$OPS_FOLDER\"' EXIT",
        "trap 'exit 143' TERM HUP INT",
        *(f"export {name}={shlex.quote(value)}" for name, value in given.items() if name in env),
        f"cat >\"$OPS_FOLDER/script\" <<'{mark}'",
        script.removesuffix("\n"),
        mark,
        f'{shlex.join(interpreter)} "$OPS_FOLDER/script" </dev/null',
    ]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class SshRunner:
    """Runs `script` on `host`. Its result is the script's; without a connection nothing was started, and with one that
    breaks nobody knows how it ended."""

    host: str
    script: str
    interpreter: tuple[str, ...] = INTERPRETERS["bash"]
    env: Mapping[str, "str | Secret"] = field(default_factory=lambda: _NO_ENV, repr=False)
    secrets: tuple[Secret, ...] = ()
    risk: Risk = Risk.WRITE
    expected_exits: tuple[int, ...] = (0,)
    config: str = ""
    """An ssh configuration file; empty: the user's own."""

    async def run(self, sink: Sink) -> Result:
        """Run it once."""
        mark = uuid.uuid4().hex
        try:
            content = bundle(self.script, self.interpreter, self.env)
        except ValueError as error:
            return Result(Outcome.FAILED, detail=str(error))
        command = f"sh -c {shlex.quote(_FAR_SIDE.replace('MARK', mark))}"
        start = _Start(mark.encode() + b"\n", sink)
        result = await ShellRunner(
            argv=tuple(ssh_argv(self.host, command, self.config)),
            stdin=content + mark.encode() + b"\n",
            secrets=(*self.secrets, *(value for value in self.env.values() if isinstance(value, Secret))),
            risk=self.risk,
            expected_exits=self.expected_exits,
        ).run(start.take)
        start.flush()
        if result.exit_code != _LOST or result.outcome is not Outcome.FAILED:
            return result
        if not start.seen:
            return replace(result, detail=f"no connection to {self.host}: {start.said or 'ssh failed'}")
        if self.risk is Risk.READ:
            return replace(result, detail=f"the connection to {self.host} broke")
        detail = (
            f"the connection to {self.host} broke; what was running there is ended, and how far it came is not known"
        )
        return replace(result, outcome=Outcome.UNKNOWN, detail=detail)


class _Start:
    """Takes the line out of the output by which the far side says that it begins."""

    def __init__(self, mark: bytes, sink: Sink) -> None:
        self.seen = False
        self._mark = mark
        self._sink = sink
        self._held = b""
        self._waiting = True

    @property
    def said(self) -> str:
        """The last line of what came without a beginning."""
        lines = [line for line in clean_bytes(self._last).splitlines() if line.strip()]
        return clean_line(lines[-1], limit=200) if lines else ""

    _last = b""

    def take(self, piece: bytes) -> None:
        if not self._waiting:
            self._sink(piece)
            return
        self._held += piece
        before, mark, after = self._held.partition(self._mark)
        if mark:
            self.seen, self._waiting = True, False
            self._pass_on(before + after)
        elif len(self._held) > _WAIT_FOR_START:
            self._waiting = False
            self._pass_on(self._held)

    def flush(self) -> None:
        if self._waiting:
            self._last = self._held
            self._pass_on(self._held)

    def _pass_on(self, piece: bytes) -> None:
        self._held = b""
        if piece:
            self._sink(piece)
