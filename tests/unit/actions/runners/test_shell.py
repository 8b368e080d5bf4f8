"""The shell runner, on real processes."""

import asyncio
import base64
import errno
import os
import select
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from opsconsole.actions.action import Action, Outcome, Result, Risk
from opsconsole.actions.confirmation import Confirmation
from opsconsole.actions.door import Door
from opsconsole.actions.guard import Context
from opsconsole.actions.runners.shell import INTERPRETERS, ShellRunner
from opsconsole.config.settings import Mode, Role
from opsconsole.core.secret import Secret
from opsconsole.store.sqlite import SqliteJournal

HOSTILE = {
    "sql": "'; drop table x;--",
    "substitution": "$(touch pwned)`id`${HOME}",
    "newline": "first\nsecond\n\nlast",
    "dash": "-rf",
    "double dash": "--",
    "unicode": "“quotes” ’ é 漢 \u202e",
    "percent": "%s%n%d",
    "slots": ":'X' :\"X\" $$ $1",
    "glob": "* ? [a-z] ~",
    "backslash": "\\n \\\\ \\",
    "escape": "\x1b[31m\x07\x7f",
    "not UTF-8": "\udcff\udc80",
    "long": "x" * 100_000,
    "empty": "",
    "spaces": "  a  b\t ",
}


async def ran(script: str, **changes: object) -> tuple[Result, bytes]:
    output: list[bytes] = []
    result = await ShellRunner(script, **changes).run(output.append)  # type: ignore[arg-type]
    return result, b"".join(output)


def alive(pid: int) -> bool:
    """Whether a process of that number runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(pid: int) -> bool:
    """Whether a process that was sent SIGKILL ends within 5 s."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 5)[0])
    finally:
        os.close(descriptor)


def exists(path: str | Path) -> bool:
    return Path(path).exists()


async def cancelled_once(runner: ShellRunner, ready: Callable[[bytes], bool]) -> tuple[Result, bytes]:
    """Run, cancel when the output says `ready`, and see how it ended."""
    output = bytearray()
    saw = asyncio.Event()

    def sink(piece: bytes) -> None:
        output.extend(piece)
        if ready(bytes(output)):
            saw.set()

    task = asyncio.create_task(runner.run(sink))
    await asyncio.wait_for(saw.wait(), 10)
    task.cancel()
    return await asyncio.wait_for(task, 20), bytes(output)


class TestValues:
    @pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
    async def test_reach_the_script_byte_for_byte(self, value: str, tmp_path: Path) -> None:
        result, output = await ran('printf %s "$VALUE" | base64 -w0', env={"VALUE": value}, cwd=tmp_path)
        assert result.outcome is Outcome.OK
        assert base64.b64decode(output) == value.encode("utf-8", "surrogateescape")
        assert not exists(tmp_path / "pwned")

    @pytest.mark.parametrize(
        ("name", "value", "says"),
        [
            ("X", "a\x00b", "NUL"),
            ("X", "x" * 1_000_000, "1000002 bytes"),
            ("LD_PRELOAD", "/tmp/evil.so", "choose another name"),
            ("BASH_ENV", "/tmp/evil", "choose another name"),
            ("BASH_FUNC_ls%%", "() { id; }", "cannot be the name"),
            ("PYTHONSTARTUP", "x", "choose another name"),
            ("PATH", "/tmp", "choose another name"),
            ("IFS", "/", "choose another name"),
            ("OPS_OUT", "/etc/passwd", "choose another name"),
            ("A B", "x", "cannot be the name"),
            ("A=B", "x", "cannot be the name"),
            ("", "x", "cannot be the name"),
        ],
    )
    async def test_that_cannot_be_passed_safely_stop_the_step(self, name: str, value: str, says: str) -> None:
        result, output = await ran("echo ran", env={name: value})
        assert result.outcome is Outcome.FAILED
        assert says in result.detail
        assert output == b""

    async def test_more_than_the_system_takes_altogether_is_said(self) -> None:
        result, _ = await ran("true", env={f"V{n}": "x" * 130_000 for n in range(60)})
        assert result.outcome is Outcome.FAILED
        assert "could not be started" in result.detail


