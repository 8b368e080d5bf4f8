"""A program under a pseudo-terminal, seen the way a person over SSH meets it.

Used by the benchmarks and by the terminal tests. The screen model is pyte's; what a modern terminal answers to
queries and pyte does not, is answered here.
"""

import contextlib
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import ClassVar

import pyte

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pagedown": "\x1b[6~",
    "pageup": "\x1b[5~",
    "backspace": "\x7f",
    "ctrl+c": "\x03",
    "ctrl+p": "\x10",
    "space": " ",
}

# Modes a program must have switched off when it is gone: alternate screen, mouse, focus, bracketed paste.
MODES = {
    "1049": "alternate screen",
    "1000": "mouse",
    "1002": "mouse",
    "1003": "mouse",
    "1004": "focus",
    "2004": "paste",
}
_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_CURSOR_HIDDEN = re.compile(rb"\x1b\[\?25([hl])")
# Sequences that pyte would print or trip over: private ones with < = > and XTGETTCAP/DCS strings.
_UNKNOWN_TO_PYTE = re.compile(
    rb"\x1b\[[<=>][\d;]*[a-zA-Z]|\x1b\[\?[\d;]*(?:\$p|u)|\x1bP[^\x1b]*\x1b\\|\x1b\[[\d;]*\$[a-z]"
)
_QUERIES: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    (re.compile(rb"\x1b\[c|\x1b\[0c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
    (re.compile(rb"\x1b\[\?u"), b"\x1b[?0u"),
)


@dataclass
class Process:
    """What the kernel has accounted for a process tree."""

    cpu: float
    """Seconds, user and system."""
    rss: float
    """MiB; pages shared between processes count in each."""


@dataclass
class Terminal:
    """A program on a terminal of `columns` x `lines`. Use as a context manager."""

    argv: Sequence[str]
    columns: int = 120
    lines: int = 40
    env: Mapping[str, str] = field(default_factory=dict)
    record: bool = True
    """Keep every byte written, for tests that look at them."""
    patience: ClassVar[float] = 1.0
    """How many times as long as said what is waited for may take: a test that asks whether something comes, and not
    how fast, sets it higher, for machines that are busy with other things."""

    def __post_init__(self) -> None:
        self.screen = pyte.Screen(self.columns, self.lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.received = 0
        self.exit_status: int | None = None
        self._tail = b""
        self.started = time.monotonic()
        self.pid, self.fd = self._spawn()

    def _spawn(self) -> tuple[int, int]:
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **self.env}
        for name in ("COLUMNS", "LINES"):  # would count for more than the size of the terminal
            environment.pop(name, None)
        pid, fd = pty.fork()
        if pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", self.lines, self.columns, 0, 0))
                os.execvpe(self.argv[0], list(self.argv), environment)
            finally:
                os._exit(127)
        return pid, fd

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- reading ---------------------------------------------------------------------------------------------------

    def pump(self, seconds: float) -> int:
        """Read for at most `seconds`, returning as soon as something came; the number of bytes read."""
        if self.fd < 0:
            return 0
        ready, _, _ = select.select([self.fd], [], [], max(0.0, seconds))
        if not ready:
            return 0
        try:
            data = os.read(self.fd, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # EIO: the other side is gone
                raise
            data = b""
        if not data:
            self.hang_up()
            return 0
        self._take(data)
        return len(data)

    def _take(self, data: bytes) -> None:
        self.received += len(data)
        if self.record:
            self.raw += data
        for query, answer in _QUERIES:
            if query.search(data):
                with contextlib.suppress(OSError):
                    os.write(self.fd, answer)
        data = self._tail + data
        cut = data.rfind(b"\x1b")
        # a sequence cut by the read goes in with the next one, else the filter below would not know it
        self._tail = (
            data[cut:] if cut >= 0 and len(data) - cut < 24 and not re.search(rb"[a-zA-Z\\]", data[cut + 2 :]) else b""
        )
        if self._tail:
            data = data[:cut]
        self.stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))

    def text(self) -> str:
        """The screen as lines of text, right-trimmed."""
        # Not pyte's `display`: it fails where half of a wide character is overwritten, as happens between two reads.
        rows = (self.screen.buffer[y] for y in range(self.screen.lines))
        return "\n".join("".join(row[x].data for x in range(self.screen.columns)).rstrip() for row in rows)

    def wait_until(self, condition: Callable[[], bool], timeout: float, what: str) -> float:
        """Read until `condition` holds; seconds it took.

        Raises:
            AssertionError: it did not hold within `timeout` times `patience`; the message shows the screen.
        """
        begin, longest = time.monotonic(), timeout * self.patience
        while not condition():
            left = longest - (time.monotonic() - begin)
            if left <= 0:
                raise AssertionError(f"not within {longest:g} s: {what}\n--- screen ---\n{self.text()}")
            if self.fd < 0:
                raise AssertionError(f"the program ended before: {what}\n--- screen ---\n{self.text()}")
            self.pump(min(left, 0.25))
        return time.monotonic() - begin

    def wait_for(self, pattern: str, timeout: float = 30.0) -> float:
        """Read until the screen matches the regular expression `pattern`."""
        compiled = re.compile(pattern, re.MULTILINE)
        return self.wait_until(lambda: compiled.search(self.text()) is not None, timeout, f"screen shows {pattern!r}")

    def wait_gone(self, pattern: str, timeout: float = 30.0) -> float:
        """Read until the screen no longer matches `pattern`."""
        compiled = re.compile(pattern, re.MULTILINE)
        return self.wait_until(lambda: compiled.search(self.text()) is None, timeout, f"screen without {pattern!r}")

    def settle(self, quiet: float = 0.3, timeout: float = 5.0) -> None:
        """Read until nothing came for `quiet` seconds, or `timeout` is over."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and self.pump(quiet):
            pass

    def watch(self, seconds: float) -> int:
        """Read for exactly `seconds`; the number of bytes written in that time."""
        before, end = self.received, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.pump(left)
        return self.received - before

    # -- writing ---------------------------------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Send keys by name, or text as it is."""
        for key in keys:
            os.write(self.fd, KEYS.get(key, key).encode())

    def resize(self, columns: int, lines: int) -> None:
        """Change the window's size, as a terminal emulator does."""
        self.columns, self.lines = columns, lines
        self.screen.resize(lines, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    # -- the process -----------------------------------------------------------------------------------------------

    def signal(self, number: int) -> None:
        """Send a signal to the program itself."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Close the terminal's side, as a dropped connection does."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def wait_exit(self, timeout: float = 5.0) -> int:
        """The exit code (128+n for a signal), reading on so that the program is not blocked by a full terminal.

        Raises:
            AssertionError: it is still there after `timeout`.
        """
        end = time.monotonic() + timeout
        while self.exit_status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_status = status
                break
            if time.monotonic() > end:
                raise AssertionError(f"still running after {timeout} s\n--- screen ---\n{self.text()}")
            if not self.pump(0.02) and self.fd < 0:
                time.sleep(0.01)  # nothing to await: the child is no longer on our terminal
        while self.pump(0.05):
            pass
        return (
            os.waitstatus_to_exitcode(self.exit_status) % 256
            if not os.WIFSIGNALED(self.exit_status)
            else 128 + os.WTERMSIG(self.exit_status)
        )

    def usage(self) -> Process:
        """CPU seconds and memory of the program and its descendants so far."""
        return tree_usage(self.pid)

    def modes_left_on(self) -> list[str]:
        """What a program that is gone has forgotten to switch off."""
        on: dict[str, bool] = {}
        for match in _MODE.finditer(self.raw):
            for mode in match.group(1).decode().split(";"):
                on[mode] = match.group(2) == b"h"
        left = [name for mode, name in MODES.items() if on.get(mode)]
        shown = _CURSOR_HIDDEN.findall(self.raw)
        return left + (["cursor hidden"] if shown and shown[-1] == b"l" else [])

    def close(self) -> None:
        """End the program, the hard way if need be."""
        if self.exit_status is None:
            with contextlib.suppress(ProcessLookupError, AssertionError):
                os.kill(self.pid, signal.SIGTERM)
                self.wait_exit(3.0)
        if self.exit_status is None:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                _, self.exit_status = os.waitpid(self.pid, 0)
        self.hang_up()


def tree_usage(root: int) -> Process:
    """What the processes under `root`, itself included, have used."""
    cpu, rss = 0.0, 0.0
    for pid in descendants(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            rss += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20
        except (FileNotFoundError, ProcessLookupError, IndexError):
            continue
        # utime, stime and those of children that were waited for: fields 14 to 17 of proc(5)
        cpu += sum(int(ticks) for ticks in fields[11:15]) / TICKS
    return Process(cpu, rss)


def descendants(root: int) -> list[int]:
    """`root` and every process below it."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(folder.name))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue.extend(parents.get(pid, []))
    return found
