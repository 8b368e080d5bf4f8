"""How a runbook looks while it is walked: pure functions from the run's state to lines.

On a wide terminal the steps stand left and the present one right; on a narrow one the list is a single line above
the step. What matters most, the exact command and what it wants before it runs, is never cut in favour of prose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opsconsole.actions.action import Risk
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import duration_text
from opsconsole.runbooks.model import Kind, Runbook, Step
from opsconsole.runbooks.states import StepState
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Span, clip_line, fit_line, line, line_width, spread, truncate
from opsconsole.ui.output import OutputLog, wrapped
from opsconsole.ui.screens.text import paragraphs, prose_lines

NARROW = 100
"""Columns below which the list of steps becomes one line."""
_LIST_WIDTH = 40

RISK_ROLES: Mapping[Risk, str] = {Risk.READ: "dim", Risk.WRITE: "warn", Risk.DESTRUCTIVE: "crit"}
STATE_ROLES: Mapping[StepState, str] = {
    StepState.OK: "ok",
    StepState.DONE: "ok",
    StepState.WARN: "warn",
    StepState.RUNNING: "accent",
    StepState.FAILED: "crit",
    StepState.TIMED_OUT: "crit",
    StepState.CANCELLED: "warn",
    StepState.REFUSED: "crit",
    StepState.UNKNOWN: "unknown",
    StepState.NOT_DONE: "warn",
}


@dataclass(frozen=True, slots=True)
class StepShown:
    """What is known of one step."""

    state: StepState = StepState.PENDING
    duration: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RunShown:
    """Everything that is painted."""

    book: Runbook
    run_id: str
    """Empty before the run has begun."""
    actor: str
    environment: str
    values: Mapping[str, str]
    """Parameters, secrets masked."""
    steps: Sequence[Step]
    shown: Mapping[str, StepShown]
    current: int
    command: str
    """The exact text of the present step."""
    wants: str
    """What it takes before it runs, in words; empty for nothing."""
    elapsed: float | None = None
    """Seconds that the present step has been running."""
    asking: Line = ()
    """What is being asked, with the editor in it."""
    message: str = ""
    message_role: str = "text"
    back: int = 0
    """Rows that the output is scrolled back."""
    output: OutputLog = field(default_factory=OutputLog)
    output_of: str = ""
    """The name of the step whose output is shown, where that is another one."""
    over: str = ""
    """How the run ended, in words; empty while it goes on."""

    @property
    def step(self) -> Step:
        """The present step."""
        return self.steps[self.current]

    def state_of(self, step: Step) -> StepShown:
        """What is known of `step`."""
        return self.shown.get(step.name, StepShown())


def run_lines(run: RunShown, width: int, height: int, glyphs: Glyphs) -> Lines:
    """The whole view."""
    top = (run_head(run, width), fit_line(line(Span(glyphs.horizontal * width, "faint")), width))
    if not run.steps:
        return (*top, line(Span(" This runbook has no steps; it is for reading. esc goes back.", "dim")))
    room = height - len(top)
    if width < NARROW:
        body = (one_line_list(run, width, glyphs), (), *step_lines(run, width - 2, room - 2, glyphs))
        return (*top, *(body[0:1]), *(line(" ", *one) for one in body[1:]))[:height]
    left = step_list(run, _LIST_WIDTH - 1, room, glyphs)
    right = step_lines(run, width - _LIST_WIDTH - 2, room, glyphs)
    rule = Span(f"{glyphs.vertical} ", "faint")
    joined = []
    for at in range(room):
        one = left[at] if at < len(left) else ()
        other = right[at] if at < len(right) else ()
        joined.append((*fit_line(one, _LIST_WIDTH), rule, *other))
    return (*top, *joined)


def run_head(run: RunShown, width: int) -> Line:
    """Which runbook, which run, whose, with which parameters."""
    spans = [Span(f" {clean_line(run.book.title)}", "title")]
    if run.run_id:
        spans.append(Span(f"   run {clean_line(run.run_id)}", "dim"))
    spans.append(Span(f"   by {clean_line(run.actor)}", "dim"))
    params = [
        Span(f"{'   ' if at else ''}{clean_line(name)} = {clean_line(value, limit=60)}")
        for at, (name, value) in enumerate(run.values.items())
        if value
    ]
    return spread(line(*spans), line(*params, " "), width)


def mark(state: StepState, glyphs: Glyphs) -> str:
    """One cell for a step's state."""
    plain = glyphs.name == "ascii"
    match state:
        case StepState.OK | StepState.DONE:
            return glyphs.ok
        case StepState.RUNNING:
            return ">" if plain else "▶"
        case StepState.WARN | StepState.CANCELLED | StepState.NOT_DONE:
            return glyphs.warn
        case StepState.FAILED | StepState.TIMED_OUT | StepState.REFUSED:
            return glyphs.crit
        case StepState.UNKNOWN:
            return glyphs.unknown
        case StepState.SKIPPED | StepState.NOT_APPLICABLE:
            return "-" if plain else "–"
        case StepState.PENDING:
            return "o" if plain else "○"


