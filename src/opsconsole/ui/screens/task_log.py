"""The log of one try of a task, followed while the task runs."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import wrap
from typing import ClassVar, overload

from textual.app import ComposeResult

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.causes import ErrorFinder
from opsconsole.pipelines.log_absence import AbsenceFinder, NoLogError
from opsconsole.pipelines.log_tail import MOST_LINES, LogTail
from opsconsole.pipelines.model import FAILED, FINISHED, LogLine, Task
from opsconsole.ui.actions import Place
from opsconsole.ui.dialogs.prompt import Ask
from opsconsole.ui.filtering import Matcher, matcher
from opsconsole.ui.lines import Line, Lines, Role, Span, fit_line, line, text_of, wrapped
from opsconsole.ui.pipelines.awaited_log import awaited_log
from opsconsole.ui.pipelines.recovery import recovery_of
from opsconsole.ui.screens.text import Scroller, TextView, paragraphs
from opsconsole.ui.screens.view import View
from opsconsole.ui.widgets.canvas import Canvas
from opsconsole.ui.working import go_on

_ASKING = "asking…"
_PAUSE = 2.0
"""Seconds between two looks at the log of a task that runs."""
_LONG = 3.0
"""Seconds after which it is said how long it is waited for."""
_TOO_LONG = 20.0
"""Seconds of waiting for a log that then does not come, from which it is not asked for again by itself: Airflow goes
on with what it was asked for, and each new question makes all of them slower."""
_BREATH = 4.0
"""Times that a look took, until the next one."""
_AT_ONCE = 500
"""Lines between two chances for keys while a long log is read,"""
_REPAINT = 0.5
"""and seconds between two repaints."""
_LONGEST = 20_000
"""Characters of a line at most, as it comes."""
_EMPTY = "Airflow sends an empty one"
_WHAT_NOW = (
    "It may never have run (queued, and lost its worker), or its worker is gone with the disk that had it, or it was "
    "cleaned up. left and right go to other tries."
)
_LOOKED_AT = 500
"""Lines at the end of a log in which its error is looked for,"""
_CAUSE = 3
"""and lines that it takes on screen."""
_ROLES: dict[str, Role] = {"error": "crit", "critical": "crit", "warning": "warn", "debug": "dim"}


class TaskLogView(View):
    """A log: `/` shows only what matches, up and down try another try."""

    place: ClassVar[Place] = Place.LOG

    DEFAULT_CSS = """
    TaskLogView { padding: 0 1; }
    TaskLogView #summary { height: 1; }
    TaskLogView #cause { height: auto; display: none; }
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.title = f"Log of {clean_line(task.title, limit=60)}"
        self._tried = task
        self._number = task.try_number
        self._lines = LogTail(_unread)
        self._found = LogTail(_unread)
        """Those of them that match, and of a search through all of it those that matched before."""
        self._absence = AbsenceFinder()
        self._absent = ""
        """Why there is no log; empty where there is one, or it is not known yet."""
        self._said = _ASKING
        self._asked_at = time.monotonic()
        self._over = False
        """It was read to its end, and nothing more will be written."""
        self._failed = ""
        self._given_up = False
        """It failed so late that it is only asked for again when somebody says so."""
        self._filter = ""
        self._matches: Matcher | None = None
        self._following = True
        self._latest = True
        """It is the task that is watched, and not one try of it that is over."""
        self._cause = ""
        """The error that the log of a failed try ends with."""
        self._summary = Canvas(self._paint_summary, id="summary")
        self._cause_lines = Canvas(self._paint_cause, id="cause")
        self._scroller = Scroller(self._page)

    def compose(self) -> ComposeResult:
        yield self._summary
        yield self._cause_lines
        yield self._scroller

    # Life

    def entered(self) -> None:
        """Read from now on. Who comes back, from the help or a line, finds what was read."""
        if not (self._over or self._given_up or self._reading):
            go_on(self, self._follow, "log")

    def tick(self, now: float) -> None:
        """Say how long it is waited for."""
        if self._waits:
            self._scroller.repaint()

    def left(self) -> None:
        """Nobody looks. What does not come yet is waited for all the same: asked anew, it would take as long again."""
        if not self._waits:
            self.workers.cancel_group(self, "log")

    def closed(self) -> None:
        """Nobody will look."""
        self.workers.cancel_group(self, "log")

    @property
    def _reading(self) -> bool:
        return any(one.group == "log" and one.node is self and not one.is_finished for one in self.workers)

    def _begin(self) -> None:
        self._forget()
        go_on(self, self._follow, "log")

    def _forget(self) -> None:
        self._lines, self._found = LogTail(_unread), LogTail(_unread)
        self._absence, self._absent = AbsenceFinder(), ""
        self._said, self._failed, self._cause, self._given_up = _ASKING, "", "", False
        self._over, self._asked_at = False, time.monotonic()

    async def _follow(self) -> None:
        """Read to the end, and go on while the task does, into its next try where its end is in view."""
        opened = self.console.session.families.get("pipelines")
        assert opened is not None, "the view is only opened where there is an Airflow"
        airflow = (await opened()).airflow
        while True:
            began = time.monotonic()
            try:
                unknown = await self._read(airflow)
                over = await self._has_ended(airflow)
            except SourceError as error:
                over, self._failed = False, clean_line(error.message)
                self._given_up = time.monotonic() - began > _TOO_LONG and not self._lines.fed
            else:
                self._absent = unknown or (self._absence.reason or _EMPTY if self._absence.absent else "")
                self._failed, self._cause = "", "" if self._absent else self._found_cause()
                self._said = "" if over else self._goes_on()
            self._show()
            if over or self._given_up:
                self._over = over
                return
            if not self._failed and self._next_has_begun():
                self._number = self._tried.try_number
                self._forget()
                continue
            # Airflow reads the log from its beginning each time: one that takes it long is not asked for all the time.
            await asyncio.sleep(max(_PAUSE, _BREATH * (time.monotonic() - began)))

    async def _read(self, airflow: Airflow) -> str:
        """The lines after those that are known; why there are none, where Airflow does not know of the try."""
        try:
            await self._read_lines(airflow)
        except NoLogError as error:
            return clean_line(error.message)
        return ""

    async def _read_lines(self, airflow: Airflow) -> None:
        """Airflow sends a log from its beginning."""
        seen, painted = 0, time.monotonic()
        known = self._lines.fed
        async for raw, parse in airflow.raw_log(self._tried, self._number):
            seen += 1
            if seen > known:
                if not self._lines.fed:
                    self._lines, self._found = LogTail(parse), LogTail(parse)
                if self._absence.absent:
                    self._absence.see(parse(raw))
                self._take(raw, parse(raw).searched if self._matches is not None else "")
            if seen % _AT_ONCE == 0:
                if time.monotonic() - painted > _REPAINT:
                    painted = time.monotonic()
                    self._said = "reading…"
                    self._show()
                await asyncio.sleep(0)  # keys come first

    def _take(self, raw: str, text: str) -> None:
        self._lines.feed(raw)
        if self._matches is not None and self._matches(text):
            self._found.feed(raw)

    async def _has_ended(self, airflow: Airflow) -> bool:
        """Whether nothing more will be written to what is looked at."""
        if not self._latest:
            return True
        told = await airflow.run(self._tried.dag_id, self._tried.run_id)
        tasks = told.value.tasks if told.value is not None else ()
        now = next((one for one in tasks if one.key == self._tried.key), None)
        if now is None:
            return True
        self._tried = now
        if now.try_number <= self._number:
            return now.state in FINISHED
        if not self._following:  # somebody reads: what he reads is not taken away
            self._latest = False
            self.console.tell(f"try {now.try_number} has begun; right goes there")
        return not self._latest

    def _next_has_begun(self) -> bool:
        """Whether there is more to see in the try after this one than that it waits."""
        task = self._tried
        return task.try_number > self._number and (task.state == "running" or task.state in FINISHED)

    def _goes_on(self) -> str:
        task = self._tried
        if task.try_number > self._number or task.state == "up_for_retry":
            return f"its next try waits: {clean_line(task.state, limit=40)}"
        return "it goes on"

    def _found_cause(self) -> str:
        """The error at the end of a try that failed; empty of others. It is cut in the log where it is long."""
        if self._number >= self._tried.try_number and self._tried.state not in (*FAILED, "up_for_retry"):
            return ""
        finder = ErrorFinder()
        for raw in list(self._lines.raw)[-_LOOKED_AT:]:
            finder.see(self._lines.parse(raw))
        return clean_line(finder.error, limit=1000)

    # Showing

    def _show(self) -> None:
        self._summary.repaint()
        self._cause_lines.display = bool(self._cause)
        self._cause_lines.styles.height = len(self._paint_cause(self.size.width - 2, 0))
        self._cause_lines.repaint()
        if self._following:
            self._scroller.scroll_by(self._scroller.total + MOST_LINES)
        else:
            self._scroller.repaint()

    def _page(self, width: int) -> Sequence[Line]:
        if self._absent:
            return self._without_log(width)
        if len(self._shown):
            return _Painted(self._shown)
        waited = time.monotonic() - self._asked_at
        if (self._waits and waited >= _LONG) or self._given_up:
            return awaited_log(self._tried, self._number, waited, width, given_up=self._given_up)
        return (line(Span(self._nothing(), "dim")),)

    @property
    def _waits(self) -> bool:
        """It was asked for, and nothing has come."""
        return self._said == _ASKING and not (self._failed or self._lines.fed)

    @property
    def _shown(self) -> LogTail:
        """The lines that the filter leaves."""
        return self._lines if self._matches is None else self._found

    def _without_log(self, width: int) -> Sequence[Line]:
        """That there is none, why, and what that may mean."""
        task = self._tried
        if self._said:
            return (line(Span(f"nothing is logged yet: it is {clean_line(task.state or 'waiting', limit=40)}", "dim")),)
        told = [*wrap(clean_line(self._absent, limit=2000), max(20, width)), "", *wrap(_WHAT_NOW, max(20, width))]
        head = Span(f"There is no log of try {self._number}.", "strong")
        return (line(head), *(line(Span(one, "dim")) for one in told))

    def _nothing(self) -> str:
        if self._failed:
            return ""
        if self._matches is not None and len(self._lines):
            return "no line matches"
        return self._said or "the log is empty"

    def _paint_cause(self, width: int, _height: int) -> Lines:
        if not self._cause:
            return ()
        return tuple(line(Span(text, "crit")) for text in wrapped(self._cause, width, _CAUSE))

    def _paint_summary(self, width: int, _height: int) -> Lines:
        task = self._tried
        tried = f"{clean_line(task.title, limit=60)}  try {self._number} of {task.try_number}"
        amount = Span("   no log", "warn") if self._absent else Span(f"   {self._lines.fed:,} lines")
        spans = [Span(tried, "strong"), amount]
        if self._lines.dropped and self._matches is None:
            spans.append(Span(f", the last {len(self._lines):,} kept", "warn"))
        if self._filter:
            kept = f", the last {len(self._found):,} kept" if self._found.dropped else ""
            spans.append(Span(f"   filter {self._filter}: {self._found.fed:,}{kept}", "accent"))
        if self._failed:
            spans.append(Span(f"   ERROR {self._failed}{'' if self._given_up else '; trying again'}", "error"))
        elif self._said:
            spans.append(Span(f"   {self._said}", "dim"))
        spans.append(Span(f"   {clean_line(f'{task.dag_id}  {task.run_id}')}", "dim"))  # what is above, too, goes first
        return (fit_line(line(*spans), width),)

    # What the keys do

    def hints(self) -> list[tuple[str, str]]:
        """Back, first of all."""
        return [("back", "back"), *((one, word) for one, word in super().hints() if one != "back")]

    def do_previous_try(self) -> None:
        """The try before."""
        self._turn_to(self._number - 1)

    def do_next_try(self) -> None:
        """The try after."""
        self._turn_to(self._number + 1)

    def _turn_to(self, number: int) -> None:
        if not 1 <= number <= self._tried.try_number:
            self.console.tell(f"there is no try {number}: it was tried {self._tried.try_number} times")
            return
        self._number, self._following, self._latest = number, True, number == self._tried.try_number
        self._begin()

    def do_whole_lines(self) -> None:
        """Read what is in view without what the edge of the screen cuts off."""
        lines = self._shown[self._scroller.in_view]
        if self._absent or not lines:
            self.console.tell("there is no line in view")
            return
        title = f"Lines of {clean_line(self._tried.title, limit=60)}, try {self._number}"
        self.console.open_view(TextView(title, lambda width: [part for one in lines for part in _whole(one, width)]))

    def do_filter(self) -> None:
        """Show only the lines that match, while it is typed."""
        before = self._filter

        def changed(text: str) -> None:
            try:
                self._set_filter(text)
            except ValueError as error:
                self.console.tell(str(error), "warn")

        def accept(text: str) -> str | None:
            try:
                self._set_filter(text)
            except ValueError as error:
                return str(error)
            if self._matches is not None and self._lines.dropped:
                self._begin()  # what is kept is not all: search the log as it comes again
            return None

        history = self.console.history("/")
        self.console.ask(
            Ask("/", accept, initial=before, changed=changed, cancelled=lambda: changed(before), history=history)
        )

    def _set_filter(self, text: str) -> None:
        self._matches = matcher(text)
        self._filter = text.strip()
        lines, self._found = self._lines, LogTail(self._lines.parse)
        for raw in lines.raw if self._matches is not None else ():
            if self._matches is not None and self._matches(lines.parse(raw).searched):
                self._found.feed(raw)
        self._show()

    def do_back(self) -> None:
        """Let go of the filter, else the view before."""
        if self._filter:
            self._set_filter("")
        else:
            self.console.do_back()

    def do_refresh(self) -> None:
        """Read it again."""
        self._begin()

    def do_runbook(self) -> None:
        """The runbook for a DAG that failed, filled in: it shows the end of the log, where it can reach the file."""
        recovery_of(self.console, {"dag_id": self._tried.dag_id, "run_id": self._tried.run_id})

    def do_up(self) -> None:
        self._scroll(-1)

    def do_down(self) -> None:
        self._scroll(1)

    def do_page_up(self) -> None:
        self._scroll(-self._scroller.page)

    def do_page_down(self) -> None:
        self._scroll(self._scroller.page)

    def do_top(self) -> None:
        self._scroll(-self._scroller.total)

    def do_bottom(self) -> None:
        """To the end, and on with it."""
        self._following = True
        self._show()

    def _scroll(self, rows: int) -> None:
        self._following = False
        self._scroller.scroll_by(rows)