class TestSurroundings:
    async def test_only_a_short_list_is_inherited(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        trap = tmp_path / "trap"
        trap.write_text("echo TRAPPED")
        for name in ("BASH_ENV", "ENV", "LD_LIBRARY_PATH", "PYTHONPATH", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
            monkeypatch.setenv(name, str(trap))
        monkeypatch.setenv("LC_TIME", "C")
        monkeypatch.setenv("KUBECONFIG", "/k")
        for interpreter in INTERPRETERS["bash"], INTERPRETERS["sh"], ("bash",):
            result, output = await ran("env", interpreter=interpreter, env={"GIVEN": "1"})
            assert result.outcome is Outcome.OK
            assert b"TRAPPED" not in output
            names = {line.partition(b"=")[0].decode() for line in output.splitlines()}
            assert {"GIVEN", "LC_TIME", "KUBECONFIG", "PATH", "OPS_OUT"} <= names
            assert not names & {
                "BASH_ENV",
                "ENV",
                "LD_LIBRARY_PATH",
                "PYTHONPATH",
                "AWS_SECRET_ACCESS_KEY",
                "PGPASSWORD",
            }

    async def test_stdin_is_empty_and_the_script_is_not_on_it(self) -> None:
        result, output = await ran("cat; readlink /proc/self/fd/0; echo after")
        assert result.outcome is Outcome.OK
        assert output == b"/dev/null\nafter\n"

    async def test_files_it_makes_are_private_and_so_is_the_script(self, tmp_path: Path) -> None:
        _, output = await ran('touch new; stat -c %a new "$0"; echo "$0"', cwd=tmp_path)
        new, script, path = output.decode().split()
        assert (new, script) == ("600", "600")
        assert not exists(path)
        assert not exists(Path(path).parent)

    async def test_it_has_a_session_of_its_own_and_no_terminal(self) -> None:
        _, output = await ran(
            'ps -o sid= -p $$; echo $$; (: < /dev/tty) 2>&1 || echo "no terminal"', interpreter=("bash",)
        )
        sid, pid = output.split()[:2]
        assert sid == pid
        assert int(sid) != os.getsid(0)
        assert output.endswith(b"no terminal\n")

    async def test_no_descriptor_of_ours_leaks_into_it(self, tmp_path: Path) -> None:
        with (tmp_path / "open").open("w") as file:
            os.set_inheritable(file.fileno(), True)
            _, output = await ran("ls /proc/self/fd | wc -l")
        assert int(output) <= 4  # 0, 1, 2 and the one `ls` reads the folder with

    async def test_the_folder_it_runs_in(self, tmp_path: Path) -> None:
        _, output = await ran("pwd", cwd=tmp_path)
        assert output.decode().strip() == str(tmp_path)


class TestEnd:
    @pytest.mark.parametrize(
        ("script", "risk", "outcome", "exit_code"),
        [
            ("exit 0", Risk.WRITE, Outcome.OK, 0),
            ("exit 1", Risk.WRITE, Outcome.FAILED, 1),
            ("exit 2", Risk.WRITE, Outcome.FAILED, 2),
            ("exit 2", Risk.READ, Outcome.WARN, 2),
            ("exit 1", Risk.READ, Outcome.FAILED, 1),
            ("kill -SEGV $$", Risk.READ, Outcome.FAILED, 139),
            ("kill -TERM $$", Risk.WRITE, Outcome.FAILED, 143),
            ("false; echo went on", Risk.WRITE, Outcome.FAILED, 1),
            ("false | true", Risk.WRITE, Outcome.FAILED, 1),
        ],
    )
    async def test_the_exit_code_decides(self, script: str, risk: Risk, outcome: Outcome, exit_code: int) -> None:
        result, output = await ran(script, risk=risk)
        assert (result.outcome, result.exit_code) == (outcome, exit_code)
        assert output == b""

    @pytest.mark.parametrize(
        ("script", "says"),
        [
            ("exit 128", "exit code 128"),
            ("exit 255", "exit code 255"),
            ("yes | head -n 1 > /dev/null", "exit code 141 (128 + SIGPIPE)"),
            ("kill -ABRT $$", "ended by SIGABRT"),
            ("kill -40 $$", "ended by signal 40"),
        ],
    )
    async def test_how_it_ended_is_said(self, script: str, says: str) -> None:
        assert (await ran(script))[0].detail == says

    async def test_other_exits_can_be_expected(self) -> None:
        assert (await ran("exit 3", expected_exits=(0, 3)))[0].outcome is Outcome.OK
        assert (await ran("exit 2", expected_exits=(2,), risk=Risk.READ))[0].outcome is Outcome.OK

    async def test_what_cannot_be_started_says_why(self, tmp_path: Path) -> None:
        result, _ = await ran("true", interpreter=("no-such-shell",))
        assert (result.outcome, result.exit_code) == (Outcome.FAILED, 127)
        assert "no-such-shell" in result.detail
        result, _ = await ran("true", cwd=tmp_path / "missing")
        assert "missing" in result.detail
        (tmp_path / "text").write_text("no program")
        result, _ = await ran("true", interpreter=(str(tmp_path / "text"),))
        assert result.exit_code == 126

    async def test_a_child_in_the_background_that_holds_the_output_does_not_hold_the_step(self) -> None:
        started = time.monotonic()
        result, output = await ran("sleep 60 & echo $!; sleep 0.2")
        pid = int(output)
        try:
            assert time.monotonic() - started < 5
            assert result.outcome is Outcome.OK
            assert result.detail == f"left running: sleep (pid {pid})"
            assert alive(pid)
        finally:
            os.kill(pid, 9)

    async def test_a_child_in_the_background_that_goes_on_talking_does_not_either(self) -> None:
        first = bytearray()
        runner = ShellRunner("yes & echo $!; sleep 0.1")
        result = await runner.run(lambda piece: first.extend(piece if len(first) < 100_000 else b""))
        pid = int(first.replace(b"y", b"").split()[0])
        assert result.outcome is Outcome.OK
        assert gone(pid)  # nobody listens any more

    async def test_the_process_is_reaped(self) -> None:
        pids: list[int] = []
        await ran("exit 0", on_start=pids.append)
        assert not exists(f"/proc/{pids[0]}")

    async def test_when_its_start_cannot_be_noted_it_is_ended(self) -> None:
        pids: list[int] = []

        def fails(pid: int) -> None:
            pids.append(pid)
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            await ran("sleep 60", on_start=fails, grace=0.2)
        assert not alive(pids[0])


def pids_in(output: bytes) -> list[int]:
    return [int(word) for word in output.split() if word.isdigit()]


class TestCancellation:
    async def test_ends_the_whole_group_with_children_in_the_background(self) -> None:
        runner = ShellRunner("sleep 60 & echo $!; (sleep 60 & echo $!; wait) & echo $$ ready; wait")
        result, output = await cancelled_once(runner, lambda text: b"ready" in text and len(pids_in(text)) == 3)
        assert (result.outcome, result.exit_code, result.detail) == (Outcome.CANCELLED, 143, "ended by SIGTERM")
        assert not any(map(alive, pids_in(output)))

    async def test_kills_what_ignores_the_request(self) -> None:
        runner = ShellRunner("trap '' TERM; sleep 60 & echo $! $$ ready; wait; wait", grace=0.2)
        result, output = await cancelled_once(runner, lambda text: b"ready" in text)
        assert (result.outcome, result.exit_code) == (Outcome.CANCELLED, 137)
        assert "did not end on SIGTERM within" in result.detail
        assert all(map(gone, pids_in(output)))

    async def test_kills_a_grandchild_that_ignores_it_though_its_parent_is_gone(self) -> None:
        runner = ShellRunner("bash -c 'trap \"\" TERM; echo $$ ready; while :; do sleep 0.05; done' & wait", grace=0.3)
        result, output = await cancelled_once(runner, lambda text: b"ready" in text)
        assert result.outcome is Outcome.CANCELLED
        assert result.exit_code == 143
        assert "SIGKILL" in result.detail
        assert gone(pids_in(output)[0])

    async def test_lets_it_clean_up_within_the_grace(self) -> None:
        runner = ShellRunner("trap 'echo cleaned; exit 7' TERM; echo ready; sleep 60 & wait", grace=10)
        started = time.monotonic()
        result, output = await cancelled_once(runner, lambda text: b"ready" in text)
        assert output == b"ready\ncleaned\n"
        assert (result.outcome, result.exit_code) == (Outcome.CANCELLED, 7)
        assert time.monotonic() - started < 5

    async def test_wakes_what_is_stopped(self) -> None:
        started = time.monotonic()
        result, _ = await cancelled_once(ShellRunner("echo ready; kill -STOP $$"), lambda text: b"ready" in text)
        assert result.exit_code == 143
        assert time.monotonic() - started < 5

    async def test_a_second_time_shortens_the_grace(self) -> None:
        saw = asyncio.Event()
        runner = ShellRunner("trap 'echo asked' TERM; echo ready; while :; do sleep 0.1 || :; done", grace=60)
        seen = bytearray()

        def sink(piece: bytes) -> None:
            seen.extend(piece)
            if b"asked" in seen or (b"ready" in seen and not task.cancelling()):
                saw.set()

        task = asyncio.create_task(runner.run(sink))
        await asyncio.wait_for(saw.wait(), 10)
        saw.clear()
        task.cancel()
        await asyncio.wait_for(saw.wait(), 10)
        started = time.monotonic()
        task.cancel()
        result = await asyncio.wait_for(task, 10)
        assert time.monotonic() - started < 4
        assert (result.outcome, result.exit_code) == (Outcome.CANCELLED, 137)

    async def test_reports_who_left_the_group(self) -> None:
        runner = ShellRunner("setsid sh -c 'echo ready; exec sleep 60' & wait; sleep 60", grace=1)
        result, _ = await cancelled_once(runner, lambda text: b"ready" in text)
        assert "still running, outside its process group: " in result.detail
        pid = int(result.detail.rpartition("pid ")[2].rstrip(")"))
        assert alive(pid)
        os.kill(pid, 9)

    async def test_leaves_no_temporary_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        await cancelled_once(ShellRunner("echo ready; sleep 60"), lambda text: b"ready" in text)
        assert os.listdir(tmp_path) == []


class TestOutput:
    async def test_both_streams_arrive_in_order_and_whole(self, tmp_path: Path) -> None:
        spool = tmp_path / "step.out"
        result, output = await ran("echo one; echo two >&2; printf three", spool=spool)
        assert output == b"one\ntwo\nthree"
        assert spool.read_bytes() == output
        assert stat.S_IMODE(spool.stat().st_mode) == 0o600
        assert result.output_bytes == 13

    async def test_bytes_that_are_no_text_pass_unchanged(self) -> None:
        _, output = await ran(r"printf '\xff\x00\xc3'; sleep 0.05; printf '\xbc\r\n\x1b]52;c;eA==\x07'")
        assert output == b"\xff\x00\xc3\xbc\r\n\x1b]52;c;eA==\x07"

    async def test_it_streams(self) -> None:
        result, output = await cancelled_once(ShellRunner("echo early; sleep 60"), lambda text: text == b"early\n")
        assert output == b"early\n"
        assert result.output_bytes == 6

    async def test_secrets_are_masked_on_the_screen_and_in_the_file(self, tmp_path: Path) -> None:
        spool = tmp_path / "step.out"
        script = """
            printf '%s' "$TOKEN" | head -c 5; sleep 0.05; printf '%s' "$TOKEN" | tail -c +6; echo
            printf 'user:%s' "$TOKEN" | base64
            echo "https://x/?t=hunter2%2Fhunter2"
        """
        secret = Secret("hunter2/hunter2")
        result, output = await ran(script, env={"TOKEN": secret}, spool=spool, secrets=(Secret("another one"),))
        assert result.outcome is Outcome.OK
        assert output == spool.read_bytes()
        assert b"hunter2" not in output
        assert output.count(b"***") == 3
        assert base64.b64encode(b"user:hunter2/hunter2")[10:18] not in output

    async def test_a_secret_is_in_no_argument_and_no_repr(self) -> None:
        runner = ShellRunner("tr '\\0' ' ' < /proc/$$/cmdline", env={"TOKEN": Secret("hunter2hunter2")})
        output: list[bytes] = []
        await runner.run(output.append)
        assert b"hunter2" not in b"".join(output)
        assert b"***" not in b"".join(output)
        assert "hunter2" not in repr(runner)

    async def test_a_file_that_cannot_be_written_does_not_stop_the_step(self, tmp_path: Path) -> None:
        result, output = await ran("echo hello", spool=tmp_path / "no" / "such" / "folder")
        assert result.outcome is Outcome.OK
        assert output == b"hello\n"
        assert "the output is not kept" in result.detail

    async def test_a_full_disk_is_told_and_the_step_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spool, write = tmp_path / "step.out", os.write

        def full(descriptor: int, piece: bytes) -> int:
            if os.path.sameopenfile(descriptor, reference) and os.fstat(descriptor).st_size >= 6:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(descriptor, bytes(piece)[:6])

        reference = os.open(spool, os.O_WRONLY | os.O_CREAT)
        monkeypatch.setattr(os, "write", full)
        result, output = await ran("echo hello; sleep 0.05; echo more", spool=spool)
        os.close(reference)
        assert result.outcome is Outcome.OK
        assert output == b"hello\nmore\n"
        assert "the output is kept up to byte 6: No space left" in result.detail

    async def test_a_spool_is_never_written_through_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "victim").write_text("precious")
        (tmp_path / "step.out").symlink_to(tmp_path / "victim")
        result, _ = await ran("echo hello", spool=tmp_path / "step.out")
        assert (tmp_path / "victim").read_text() == "precious"
        assert "the output is not kept" in result.detail


class TestCapture:
    async def test_values_are_handed_on(self) -> None:
        script = 'echo A=1 >> "$OPS_OUT"; printf "B<<END\\nx=1\\n\\ny\\nEND\\n" >> "$OPS_OUT"; echo C=3 >> "$OPS_OUT"'
        result, _ = await ran(script, capture=("A", "B"))
        assert result.outcome is Outcome.OK
        assert dict(result.captured) == {"A": "1", "B": "x=1\n\ny"}
        assert "ignored: C" in result.detail

    async def test_what_was_promised_has_to_come(self) -> None:
        result, _ = await ran("true", capture=("A",))
        assert result.outcome is Outcome.FAILED
        assert "did not write A" in result.detail

    async def test_what_failed_hands_nothing_on(self) -> None:
        result, _ = await ran('echo A=1 > "$OPS_OUT"; exit 1', capture=("A",))
        assert result.captured == ()

    @pytest.mark.parametrize(
        ("script", "says"),
        [
            (r'printf "A=\033[31m\n" > "$OPS_OUT"', "control character"),
            (r'printf "A=a\000b\n" > "$OPS_OUT"', "control character"),
            (r'printf "A=\377\n" > "$OPS_OUT"', "not UTF-8"),
            ('echo "no pair" > "$OPS_OUT"', "neither"),
            ('echo "A<<END" > "$OPS_OUT"', "does not end"),
            ('head -c 70000 /dev/zero | tr "\\0" A > "$OPS_OUT"', "more than 65536 bytes"),
            ('echo "A=$TOKEN" > "$OPS_OUT"', "secret"),
            ('ln -s /etc/passwd "$OPS_OUT"', "cannot be read"),
            ('mkfifo "$OPS_OUT"', "not a file"),
            ('mkdir "$OPS_OUT"', "not a file"),
        ],
    )
    async def test_what_cannot_be_trusted_fails_the_step(self, script: str, says: str) -> None:
        result, _ = await ran(script, capture=("A",), env={"TOKEN": Secret("hunter2hunter2")})
        assert result.outcome is Outcome.FAILED
        assert says in result.detail
        assert result.captured == ()


async def test_without_pidfd_the_end_is_still_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    result, output = await ran("echo hello; exit 3")
    assert (output, result.exit_code) == (b"hello\n", 3)
    result, _ = await cancelled_once(ShellRunner("echo ready; sleep 60"), lambda text: b"ready" in text)
    assert result.exit_code == 143


async def test_many_at_once_do_not_mix(tmp_path: Path) -> None:
    runners = [ShellRunner('sleep 0.0$N; echo "$N" > "$OPS_OUT.x"; echo "N=$N" > "$OPS_OUT"') for _ in range(10)]
    runs = [replace(runner, env={"N": str(n)}, capture=("N",)).run(lambda _: None) for n, runner in enumerate(runners)]
    results = await asyncio.gather(*runs)
    assert [dict(result.captured)["N"] for result in results] == [str(n) for n in range(10)]


async def test_through_the_door_a_timeout_ends_the_group_and_is_recorded(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    context = Context("alice", "ops1", "production", Mode.OPEN, Role.OPERATOR)
    pids = tmp_path / "pids"
    runner = ShellRunner('trap "" TERM; sleep 60 & echo $! > "$PIDS"; wait', env={"PIDS": str(pids)}, grace=0.2)
    action = Action("test.act", "Act", "sleep", "thing", Risk.WRITE, runner, timeout=0.5)
    result = await Door(context, journal).perform(action, Confirmation.none(), sink=lambda _: None)
    assert (result.outcome, result.exit_code) == (Outcome.TIMED_OUT, 137)
    assert result.detail.startswith("it did not end within 500 ms; ended by SIGKILL")
    assert gone(int(await asyncio.to_thread(pids.read_text)))
    [entry] = journal.entries()
    assert entry.outcome == "timed-out"
    assert entry.conclusion is not None
    assert entry.conclusion.detail == result.detail
    journal.close()