def step_list(run: RunShown, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """The steps, the present one in view; only those in view are made into text."""
    start = max(0, min(run.current - height // 2, len(run.steps) - height))
    return [_list_line(run, at, width, glyphs) for at in range(start, min(len(run.steps), start + height))]


def _list_line(run: RunShown, at: int, width: int, glyphs: Glyphs) -> Line:
    step = run.steps[at]
    shown = run.state_of(step)
    right = _list_right(run, at, shown)
    box = "[ ] " if step.kind is Kind.MANUAL and shown.state is StepState.PENDING else ""
    text = f" {mark(shown.state, glyphs)} {step.number} {box}{clean_line(step.title or step.name)}"
    shown_text = truncate(text, width - len(right) - 1, glyphs.ellipsis)
    blanks = " " * max(1, width - line_width(line(shown_text)) - len(right))
    if at == run.current:
        return line(Span(f"{shown_text}{blanks}{right}", "cursor"))
    role = STATE_ROLES.get(shown.state, "dim")
    return line(
        Span(shown_text[:2], role),
        Span(shown_text[2:], "text" if role != "dim" else "dim"),
        Span(blanks + right, "dim"),
    )


def _list_right(run: RunShown, at: int, shown: StepShown) -> str:
    if at == run.current and run.elapsed is not None:
        return duration_text(max(1.0, run.elapsed)).replace(".0", "")
    if shown.state in (StepState.OK, StepState.WARN) and shown.duration is not None:
        return duration_text(shown.duration)
    return "" if shown.state in (StepState.PENDING, StepState.RUNNING, StepState.DONE) else shown.state.value


def one_line_list(run: RunShown, width: int, glyphs: Glyphs) -> Line:
    """`step 3 of 6   2 ok   1 failed`, for narrow terminals."""
    counts: dict[StepState, int] = {}
    for step in run.steps:
        state = run.state_of(step).state
        counts[state] = counts.get(state, 0) + 1
    spans = [Span(f" step {run.current + 1} of {len(run.steps)}", "strong")]
    for state, count in counts.items():
        if state is not StepState.PENDING:
            spans += [Span("   "), Span(f"{mark(state, glyphs)} {count} {state}", STATE_ROLES.get(state, "dim"))]
    return fit_line(line(*spans), width)


def step_lines(run: RunShown, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """The present step: what it is for, exactly what it does, what it wants, and what it said.

    The command has the first claim on the lines, then output up to a third of them, then prose. Before something is
    changed, what will be sent matters more than what the step before has said.
    """
    head, facts, ask = _step_head(run, width), _facts(run, width), _ask_lines(run, width)
    changes = run.step.executable and run.step.risk is not Risk.READ
    before = changes and run.state_of(run.step).state is StepState.PENDING
    output_head = _output_head(run, width)
    claimed = 0 if before or not output_head else len(output_head) + min(len(run.output.lines), max(3, height // 3))
    room = height - len(head) - len(facts) - len(ask) - claimed - 2 - bool(facts)
    command = _command(run, width, max(4, room - 2), glyphs)
    prose = _prose(run.step, width, max(2, min(12, room - len(command))))
    lines = [*head, *prose, (), *command, *facts, *([()] if facts else []), *ask]
    left = height - len(lines) - len(output_head)
    if left > 0:
        output, _ = wrapped(run.output.lines, width, left, run.back)
        lines += [*output_head, *output]
    return [clip_line(one, width) for one in lines][:height]


def _step_head(run: RunShown, width: int) -> list[Line]:
    step, shown = run.step, run.state_of(run.step)
    risk = Span(
        step.risk.value.upper() if step.executable else step.kind.value.upper(),
        RISK_ROLES[step.risk] if step.executable else "dim",
    )
    right = line(risk, Span(f"  {run.wants}" if run.wants else "", "dim"), " ")
    title = line(Span(f"{step.number}  {clean_line(step.title or step.name)}", "title"))
    state = line(
        Span(shown.state.value, STATE_ROLES.get(shown.state, "dim")),
        Span(f"  {clean_line(shown.detail)}" if shown.detail else ""),
    )
    if shown.state is StepState.PENDING:
        return [spread(title, right, width)]
    return [spread(title, right, width), state]


def _prose(step: Step, width: int, most: int) -> list[Line]:
    role = "dim" if step.executable else "text"
    lines = list(prose_lines(step.prose if step.executable else step.body, width, role))
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], line(Span("z shows the whole step", "faint"))]


def _command(run: RunShown, width: int, most: int, glyphs: Glyphs) -> list[Line]:
    if not run.step.executable:
        return []
    texts = clean(run.command).expandtabs(4).splitlines()
    lines: list[Line] = []
    for text in texts:
        lines += [line("  ", *one) for one in wrapped([text], max(10, width - 3), 50)[0]]
    if len(lines) <= most:
        return lines
    hidden = len(lines) - most + 1
    return [*lines[: most - 1], line(Span(f"  {glyphs.ellipsis} {hidden} more lines; z shows the whole step", "warn"))]


def _facts(run: RunShown, width: int) -> list[Line]:
    step = run.step
    facts = [
        ("on", step.conn),
        ("timeout", duration_text(step.timeout) if step.timeout else ""),
        ("verify", step.verify),
        ("undo", step.undo),
    ]
    spans: list[Span] = []
    for name, value in facts:
        if value and step.executable:
            spans += [Span(f"{'   ' if spans else ''}{name} ", "faint"), Span(clean_line(value), "dim")]
    return [clip_line(line(*spans), width)] if spans else []


def _ask_lines(run: RunShown, width: int) -> list[Line]:
    lines: list[Line] = []
    if run.over:
        lines += [line(Span(run.over, "strong")), ()]
    if run.asking:
        lines += [run.asking, ()]
    if run.message:
        lines += [*paragraphs(clean(run.message), width, run.message_role)[:3], ()]
    return lines


def _output_head(run: RunShown, width: int) -> list[Line]:
    if not run.output.total_bytes and not run.output.lines:
        return []
    notes = [f"{run.output.total_bytes:,} bytes"] if run.output.total_bytes else []
    if run.output.dropped:
        notes.append(f"{run.output.dropped:,} earlier lines are in the run's folder")
    if run.back:
        notes.append(f"{run.back} lines before the end")
    title = f"OUTPUT of {clean_line(run.output_of)}" if run.output_of else "OUTPUT"
    return [spread(line(Span(title, "heading")), line(Span("   ".join(notes), "dim"), " "), width)]