class _Painted(Sequence[Line]):
    """Lines of a log, each painted when it is looked at."""

    def __init__(self, lines: Sequence[LogLine]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, place: int) -> Line: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Line, ...]: ...
    def __getitem__(self, place: int | slice) -> Line | tuple[Line, ...]:
        if isinstance(place, slice):
            return tuple(map(_line, self._lines[place]))
        return _line(self._lines[place])


def _unread(raw: str) -> LogLine:
    """Before the first line has come, with what parses it."""
    return LogLine(clean_line(raw))


def _line(one: LogLine, limit: int = 2000) -> Line:
    spans = []
    if one.at is not None:
        spans.append(Span(f"{datetime.fromtimestamp(one.at, UTC):%H:%M:%S} ", "dim"))
    if one.level:
        spans.append(Span(f"{one.level.upper():<8}", _ROLES.get(one.level.lower(), "dim")))
    return line(*spans, Span(clean_line(one.text, limit=limit), _role(one)))


def _role(one: LogLine) -> Role:
    """That of its text; what is quiet by its level is still read."""
    role = _ROLES.get(one.level.lower(), "text")
    return role if role != "dim" else "text"


def _whole(one: LogLine, width: int) -> Lines:
    """As many lines as it takes."""
    return paragraphs(text_of((_line(one, _LONGEST),)), width, _role(one))
