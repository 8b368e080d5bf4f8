"""How several actions at once look: one list of exact commands, each with what came of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import duration_text
from opsconsole.runbooks.model import Step
from opsconsole.runbooks.states import StepState
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Span, clip_line, fit_line, in_role, line, spread
from opsconsole.ui.lines import wrapped as wrapped_text
from opsconsole.ui.output import wrapped
from opsconsole.ui.run_page import STATE_ROLES, RunShown, mark, run_head

_BRIEF = 3
"""Lines of a command in the list; the one under the cursor is shown in full."""
_LEFT = 3
"""Lines for what is left out."""
_OF_DETAIL = 6
"""Lines of what came of the one under the cursor; of the others one."""
_SAID = 4
"""Lines of output at the foot."""


@dataclass(frozen=True, slots=True)
class SeveralShown:
    """Everything that is painted."""

    run: RunShown
    commands: Mapping[str, str]
    """Step -> its exact text."""
    left: str = ""
    """What is left out, and why."""
    at_once: int = 1
    """How many run beside each other."""

    @property
    def where(self) -> str:
        """The line that all commands begin with, which names their server; empty where there is none."""
        first = {text.partition("\n")[0] for text in self.commands.values()}
        only = first.pop() if len(first) == 1 else ""
        return only if only.startswith(("#", "--")) else ""


def several_lines(shown: SeveralShown, width: int, height: int, glyphs: Glyphs) -> Lines:
    """The whole view: what is to be done and how it stands above, the question and the output below it."""
    run = shown.run
    # The parameters are in the commands; there are several of each.
    head = run_head(replace(run, values={}), width)
    rule = fit_line(line(Span(glyphs.horizontal * width, "faint")), width)
    foot = _foot(run, width)
    where = [line(" ", Span(clean_line(shown.where), "dim"))] if shown.where else []
    top = [head, tally(run, glyphs, shown.at_once), *_left(shown.left, width), *where, rule]
    room = max(3, height - len(top) - len(foot))
    blocks = [_block(shown, at, width, room, glyphs) for at in range(len(run.steps))]
    listed = _in_view(blocks, run.current, room)
    listed += [()] * (room - len(listed))
    return tuple(clip_line(one, width, glyphs.ellipsis) for one in (*top, *listed, *foot))


def tally(run: RunShown, glyphs: Glyphs, at_once: int = 1) -> Line:
    """`7 actions, one after the other   ● 4 ok   ✗ 1 failed   ○ 2 not tried`."""
    counts: dict[StepState, int] = {}
    for step in run.steps:
        state = run.state_of(step).state
        counts[state] = counts.get(state, 0) + 1
    order = f"{at_once} at once" if at_once > 1 else "one after the other"
    spans = [Span(f" {len(run.steps)} actions, {order}", "strong")]
    stopped = len(counts) > 1 and StepState.RUNNING not in counts
    for state, count in counts.items():
        called = "not tried" if state is StepState.PENDING and stopped else state
        spans += [Span("   "), Span(f"{mark(state, glyphs)} {count} {called}", STATE_ROLES.get(state, "dim"))]
    return line(*spans)


def _left(text: str, width: int) -> list[Line]:
    if not text:
        return []
    return [line(" ", Span(piece, "warn")) for piece in wrapped_text(clean_line(text, limit=2000), width - 2, _LEFT)]


def _block(shown: SeveralShown, at: int, width: int, room: int, glyphs: Glyphs) -> list[Line]:
    """One action: its title and state, why, the exact command, and what came of it."""
    run, step = shown.run, shown.run.steps[at]
    known, here = run.state_of(step), at == run.current
    right = known.state.value if known.state is not StepState.PENDING else ""
    if known.duration is not None:
        right = f"{right}  {duration_text(known.duration)}"
    title = line(Span(f" {mark(known.state, glyphs)} ", STATE_ROLES.get(known.state, "dim")), f"{at + 1:>2}  ",
                 Span(clean_line(step.title or step.name), "strong"))  # fmt: skip
    top = spread(title, line(Span(f"{right} ", STATE_ROLES.get(known.state, "dim"))), width)
    lines = [in_role(top, "cursor") if here else top]
    if here and step.prose:
        lines += [line("      ", Span(clean_line(text), "dim")) for text in _prose(step, width - 8)]
    command = _command(shown.commands.get(step.name, "").removeprefix(f"{shown.where}\n"), width - 10)
    most = max(_BRIEF, room - len(lines) - 1) if here else _BRIEF
    more = len(command) - most
    if more > 0:
        command = [*command[: most - 1], line(Span(f"{glyphs.ellipsis} {more + 1} more lines", "warn"))]
    lines += [line("        ", *one) for one in command]
    if known.detail and known.state is not StepState.PENDING:
        role = "text" if known.state is StepState.OK else STATE_ROLES.get(known.state, "dim")
        detail = clean_line(known.detail, limit=2000)
        said = wrapped_text(detail, width - 7, _OF_DETAIL) if here else [detail]
        lines += [line("      ", Span(text, role)) for text in said]
    return lines


def _prose(step: Step, width: int) -> list[str]:
    return ["".join(span.text for span in one) for one in wrapped([clean_line(step.prose)], max(10, width), 3)[0]]


def _command(text: str, width: int) -> list[Line]:
    return [one for piece in clean(text).expandtabs(4).splitlines() for one in wrapped([piece], max(10, width), 50)[0]]


def _in_view(blocks: Sequence[list[Line]], current: int, room: int) -> list[Line]:
    """As many lines as there is room for, the whole present block among them, what comes next below it."""
    start = sum(len(block) for block in blocks[:current])
    listed = [one for block in blocks for one in block]
    end = start + len(blocks[current])
    below = len(blocks[current + 1]) if current + 1 < len(blocks) else 0
    top = max(0, min(start, end + below - room, len(listed) - room)) if end + below > room else 0
    return listed[top : top + room]


def _foot(run: RunShown, width: int) -> list[Line]:
    lines: list[Line] = [()]
    output, _ = wrapped(run.output.lines, width - 2, _SAID)
    lines += [line(" ", Span("".join(span.text for span in one), "dim")) for one in output]
    if run.over:
        lines.append(line(" ", Span(run.over, "strong")))
    if run.message:
        lines.append(line(" ", Span(clean_line(run.message), run.message_role)))
    if run.asking:
        lines.append(line(" ", *run.asking))
    return lines
